//! Socket.IO, with a real server and clients that write its frames by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "socket_io/limits.rs"]
mod limits;
#[path = "socket_io/polling.rs"]
mod polling;
#[path = "socket_io/requests.rs"]
mod requests;
#[path = "socket_io/websocket.rs"]
mod websocket;
