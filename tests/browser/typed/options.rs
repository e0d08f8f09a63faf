//! Options: none is missing, and each does what it says.

use super::{Stage, notes, server, settle, take};
use js_sys::{Array, Object, Reflect};
use signal_wasm::{
    Auth, Credentials, DefaultChannel, ErrorKind, Heartbeat, OpenWhen, Options, Outbox, Overflow,
    Plain, Protocol, ProtocolKind, Provided, Reconnect, Requests, SignalR, SignalRClassic,
    Signaling, SocketIo, Sse, State, Transport,
};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

const SECOND: Duration = Duration::from_secs(1);

fn map(name: &str, value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.into(), value.into())])
}

/// Every option of every protocol. No `..default()`: who adds an option to the structs must add it
/// here.
fn all(protocol: Protocol) -> Options {
    Options {
        url: Some("ws://server.test/".into()),
        protocol,
        transport: Some(Transport::from_js(JsValue::from(Object::new()))),
        subprotocols: vec!["chat".into()],
        access_token: Some("token".into()),
        channel: DefaultChannel::Named("lobby".into()),
        open_delay: Some(SECOND),
        open_when: OpenWhen::Connected,
        max_message: Some(1),
        outbox: Outbox {
            messages: Some(1),
            bytes: Some(1),
            overflow: Overflow::Throw,
        },
        reconnect: Reconnect {
            base: Some(SECOND),
            cap: Some(SECOND),
            attempts: Some(1),
        },
        connect_timeout: Some(SECOND),
    }
}

fn protocols() -> [Protocol; 7] {
    let plain = || Plain {
        heartbeat: Some(Heartbeat {
            interval: Some(SECOND),
            timeout: Some(SECOND),
            message: Some("ping".into()),
        }),
    };
    let requests = || Requests {
        credentials: Credentials::Omit,
        headers: map("x-name", "value"),
    };
    [
        Protocol::Auto(plain()),
        Protocol::Relay,
        Protocol::WebSocket(plain()),
        Protocol::SocketIo(SocketIo {
            path: Some("/path/".into()),
            namespace: Some("/space".into()),
            event: Some("event".into()),
            auth: Some(Auth::new(&map("name", "value")).unwrap().into()),
            query: map("a", "b"),
        }),
        Protocol::SignalR(SignalR {
            target: Some("target".into()),
            method: Some("method".into()),
            query: map("a", "b"),
            skip_negotiation: true,
            server_timeout: Some(SECOND),
            keep_alive: Some(SECOND),
            requests: requests(),
        }),
        Protocol::SignalRClassic(SignalRClassic {
            hub: Some("hub".into()),
            target: Some("target".into()),
            method: Some("method".into()),
            query: map("a", "b"),
            requests: requests(),
        }),
        Protocol::Sse(Sse {
            query: map("a", "b"),
            requests: requests(),
        }),
    ]
}

/// The options with options of their own, as `browser/members.rs` has them.
const WITH_MEMBERS: [&str; 3] = ["outbox", "reconnect", "heartbeat"];

fn names(options: &JsValue, prefix: &str) -> Vec<String> {
    let entries = Object::entries(options.unchecked_ref());
    entries
        .iter()
        .flat_map(|entry| {
            let entry = Array::from(&entry);
            let name = format!("{prefix}{}", entry.get(0).as_string().unwrap());
            let mut all = match &*name {
                name if WITH_MEMBERS.contains(&name) => names(&entry.get(1), &format!("{name}.")),
                _ => Vec::new(),
            };
            all.push(name);
            all
        })
        .collect()
}

#[wasm_bindgen_test]
fn no_option_of_javascript_is_missing() {
    let table = include_str!("../../../src/browser/members.rs");
    let table = table.split("const NAMES: &[&str] = &[").nth(1).unwrap();
    let table = table.split("];").next().unwrap();
    let known: BTreeSet<String> = table
        .split('"')
        .skip(1)
        .step_by(2)
        .map(String::from)
        .collect();
    assert!(known.len() > 35, "{known:?}");
    let mut in_rust: BTreeSet<String> = protocols()
        .into_iter()
        .flat_map(|protocol| names(&JsValue::from(&all(protocol)), ""))
        .collect();
    // Handlers are methods: on_state_change, on_gap, on_error, on_frame.
    for handler in ["onstatechange", "ongap", "onerror", "onframe"] {
        in_rust.insert(handler.into());
    }
    assert_eq!(in_rust, known);
}

#[wasm_bindgen_test]
fn every_protocol_is_there() {
    let known: Vec<&str> = signal_wasm::protocol::PROTOCOLS
        .iter()
        .map(|entry| entry.name)
        .collect();
    let mut in_rust: Vec<&str> = protocols()
        .iter()
        .map(|protocol| protocol.kind().name())
        .collect();
    in_rust.sort_by_key(|name| known.iter().position(|known| known == name));
    assert_eq!(in_rust, known);
    let mut kinds: Vec<&str> = ProtocolKind::ALL.iter().map(|kind| kind.name()).collect();
    kinds.sort_by_key(|name| known.iter().position(|known| known == name));
    assert_eq!(kinds, known);
}

/// Each value as it stands in the options: members that are left out have their defaults there.
#[wasm_bindgen_test]
fn durations_are_milliseconds_and_nothing_is_set_by_default() {
    let get = |options: &Options, name: &str| {
        Reflect::get(&JsValue::from(options), &name.into()).unwrap()
    };
    let options = Options {
        connect_timeout: Some(Duration::from_micros(1_500)),
        ..Options::default()
    };
    assert_eq!(get(&options, "connectTimeout"), 1.5);
    for name in [
        "url",
        "transport",
        "maxMessage",
        "reconnect",
        "channel",
        "accessToken",
        "openDelay",
    ] {
        assert!(get(&options, name).is_undefined(), "{name}");
    }
    let options = Options {
        channel: DefaultChannel::None,
        ..Options::default()
    };
    assert!(get(&options, "channel").is_null());
}

#[wasm_bindgen_test]
async fn what_every_protocol_accepts_by_default() {
    let _stage = Stage::set().await;
    for protocol in [
        Protocol::default(),
        Protocol::Relay,
        Protocol::WebSocket(Plain::default()),
        Protocol::SocketIo(SocketIo::default()),
        Protocol::SignalR(SignalR::default()),
        Protocol::SignalRClassic(SignalRClassic::default()),
        Protocol::Sse(Sse::default()),
    ] {
        let name = protocol.kind().name();
        let made = Signaling::new(&Options {
            protocol,
            ..server()
        });
        assert!(made.is_ok(), "{name}: {made:?}");
    }
}

#[wasm_bindgen_test]
async fn options_that_cannot_be() {
    let _stage = Stage::set().await;
    let heartbeat = Plain {
        heartbeat: Some(Heartbeat {
            interval: Some(Duration::from_millis(5)),
            ..Heartbeat::default()
        }),
    };
    let wrong = [
        (
            Options {
                url: Some("ftp://server.test/".into()),
                ..server()
            },
            ErrorKind::BadUrl,
            "'ftp://server.test/'",
        ),
        (
            Options {
                max_message: Some(0),
                ..server()
            },
            ErrorKind::BadOption,
            "maxMessage is 0",
        ),
        (
            Options {
                outbox: Outbox {
                    bytes: Some(0),
                    ..Outbox::default()
                },
                ..server()
            },
            ErrorKind::BadOption,
            "outbox.bytes is 0",
        ),
        (
            Options {
                reconnect: Reconnect {
                    cap: Some(Duration::ZERO),
                    ..Reconnect::default()
                },
                ..server()
            },
            ErrorKind::BadOption,
            "reconnect.cap is 0",
        ),
        (
            Options {
                protocol: Protocol::WebSocket(heartbeat),
                ..server()
            },
            ErrorKind::BadOption,
            "heartbeat.interval is 5",
        ),
        (
            Options {
                connect_timeout: Some(Duration::MAX),
                ..server()
            },
            ErrorKind::BadOption,
            "connectTimeout is 1",
        ),
        (
            Options {
                subprotocols: vec!["a b".into()],
                ..server()
            },
            ErrorKind::BadOption,
            "subprotocols",
        ),
        (
            Options {
                transport: Some(Transport::from_js(JsValue::from(5))),
                ..server()
            },
            ErrorKind::BadOption,
            "transport is 5",
        ),
    ];
    for (options, kind, says) in wrong {
        let error = Signaling::new(&options).unwrap_err();
        assert_eq!(error.kind(), kind, "{options:?}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[wasm_bindgen_test]
async fn options_reach_the_session() {
    let stage = Stage::set().await;
    let signaling = Signaling::new(&Options {
        max_message: Some(100),
        outbox: Outbox {
            messages: Some(1),
            overflow: Overflow::Throw,
            ..Outbox::default()
        },
        reconnect: Reconnect::NEVER,
        ..server()
    })
    .unwrap();
    let channel = signaling.channel::<String>("room").unwrap();
    let kind = |text: &str| channel.send(&text.into()).unwrap_err().kind();
    assert_eq!(kind(&"long".repeat(20)), ErrorKind::MessageTooLarge);
    channel.send(&"1".into()).unwrap();
    assert_eq!(kind("2"), ErrorKind::OutboxFull);
    assert_eq!(signaling.stats().queued, 1);
    stage.last_socket().end(1006);
    assert_eq!(signaling.state(), State::Closed);
}

#[wasm_bindgen_test]
async fn addresses_and_tokens_are_asked_for_on_each_attempt() {
    let stage = Stage::set().await;
    let (url_asked, token_asked) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (of_url, of_token) = (Rc::clone(&url_asked), Rc::clone(&token_asked));
    let signaling = Signaling::new(&Options {
        url: Some(Provided::from_fn(async move || {
            of_url.set(of_url.get() + 1);
            Ok::<_, String>(format!("ws://server.test/{}", of_url.get()))
        })),
        access_token: Some(Provided::optional(async move || {
            of_token.set(of_token.get() + 1);
            match of_token.get() {
                1 => Ok(Some("a-token-of-some-length".into())),
                2 => Ok(None),
                _ => Err("nobody is logged in"),
            }
        })),
        ..server()
    })
    .unwrap();
    let (reasons, note) = notes();
    signaling
        .on_state_change(move |change| note(change.reason.clone()))
        .forget();
    let _channel = signaling.channel::<u8>("room").unwrap();
    settle().await;
    let socket = stage.last_socket();
    assert_eq!(
        socket.url(),
        "ws://server.test/1?access_token=a-token-of-some-length"
    );
    socket.accept();
    signaling.reconnect().unwrap();
    settle().await;
    assert_eq!(stage.last_socket().url(), "ws://server.test/2");
    stage.last_socket().accept();
    signaling.reconnect().unwrap();
    settle().await;
    assert_eq!((url_asked.get(), token_asked.get()), (3, 3));
    let reasons = take(&reasons);
    let last = reasons.last().unwrap();
    assert!(last.contains("nobody is logged in"), "{reasons:?}");
    assert!(matches!(
        signaling.state(),
        State::Waiting { retry_in: Some(_) }
    ));
}

#[wasm_bindgen_test]
fn nothing_shows_a_secret() {
    const SECRET: &str = "s3cret-token";
    let auth = Auth::new(&map("token", SECRET)).unwrap();
    let shown = format!(
        "{:?} {:?}",
        Options {
            access_token: Some(SECRET.into()),
            protocol: Protocol::SocketIo(SocketIo {
                auth: Some(auth.into()),
                ..SocketIo::default()
            }),
            ..server()
        },
        Requests {
            headers: map("authorization", SECRET),
            ..Requests::default()
        },
    );
    assert!(shown.contains("authorization"), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
}
