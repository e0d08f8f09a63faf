//! Server-sent events, with a real server and a real HTTP client.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "sse/limits.rs"]
mod limits;
#[path = "sse/messages.rs"]
mod messages;
#[path = "sse/strangers.rs"]
mod strangers;
