//! Plain WebSockets, with a real server and real clients.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "relaying/frames.rs"]
mod frames;
#[path = "relaying/limits.rs"]
mod limits;
#[path = "relaying/stopping.rs"]
mod stopping;
#[path = "relaying/store.rs"]
mod store;
#[path = "relaying/unnamed.rs"]
mod unnamed;
