//! What a client of each protocol says and hears.

use clap::ValueEnum;

/// The channel of all clients.
const CHANNEL: &str = "load";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    /// A plain WebSocket: each text goes to all others.
    Plain,
    /// The relay's own protocol, as signal-wasm speaks it: a session, numbered messages.
    Relay,
    /// Socket.IO 4 on a WebSocket.
    SocketIo,
    /// ASP.NET Core SignalR without negotiation.
    Signalr,
    /// Server-sent events.
    Sse,
}

/// A frame that isn't a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// To be answered with this.
    Answer(String),
    /// The client may speak and hears messages from now on.
    Ready,
    Nothing,
}

impl Protocol {
    /// The path of a space.
    pub(crate) fn path(self, space: usize) -> String {
        match self {
            Self::Plain | Self::Relay if space > 0 => format!("/{space}"),
            Self::Plain | Self::Relay => "/".into(),
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket".into(),
            Self::Signalr => "/hub".into(),
            Self::Sse => "/sse".into(),
        }
    }

    /// What a client says first; with the secret of a session, it resumes that one.
    pub(crate) fn greeting(self, session: Option<&str>) -> Option<String> {
        let session =
            session.map_or_else(String::new, |secret| format!(",\"session\":\"{secret}\""));
        match self {
            Self::Plain | Self::SocketIo | Self::Sse => None,
            Self::Relay => Some(format!("{{\"open\":[\"{CHANNEL}\"]{session}}}")),
            Self::Signalr => Some("{\"protocol\":\"json\",\"version\":1}\u{1e}".into()),
        }
    }

    /// Whether a client may speak as soon as it is connected.
    pub(crate) fn is_ready_at_once(self) -> bool {
        matches!(self, Self::Plain | Self::Sse)
    }

    /// What a frame asks for that isn't a message.
    pub(crate) fn control(self, frame: &str) -> Control {
        match self {
            Self::Plain | Self::Sse => Control::Nothing,
            Self::Relay => match frame.strip_prefix("{\"ping\":") {
                Some(number) => Control::Answer(format!("{{\"pong\":{number}")),
                None if frame.contains("\"session\":") && frame.starts_with("{\"ack\":") => {
                    Control::Ready
                }
                None => Control::Nothing,
            },
            Self::SocketIo => match frame.as_bytes() {
                [b'0', ..] => Control::Answer("40".into()),
                [b'4', b'0', ..] => Control::Ready,
                b"2" => Control::Answer("3".into()),
                _ => Control::Nothing,
            },
            Self::Signalr if frame.starts_with("{}") || frame.starts_with("{\"minorVersion\"") => {
                Control::Ready
            }
            Self::Signalr if frame.starts_with("{\"type\":6}") => {
                Control::Answer("{\"type\":6}\u{1e}".into())
            }
            Self::Signalr => Control::Nothing,
        }
    }

    /// The frame, or the body of a request, that publishes this text. `number` rises from 1.
    pub(crate) fn message(self, number: u64, text: &str) -> String {
        let envelope = |more: &str| {
            format!("{{\"sender\":1,\"channel\":\"{CHANNEL}\"{more},\"message\":\"{text}\"}}")
        };
        match self {
            Self::Plain | Self::Sse => envelope(""),
            Self::Relay => envelope(&format!(",\"ref\":{number}")),
            Self::SocketIo => format!("42[\"message\",{}]", envelope("")),
            Self::Signalr => {
                let string = envelope("").replace('"', "\\\"");
                format!("{{\"type\":1,\"target\":\"Send\",\"arguments\":[\"{string}\"]}}\u{1e}")
            }
        }
    }
}

/// The secret of its session in the frame that lets a client in.
pub(crate) fn secret(frame: &str) -> Option<&str> {
    let (_, rest) = frame.split_once("\"session\":\"")?;
    Some(rest.split_once('"')?.0)
}

/// The text of a message: where it begins, when it was sent (nanoseconds since the run began), and
/// padding up to `size` bytes.
pub(crate) fn text(sent: u64, size: usize) -> String {
    let head = format!("~{sent}~");
    let padding = size.saturating_sub(head.len());
    head + &"x".repeat(padding)
}

/// When the message in a frame was sent.
pub(crate) fn sent(frame: &str) -> Option<u64> {
    let (_, rest) = frame.split_once('~')?;
    rest.split_once('~')?.0.parse().ok()
}
