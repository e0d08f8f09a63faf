//! The transcripts of real servers and clients in `tests/transcripts`, replayed: our side gets
//! what the server sent, and what our side does must be what the official client did, wherever the
//! protocol has no choice.
//!
//! What's tested:
//! * addresses: the path, and the query as a set; tokens, in a header or in the query
//! * handshakes, connections to namespaces, heartbeats, acknowledgements, completions, messages
//! * each envelope is counted once and for what it is, as an oracle finds that reads frames as a
//!   whole
//! * how a conversation ends: with what state, error and words
//! * every transcript is used

use crate::replay::Replay;
use crate::setups;
use crate::setups::{opened, without_disconnects};
use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts")
}

pub fn read(name: &str) -> Json {
    let text = std::fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// How a transcript is replayed where our side does otherwise than the client that was recorded.
pub struct Case {
    pub name: &'static str,
    /// What the client sent and ours doesn't; instead of it, this, if anything.
    pub instead: &'static [(&'static str, Option<&'static str>)],
    /// What ours sends besides.
    pub besides: &'static [&'static str],
    /// The outcome, apart from what is the same for all.
    pub outcome: fn(&Replay),
}

const fn case(name: &'static str, outcome: fn(&Replay)) -> Case {
    Case {
        name,
        instead: &[],
        besides: &[],
        outcome,
    }
}

/// Connected at the end, with nothing refused.
fn works(replay: &Replay) {
    let page = &replay.page;
    assert!(page.state().is_open(), "{:?}", page.states());
    assert_eq!(page.failure(), None);
    assert_eq!(page.refusals(), [""; 0]);
    assert_eq!(page.stats().connects, 1.0);
}

fn waits(replay: &Replay) {
    assert_eq!(replay.page.stands().0, "waiting");
    assert_eq!(replay.page.failure(), None);
}

/// Waited once, for this reason.
fn waited(replay: &Replay, reason: &str) {
    let states = replay.page.states();
    let mut states = states.iter().map(|(state, reason)| (state.name(), *reason));
    assert!(states.any(|state| state == ("waiting", reason)));
}

fn closed_by_the_page(replay: &Replay) {
    assert_eq!(replay.page.stands(), ("closed", "closed by the page"));
    assert_eq!(replay.page.failure(), None);
}

/// For good, with these words.
fn failed(replay: &Replay, unauthorized: bool, reason: &str) {
    setups::failed(&replay.page, unauthorized, reason);
}

fn no_namespace(replay: &Replay) {
    failed(
        replay,
        false,
        "the server has no namespace '/nope'; set the option namespace",
    );
}

fn not_authorized(replay: &Replay) {
    failed(
        replay,
        true,
        "the server refused the connection with 'not authorized'",
    );
}

fn disconnected(replay: &Replay) {
    failed(replay, false, "the server disconnected this client");
}

const CASES: &[Case] = &[
    case("socketio-4-messages", works),
    case("socketio-2-messages", works),
    case("socketio-4-namespace", closed_by_the_page),
    case("socketio-2-namespace", closed_by_the_page),
    case("socketio-4-unknown-namespace", no_namespace),
    case("socketio-2-unknown-namespace", no_namespace),
    case("socketio-4-refused", not_authorized),
    case("socketio-2-refused", not_authorized),
    case("socketio-4-admitted", works),
    case("socketio-2-admitted", works),
    case("socketio-4-acknowledgement", works),
    case("socketio-2-acknowledgement", works),
    // Binary parts are ignored, and such an event isn't acknowledged.
    Case {
        instead: &[("430[\"taken\"]", None)],
        ..case("socketio-4-binary", works)
    },
    Case {
        instead: &[("430[\"taken\"]", None)],
        ..case("socketio-2-binary", works)
    },
    case("socketio-4-sent-away", disconnected),
    case("socketio-2-sent-away", disconnected),
    case("socketio-4-heartbeat", works),
    case("socketio-2-heartbeat", works),
    // Our side does answer.
    Case {
        besides: &["3"],
        ..case("socketio-4-silent-client", waits)
    },
    Case {
        instead: &[("3", None)],
        ..case("socketio-2-silent-client", waits)
    },
    case("socketio-4-closing", waits),
    case("socketio-2-closing", waits),
    Case {
        // Our side asks for no recovery; what a server sends because of it is taken.
        instead: &[(
            "40{\"pid\":\"0vz5q_OG9Ztgc76MAAAL\",\"offset\":\"Q844a2z.0\"}",
            Some("40"),
        )],
        ..case("socketio-4-recovery", |replay| {
            assert!(replay.page.state().is_open());
            assert_eq!(replay.page.stats().connects, 2.0);
        })
    },
    case("socketio-4-recovery-unasked", works),
    case("socketio-2-asked-for-4", works),
    case("socketio-2-asked-for-4-namespace", works),
    case("socketio-4-asked-for-3-allowed", works),
    case("socketio-4-asked-for-3", |replay| {
        waits(replay);
        // Version 4 is tried next.
        let mut page = opened(&replay.setup);
        page.connects();
        for version in ["EIO=3", "EIO=4", "EIO=3"] {
            page.loses_socket(Some(1006));
            page.tries_again();
            without_disconnects(&mut page);
            assert!(page.connects().contains(version));
        }
    }),
    Case {
        // The message waits until the namespace is joined, which our side asks for.
        instead: &[(EVENT_FIRST, Some("40"))],
        ..case("socketio-4-event-first", waits)
    },
    case("signalr-messages", closed_by_the_page),
    case("signalr-packed", works),
    case("signalr-errors", |replay| {
        assert!(replay.page.state().is_open());
        let expected = [
            "Unknown hub method 'Nope'",
            "An unexpected error occurred invoking 'Refuse' on the server. HubException: not on this hub",
            "Failed to invoke 'Send' due to an error on the server.",
        ];
        assert_eq!(replay.page.refusals(), expected);
    }),
    case("signalr-asked", works),
    case("signalr-skip-negotiation", works),
    case("signalr-redirect", works),
    case("signalr-unauthorised", |replay| {
        works(replay);
        assert_eq!(replay.page.asked, 2);
        waited(
            replay,
            "the server refused the connection with HTTP status 401",
        );
    }),
    case("signalr-handshake-refused", |replay| {
        failed(
            replay,
            false,
            "the server said 'The protocol 'json' is not supported.'",
        );
    }),
    case("signalr-close-allow-reconnect", |replay| {
        failed(
            replay,
            false,
            "the server closed the connection: 'for good'",
        );
        waited(replay, "the server closed the connection: 'away'");
    }),
    case("signalr-pings", works),
    case("signalr-too-large", |replay| {
        waited(
            replay,
            "the server closed the connection: 'Connection closed with an error.'",
        );
    }),
    case("classic-messages", closed_by_the_page),
    case("classic-packed", works),
    case("classic-errors", |replay| {
        assert!(replay.page.state().is_open());
        let expected = [
            "There was an error invoking Hub method 'webrtchub3.Nope'.",
            "'Nope' method could not be resolved. No method found with that name.",
            "not on this hub",
        ];
        assert_eq!(replay.page.refusals(), expected);
    }),
    case("classic-unknown-hub", |replay| {
        let (unauthorized, reason) = replay.page.failure().unwrap();
        assert!(!unauthorized);
        assert!(
            reason.contains("the hub 'other'") && reason.contains("could not be resolved"),
            "{reason}"
        );
    }),
    case("classic-reconnect", |replay| {
        assert!(replay.page.state().is_open());
        assert_eq!(replay.page.stats().connects, 2.0);
    }),
    case("classic-keep-alive", works),
    case("classic-global-error", |replay| {
        failed(replay, false, "the server closed the connection: 'the end'");
    }),
    case("classic-redirect", works),
];

const EVENT_FIRST: &str = "42[\"message\",{\"sender\":12345,\"channel\":\"main\",\"message\":{\"type\":\"offer\",\"sdp\":\"v=0\\r\\n\",\"accents\":\"Grüße, 日本語, 🦀\"}}]";

#[test]
fn every_transcript_is_replayed() {
    let names = std::fs::read_dir(folder()).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".json").map(String::from)
    });
    let names: BTreeSet<_> = names.collect();
    let used: BTreeSet<_> = CASES.iter().map(|case| String::from(case.name)).collect();
    assert!(names.len() > 40, "{names:?}");
    assert_eq!(names, used, "transcripts, and the cases that use them");
    let mut wrong = Vec::new();
    for case in CASES {
        println!("{}", case.name);
        if std::panic::catch_unwind(|| Replay::play(case)).is_err() {
            wrong.push(case.name);
        }
    }
    assert_eq!(wrong, [""; 0], "see above");
}
