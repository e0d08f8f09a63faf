//! Our errors as JavaScript sees them: a `TypeError` or an `Error` named `SignalingError`, with a stable `code` and a sentence that names
//! the member, the value and the way out.

use super::js;
use crate::protocol::fill;
use crate::session::{Closed, Config, SendError};
use alloc::string::String;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = Error)]
    fn plain_error(message: &str) -> JsValue;
    #[wasm_bindgen(js_name = TypeError)]
    fn type_error(message: &str) -> JsValue;
}

/// An error of ours, in JavaScript's hands from the start.
#[derive(Debug, Clone)]
pub struct Error(JsValue);

/// What is wrong with an argument: a `TypeError`.
pub fn wrong(code: &str, template: &str, values: &[&str]) -> Error {
    Error::new(type_error(&fill(template, values)), code)
}

/// What went wrong otherwise: an `Error` named `SignalingError`.
pub fn failed(code: &str, template: &str, values: &[&str]) -> Error {
    let js = plain_error(&fill(template, values));
    js::put(&js, "name", &"SignalingError".into());
    Error::new(js, code)
}

impl Error {
    fn new(js: JsValue, code: &str) -> Error {
        js::put(&js, "code", &code.into());
        Error(js)
    }

    /// An error that came from JavaScript: one of ours, or what a getter of the page's threw.
    #[cfg(feature = "typed")]
    pub fn from_js(thrown: JsValue) -> Error {
        Error(thrown)
    }

    /// What went wrong, for programs: one of the codes of `types.d.ts`.
    pub fn code(&self) -> String {
        js::text(&js::member(&self.0, "code"))
    }

    /// Why a message wasn't taken.
    pub fn of_send(error: SendError, channel: &str, config: &Config) -> Error {
        match error {
            SendError::TooLarge { length } => failed(
                "message-too-large",
                "send: the message has # characters of JSON, maxMessage is #; send it in parts, or raise the option maxMessage",
                &[&count(length), &count(config.max_message)],
            ),
            SendError::OutboxFull { messages, bytes } => failed(
                "outbox-full",
                "send: the outbox is full (# of # messages, # of # bytes); wait for the state 'open', or raise the option outbox",
                &[
                    &count(messages),
                    &count(config.outbox.messages),
                    &count(bytes),
                    &count(config.outbox.bytes),
                ],
            ),
            SendError::ChannelClosed => failed(
                "channel-closed",
                "send: the channel # is closed; open it again",
                &[&quoted(channel)],
            ),
            SendError::SessionClosed => Error::signaling_closed(),
        }
    }

    /// The signaling is closed.
    pub fn signaling_closed() -> Error {
        failed(
            "signaling-closed",
            "the signaling is closed; make a new one with new Signaling() or configure()",
            &[],
        )
    }
}

impl From<Closed> for Error {
    fn from(_: Closed) -> Error {
        Error::signaling_closed()
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&js::text(&js::member(&self.0, "message")))
    }
}

impl core::error::Error for Error {}

impl PartialEq for Error {
    fn eq(&self, other: &Error) -> bool {
        self.code() == other.code()
    }
}

impl From<Error> for JsValue {
    fn from(error: Error) -> JsValue {
        error.0
    }
}

/// A number as text.
pub fn count(number: usize) -> String {
    js::text(&JsValue::from_f64(number as f64))
}

/// A value as an error names it: itself if it is short, else what kind of thing it is.
pub fn show(value: &JsValue) -> String {
    if let Some(text) = value.as_string() {
        quoted(&text)
    } else if value.is_function() {
        "a function".into()
    } else if value.is_object() {
        "an object".into()
    } else {
        js::text(value)
    }
}

/// A text in quotes, cut where it gets long.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut short: String = "'".into();
    short.extend(text.chars().take(LONGEST));
    short.push_str(if short.len() <= text.len() {
        "…'"
    } else {
        "'"
    });
    short
}
