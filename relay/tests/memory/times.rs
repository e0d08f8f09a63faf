//! A message has a time to complete, and a reader a time to read on.

use std::time::Duration;

use signal_relay::Config;
use signal_relay::hub::queue;
use tokio::io::AsyncWriteExt;

use super::support::{Client, LIMIT, Relay, config, raw, raw_next};

const SHORT: Duration = Duration::from_millis(200);

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_does_not_complete_is_closed_however_much_is_pinged() {
    let relay = Relay::start(Config {
        message_timeout: SHORT,
        ..config()
    })
    .await;
    // The head of a frame; a part of a frame; a first fragment. A ping can only follow the last.
    for (begun, pings) in [
        (b"\x81".as_slice(), false),
        (b"\x81\xfe\x01\x00\0\0\0\0abc", false),
        (b"\x01\x83\0\0\0\0abc", true),
    ] {
        let mut stream = raw(relay.address, "/").await;
        let (kind, hello) = raw_next(&mut stream).await;
        assert_eq!((kind, hello.first()), (0x81, Some(&b'{')));
        stream.write_all(begun).await.unwrap();
        let (kind, reason) = loop {
            if pings {
                // The relay may have closed meanwhile.
                let _ = stream.write_all(b"\x89\x80\0\0\0\0").await;
            }
            match raw_next(&mut stream).await {
                (0x8a, _) => tokio::time::sleep(Duration::from_millis(1)).await,
                other => break other,
            }
        };
        assert_eq!(
            (kind, &*reason),
            (0x88, b"\x0f\xafa message took too long".as_slice())
        );
    }
    // One that has completed its messages stays.
    let (mut page, mut other) = (relay.join("/").await, relay.join("/").await);
    page.send("a").await;
    assert_eq!(other.text().await, "a");
    tokio::time::sleep(2 * SHORT).await;
    page.send("b").await;
    assert_eq!(other.text().await, "b");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_closed() {
    let relay = Relay::start(Config {
        write_timeout: SHORT,
        queue: queue::Limits {
            frames: 1000,
            bytes: 64 * 1024 * 1024,
        },
        ..config()
    })
    .await;
    let slow = Client::open_narrow(relay.address, "/").await;
    relay.until(|stats| stats.members == 1).await;
    let mut sender = relay.join("/").await;
    let text = "x".repeat(100_000);
    for _ in 0..200 {
        sender.send(&text).await;
    }
    sender.heard().await;
    relay.until(|stats| stats.members == 1).await;
    drop(slow);
    let mut reader = relay.join("/").await;
    sender.send("a").await;
    assert_eq!(reader.text().await, "a");
    assert!(LIMIT > SHORT);
}
