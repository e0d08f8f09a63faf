//! Whatever a Socket.IO client sends, no task of the relay panics, and the others talk on.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::SinkExt;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use signal_relay::Config;
use support::socket_io::{ENVELOPE, Poller, event, join, path};
use support::{Client, Relay, config};
use tokio_tungstenite::tungstenite::Message;

static PANICS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn no_packets_bring_the_relay_down() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() == Some("relay-io") {
            PANICS.fetch_add(1, Ordering::SeqCst);
        }
        hook(panic);
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("relay-io")
        .enable_all()
        .build()
        .unwrap();
    let (relay, others) = runtime.block_on(async {
        let relay = Relay::start(Config {
            max_frame: 2000,
            ..config()
        })
        .await;
        let others = [join(&relay, 4).await, join(&relay, 3).await];
        (relay, tokio::sync::Mutex::new(others))
    });
    let packet = prop_oneof![
        4 => "4[0-6]([0-9]{1,2}-)?(/[a-c]?,)?[0-9]{0,3}(\\[\"message\",(\\{\"channel\":\"a\"\\}|[0-9]|\"x\")\\])?",
        1 => Just("40".to_owned()),
        1 => Just(event(ENVELOPE)),
        1 => "[0-6b](probe)?",
        1 => any::<String>(),
        1 => (0..4000_usize).prop_map(|length| "4".repeat(length)),
    ];
    let input = (
        3..5_u8,
        prop::collection::vec(packet, 0..8),
        any::<bool>(),
        any::<Vec<u8>>(),
    );
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&input, |(version, packets, polling, garbage)| {
            runtime.block_on(async {
                if polling {
                    let poller = Poller::open(&relay, version).await;
                    for packet in &packets {
                        if poller.post(packet).await.status != 200 {
                            break;
                        }
                    }
                    poller.post_body(&garbage).await;
                    poller.post("1").await;
                } else {
                    let mut client = Client::open(relay.address, &path(version, "websocket"))
                        .await
                        .unwrap();
                    for packet in &packets {
                        if client.0.send(Message::text(packet.as_str())).await.is_err() {
                            break;
                        }
                    }
                    let _ = client.0.close(None).await;
                    client.ended().await;
                }
                prop_assert_eq!(PANICS.load(Ordering::SeqCst), 0);
                relay.until(|stats| stats.members == 2).await;
                let [asking, answering] = &mut *others.lock().await;
                // What the other one published meanwhile comes first.
                let here = format!(r#"{{"sender":1,"channel":"here","message":{version}}}"#);
                asking.send(&event(&here)).await;
                answering.until_text(|text| text == event(&here)).await;
                Ok(())
            })
        })
        .unwrap();
    drop(others);
    runtime.block_on(relay.until_empty());
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
}
