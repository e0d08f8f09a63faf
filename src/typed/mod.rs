//! The typed API for Rust front ends. Each type's own documentation says what it does; `docs/rust.md`
//! is the way in.
//!
//! * `signaling`, with `state`, `stats` and `observer`: the connection, and what it tells.
//! * `channel`, with `opening` and `stream`: messages.
//! * `options`, with `protocol`, `provided` and `transport`; `members` writes them for
//!   `browser/options.rs`, which knows what they mean.
//! * `error`, `frame`; `listeners` and `wake`: handlers and tasks.

mod channel;
mod error;
mod frame;
mod listeners;
mod members;
mod observer;
mod opening;
mod options;
mod protocol;
mod provided;
mod signaling;
mod state;
mod stats;
mod stream;
mod transport;
mod wake;

pub use channel::Channel;
pub use error::{Error, ErrorKind, Result};
pub use frame::{Frame, FrameData, FrameKind};
pub use listeners::Subscription;
pub use options::{DefaultChannel, OpenWhen, Options, Outbox, Overflow, Reconnect};
pub use protocol::{
    Credentials, Heartbeat, Plain, Protocol, ProtocolKind, Requests, SignalR, SignalRClassic,
    SocketIo, Sse,
};
pub use provided::{Auth, Provided};
pub use signaling::Signaling;
pub use state::{State, StateChange, States};
pub use stats::Stats;
pub use stream::Messages;
pub use transport::{Carrier, NotSent, Sending, Transport, TransportEvents};
