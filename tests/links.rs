//! The protocols besides the plain one, without a browser: what real servers said is said again, any text is put to them, and hours pass in
//! no time.
//!
//! * `links/page.rs`: a page and its network, with the driver's work done in Rust
//! * `links/transcripts.rs`: the transcripts of real servers
//! * `links/properties.rs`: records, frames and templates, whatever is in them
//! * `links/time.rs`: heartbeats, time-outs, refusals and reconnections
#![cfg(not(target_arch = "wasm32"))]
#![cfg(all(
    feature = "socket-io",
    feature = "signalr",
    feature = "signalr-classic"
))]
// A helper of a test may fail the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

#[path = "links/page.rs"]
mod page;
#[path = "links/properties.rs"]
mod properties;
#[path = "links/time.rs"]
mod time;
#[path = "links/transcripts.rs"]
mod transcripts;
#[path = "support/value.rs"]
mod value;
