//! Our errors as JavaScript sees them: a `TypeError` or an `Error` named `SignalingError`, with a
//! stable `code` and a sentence that names the member, the value and the way out.

use js_sys::TypeError;
use wasm_bindgen::prelude::*;

use super::js;
use crate::session::{Closed, Config, SendError};

/// An error of ours, a JavaScript object from the start.
#[derive(Debug, Clone)]
pub struct Error(JsValue);

/// The error of a wrong argument: a `TypeError`.
pub fn type_error(code: &str, message: impl AsRef<str>) -> Error {
    Error::new(TypeError::new(message.as_ref()).into(), code)
}

/// Any other error: an `Error` named `SignalingError`.
pub fn signaling_error(code: &str, message: impl AsRef<str>) -> Error {
    let error = js_sys::Error::new(message.as_ref());
    js::put(&error, "name", "SignalingError");
    Error::new(error.into(), code)
}

impl Error {
    fn new(error: JsValue, code: &str) -> Error {
        js::put(&error, "code", code);
        Error(error)
    }

    /// An error from JavaScript: one of ours, or an exception of the page.
    #[cfg(feature = "typed-api")]
    pub fn from_js(thrown: JsValue) -> Error {
        Error(thrown)
    }

    /// What went wrong, for programs: one of the codes of `types.d.ts`.
    pub fn code(&self) -> String {
        js::text(&js::member(&self.0, "code"))
    }

    /// The error of a message that can't be sent.
    pub fn of_send(error: SendError, channel: &str, config: &Config) -> Error {
        match error {
            SendError::TooLarge { bytes, limit } => {
                let whose = if limit < config.max_message {
                    "the server accepts"
                } else {
                    "the option maxMessage allows"
                };
                signaling_error(
                    "message-too-large",
                    format!(
                        "send: the frame with the message has {bytes} bytes, {whose} {limit}; send it in parts, or raise that limit"
                    ),
                )
            }
            SendError::OutboxFull { messages, bytes } => signaling_error(
                "outbox-full",
                format!(
                    "send: the outbox is full ({messages} of {} messages, {bytes} of {} bytes); wait for the state 'open', or raise the option outbox",
                    config.outbox.messages, config.outbox.bytes
                ),
            ),
            SendError::ChannelClosed => signaling_error(
                "channel-closed",
                format!(
                    "send: the channel {} is closed; open it again",
                    quoted(channel)
                ),
            ),
            SendError::SessionClosed => Error::signaling_closed(),
        }
    }

    /// The error of using a closed signaling.
    pub fn signaling_closed() -> Error {
        signaling_error(
            "signaling-closed",
            "the signaling is closed; make a new one with new Signaling() or configure()",
        )
    }
}

impl From<Closed> for Error {
    fn from(_: Closed) -> Error {
        Error::signaling_closed()
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&js::text(&js::member(&self.0, "message")))
    }
}

impl std::error::Error for Error {}

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

/// A value as errors show it: strings and numbers as they are, objects and functions by their kind.
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

/// A string in quotes, shortened if it is long.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("'{}…'", text.get(..end).unwrap_or_default()),
        None => format!("'{text}'"),
    }
}
