//! What the host tests share: the product's own session and protocols, with JavaScript's texts and
//! values made of Rust's.
//!
//! * `host.rs`: [`Text`](signal_wasm::protocol::Text) and [`Value`](signal_wasm::protocol::Value)
//!   for Rust's strings and serde_json's values
//! * `page.rs`: a page without a browser, which performs its session's actions and keeps its
//!   events
//! * `full_parse.rs`: a conversation that parses every frame as a whole, to compare the session
//!   with
//!
//! The fuzz targets include these three files too.

// No test uses all of it.
#![allow(dead_code)]

pub mod full_parse;
pub mod host;
pub mod page;

use proptest::test_runner::Config;

/// How many cases a property has. Nothing is written to disk: a failure prints its smallest case,
/// which then becomes a test of its own.
pub fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    }
}
