//! Our errors as JavaScript sees them: a `TypeError` or an `Error` named `SignalingError`, with a stable `code` and a sentence that names
//! the member, the value and the way out.

use super::js;
use crate::session::{Closed, Config, SendError};
use js_sys::{Error as JsError, JsString, Reflect, TypeError};
use wasm_bindgen::prelude::*;

/// What went wrong; the codes of `types.d.ts`, each documented there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Code {
    /// The config of a channel is missing or of the wrong type.
    BadConfig,
    /// An option is of the wrong type or out of its range.
    BadOption,
    /// There is no option of that name.
    UnknownOption,
    /// The URL can't be one of a WebSocket server.
    BadUrl,
    /// No channel was named and there is no default.
    NoChannel,
    /// JSON can't hold the message.
    BadMessage,
    /// The message is longer than `maxMessage`.
    MessageTooLarge,
    /// The message has no place in the outbox.
    OutboxFull,
    /// The channel isn't open.
    ChannelClosed,
    /// The signaling is closed.
    SignalingClosed,
    /// The default signaling is in use.
    InUse,
    /// A received frame is no envelope.
    BadFrame,
    /// The connection is lost for good.
    ConnectionFailed,
    /// The browser gave no random numbers.
    NoRandomness,
}

impl Code {
    /// The code as JavaScript sees it.
    pub fn name(self) -> &'static str {
        match self {
            Code::BadConfig => "bad-config",
            Code::BadOption => "bad-option",
            Code::UnknownOption => "unknown-option",
            Code::BadUrl => "bad-url",
            Code::NoChannel => "no-channel",
            Code::BadMessage => "bad-message",
            Code::MessageTooLarge => "message-too-large",
            Code::OutboxFull => "outbox-full",
            Code::ChannelClosed => "channel-closed",
            Code::SignalingClosed => "signaling-closed",
            Code::InUse => "in-use",
            Code::BadFrame => "bad-frame",
            Code::ConnectionFailed => "connection-failed",
            Code::NoRandomness => "no-randomness",
        }
    }

    fn is_type_error(self) -> bool {
        matches!(self, Code::BadConfig | Code::BadOption | Code::UnknownOption | Code::BadUrl | Code::NoChannel | Code::BadMessage)
    }
}

/// An error of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: String,
}

impl Error {
    /// The sentence is put together of `parts`.
    pub fn new(code: Code, parts: &[&str]) -> Error {
        Error { code, message: parts.concat() }
    }

    /// What went wrong, for programs.
    pub fn code(&self) -> Code {
        self.code
    }

    /// Why a message wasn't taken.
    pub fn of_send(error: SendError, channel: &str, config: &Config) -> Error {
        match error {
            SendError::TooLarge { length } => Error::new(
                Code::MessageTooLarge,
                &[
                    "send: the message has ",
                    &count(length),
                    " characters of JSON, maxMessage is ",
                    &count(config.max_message),
                    "; send it in parts, or raise the option maxMessage",
                ],
            ),
            SendError::OutboxFull { messages, bytes } => Error::new(
                Code::OutboxFull,
                &[
                    "send: the outbox is full (",
                    &count(messages),
                    " of ",
                    &count(config.outbox.messages),
                    " messages, ",
                    &count(bytes),
                    " of ",
                    &count(config.outbox.bytes),
                    " bytes); wait for the state 'open', or raise the option outbox",
                ],
            ),
            SendError::ChannelClosed => {
                Error::new(Code::ChannelClosed, &["send: the channel ", &quoted(channel), " is closed; open it again"])
            }
            SendError::SessionClosed => Error::signaling_closed("send"),
        }
    }

    /// `what` was called on a signaling that is closed.
    pub fn signaling_closed(what: &str) -> Error {
        Error::new(Code::SignalingClosed, &[what, ": the signaling is closed; make a new one with new Signaling() or configure()"])
    }
}

impl From<Closed> for Error {
    fn from(_: Closed) -> Error {
        Error::signaling_closed("open")
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for JsValue {
    fn from(error: Error) -> JsValue {
        let js: JsValue = if error.code.is_type_error() {
            TypeError::new(&error.message).into()
        } else {
            let js = JsError::new(&error.message);
            js.set_name("SignalingError");
            js.into()
        };
        // A fresh error takes any member.
        let _ = Reflect::set(&js, &"code".into(), &error.code.name().into());
        js
    }
}

/// A number as text, without the weight of `core::fmt`.
pub fn count(number: usize) -> String {
    show(&JsValue::from_f64(number as f64))
}

/// A value as an error names it: its JSON if that is short, else what kind of thing it is.
pub fn show(value: &JsValue) -> String {
    let kind = value.js_typeof().as_string().unwrap_or_default();
    match kind.as_str() {
        "function" => "a function".into(),
        "object" if !value.is_null() => if js_sys::Array::is_array(value) { "an array" } else { "an object" }.into(),
        "string" => quoted(&value.as_string().unwrap_or_default()),
        _ => js::to_text(value).map(|text| String::from(&text)).unwrap_or(kind),
    }
}

/// A text in quotes, cut where it gets long.
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 60;
    let cut: JsString = text.into();
    let short = String::from(cut.slice(0, LONGEST as u32));
    ["'", &short, if short.len() < text.len() { "…'" } else { "'" }].concat()
}
