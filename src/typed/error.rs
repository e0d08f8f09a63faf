//! Errors: what went wrong, as an enum, and a sentence for people.

use wasm_bindgen::JsValue;

use crate::browser::error::{self as browser, signaling_error, type_error};

/// An error of this library: its [`kind`](Self::kind), and a sentence that names the value and the
/// way out ([`Display`](std::fmt::Display)).
///
/// ```no_run
/// use signal_wasm::{ErrorKind, Options, Signaling};
///
/// let made = Signaling::new(&Options {
///     url: Some("ftp://example.org/".into()),
///     ..Options::default()
/// });
/// assert_eq!(made.unwrap_err().kind(), ErrorKind::BadUrl);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// The result of what may fail by an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Lists the kinds: the enum, and the constant and the function that need all of them.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $code:literal,)*) => {
        /// What went wrong. Each kind has the code that JavaScript sees, and that `docs/errors.md`
        /// explains.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* #[doc = concat!(" Code: `", $code, "`.")] $kind,)*
        }

        impl ErrorKind {
            /// All kinds.
            pub const ALL: &[ErrorKind] = &[$(ErrorKind::$kind,)*];

            /// The code, such as `bad-option`.
            pub fn code(self) -> &'static str {
                match self {
                    $(ErrorKind::$kind => $code,)*
                }
            }
        }
    };
}

kinds! {
    /// `Signaling::new`: an option has an invalid value, or this build leaves the protocol out.
    BadOption = "bad-option",
    /// `Signaling::new`: the address isn't one of a server.
    BadUrl = "bad-url",
    /// `Signaling::new`: the browser has no `crypto.getRandomValues`.
    NoRandomness = "no-randomness",
    /// `send`, `publish`: JSON can't hold the message. In a handler or a stream of messages: another
    /// page sent a message of another type.
    BadMessage = "bad-message",
    /// `send`, `publish`: the frame with the message is longer than `max_message` or the server
    /// allows. Nothing was sent.
    MessageTooLarge = "message-too-large",
    /// `on_error`, `publish`: the outbox was full, and a message was dropped. `send`, with
    /// `Overflow::Throw`: the message wasn't taken.
    OutboxFull = "outbox-full",
    /// `on_error`, and an item of the stream: a stream of messages was behind, and its oldest
    /// messages were dropped.
    BufferFull = "buffer-full",
    /// `send`, `publish`, `ready`: the channel was closed before.
    ChannelClosed = "channel-closed",
    /// Everything that needs a connection: the signaling was closed before.
    SignalingClosed = "signaling-closed",
    /// `channel`: the browser refuses to connect. `on_error`, `connect`, `connected`: the connection is
    /// lost for good.
    ConnectionFailed = "connection-failed",
    /// `on_error`, `connect`, `connected`: the server refuses the credentials; the signaling is closed.
    AuthenticationRefused = "authentication-refused",
    /// `on_error`, `publish`: the server answered the message with an error; it is dropped.
    MessageRefused = "message-refused",
    /// `on_error`, `publish`: the message's time to live passed, or the page was hidden, before the
    /// server accepted it.
    MessageExpired = "message-expired",
    /// `on_error`, `publish`: the server doesn't accept the message, or may not have accepted it.
    MessageGivenUp = "message-given-up",
    /// `on_error`, once: a received frame isn't an envelope; `Stats::bad` counts all of them.
    BadFrame = "bad-frame",
    /// An exception that isn't this library's, of a transport that is written in JavaScript.
    Exception = "",
}

impl Error {
    /// An error of this kind.
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: message.into(),
        }
    }

    /// The error of using a closed signaling.
    pub(super) fn signaling_closed() -> Error {
        Error::new(
            ErrorKind::SignalingClosed,
            "the signaling is closed; make a new one with Signaling::new",
        )
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Reads an error of the library that was made for JavaScript.
impl From<browser::Error> for Error {
    fn from(error: browser::Error) -> Error {
        let code = error.code();
        let mut kinds = ErrorKind::ALL.iter().copied();
        match kinds.find(|kind| kind.code() == code) {
            // The sentence names functions of JavaScript.
            Some(ErrorKind::SignalingClosed) => Error::signaling_closed(),
            kind => Error::new(kind.unwrap_or(ErrorKind::Exception), error.to_string()),
        }
    }
}

impl From<JsValue> for Error {
    fn from(thrown: JsValue) -> Error {
        browser::Error::from_js(thrown).into()
    }
}

/// A JavaScript `Error` with the same `code` and `message`, for functions that JavaScript calls.
impl From<Error> for JsValue {
    fn from(error: Error) -> JsValue {
        let code = error.kind.code();
        match error.kind {
            ErrorKind::BadOption | ErrorKind::BadUrl | ErrorKind::BadMessage => {
                type_error(code, error.message).into()
            }
            _ => signaling_error(code, error.message).into(),
        }
    }
}
