//! Settings that change while a relay runs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

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
