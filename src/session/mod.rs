//! The session: one logical connection to a server, as a pure state machine.
//!
//! **Inputs.** Calls of the page are methods: [`open`](Session::open), [`send`](Session::send),
//! [`close_channel`](Session::close_channel), [`connect`](Session::connect),
//! [`disconnect`](Session::disconnect), [`reconnect`](Session::reconnect) and
//! [`close`](Session::close). All other events are an
//! [`Input`] to [`handle`](Session::handle), or to [`handle_from`](Session::handle_from) if they
//! belong to one connection.
//!
//! **Outputs.** After each input the driver
//!
//! 1. performs every [`Action`] until [`poll_action`](Session::poll_action) returns none,
//! 2. sets one timer for [`poll_timeout`](Session::poll_timeout),
//! 3. emits every frame of [`poll_frame`](Session::poll_frame) and every [`Event`] of
//!    [`poll_event`](Session::poll_event) to the page, while it holds no borrow of the session. If
//!    the page calls back from there, the driver does 1 and 2 at once, so that a `send` reaches an
//!    open socket before it returns. Events wait until the handler returns; frames don't.
//!
//! The session is pure: it has no callbacks, no clock and no I/O. Its only randomness comes from
//! the seed that it is given.

mod channels;
mod config;
mod connection;
mod conversation;
mod incoming;
mod keepalive;
mod machine;
mod message;
mod on_demand;
mod outbox;
mod page;
mod pending;
mod readiness;
mod receive;
mod reconnect;
mod refusal;
mod renewal;
mod resume;
mod size;
mod spelling;
mod standby;
mod state;
mod stats;
mod surroundings;
mod takeover;
mod unconfirmed;

pub use crate::protocol::Millis;
pub use config::{Config, CredentialsSource, OpenWhen};
pub use machine::Session;
pub use outbox::{Bounds, Overflow};
pub use reconnect::ReconnectPolicy;
pub use spelling::misspelt;
pub use state::{
    Action, ChannelId, Closed, ConnectionId, Disconnect, DropReason, Event, Input, SendError,
    State, Transmission, TransmitError,
};
pub use stats::{FrameKind, Stats};
