//! The session in virtual time.
//!
//! * `session/schedules.rs`: random schedules, played on a session (`session/world.rs`) beside a
//!   plain model of what a session must do (`session/model.rs`)
//! * `session/reconnect.rs`: how long it waits between attempts, and which losses are final
//! * `session/outbox.rs`: bounds and order of the messages that wait
//! * `session/on_demand.rs`: the page connects and disconnects by its own calls
//! * `session/readiness.rs`: when channels are ready
//! * `session/states.rs`: inputs at the wrong time, closing, names
//! * `session/trouble.rs`: servers that can't be reached, and tokens in reasons
//! * `session/unnamed.rs`: messages without a channel
#![cfg(not(target_arch = "wasm32"))]
// A helper of a test may fail the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

#[path = "session/model.rs"]
mod model;
#[path = "session/on_demand.rs"]
mod on_demand;
#[path = "session/outbox.rs"]
mod outbox;
#[path = "session/readiness.rs"]
mod readiness;
#[path = "session/reconnect.rs"]
mod reconnect;
#[path = "session/schedules.rs"]
mod schedules;
#[path = "session/states.rs"]
mod states;
mod support;
#[path = "session/trouble.rs"]
mod trouble;
#[path = "session/unnamed.rs"]
mod unnamed;
#[path = "session/world.rs"]
mod world;

use signal_wasm::protocol::Millis;
use signal_wasm::session::{Config, Input, SendError, Session, Transmission, TransmitError};
use support::host::HostText;
use support::page::{Setup, loss};

/// A session of the plain protocol.
type Simple = Session<HostText, usize>;

fn plain(config: Config) -> Setup {
    Setup {
        config,
        ..Setup::new("websocket", "ws://h/x")
    }
}

/// One that has opened the channel `a`.
fn opened(config: Config, seed: u64) -> Simple {
    let mut session: Simple = plain(config).session(7, seed);
    session.open(0.0, "a", 0).unwrap();
    session
}

fn connected(session: &mut Simple, now: Millis) {
    session.handle(now, Input::SocketOpen);
}

fn lost(session: &mut Simple, now: Millis, code: u16) {
    session.handle(now, Input::SocketClosed(loss(Some(code))));
}

fn send(session: &mut Simple, payload: &str) -> Result<(), SendError> {
    let sent = session.send(0.0, "a", payload.into(), Millis::INFINITY);
    sent.map(drop)
}

fn transmitted(
    session: &mut Simple,
    now: Millis,
    transmission: Transmission<HostText>,
    outcome: Result<(), TransmitError>,
) {
    session.handle(now, Input::Transmitted(transmission, outcome));
}
