//! Why connections end: every WebSocket close code that the relay sends, in one place.
//!
//! | code | reason | what the client did, or what happened |
//! | --- | --- | --- |
//! | 1000 | | spoke a protocol inside the WebSocket in which the end and its reason were told
//! | 1001 | `the relay is shutting down` | connect again later |
//! | 1002 | `not a WebSocket frame: …` | broke the WebSocket protocol |
//! | 1002 | `not Socket.IO: …` | broke the protocol of Socket.IO |
//! | 1002 | `not the relay's protocol: …` | has opened channels, and then sent what is neither an envelope nor for the relay
//! | 1003 | `text frames only` | sent a binary frame |
//! | 1007 | `text frames are UTF-8` | sent a text frame that isn't UTF-8 |
//! | 1009 | `frame over … bytes` | sent a frame over the limit |
//! | 1013 | `try again later` | the store behind the hub doesn't take frames |
//! | 4008 | `too slow` | read so slowly that its send queue overflowed; what waited there is gone |
//! | 4009 | `resumed by another connection` | came back with the same session, before this connection was seen to be gone
//! | 4012 | `no answer to a ping` | was silent for too long |
//! | 4501 | `over … channels` | opened more channels than a session may have, or such long names that they take too much room; clients of ours don't come back
//!
//! All but the last leave a client free to connect again. A client's own close is answered with its own code.

use std::borrow::Cow;

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// The close code of a connection that couldn't keep up.
pub const TOO_SLOW: u16 = 4008;
/// The close code of a connection that didn't answer a ping.
pub const SILENT: u16 = 4012;

/// The close code of a connection whose session another connection has taken over.
pub const RESUMED: u16 = 4009;
/// The close code of a client that has too many channels open. By its number our clients know that coming back is no use.
pub const TOO_MANY_CHANNELS: u16 = 4501;

/// Why a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The other side closed it or is gone; nothing is left to be said.
    Gone,
    /// The relay is being stopped.
    ShuttingDown,
    /// Something came that the WebSocket protocol doesn't allow.
    NotWebSocket(ProtocolError),
    /// A binary frame came.
    NotText,
    /// A text frame came that isn't UTF-8.
    NotUtf8,
    /// A frame came that is longer than this many bytes.
    TooLong(usize),
    /// The store didn't take a frame.
    NoStore,
    /// The send queue overflowed.
    TooSlow,
    /// Nothing came, not even the answer to a ping.
    Silent,
    /// Something came that isn't Socket.IO, with what it was.
    NotSocketIo(&'static str),
    /// A client that has opened channels sent something that says nothing, with what is wrong with it.
    NotForRelay(&'static str),
    /// Another connection has taken the session over.
    Resumed,
    /// More channels are open than this, or their names are too long in all.
    TooManyChannels(usize),
    /// What there is to tell was told in the protocol inside the WebSocket.
    Said,
}

impl Ending {
    /// The ending that an error of the connection means, where frames may have up to `max_frame` bytes.
    #[must_use]
    pub fn from_error(error: Error, max_frame: usize) -> Self {
        match error {
            Error::Capacity(_) => Self::TooLong(max_frame),
            Error::Utf8(_) => Self::NotUtf8,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Gone,
            Error::Protocol(error) => Self::NotWebSocket(error),
            _ => Self::Gone,
        }
    }

    /// What the other side is told, if there is something to tell.
    #[must_use]
    pub fn frame(&self) -> Option<CloseFrame> {
        let (code, reason): (CloseCode, Cow<'static, str>) = match self {
            Self::Gone => return None,
            Self::ShuttingDown => (CloseCode::Away, "the relay is shutting down".into()),
            Self::NotWebSocket(error) => (
                CloseCode::Protocol,
                format!("not a WebSocket frame: {error}").into(),
            ),
            Self::NotText => (CloseCode::Unsupported, "text frames only".into()),
            Self::NotUtf8 => (CloseCode::Invalid, "text frames are UTF-8".into()),
            Self::TooLong(max) => (CloseCode::Size, format!("frame over {max} bytes").into()),
            Self::NoStore => (CloseCode::Again, "try again later".into()),
            Self::TooSlow => (TOO_SLOW.into(), "too slow".into()),
            Self::Silent => (SILENT.into(), "no answer to a ping".into()),
            Self::NotSocketIo(what) => {
                (CloseCode::Protocol, format!("not Socket.IO: {what}").into())
            }
            Self::NotForRelay(what) => (
                CloseCode::Protocol,
                format!("not the relay's protocol: {what}").into(),
            ),
            Self::Resumed => (RESUMED.into(), "resumed by another connection".into()),
            Self::TooManyChannels(most) => (
                TOO_MANY_CHANNELS.into(),
                format!("over {most} channels, or their names too long").into(),
            ),
            Self::Said => (CloseCode::Normal, "".into()),
        };
        // A close frame has room for 123 bytes.
        let reason = (0..=reason.len().min(123))
            .rev()
            .find_map(|end| reason.get(..end))
            .unwrap_or_default();
        Some(CloseFrame {
            code,
            reason: reason.into(),
        })
    }
}
