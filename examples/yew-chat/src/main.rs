//! A chat with Yew: the state of the connection, what was said, and a line to say something. Everyone
//! who opens the page on the same relay is in the chat.

use serde::{Deserialize, Serialize};
use signal_wasm::{Channel, Options, Result, Signaling, State, StateChange, Subscription};
use web_sys::HtmlInputElement;
use yew::html::Scope;
use yew::prelude::*;

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
    /// Joins the chat on the server that the page comes from. What happens is sent to the room.
    fn join(room: &Scope<Room>) -> Result<Chat> {
        let signaling = Signaling::new(&Options::default())?;
        let changed = room.callback(Happened::Changed);
        let show_state =
            signaling.on_state_change(move |change: &StateChange| changed.emit(change.state));
        let failed = room.callback(Happened::Line);
        let show_error = signaling.on_error(move |error| failed.emit(error.to_string()));
        let channel = signaling.channel::<Said>("chat")?;
        let heard = room.callback(Happened::Line);
        let show_message = channel.on_message(move |message| {
            heard.emit(message.map_or_else(|error| error.to_string(), |said| said.text));
        });
        // The channel keeps the signaling open.
        Ok(Chat {
            channel,
            _handlers: [show_state, show_error, show_message],
        })
    }
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

/// Yew drops it when the component is unmounted: the channel and the connection are closed.
struct Room {
    chat: Result<Chat>,
    state: State,
    lines: Vec<String>,
    text: NodeRef,
}

/// What happens in a room.
enum Happened {
    Changed(State),
    Line(String),
    Submitted(SubmitEvent),
}

impl Room {
    /// Says what is in the input.
    fn say(&mut self) {
        let Some(input) = self.text.cast::<HtmlInputElement>() else {
            return;
        };
        let said = Said {
            text: input.value(),
        };
        let sent = match &self.chat {
            Ok(chat) => chat.channel.send(&said),
            Err(error) => Err(error.clone()),
        };
        self.lines.push(match sent {
            Ok(()) => format!("I: {}", said.text),
            Err(error) => error.to_string(),
        });
        input.set_value("");
    }
}

impl Component for Room {
    type Message = Happened;
    type Properties = ();

    fn create(context: &Context<Self>) -> Room {
        Room {
            chat: Chat::join(context.link()),
            state: State::Connecting,
            lines: Vec::new(),
            text: NodeRef::default(),
        }
    }

    fn update(&mut self, _: &Context<Self>, what: Happened) -> bool {
        match what {
            Happened::Changed(state) => self.state = state,
            Happened::Line(line) => self.lines.push(line),
            Happened::Submitted(event) => {
                event.prevent_default();
                self.say();
            }
        }
        true
    }

    fn view(&self, context: &Context<Self>) -> Html {
        html! {
            <>
                <p id="state">{ name(self.state) }</p>
                <ul id="lines">{ for self.lines.iter().map(|line| html! { <li>{ line }</li> }) }</ul>
                <form onsubmit={context.link().callback(Happened::Submitted)}>
                    <input id="text" autocomplete="off" ref={self.text.clone()} />
                    <button>{ "Say" }</button>
                </form>
            </>
        }
    }
}

#[component]
fn Page() -> Html {
    let is_there = use_state(|| true);
    let leave = {
        let is_there = is_there.clone();
        Callback::from(move |_: MouseEvent| is_there.set(!*is_there))
    };
    html! {
        <>
            <button id="leave" onclick={leave}>{ if *is_there { "Leave" } else { "Join" } }</button>
            if *is_there {
                <Room />
            }
        </>
    }
}

fn main() {
    yew::Renderer::<Page>::new().render();
}
