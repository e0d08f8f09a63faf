//! How envelopes travel in frames. Pure: text in, values out; no clock, no I/O, no JavaScript.
//!
//! * [`websocket`]: the envelope itself, `{"sender":…,"channel":…,"message":…}`, which the other protocols carry inside theirs.
//! * [`relay`]: what our own relay says besides, so that nothing is lost or repeated when a connection is.
//! * `socket_io`, `signalr`, `signalr_classic`: what each says before, between and around envelopes.
//! * [`Link`]: one connection's conversation with its server, in whichever of them; what it wants done is an [`Effect`].
//! * [`Texts`]: what the page and the server said, by name, for the templates of what is to be said next.
//! * [`Records`]: a stream of texts cut into records, for protocols whose records needn't be frames.
//!
//! Decoding is asked for the **head** of a frame only, its first few hundred characters: canonical frames tell there who sent them and on
//! which channel, and most frames that a page receives are not for it. See [`Link::decode_head`]. All other frames are read whole, by
//! [`Link::record`].

mod envelope;
mod json;
mod link;
mod records;
pub mod relay;
mod signalr;
mod signalr_classic;
mod socket_io;
mod text;
pub mod websocket;

pub use envelope::{Head, Sender, UserId};
pub use json::{Scanner, write_string};
pub use link::{Effect, Ending, Link, Value};
pub use records::{Records, Text};
pub use text::{Texts, fill, write_encoded};

/// Milliseconds, as JavaScript counts them; as a point in time, on a clock that never goes back.
pub type Millis = f64;

/// How envelopes travel in frames; the option `protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Protocol {
    /// As `Relay` where the server greets as one, else as `WebSocket`.
    #[default]
    Auto,
    /// Our own relay.
    Relay,
    /// Each text frame is one envelope, and the server hands it to every other page.
    WebSocket,
    /// Engine.IO 4 and 3 with Socket.IO's packets inside: an event whose one argument is the envelope.
    SocketIo,
    /// ASP.NET Core SignalR, JSON hub protocol: an invocation whose one argument is the envelope's text.
    SignalR,
    /// ASP.NET SignalR 2, the `$.connection` one: likewise.
    SignalRClassic,
}

impl Protocol {
    /// Every protocol, in the order in which errors and documentation list them.
    pub const ALL: &[Protocol] = &[
        Protocol::Auto,
        Protocol::Relay,
        Protocol::WebSocket,
        Protocol::SocketIo,
        Protocol::SignalR,
        Protocol::SignalRClassic,
    ];

    /// Their names, in the same order.
    pub const NAMES: &[&str] = &[
        "auto",
        "relay",
        "websocket",
        "socket.io",
        "signalr",
        "signalr-classic",
    ];

    /// The name as the option `protocol` has it.
    pub fn name(self) -> &'static str {
        Protocol::NAMES
            .get(self as usize)
            .copied()
            .unwrap_or_default()
    }

    /// The protocol of that name.
    pub fn from_name(name: &str) -> Option<Protocol> {
        Protocol::ALL
            .iter()
            .copied()
            .find(|protocol| protocol.name() == name)
    }
}
