//! Settings that change while a relay runs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

use signal_relay::limits::{Rate, Rates};
use signal_relay::{Config, StartError};

use self::support::{Client, Relay, config, status};

const FOREIGN: &[(&str, &str)] = &[("origin", "https://example.org")];

#[tokio::test]
async fn origins_and_limits_change_for_new_connections() {
    let relay = Relay::start(config()).await;
    let mut old = relay.join("/").await;
    let refused = Client::open_with(relay.address, "/", FOREIGN).await;
    assert_eq!(status(refused), 403);
    let changed = Config {
        origins: vec!["https://example.org".parse().unwrap()],
        max_frame: 10,
        ping_interval: Duration::from_secs(7),
        ..config()
    };
    relay.reloader.reload(&changed).unwrap();
    let mut new = Client::open_with(relay.address, "/", FOREIGN)
        .await
        .unwrap();
    let hello = new.greeted().await;
    assert!(hello.ends_with(",\"ping\":7000}"), "{hello}");
    // A connection keeps what it was opened with.
    old.send("more than ten bytes").await;
    assert_eq!(new.text().await, "more than ten bytes");
    new.send("more than ten bytes").await;
    assert_eq!(new.closed().await, (1009, "frame over 10 bytes".into()));
    // And back again.
    relay.reloader.reload(&config()).unwrap();
    let refused = Client::open_with(relay.address, "/", FOREIGN).await;
    assert_eq!(status(refused), 403);
}

#[tokio::test]
async fn places_change_and_nobody_loses_theirs() {
    let config = |connections, connections_per_address| Config {
        connections,
        connections_per_address,
        limit_loopback: true,
        ..config()
    };
    let relay = Relay::start(config(3, 3)).await;
    let may_connect = async |may: bool| {
        let client = Client::open(relay.address, "/").await;
        assert_eq!(client.is_ok(), may);
        client.ok()
    };
    let mut clients = [relay.join("/").await, relay.join("/").await];
    for (most, of_address) in [(1, 3), (3, 2), (2, 2)] {
        relay.reloader.reload(&config(most, of_address)).unwrap();
        may_connect(false).await;
        let [one, other] = &mut clients;
        one.send("still here").await;
        assert_eq!(other.text().await, "still here");
    }
    relay.reloader.reload(&config(4, 4)).unwrap();
    let _more = [may_connect(true).await, may_connect(true).await];
    may_connect(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_addresss_rate_changes_at_once() {
    let config = |messages| Config {
        limit_loopback: true,
        rates: Rates {
            address: Rate { messages, bytes: 0 },
            connection: Rate {
                messages: 0,
                bytes: 0,
            },
            ..Config::default().rates
        },
        ..config()
    };
    // Slower than any test may take: what is over the burst of 512 waits for days.
    let relay = Relay::start(config(1)).await;
    let (mut sender, mut receiver) = (relay.join("/").await, relay.join("/").await);
    for number in 0..600 {
        sender.send(&number.to_string()).await;
    }
    for number in 0..500 {
        assert_eq!(receiver.text().await, number.to_string());
    }
    relay.reloader.reload(&config(100_000)).unwrap();
    // A message that was waiting already waits as long as before; the other client's don't.
    let mut other = relay.join("/").await;
    other.send("from another connection").await;
    while receiver.text().await != "from another connection" {}
}

#[tokio::test]
async fn impossible_settings_change_nothing() {
    let relay = Relay::start(config()).await;
    let impossible = Config {
        origins: vec!["https://example.org".parse().unwrap()],
        max_frame: config().queue.bytes + 1,
        ..config()
    };
    let refused = relay.reloader.reload(&impossible);
    assert!(
        matches!(refused, Err(StartError::QueueTooSmall { .. })),
        "{refused:?}"
    );
    let refused = Client::open_with(relay.address, "/", FOREIGN).await;
    assert_eq!(status(refused), 403);
}
