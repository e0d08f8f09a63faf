//! A chat in a Rust front end: messages are a Rust type that both ends share.
//!
//! Build it with `cargo build --example typed_chat --target wasm32-unknown-unknown
//! --no-default-features --features typed`, then run `wasm-bindgen --target web` on the result to
//! get a module for a page. Ann and Ben, each with a signaling of their own, talk through the
//! server that the page comes from.

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("this example runs in a page: build it with --target wasm32-unknown-unknown");
}

#[cfg(target_arch = "wasm32")]
pub use page::*;

#[cfg(target_arch = "wasm32")]
mod page {
    use serde::{Deserialize, Serialize};
    use signal_wasm::{Channel, Error, Options, Signaling, Subscription};

    /// A message. It is sent as JSON, like `{"type":"said","by":"Ann","text":"Hello."}`, so pages
    /// that aren't written in Rust can join in.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type", rename_all = "lowercase")]
    pub enum Message {
        /// Somebody joined.
        Joined {
            /// Their name.
            by: String,
        },
        /// Somebody said something.
        Said {
            /// Their name.
            by: String,
            /// The text.
            text: String,
        },
        /// Somebody left.
        Left {
            /// Their name.
            by: String,
        },
    }

    /// One person's end of the chat.
    #[derive(Debug)]
    pub struct Chat {
        signaling: Signaling,
        channel: Channel<Message>,
        name: String,
        _messages: Subscription,
    }

    impl Chat {
        /// Joins the chat on `server`. `on_message` is called with each message of the others, or
        /// with an error if another page sent something else than a [`Message`].
        pub fn join(
            server: &str,
            name: &str,
            on_message: impl Fn(Result<Message, Error>) + 'static,
        ) -> Result<Chat, Error> {
            let signaling = Signaling::new(&Options {
                url: Some(server.into()),
                ..Options::default()
            })?;
            let channel = signaling.channel("typed-chat")?;
            let messages = channel.on_message(on_message);
            channel.send(&Message::Joined { by: name.into() })?;
            Ok(Chat {
                signaling,
                channel,
                name: name.into(),
                _messages: messages,
            })
        }

        /// Says something to all others. It waits in the outbox until the connection is open.
        pub fn say(&self, text: &str) -> Result<(), Error> {
            self.channel.send(&Message::Said {
                by: self.name.clone(),
                text: text.into(),
            })
        }

        /// Says goodbye and leaves.
        pub fn leave(self) -> Result<(), Error> {
            self.channel.send(&Message::Left {
                by: self.name.clone(),
            })?;
            self.signaling.close();
            Ok(())
        }
    }

    /// A message as a line of text.
    pub fn line(message: Result<Message, Error>) -> String {
        match message {
            Ok(Message::Joined { by }) => format!("{by} is there"),
            Ok(Message::Said { by, text }) => format!("{by}: {text}"),
            Ok(Message::Left { by }) => format!("{by} is gone"),
            Err(error) => format!("something else: {error}"),
        }
    }

    /// Starts the page: Ann and Ben join and greet each other.
    pub fn main() {
        let print = |name: &'static str| {
            move |message| {
                web_sys::console::log_1(&format!("{name} received: {}", line(message)).into());
            }
        };
        let talk = || {
            let ann = Chat::join("/", "Ann", print("Ann"))?;
            let ben = Chat::join("/", "Ben", print("Ben"))?;
            ann.say("Hello.")?;
            ben.say("Hello yourself.")?;
            // Dropping them would close their signalings.
            std::mem::forget((ann, ben));
            Ok(())
        };
        talk().unwrap_or_else(|error: Error| {
            web_sys::console::error_1(&error.into());
        });
    }
}
