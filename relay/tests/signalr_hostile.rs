//! What's tested: whatever a client of SignalR sends, in its frames and in its requests, no task of
//! the relay panics, its connection ends in good order, nobody gets anything but envelopes, and the
//! others talk on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::SinkExt;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseResult, TestRunner};
use serde_json::Value;
use support::{Client, Relay, config, get, request, within};
use tokio::sync::Mutex;
use tokio_tungstenite::tungstenite::Message;

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// JSON of any shape, with the members that the protocols know and the types that they have, or
/// others.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..12_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec![
            "Send",
            "send",
            "json",
            "0",
            r#"{"channel":"a","message":1}"#,
            r#"{"sender":1,"channel":"a","message":"\u001e"}"#,
            r#"{"message":1}"#,
        ])
        .prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "type",
        "target",
        "arguments",
        "invocationId",
        "streamIds",
        "protocol",
        "version",
        "H",
        "M",
        "A",
        "I",
        "S",
        "x",
    ]);
    leaf.prop_recursive(3, 24, 4, move |inner| {
        prop_oneof![
            1 => vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => vec((name.clone(), inner), 0..6).prop_map(|members| {
                members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>()
            }),
        ]
    })
}

/// What may stand between two separators.
fn record() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            r#"{"protocol":"json","version":1}"#,
            r#"{"type":6}"#,
            r#"{"type":7}"#,
            r#"{"type":1,"target":"Send","arguments":["{\"channel\":\"a\"}"],"invocationId":"1"}"#,
            r#"{"H":"h","M":"send","A":["{\"channel\":\"a\"}"],"I":0}"#,
        ]).prop_map(str::to_owned),
        4 => json().prop_map(|value| value.to_string()),
        1 => any::<String>(),
        1 => (0..3000_usize).prop_map(|length| "[".repeat(length)),
    ]
}

/// Records in a row, each frame cut anywhere.
fn input() -> impl Strategy<Value = Vec<String>> {
    (
        any::<bool>(),
        vec((record(), prop::bool::weighted(0.9)), 1..8),
        vec(any::<prop::sample::Index>(), 0..6),
    )
        .prop_map(|(ready, records, cuts)| {
            let mut stream = String::new();
            if ready {
                stream.push_str("{\"protocol\":\"json\",\"version\":1}\u{1e}");
            }
            for (record, ended) in records {
                stream.push_str(&record);
                if ended {
                    stream.push('\u{1e}');
                }
            }
            let characters: Vec<char> = stream.chars().collect();
            let mut places: Vec<usize> = cuts
                .iter()
                .map(|cut| cut.index(characters.len() + 1))
                .collect();
            places.extend([0, characters.len()]);
            places.sort_unstable();
            places
                .windows(2)
                .map(|pair| characters[pair[0]..pair[1]].iter().collect())
                .collect()
        })
}

async fn classic_path(relay: &Relay) -> String {
    let answer = get(relay.address, "/signalr/negotiate?clientProtocol=2.1").await;
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    let token = answer["ConnectionToken"].as_str().unwrap();
    format!(
        "/signalr/connect?transport=webSockets&connectionToken={token}&connectionData=%5B%7B%22name%22%3A%22h%22%7D%5D"
    )
}

#[test]
fn no_input_brings_the_relay_down() {
    // Threads of the runtime below carry the relay's tasks; a panic there would be caught by the
    // runtime and go unseen.
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().name() == Some("relay") {
            PANICS.fetch_add(1, Ordering::SeqCst);
        }
        usual(info);
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("relay")
        .enable_all()
        .build()
        .unwrap();
    let handle = runtime.handle().clone();
    let relay = runtime.block_on(async {
        Relay::start(signal_relay::Config {
            max_frame: 2000,
            signalr: signal_relay::protocols::signalr::Timing {
                resume: std::time::Duration::from_millis(1),
                ..Default::default()
            },
            ..config()
        })
        .await
    });
    let others = runtime.block_on(async {
        let mut hub = relay.join("/").await;
        let page = relay.join("/").await;
        hub.send(r#"{"channel":"first"}"#).await;
        Mutex::new([hub, page])
    });

    let seen = RefCell::new(BTreeSet::new());
    let case = |(classic, input): (bool, Vec<String>)| -> TestCaseResult {
        handle.block_on(async {
            let path = if classic {
                classic_path(&relay).await
            } else {
                "/hub".to_owned()
            };
            let mut client = Client::open(relay.address, &path).await.unwrap();
            // A relay that has seen enough closes; then writing fails, as it may.
            for part in &input {
                if client.0.send(Message::text(part.as_str())).await.is_err() {
                    break;
                }
            }
            let _ = client.0.close(None).await;
            let codes = within("the end", async {
                let mut codes = Vec::new();
                while let Some(Ok(message)) = client.next().await {
                    if let Message::Close(frame) = message {
                        codes.push(frame.map(|frame| u16::from(frame.code)));
                    }
                }
                codes
            });
            for code in codes.await {
                seen.borrow_mut().insert(code);
                prop_assert!(matches!(code, None | Some(1000 | 1005 | 1009)), "{code:?}");
            }
            // The others understand each other, and what they got in between were envelopes.
            let mut others = others.lock().await;
            let [one, other] = &mut *others;
            one.send(r#"{"channel":"last"}"#).await;
            let last = async {
                loop {
                    let text = other.text().await;
                    let value: Value = serde_json::from_str(&text).unwrap();
                    if value["channel"] == "last" {
                        return Ok(());
                    }
                    prop_assert!(value["channel"].is_string() || value["channel"].is_number());
                }
            };
            within("the last envelope", last).await
        })?;
        prop_assert_eq!(PANICS.load(Ordering::SeqCst), 0);
        Ok(())
    };
    let config = ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(&(any::<bool>(), input()), case)
        .unwrap();
    let seen = seen.into_inner();
    // Some were closed with a reason, and some just answered.
    assert!(seen.contains(&Some(1000)), "{seen:?}");

    let paths = (
        prop::sample::select(vec!["GET", "POST", "OPTIONS", "HEAD", "DELETE"]),
        prop::sample::select(vec![
            "/hub",
            "/hub/negotiate",
            "/signalr/negotiate",
            "/signalr/connect",
            "/signalr/hubs/reconnect",
            "/signalr/start",
            "/signalr/abort",
            "/signalr/ping",
            "/signalr/send",
            "/signalr/hubs",
        ]),
        vec(
            (
                prop::sample::select(vec![
                    "id",
                    "transport",
                    "connectionToken",
                    "connectionData",
                    "messageId",
                    "callback",
                    "negotiateVersion",
                    "clientProtocol",
                ]),
                "[!-~&&[^#<>\"{}|\\\\^`]]{0,40}",
            ),
            0..5,
        ),
    );
    let config = ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    TestRunner::new(config)
        .run(&paths, |(method, path, members)| {
            let members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let line = format!("{method} {path}?{}", members.join("&"));
            let answer = handle.block_on(request(relay.address, &line, &[("content-length", "0")]));
            prop_assert!(answer.status < 500, "{line}: {}", answer.status);
            prop_assert_eq!(PANICS.load(Ordering::SeqCst), 0);
            Ok(())
        })
        .unwrap();
    runtime.block_on(async {
        drop(others);
        relay.until_empty().await;
    });
}
