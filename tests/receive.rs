//! The receive path on a plain server: what a frame is, and for whom, compared with an oracle that
//! reads each frame as a whole, as the shim does.
//!
//! * `receive/frames.rs`: what random frames are made of
//! * `receive/agreement.rs`: the head path and the full parse agree, whatever a frame's members
//!   look like
//! * `receive/heads.rs`: what the head decides, and at what cost
//! * `receive/limits.rs`: frames that are too long, and bad ones
//! * `receive/packed.rs`: several envelopes in a frame, and frames that are binary
//! * `receive/javascript.rs`: the host of these tests does what JavaScript does
#![cfg(not(target_arch = "wasm32"))]
// A helper of a test may fail the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

#[path = "receive/agreement.rs"]
mod agreement;
#[path = "receive/frames.rs"]
mod frames;
#[path = "receive/heads.rs"]
mod heads;
#[path = "receive/javascript.rs"]
mod javascript;
#[path = "receive/limits.rs"]
mod limits;
#[path = "receive/packed.rs"]
mod packed;
mod support;

use signal_wire::UserId;
use support::page::{Page, Setup};

/// A page with an open connection and these channels open, each with its name as the subscriber.
fn page(userid: UserId, open: &[String]) -> Page<String> {
    page_of(&Setup::new("websocket", "ws://h/x"), userid, open)
}

fn page_of(setup: &Setup, userid: UserId, open: &[String]) -> Page<String> {
    let mut page = Page::new(setup.session(userid.get(), 1));
    page.session.inspect(true);
    // A page that has opened nothing doesn't connect.
    let id = page.open("", String::new());
    page.session.close_channel("", id);
    for name in open {
        page.open(name, name.clone());
    }
    page.connects();
    page
}

/// The frame of a message, as the shim writes it.
fn encode(sender: UserId, channel: &str, message: &serde_json::Value) -> String {
    let head = signal_wire::envelope::encode_head(sender, channel, None);
    head + &message.to_string() + signal_wire::envelope::TAIL
}
