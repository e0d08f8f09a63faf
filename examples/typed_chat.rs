//! A chat as a Rust front end writes it: messages are a Rust type, and both ends know it.
//!
//! `cargo build --example typed_chat --target wasm32-unknown-unknown --no-default-features --features typed` builds it; `wasm-bindgen --target web`
//! makes a page's module of that. Ann and Ben, who have a signaling each, talk through the server that the page comes from.

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    eprintln!("this is a page: build it with --target wasm32-unknown-unknown");
}

#[cfg(target_arch = "wasm32")]
pub use page::*;

#[cfg(target_arch = "wasm32")]
mod page {
    use serde::{Deserialize, Serialize};
    use signal_wasm::{Channel, Error, Options, Signaling};

    /// What goes over the wire, as `{"type":"said","by":"Ann","text":"Hello."}`: pages that aren't written in Rust can join in.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type", rename_all = "lowercase")]
    pub enum Message {
        /// Somebody is there.
        Joined {
            /// Who.
            by: String,
        },
        /// Somebody said something.
        Said {
            /// Who.
            by: String,
            /// What.
            text: String,
        },
        /// Somebody is gone.
        Left {
            /// Who.
            by: String,
        },
    }

    /// One person's end of the chat.
    #[derive(Debug)]
    pub struct Chat {
        signaling: Signaling,
        channel: Channel,
        name: String,
    }

    impl Chat {
        /// Joins the chat of `server`; `hear` gets what the others say. What another page sent that is no [`Message`] is an error.
        pub fn join(
            server: &str,
            name: &str,
            hear: impl Fn(Result<Message, Error>) + 'static,
        ) -> Result<Chat, Error> {
            let signaling = Signaling::new(&Options {
                url: Some(server.into()),
                ..Options::default()
            })?;
            let channel = signaling.open("typed-chat", hear)?;
            channel.send(&Message::Joined { by: name.into() })?;
            Ok(Chat {
                signaling,
                channel,
                name: name.into(),
            })
        }

        /// Says something to all others, now or as soon as the connection is there.
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

    /// A line for each thing that is heard.
    pub fn line(heard: Result<Message, Error>) -> String {
        match heard {
            Ok(Message::Joined { by }) => format!("{by} is there"),
            Ok(Message::Said { by, text }) => format!("{by}: {text}"),
            Ok(Message::Left { by }) => format!("{by} is gone"),
            Err(error) => format!("something else: {error}"),
        }
    }

    /// What the page does.
    pub fn main() {
        let hear = |name: &'static str| {
            move |heard| web_sys::console::log_1(&format!("{name} hears: {}", line(heard)).into())
        };
        let talk = || {
            let ann = Chat::join("/", "Ann", hear("Ann"))?;
            let ben = Chat::join("/", "Ben", hear("Ben"))?;
            ann.say("Hello.")?;
            ben.say("Hello yourself.")?;
            // They stay for as long as the page does.
            std::mem::forget((ann, ben));
            Ok(())
        };
        talk().unwrap_or_else(|error: Error| {
            web_sys::console::error_1(&error.into());
        });
    }
}
