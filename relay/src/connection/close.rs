//! Why connections close: every WebSocket close code that the relay sends, with its reason.
//!
//! | code | reason | what happened |
//! | --- | --- | --- |
//! | 1000 | | the end and its reason were told in the protocol inside the WebSocket |
//! | 1001 | `the relay is shutting down` | connect again later |
//! | 1002 | `not a WebSocket frame: …` | the client broke the WebSocket protocol |
//! | 1002 | `not Socket.IO: …`, `not the relay's protocol: …` | the client broke that protocol |
//! | 1003 | `text frames only` | the client sent a binary frame |
//! | 1007 | `text frames are UTF-8` | the client sent a text frame that isn't UTF-8 |
//! | 1009 | `frame over … bytes` | the client sent a frame over the limit |
//! | 1013 | `try again later` | the store behind the hub takes no messages now |
//! | 4008 | `too slow` | the client's send queue overflowed; what waited is dropped |
//! | 4009 | `resumed by another connection` | its session continues on another connection |
//! | 4012 | `no answer to a ping` | the client was silent for too long |
//! | 4013 | `over … messages or … bytes a second` | the client sent too much for too long |
//! | 4014 | `over its share of memory` | the relay's memory is used up, and this client uses most |
//! | 4015 | `a message took too long` | a message began and wasn't complete in time |
//! | 4501 | `over … channels, …` | the client opened too many channels; final |
//! | 4503 | `the token has expired`, `a token is needed here`, … | the client needs another token; final if it has none |
//!
//! After all but the last two a client may connect again. A client's own close is answered with its
//! own code.

use std::borrow::Cow;
use std::io::ErrorKind;

use signal_wire::close;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::auth::refusal::Refusal;
use crate::hub::sessions::{End, SessionError};
use crate::limits::{Rate, RateExceeded};

/// The code for an end that the protocol inside the WebSocket has announced.
const NORMAL: u16 = 1000;

/// The longest reason that a close frame has room for, in bytes.
const LONGEST_REASON: usize = 123;

/// Why a connection closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// The other side closed the connection or is gone. Nothing is left to say.
    Gone,
    /// The relay is shutting down.
    ShuttingDown,
    /// The client broke the WebSocket protocol.
    NotWebSocket(ProtocolError),
    /// The client broke the protocol of this name inside the WebSocket.
    NotProtocol {
        /// The protocol.
        protocol: &'static str,
        /// What the client sent instead.
        problem: &'static str,
    },
    /// The client sent a binary frame.
    BinaryFrame,
    /// The client sent a text frame that isn't UTF-8.
    InvalidUtf8,
    /// The client sent a frame over this many bytes.
    FrameTooLarge(usize),
    /// The store didn't accept a message.
    StoreUnavailable,
    /// The send queue overflowed.
    SlowConsumer,
    /// The client was silent, and didn't answer a ping either.
    PingTimeout,
    /// The client sent too much for too long.
    RateExceeded(Rate),
    /// Another connection has taken the session over.
    ResumedElsewhere,
    /// The relay's memory is used up, and this client has most of it.
    OverMemory,
    /// A message wasn't complete in time.
    MessageTimeout,
    /// The client would have more channels open than this, or their names are too long in all.
    TooManyChannels(usize),
    /// The client's token was refused, or has expired.
    TokenRefused(Refusal),
    /// What there is to say was said in the protocol inside the WebSocket.
    Normal,
}

impl CloseReason {
    /// The reason that an error of a WebSocket stands for, where frames may have up to `max_frame`
    /// bytes.
    pub(crate) fn from_error(error: Error, max_frame: usize) -> Self {
        match error {
            Error::Capacity(_) => Self::FrameTooLarge(max_frame),
            Error::Utf8(_) => Self::InvalidUtf8,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Gone,
            Error::Protocol(error) => Self::NotWebSocket(error),
            _ => Self::Gone,
        }
    }

    /// The reason that an error of writing stands for.
    pub(crate) fn from_write_error(error: &Error) -> Self {
        match error {
            Error::Io(error) if error.kind() == ErrorKind::TimedOut => Self::SlowConsumer,
            _ => Self::Gone,
        }
    }

    /// Its name in metrics and in the log.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::ShuttingDown => "shutting down",
            Self::NotWebSocket(_) => "not a websocket frame",
            Self::NotProtocol { .. } => "not the protocol",
            Self::BinaryFrame => "binary frame",
            Self::InvalidUtf8 => "invalid utf-8",
            Self::FrameTooLarge(_) => "frame too large",
            Self::StoreUnavailable => "store unavailable",
            Self::SlowConsumer => "slow consumer",
            Self::PingTimeout => "ping timeout",
            Self::RateExceeded(_) => "rate exceeded",
            Self::ResumedElsewhere => "resumed elsewhere",
            Self::OverMemory => "over memory",
            Self::MessageTimeout => "message timeout",
            Self::TooManyChannels(_) => "too many channels",
            Self::TokenRefused(_) => "token refused",
            Self::Normal => "closed in its protocol",
        }
    }

    /// The close frame for the other side, if there is anything to say.
    pub(crate) fn frame(&self) -> Option<CloseFrame> {
        let (code, reason): (u16, Cow<'static, str>) = match self {
            Self::Gone => return None,
            Self::Normal => (NORMAL, "".into()),
            Self::ShuttingDown => (close::GOING_AWAY, "the relay is shutting down".into()),
            Self::NotWebSocket(error) => (
                close::PROTOCOL_ERROR,
                format!("not a WebSocket frame: {error}").into(),
            ),
            Self::NotProtocol { protocol, problem } => (
                close::PROTOCOL_ERROR,
                format!("not {protocol}: {problem}").into(),
            ),
            Self::BinaryFrame => (close::UNSUPPORTED_DATA, "text frames only".into()),
            Self::InvalidUtf8 => (close::INVALID_TEXT, "text frames are UTF-8".into()),
            Self::FrameTooLarge(max) => {
                (close::TOO_LARGE, format!("frame over {max} bytes").into())
            }
            Self::StoreUnavailable => (close::TRY_AGAIN_LATER, "try again later".into()),
            Self::SlowConsumer => (close::SLOW_CONSUMER, "too slow".into()),
            Self::PingTimeout => (close::PING_TIMEOUT, "no answer to a ping".into()),
            Self::RateExceeded(Rate { messages, bytes }) => (
                close::RATE_LIMIT,
                format!("over {messages} messages or {bytes} bytes a second").into(),
            ),
            Self::ResumedElsewhere => (
                close::RESUMED_ELSEWHERE,
                "resumed by another connection".into(),
            ),
            Self::MessageTimeout => (close::MESSAGE_TIMEOUT, "a message took too long".into()),
            Self::OverMemory => (close::OVER_MEMORY, "over its share of memory".into()),
            Self::TooManyChannels(most) => (
                close::TOO_MANY_CHANNELS,
                format!("over {most} channels, or their names too long").into(),
            ),
            Self::TokenRefused(refusal) if refusal.is_temporary() => {
                (close::TRY_AGAIN_LATER, refusal.to_string().into())
            }
            Self::TokenRefused(refusal) => (close::TOKEN_REFUSED, refusal.to_string().into()),
        };
        let reason = (0..=reason.len().min(LONGEST_REASON))
            .rev()
            .find_map(|end| reason.get(..end))
            .unwrap_or_default();
        Some(CloseFrame {
            code: code.into(),
            reason: reason.into(),
        })
    }
}

impl From<RateExceeded> for CloseReason {
    fn from(RateExceeded(rate): RateExceeded) -> Self {
        Self::RateExceeded(rate)
    }
}

impl From<Refusal> for CloseReason {
    fn from(refusal: Refusal) -> Self {
        Self::TokenRefused(refusal)
    }
}

impl From<End> for CloseReason {
    fn from(end: End) -> Self {
        match end {
            End::Resumed => Self::ResumedElsewhere,
            End::Evicted => Self::OverMemory,
        }
    }
}

impl From<SessionError> for CloseReason {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::ResumedElsewhere => Self::ResumedElsewhere,
            SessionError::StoreUnavailable => Self::StoreUnavailable,
            SessionError::TooManyChannels(most) => Self::TooManyChannels(most),
        }
    }
}
