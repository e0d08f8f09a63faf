//! The session: one logical connection to a server, as a pure state machine.
//!
//! **Inputs.** What the page calls is a method with a result: [`open`](Session::open), [`send`](Session::send),
//! [`close_channel`](Session::close_channel), [`close`](Session::close). Everything else that happens is an [`Input`] to
//! [`handle`](Session::handle).
//!
//! **Outputs.** After each of them the driver
//!
//! 1. performs every [`Action`] until [`poll_action`](Session::poll_action) returns none,
//! 2. sets one timer for [`poll_timeout`](Session::poll_timeout),
//! 3. tells the page every [`Event`] of [`poll_event`](Session::poll_event), with no borrow of the session held. The page may call
//!    back from there, and then the driver does 1 and 2 at once, so that a `send` reaches an open socket before it returns.
//!
//! The session calls nobody, has no clock, and makes no randomness of its own beyond the seed that it is given.

mod channels;
mod config;
mod connection;
mod conversation;
mod incoming;
mod keepalive;
mod machine;
mod outbox;
mod page;
mod readiness;
mod receive;
mod reconnect;
mod resume;
mod state;
mod stats;

pub use crate::protocol::Millis;
pub use config::{Config, CredentialsSource, OpenWhen};
pub use machine::Session;
pub use outbox::Bounds;
pub use reconnect::ReconnectPolicy;
pub use state::{
    Action, ChannelId, Closed, ConnectionId, Disconnect, DropReason, Event, Input, SendError,
    State, Transmission, TransmitError,
};
pub use stats::{FrameKind, Stats};
