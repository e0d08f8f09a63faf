//! What's tested: whatever bytes a client sends, its connection ends in good order, no task of the
//! relay panics, and the others talk on.

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

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseResult, TestRunner};
use support::{LIMIT, Relay, config, raw};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Mutex;

/// A frame as a client might send it, right or wrong in every part.
fn frame() -> impl Strategy<Value = Vec<u8>> {
    let payload = prop_oneof![
        3 => any::<String>().prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..200),
        1 => (0..3000_usize).prop_map(|length| vec![b'x'; length]),
        1 => any::<u16>().prop_map(|code| code.to_be_bytes().to_vec()),
    ];
    let first = prop_oneof![
        6 => prop::sample::select(vec![0x81, 0x80, 0x01, 0x00, 0x82, 0x88, 0x89, 0x8a]),
        1 => any::<u8>(),
    ];
    (
        first,
        payload,
        any::<[u8; 4]>(),
        prop::bool::weighted(0.95),
        prop::option::weighted(0.05, any::<u64>()),
    )
        .prop_map(
            |(first, payload, mask, masked, lie): (u8, Vec<u8>, [u8; 4], bool, Option<u64>)| {
                let mut bytes = vec![first];
                let bit = if masked { 0x80 } else { 0 };
                match (lie, payload.len()) {
                    (Some(length), _) => {
                        bytes.push(bit | 127);
                        bytes.extend(length.to_be_bytes());
                    }
                    (None, length @ 0..=125) => bytes.push(bit | length as u8),
                    (None, length) => {
                        bytes.push(bit | 126);
                        bytes.extend((length as u16).to_be_bytes());
                    }
                }
                if masked {
                    bytes.extend(mask);
                    bytes.extend(
                        payload
                            .iter()
                            .zip(mask.iter().cycle())
                            .map(|(byte, mask)| byte ^ mask),
                    );
                } else {
                    bytes.extend(payload);
                }
                bytes
            },
        )
}

/// Frames in a row, or bytes that are nothing, cut into writes.
fn input() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop_oneof![
        4 => vec(frame(), 1..12),
        1 => vec(vec(any::<u8>(), 1..300), 1..4),
        1 => (vec(frame(), 1..6), 1..20_usize).prop_map(|(frames, size)| frames.concat().chunks(size).map(<[u8]>::to_vec).collect()),
    ]
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

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
            ..config()
        })
        .await
    });
    let others = runtime
        .block_on(async { Mutex::new([relay.join("/others").await, relay.join("/others").await]) });

    let seen = RefCell::new(BTreeSet::new());
    let case = |input: Vec<Vec<u8>>| -> TestCaseResult {
        handle.block_on(async {
            let mut stream = raw(relay.address, "/").await;
            // A relay that has seen enough closes; then writing fails, as it may.
            for part in &input {
                if stream.write_all(part).await.is_err() {
                    break;
                }
            }
            let _ = stream.shutdown().await;
            let mut answer = Vec::new();
            let read = tokio::time::timeout(LIMIT, stream.read_to_end(&mut answer)).await;
            prop_assert!(read.is_ok(), "the connection doesn't end");
            // The last frame of the answer, if it is a close frame, says why.
            if let Some(code) = close_code(&answer) {
                seen.borrow_mut().insert(code);
            }
            prop_assert_eq!(PANICS.load(Ordering::SeqCst), 0);
            let [asking, answering] = &mut *others.lock().await;
            asking.send("are you there").await;
            prop_assert_eq!(answering.text().await, "are you there");
            relay
                .until(|stats| (stats.spaces, stats.members) == (1, 2))
                .await;
            Ok(())
        })
    };
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner.run(&input(), case).unwrap();
    // The inputs were of all kinds, and each was closed with its reason.
    for code in [1002, 1003, 1007, 1009] {
        assert!(
            seen.borrow().contains(&code),
            "{code} is not among {:?}",
            seen.borrow()
        );
    }
    drop(others);
    runtime.block_on(relay.until_empty());
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
}

/// Reads over the relay's frames (none is masked) to the close frame.
fn close_code(mut bytes: &[u8]) -> Option<u16> {
    while let [first, length, rest @ ..] = bytes {
        let (length, rest) = match (length, rest) {
            (126, [a, b, rest @ ..]) => (usize::from(u16::from_be_bytes([*a, *b])), rest),
            (length, rest) => (usize::from(*length), rest),
        };
        let (payload, rest) = rest.split_at_checked(length)?;
        if (first, payload.len() >= 2) == (&0x88, true) {
            return Some(u16::from_be_bytes([payload[0], payload[1]]));
        }
        bytes = rest;
    }
    None
}

#[test]
fn no_request_brings_the_relay_down() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let relay = runtime.block_on(Relay::start(config()));
    let line = prop_oneof![
        any::<Vec<u8>>(),
        "[A-Z]{1,8} [ -~]{0,200} HTTP/1\\.[01]".prop_map(String::into_bytes),
        "GET /[ -~]{0,60} HTTP/1\\.1\r\n(host|origin|upgrade|connection|sec-websocket-key|sec-websocket-version|range): [ -~]{0,60}".prop_map(String::into_bytes),
        "GET / HTTP/1\\.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n(sec-websocket-key|sec-websocket-version|origin|host): [ -~]{0,30}"
            .prop_map(String::into_bytes),
    ];
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&line, |mut request| {
            runtime.block_on(async {
                request.extend(b"\r\n\r\n");
                let mut stream = tokio::net::TcpStream::connect(relay.address).await.unwrap();
                let _ = stream.write_all(&request).await;
                let _ = stream.shutdown().await;
                let mut answer = Vec::new();
                let read = tokio::time::timeout(LIMIT, stream.read_to_end(&mut answer)).await;
                prop_assert!(read.is_ok(), "no end to the answer");
                let status = support::get(relay.address, "/healthz").await.status;
                prop_assert_eq!(status, 200);
                prop_assert_eq!(relay.stats.get().members, 0);
                Ok(())
            })
        })
        .unwrap();
}
