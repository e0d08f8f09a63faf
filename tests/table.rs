//! The table of protocols, in whichever build.
#![cfg(not(target_arch = "wasm32"))]
// A helper of a test may fail the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

mod support;

use signal_wasm::protocol::{DEFAULT, PLAIN, PROTOCOLS, Phase, Protocol, find};
use std::collections::BTreeSet;
use support::host::HostText;
use support::page::Setup;

#[test]
fn protocols_have_names_of_their_own() {
    let names: BTreeSet<_> = PROTOCOLS.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), PROTOCOLS.len());
    for entry in PROTOCOLS {
        assert_eq!(find(entry.name).unwrap().name, entry.name);
    }
    for name in ["", "WebSocket", "websocket ", "socket"] {
        assert!(find(name).is_none(), "{name:?}");
    }
    for name in [DEFAULT, PLAIN] {
        assert!(find(name).is_some(), "{name:?}");
    }
}

/// One that was left out is never silently another one.
#[test]
fn a_protocol_is_there_if_its_feature_is() {
    for entry in PROTOCOLS {
        let is_in_the_build = match entry.feature {
            None => true,
            Some("relay") => cfg!(feature = "relay"),
            Some("socket-io") => cfg!(feature = "socket-io"),
            Some("signalr") => cfg!(feature = "signalr"),
            Some("signalr-classic") => cfg!(feature = "signalr-classic"),
            Some("sse") => cfg!(feature = "sse"),
            Some(feature) => panic!("{feature}"),
        };
        assert_eq!(entry.make.is_some(), is_in_the_build, "{}", entry.name);
    }
    assert!(find(PLAIN).unwrap().make.is_some());
}

#[test]
fn a_conversation_begins_disconnected() {
    for entry in PROTOCOLS.iter().filter(|entry| entry.make.is_some()) {
        let conversation = Setup::new(entry.name, "ws://h/x").conversation();
        let protocol: &dyn Protocol<HostText> = conversation.get();
        assert_eq!(protocol.phase(), Phase::Disconnected, "{}", entry.name);
        let scheme = if entry.name == "sse" { "http" } else { "ws" };
        let url = format!("{scheme}://h/");
        assert!(protocol.url().starts_with(&url), "{}", entry.name);
        assert!(!protocol.can_subscribe(), "{}", entry.name);
    }
}
