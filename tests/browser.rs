//! The library in a real browser, with no server: a stand-in WebSocket and a stand-in clock, both driven by hand.
//!
//! A test is a page: its body is JavaScript, as pages are, and calls the functions that the package exports. `browser/page.js` tells what is
//! in scope there. One file, for each one costs a start of the browser; a module for each subject, which lists what it tests.

#![cfg(target_arch = "wasm32")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail by a panic"
)]

// Its exports are what the page of the tests calls.
use signal_wasm as _;
use wasm_bindgen_test::wasm_bindgen_test_configure;

wasm_bindgen_test_configure!(run_in_browser);

#[path = "browser/auto.rs"]
mod auto;
#[path = "browser/connection.rs"]
mod connection;
#[path = "browser/credentials.rs"]
mod credentials;
#[path = "browser/leaks.rs"]
mod leaks;
#[path = "browser/life.rs"]
mod life;
#[path = "browser/options.rs"]
mod options;
#[path = "browser/outbox.rs"]
mod outbox;
#[path = "browser/page.rs"]
mod page;
#[path = "browser/protocols.rs"]
mod protocols;
#[path = "browser/relay.rs"]
mod relay;
#[path = "browser/resuming.rs"]
mod resuming;
#[path = "browser/rules.rs"]
mod rules;
#[path = "browser/sending.rs"]
mod sending;
#[path = "browser/signalr.rs"]
mod signalr;
#[path = "browser/signalr_classic.rs"]
mod signalr_classic;
#[path = "browser/socket_io.rs"]
mod socket_io;
#[path = "browser/transports.rs"]
mod transports;
#[cfg(feature = "typed")]
#[path = "browser/typed.rs"]
mod typed;
#[path = "browser/urls.rs"]
mod urls;
#[path = "browser/wire.rs"]
mod wire;
