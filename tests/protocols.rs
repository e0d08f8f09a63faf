//! The protocols besides the plain one, without a browser: the transcripts of real servers are
//! replayed, hours pass in no time, and any text comes in.
//!
//! * `protocols/transcripts.rs`: the transcripts in `tests/transcripts`, replayed (`replay.rs`) and
//!   compared (`expected.rs`)
//! * `protocols/setups.rs`: conversations up to where messages may be sent
//! * `protocols/addresses.rs`: where they connect to
//! * `protocols/heartbeats.rs`, `handshakes.rs`, `readiness.rs`, `limits.rs`,
//!   `socket_io_versions.rs`, `credentials.rs`, `hubs.rs`, `redirections.rs`, `resume.rs`,
//!   `closing.rs`, `network.rs`, `plain.rs`, `packed.rs`, `sse.rs`, `known_relay.rs`: what
//!   the protocols do in time
//! * `protocols/generators.rs`: what random frames are made of; `agreement.rs`, `round_trips.rs`,
//!   `any_text.rs`: what holds for all of them
#![cfg(not(target_arch = "wasm32"))]
#![cfg(all(
    feature = "relay",
    feature = "socket-io",
    feature = "signalr",
    feature = "signalr-classic",
    feature = "sse"
))]
// A helper of a test may fail the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

#[path = "protocols/addresses.rs"]
mod addresses;
#[path = "protocols/agreement.rs"]
mod agreement;
#[path = "protocols/any_text.rs"]
mod any_text;
#[path = "protocols/closing.rs"]
mod closing;
#[path = "protocols/credentials.rs"]
mod credentials;
#[path = "protocols/expected.rs"]
mod expected;
#[path = "protocols/generators.rs"]
mod generators;
#[path = "protocols/handshakes.rs"]
mod handshakes;
#[path = "protocols/heartbeats.rs"]
mod heartbeats;
#[path = "protocols/hubs.rs"]
mod hubs;
#[path = "protocols/known_relay.rs"]
mod known_relay;
#[path = "protocols/limits.rs"]
mod limits;
#[path = "protocols/network.rs"]
mod network;
#[path = "protocols/packed.rs"]
mod packed;
#[path = "protocols/plain.rs"]
mod plain;
#[path = "protocols/readiness.rs"]
mod readiness;
#[path = "protocols/records.rs"]
mod records;
#[path = "protocols/redirections.rs"]
mod redirections;
#[path = "protocols/replay.rs"]
mod replay;
#[path = "protocols/resume.rs"]
mod resume;
#[path = "protocols/round_trips.rs"]
mod round_trips;
#[path = "protocols/setups.rs"]
mod setups;
#[path = "protocols/socket_io_versions.rs"]
mod socket_io_versions;
#[path = "protocols/sse.rs"]
mod sse;
mod support;
#[path = "protocols/transcripts.rs"]
mod transcripts;
