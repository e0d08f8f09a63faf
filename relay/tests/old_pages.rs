//! Pages that were written for other servers, unmodified: websocket-over-nodejs,
//! socketio-over-nodejs, reliable-signaler, and bare messages of Socket.IO.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "old_pages/websocket_over_nodejs.rs"]
mod websocket_over_nodejs;

#[path = "old_pages/bare.rs"]
mod bare;
#[path = "old_pages/reliable_signaler.rs"]
mod reliable_signaler;
#[path = "old_pages/socketio_over_nodejs.rs"]
mod socketio_over_nodejs;
