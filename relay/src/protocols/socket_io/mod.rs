//! Socket.IO 1 to 4.
//!
//! Clients connect to `/socket.io/` by long-polling, by WebSocket, or by the one first and the
//! other afterwards, which is their default. A namespace is a space. The event `message` with an
//! envelope as its argument is published, and one with any other argument as an envelope without a
//! channel. A page of RTCMultiConnection 3 has a place in the [rooms](crate::rooms) of its space too,
//! which take its other events. Pages of reliable-signaler and of socketio-over-nodejs find theirs;
//! others aren't relayed.
//!
//! ```text
//! routes ─ polling / socket ─ engine (Engine.IO's packets) ─ packet (Socket.IO's) ─ session ─ hub
//! ```
//!
//! By hand, because the server of the crate socketioxide (0.18.9) counts waiting packets and not
//! bytes, and never closes a client that has stopped reading.

pub mod engine;
mod farewell;
mod form;
mod heartbeat;
mod member;
mod old_pages;
mod one_at_a_time;
pub mod packet;
mod polling;
mod problem;
mod reliable_signaler;
mod routes;
mod session;
mod sessions;
mod socket;
mod socketio_over_nodejs;

pub(crate) use self::routes::routes;
