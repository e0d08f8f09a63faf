//! Settings that change while a relay runs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

use signal_relay::hub::{history, queue, sessions};
use signal_relay::limits::{Rate, Rates};
use signal_relay::{Config, StartError};

use self::support::kept::Kept;
use self::support::resuming::Page;
use self::support::{Client, Relay, config, status, within};

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

/// A connection of a session that has a channel open and has published so many messages on it.
async fn publisher(relay: &Relay, messages: usize) -> Page {
    let mut page = Page::open(relay, "/", &["a"]).await;
    for number in 1..=messages {
        let frame = format!(r#"{{"sender":1,"channel":"a","ref":{number},"message":{number}}}"#);
        page.client.send(&frame).await;
    }
    let last = format!(r#"{{"ack":{messages}}}"#);
    page.client.until_text(|text| text == last).await;
    page
}

#[tokio::test]
async fn the_history_shrinks_at_once() {
    let with = |change: fn(&mut history::Limits)| {
        let mut config = config();
        change(&mut config.history);
        config
    };
    for (change, left) in [
        (with(|limits| limits.messages = 3), 3..=3),
        (with(|limits| limits.bytes = 200), 1..=9),
        (with(|limits| limits.total = 4500), 1..=9),
        (with(|limits| limits.age = Duration::ZERO), 0..=0),
    ] {
        let relay = Relay::start(config()).await;
        let mut page = publisher(&relay, 10).await;
        assert_eq!(relay.stats.get().history.messages, 10);
        relay.reloader.reload(&change).unwrap();
        let stats = relay.stats.get();
        assert!(
            left.contains(&stats.history.messages),
            "{change:?} {stats:?}"
        );
        assert_eq!(stats.history_limit, change.history.total);
        // What comes later is bounded the same.
        for number in 11..=20 {
            let frame =
                format!(r#"{{"sender":1,"channel":"a","ref":{number},"message":{number}}}"#);
            page.client.send(&frame).await;
        }
        page.client.until_text(|text| text == r#"{"ack":20}"#).await;
        let stats = relay.stats.get();
        assert!(
            left.contains(&stats.history.messages),
            "{change:?} {stats:?}"
        );
    }
}

#[tokio::test]
async fn more_history_is_kept_from_then_on() {
    let few = Config {
        history: history::Limits {
            messages: 2,
            ..config().history
        },
        ..config()
    };
    let relay = Relay::start(few).await;
    let _one = publisher(&relay, 10).await;
    assert_eq!(relay.stats.get().history.messages, 2);
    relay.reloader.reload(&config()).unwrap();
    let _other = publisher(&relay, 10).await;
    assert_eq!(relay.stats.get().history.messages, 12);
}

#[tokio::test]
async fn kept_sessions_become_fewer_at_once() {
    let with = |change: fn(&mut sessions::Limits)| {
        let mut config = config();
        change(&mut config.sessions);
        config
    };
    for (change, left) in [
        (with(|limits| limits.kept = 2), 2),
        (with(|limits| limits.kept = 0), 0),
        (with(|limits| limits.age = Duration::ZERO), 0),
    ] {
        let relay = Relay::start(config()).await;
        let mut stays = Page::open(&relay, "/", &["a"]).await;
        for _ in 0..5 {
            drop(Page::open(&relay, "/", &["a"]).await);
        }
        relay.until(|stats| stats.sessions.kept == 5).await;
        relay.reloader.reload(&change).unwrap();
        let sessions = relay.stats.get().sessions;
        assert_eq!((sessions.attached, sessions.kept), (1, left), "{change:?}");
        // A session with a connection isn't one of them.
        stays.say(r#"{"ping":1}"#).await;
        assert_eq!(stays.client.text().await, r#"{"pong":1}"#);
    }
}

#[tokio::test]
async fn a_session_keeps_its_channels_when_fewer_may_be_open() {
    let relay = Relay::start(config()).await;
    let mut page = Page::open(&relay, "/", &["a", "b", "c"]).await;
    let mut fewer = config();
    fewer.sessions.channels = 2;
    relay.reloader.reload(&fewer).unwrap();
    let _other = publisher(&relay, 1).await;
    assert!(page.client.text().await.contains(r#""channel":"a""#));
    page.say(r#"{"open":["d"]}"#).await;
    assert_eq!(page.client.closed().await.0, 4501);
}

#[tokio::test]
async fn memory_is_given_back_at_once() {
    // Each connection counts with 24 KiB.
    let config = |memory| Config {
        connections: 10,
        memory,
        max_frame: 10_000,
        queue: queue::Limits {
            frames: 100,
            bytes: 100_000,
        },
        history: history::Limits {
            total: 1_000_000,
            ..config().history
        },
        ..config()
    };
    let relay = Relay::start(config(10_000_000)).await;
    let mut page = Page::open(&relay, "/", &["a"]).await;
    let filler = "x".repeat(9000);
    for number in 1..=80 {
        let frame = format!(r#"{{"sender":1,"channel":"a","ref":{number},"message":"{filler}"}}"#);
        page.client.send(&frame).await;
    }
    page.client.until_text(|text| text == r#"{"ack":80}"#).await;
    let before = relay.stats.get();
    assert!(before.memory.messages > 700_000, "{before:?}");
    // The least that these settings need, were their history smaller.
    let mut less = config(700_000);
    less.history.total = 100_000;
    relay.reloader.reload(&less).unwrap();
    let after = relay.stats.get();
    // A quarter is for the program.
    assert_eq!(after.memory_limit, 525_000);
    assert!(after.memory.total() <= 525_000, "{after:?}");
    // Too little for the settings.
    let refused = relay.reloader.reload(&config(700_000));
    assert!(
        matches!(refused, Err(StartError::MemoryTooSmall { .. })),
        "{refused:?}"
    );
    assert_eq!(relay.stats.get().memory_limit, 525_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_connections_have_the_new_queue() {
    // More than sockets hold.
    const MESSAGES: usize = 200;
    let with = |frames| Config {
        queue: queue::Limits {
            frames,
            bytes: 64 * 1024 * 1024,
        },
        ..config()
    };
    let relay = Relay::start(with(1000)).await;
    let mut old = Client::open_narrow(relay.address, "/").await;
    old.greeted().await;
    relay.reloader.reload(&with(2)).unwrap();
    let mut new = Client::open_narrow(relay.address, "/").await;
    new.greeted().await;
    let mut sender = relay.join("/").await;
    let text = "x".repeat(100_000);
    for _ in 0..MESSAGES {
        sender.send(&text).await;
    }
    // Neither has read anything yet.
    relay.until(|stats| stats.members == 2).await;
    assert_eq!(new.closed().await, (4008, "too slow".into()));
    for _ in 0..MESSAGES {
        assert_eq!(old.text().await.len(), text.len());
    }
}

#[tokio::test]
async fn http_connections_become_fewer_at_once() {
    let with = |http_connections| Config {
        http_connections,
        ..config()
    };
    let relay = Relay::start(with(8)).await;
    let mut connections = Vec::new();
    for _ in 0..8 {
        let mut connection = Kept::open(relay.address).await;
        assert_eq!(connection.ask("GET /healthz", "").await.0, 200);
        connections.push(connection);
    }
    relay.reloader.reload(&with(2)).unwrap();
    let stay = connections.split_off(6);
    for mut connection in connections {
        within("the end of a connection", connection.ended()).await;
    }
    for mut connection in stay {
        assert_eq!(connection.ask("GET /healthz", "").await.0, 200);
    }
}

#[tokio::test]
async fn the_hello_waits_from_then_on() {
    let relay = Relay::start(config()).await;
    let waiting = Config {
        // Longer than any test.
        hello_delay: Duration::from_secs(3600),
        ..config()
    };
    relay.reloader.reload(&waiting).unwrap();
    let mut page = Client::open(relay.address, "/").await.unwrap();
    // Its pong is the first that comes.
    page.heard().await;
    page.send("a text").await;
    page.greeted().await;
}
