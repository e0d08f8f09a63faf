//! Draining: a relay that stops sends its clients away one after the other, and each is sent what
//! waits for it first.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

use signal_relay::Config;
use tokio::net::TcpStream;

use self::support::kept::Kept;
use self::support::{Client, LIMIT, Relay, config, get};

/// So long that only the first client, whose turn is at the beginning, is sent away.
const LONG: Duration = Duration::from_secs(3600);

fn with(drain: Duration) -> Config {
    Config {
        drain,
        metrics: Some(([127, 0, 0, 1], 0).into()),
        ..config()
    }
}

async fn until_ready_is(metrics: std::net::SocketAddr, status: u16) {
    let waiting = async {
        while get(metrics, "/readyz").await.status != status {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap();
}

#[tokio::test]
async fn clients_leave_one_after_the_other_and_the_others_go_on() {
    let relay = Relay::start(with(LONG)).await;
    let (address, metrics) = (relay.address, relay.metrics.unwrap());
    let mut first = relay.join("/").await;
    let (mut a, mut b) = (relay.join("/").await, relay.join("/").await);
    let mut kept = Kept::open(address).await;
    assert_eq!(kept.ask("GET /readyz", "").await, (200, "ready\n".into()));
    assert_eq!(get(metrics, "/readyz").await.status, 200);
    b.send("waiting").await;
    assert_eq!(a.text().await, "waiting");

    let served = relay.stop();
    // What waited comes first.
    assert_eq!(first.text().await, "waiting");
    assert_eq!(
        first.closed().await,
        (1001, "the relay is shutting down".into())
    );
    until_ready_is(metrics, 503).await;
    assert_eq!(get(metrics, "/healthz").await.status, 200);
    assert_eq!(kept.ask("GET /readyz", "").await.0, 503);
    assert_eq!(kept.ask("GET /healthz", "").await.0, 200);
    // No new clients, not even over a connection that is still open.
    let (status, _) = kept
        .ask("GET /socket.io/?EIO=4&transport=polling", "")
        .await;
    assert_eq!(status, 503);
    assert!(TcpStream::connect(address).await.is_err(), "it accepts");
    let text = get(metrics, "/metrics").await.body;
    assert!(text.contains("\nsignal_relay_draining 1\n"), "{text}");
    assert!(
        text.contains("signal_relay_refusals_total{reason=\"draining\"} 1\n"),
        "{text}"
    );
    // The others still reach each other.
    a.send("still here").await;
    assert_eq!(b.text().await, "still here");
    // It doesn't wait when nobody is left.
    drop((first, a, b));
    tokio::time::timeout(LIMIT, served).await.unwrap().unwrap();
}

#[tokio::test]
async fn all_have_left_at_the_end_and_nobody_has_lost_anything() {
    let relay = Relay::start(with(Duration::from_millis(300))).await;
    let mut sender = relay.join("/").await;
    let mut readers = Vec::new();
    for _ in 0..20 {
        readers.push(relay.join("/").await);
    }
    for number in 0..50 {
        sender.send(&format!("message {number}")).await;
    }
    sender.heard().await;
    let served = relay.stop();
    let read = async |mut reader: Client| {
        for number in 0..50 {
            assert_eq!(reader.text().await, format!("message {number}"));
        }
        assert_eq!(reader.closed().await.0, 1001);
        while reader.next().await.is_some() {}
    };
    futures_util::future::join_all(readers.into_iter().map(read)).await;
    assert_eq!(sender.closed().await.0, 1001);
    while sender.next().await.is_some() {}
    tokio::time::timeout(LIMIT, served).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_between_two_polls_fetches_what_waits() {
    let relay = Relay::start(with(LONG)).await;
    let metrics = relay.metrics.unwrap();
    let mut sender = relay.join("/").await;
    let mut poller = Kept::open(relay.address).await;
    let path = "/socket.io/?EIO=4&transport=polling";
    let (_, open) = poller.ask(&format!("GET {path}"), "").await;
    let path = format!("{path}&sid={}", open.split('"').nth(3).unwrap());
    assert_eq!(poller.ask(&format!("POST {path}"), "40").await.1, "ok");
    let (_, joined) = poller.ask(&format!("GET {path}"), "").await;
    assert!(joined.starts_with("40"), "{joined}");
    sender.send(r#"{"channel":"a","message":1}"#).await;
    sender.heard().await;
    let served = relay.stop();
    until_ready_is(metrics, 503).await;
    // The relay has seen that it drains; the session ends a moment later.
    let mut rest = String::new();
    while !rest.ends_with('1') || !rest.contains("message") {
        let (status, body) = poller.ask(&format!("GET {path}"), "").await;
        assert_eq!(status, 200, "{rest:?} and then {body:?}");
        rest += &body;
    }
    assert!(
        rest.contains(r#"42["message",{"channel":"a","message":1}]"#),
        "{rest}"
    );
    drop((sender, poller));
    tokio::time::timeout(LIMIT, served).await.unwrap().unwrap();
}
