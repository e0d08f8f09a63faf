//! Clients that speak the relay's own protocol and can resume.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

#[path = "resuming/gaps.rs"]
mod gaps;
#[path = "resuming/protocol.rs"]
mod protocol;
#[path = "resuming/sessions.rs"]
mod sessions;
#[path = "resuming/slow.rs"]
mod slow;
