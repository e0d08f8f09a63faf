//! A chat with Leptos: the state of the connection, what was said, and a line to say something.
//! Everyone who opens the page on the same relay is in the chat.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use signal_wasm::{Channel, Error, Options, Result, Signaling, State, Subscription};

/// A message. Pages that aren't written in Rust see `{"text":"Hello."}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Said {
    text: String,
}

/// The chat of a page. It is left when this is dropped.
struct Chat {
    channel: Channel<Said>,
    _handlers: [Subscription; 3],
}

impl Chat {
    /// Joins the chat on the server that the page comes from. What happens is written to the signals.
    fn join(state: WriteSignal<State>, lines: WriteSignal<Vec<String>>) -> Result<Chat> {
        let signaling = Signaling::new(&Options::default())?;
        let show_state = signaling.on_state_change(move |change| state.set(change.state));
        let show_error = signaling.on_error(move |error| push(lines, error.to_string()));
        let channel = signaling.channel::<Said>("chat")?;
        let show_message = channel.on_message(move |message| {
            push(
                lines,
                message.map_or_else(|error| error.to_string(), |said| said.text),
            );
        });
        // The channel keeps the signaling open.
        Ok(Chat {
            channel,
            _handlers: [show_state, show_error, show_message],
        })
    }
}

fn push(lines: WriteSignal<Vec<String>>, line: String) {
    lines.update(|lines| lines.push(line));
}

/// The state in a word.
fn name(state: State) -> &'static str {
    match state {
        State::Idle => "not connected",
        State::Connecting => "connecting",
        State::Open => "connected",
        State::Waiting { .. } => "waiting for the next attempt",
        State::Closed => "closed",
    }
}

#[component]
fn Room() -> impl IntoView {
    let (state, set_state) = signal(State::Connecting);
    let (lines, set_lines) = signal(Vec::<String>::new());
    let (text, set_text) = signal(String::new());
    // Leptos drops it when the component is unmounted: the channel and the connection are closed.
    let chat = StoredValue::new_local(Chat::join(set_state, set_lines));
    let say = move |event: leptos::ev::SubmitEvent| {
        event.prevent_default();
        let said = Said { text: text.get() };
        let sent = chat.with_value(|chat| match chat {
            Ok(chat) => chat.channel.send(&said),
            Err(error) => Err(Error::clone(error)),
        });
        match sent {
            Ok(()) => {
                push(set_lines, format!("I: {}", said.text));
                set_text.set(String::new());
            }
            Err(error) => push(set_lines, error.to_string()),
        }
    };
    view! {
        <p id="state">{move || name(state.get())}</p>
        <ul id="lines">
            {move || lines.get().into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}
        </ul>
        <form on:submit=say>
            <input
                id="text"
                autocomplete="off"
                prop:value=text
                on:input=move |event| set_text.set(event_target_value(&event))
            />
            <button>"Say"</button>
        </form>
    }
}

#[component]
fn Page() -> impl IntoView {
    let (is_there, set_there) = signal(true);
    view! {
        <button id="leave" on:click=move |_| set_there.update(|is_there| *is_there = !*is_there)>
            {move || if is_there.get() { "Leave" } else { "Join" }}
        </button>
        <Show when=move || is_there.get()>
            <Room />
        </Show>
    }
}

fn main() {
    leptos::mount::mount_to_body(Page);
}
