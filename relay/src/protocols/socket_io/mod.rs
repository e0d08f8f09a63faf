//! Socket.IO 1 to 4.
//!
//! Clients connect to `/socket.io/` by long-polling, by WebSocket, or by the one first and the
//! other afterwards, which is their default. A namespace is a space. The event `message` with an
//! envelope as its argument is published; other events aren't relayed. A page of
//! RTCMultiConnection 3 has a place in the [rooms](crate::rooms) of its space too, which take its
//! other events.
//!
//! ```text
//! routes ─ polling / socket ─ engine (Engine.IO's packets) ─ packet (Socket.IO's) ─ session ─ hub
//! ```
//!
//! By hand, because the server of the crate socketioxide (0.18.9) counts waiting packets and not
//! bytes, and never closes a client that has stopped reading.

pub mod engine;
mod heartbeat;
mod one_at_a_time;
pub mod packet;
mod polling;
mod problem;
mod routes;
mod session;
mod sessions;
mod socket;

pub(crate) use self::routes::routes;
