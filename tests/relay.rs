//! The session and our relay, rule by rule: what the relay is sent, word for word, and what the
//! page learns of it. `lossless.rs` has the schedules of faults that put all of it together.
//!
//! * `relay/client.rs`: a page on a relay that the test plays
//! * `relay/detection.rs`: which servers `auto` takes for our relay, and for how long
//! * `relay/resume.rs`: reconnecting: what is asked for, what is sent again, what is a gap
//! * `relay/outbox.rs`: messages that expire or end the connection, and marks of the outbox
//! * `relay/forged.rs`: frames of the relay that another page forges, on relays of both versions
//! * `relay/counters.rs`: frames are counted by what they were, and shown to an inspector
//! * `relay/tokens.rs`: how the page shows its token, and renews it
//! * `relay/lifecycle.rs`: the page hidden and shown, the network gone and back, the address that
//!   the page is asked for
#![cfg(not(target_arch = "wasm32"))]
#![cfg(feature = "relay")]
// A helper of a test may fail the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

#[path = "relay/client.rs"]
mod client;
#[path = "relay/counters.rs"]
mod counters;
#[path = "relay/detection.rs"]
mod detection;
#[path = "relay/forged.rs"]
mod forged;
#[path = "relay/lifecycle.rs"]
mod lifecycle;
#[path = "relay/outbox.rs"]
mod outbox;
#[path = "relay/resume.rs"]
mod resume;
mod support;
#[path = "relay/tokens.rs"]
mod tokens;
