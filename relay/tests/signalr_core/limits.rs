//! Heartbeats, and each limit.

use std::time::Duration;

use serde_json::json;
use signal_relay::Config;
use signal_relay::protocols::signalr::Timing;
use tokio_tungstenite::tungstenite::Message;

use super::support::signalr_core::{HANDSHAKE, Hub};
use super::support::{self, Client, LIMIT, Relay, amid_chatter, config, within};

#[tokio::test]
async fn each_kind_of_long_record_is_refused() {
    let relay = Relay::start(Config {
        max_frame: 1000,
        ..config()
    })
    .await;
    let mut page = relay.join("/").await;
    let frame = |length: usize| {
        let head = r#"{"sender":1,"channel":"a","message":""#;
        format!("{head}{}\"}}", "\\\"".repeat((length - head.len() - 2) / 2))
    };
    // The longest frame passes although every character of its message is escaped twice on the way.
    let mut hub = Hub::join(&relay, "/hub").await;
    let longest = frame(1000);
    assert!(longest.len() > 998);
    hub.publish(&longest).await;
    assert_eq!(page.envelope().await, longest);

    let reasons = [
        (frame(1003), "frame over 1000 bytes"),
        // With the sender that it lacks.
        (
            format!(r#"{{"channel":"a","message":"{}"}}"#, "x".repeat(970)),
            "frame over 1000 bytes",
        ),
        (frame(8000), "frame over 6096 bytes"),
    ];
    for (frame, reason) in reasons {
        let mut hub = Hub::join(&relay, "/hub").await;
        hub.publish(&frame).await;
        assert_eq!(
            hub.record().await,
            format!(r#"{{"type":7,"error":"{reason}"}}"#)
        );
        assert_eq!(hub.client.closed().await, (1009, reason.to_owned()));
    }
    // A record that never ends, in short frames; before the handshake and after it.
    for ready in [false, true] {
        let mut hub = if ready {
            Hub::join(&relay, "/hub").await
        } else {
            Hub::open(&relay, "/hub").await
        };
        for _ in 0..7 {
            hub.client.send(&"x".repeat(1000)).await;
        }
        let record = hub.record().await;
        assert!(
            record.contains(r#""error":"frame over 6096 bytes""#),
            "{record}"
        );
        assert_eq!(hub.client.closed().await.0, 1009);
    }
}

#[tokio::test]
async fn pings_are_sent_when_nothing_else_is() {
    let relay = Relay::start(Config {
        signalr: Timing {
            ping: Duration::from_millis(20),
            ..Timing::default()
        },
        ..config()
    })
    .await;
    let mut hub = Hub::join(&relay, "/hub").await;
    for _ in 0..3 {
        assert_eq!(hub.client.text().await, "{\"type\":6}\u{1e}");
    }
}

#[tokio::test]
async fn frames_that_are_not_delivered_do_not_delay_pings() {
    let relay = Relay::start(Config {
        signalr: Timing {
            ping: Duration::from_secs(1),
            ..Timing::default()
        },
        ..config()
    })
    .await;
    let mut hub = Hub::join(&relay, "/hub").await;
    let text = amid_chatter(&relay, hub.client.text()).await;
    assert_eq!(text, "{\"type\":6}\u{1e}");
}

#[tokio::test]
async fn pings_follow_the_ping_interval() {
    let relay = Relay::start(Config {
        ping_interval: Duration::from_millis(20),
        ping_timeout: LIMIT,
        ..config()
    })
    .await;
    let mut hub = Hub::join(&relay, "/hub").await;
    let (mut seen, mut unseen) = (0, 0);
    while seen < 3 || unseen < 3 {
        match hub.client.next().await {
            Some(Ok(Message::Text(text))) => {
                assert_eq!(text.as_str(), "{\"type\":6}\u{1e}");
                seen += 1;
            }
            Some(Ok(Message::Ping(_))) => unseen += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(relay.stats.get().members, 1);
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_dropped() {
    let relay = Relay::start(Config {
        ping_interval: Duration::from_millis(20),
        ping_timeout: Duration::from_millis(100),
        // It doesn't answer the close frame either.
        close_timeout: Duration::from_millis(100),
        ..config()
    })
    .await;
    let mut silent = support::raw(relay.address, "/hub").await;
    support::raw_send(&mut silent, HANDSHAKE).await;
    let (mut pings, mut last) = (0, Vec::new());
    let closed = async {
        loop {
            match support::raw_next(&mut silent).await {
                (0x81, text) => last = text,
                (0x89, _) => pings += 1,
                (0x88, close) => return close,
                other => panic!("{other:?}"),
            }
        }
    };
    let close = within("the close frame", closed).await;
    assert_eq!(pings, 1);
    assert_eq!(
        String::from_utf8(last).unwrap(),
        "{\"type\":7,\"error\":\"no answer to a ping\",\"allowReconnect\":true}\u{1e}"
    );
    assert_eq!(close, b"\x0f\xacno answer to a ping");
    relay.until_empty().await;
}

#[tokio::test]
async fn a_client_that_pings_stays() {
    let relay = Relay::start(Config {
        signalr: Timing {
            ping: Duration::from_millis(100),
            ..Timing::default()
        },
        ping_interval: Duration::from_millis(500),
        ping_timeout: Duration::from_millis(4500),
        ..config()
    })
    .await;
    // Not even pings of the WebSocket are answered.
    let mut hub = support::raw(relay.address, "/hub").await;
    support::raw_send(&mut hub, HANDSHAKE).await;
    assert_eq!(
        support::raw_next(&mut hub).await.1,
        b"{\"minorVersion\":0,\"relay\":true}\x1e"
    );
    // Six seconds by the relay's own pings, each of which is answered with one.
    let mut pings = 0;
    while pings < 60 {
        let (kind, payload) = support::raw_next(&mut hub).await;
        if kind == 0x81 {
            assert_eq!(payload, b"{\"type\":6}\x1e");
            support::raw_send(&mut hub, "{\"type\":6}\u{1e}").await;
            pings += 1;
        } else {
            assert_eq!(kind, 0x89, "{payload:?}");
        }
    }
    assert_eq!(relay.stats.get().members, 1);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_whatever_fills_its_queue() {
    let relay = Relay::start(Config {
        queue: signal_relay::hub::queue::Limits {
            frames: 20,
            bytes: 200_000,
        },
        max_frame: 100_000,
        close_timeout: Duration::from_millis(100),
        ..config()
    })
    .await;
    let frame = format!(
        r#"{{"sender":1,"channel":"a","message":"{}"}}"#,
        "x".repeat(90_000)
    );
    // Filled by others' messages.
    let mut hub = Client::open_narrow(relay.address, "/hub").await;
    hub.send(HANDSHAKE).await;
    relay.until(|stats| stats.members == 1).await;
    let mut page = relay.join("/").await;
    within("the relay to close it", async {
        while relay.stats.get().members == 2 {
            page.send(&frame).await;
            page.heard().await;
        }
    })
    .await;
    // Filled by answers to its own calls.
    let mut hub = Client::open_narrow(relay.address, "/elsewhere/hub").await;
    hub.send(HANDSHAKE).await;
    relay.until(|stats| stats.members == 2).await;
    let record = format!(
        "{}\u{1e}",
        json!({ "type": 1, "target": "Shout", "invocationId": "x".repeat(50_000) })
    );
    let flood = async {
        use futures_util::SinkExt;
        while hub.0.send(Message::text(record.clone())).await.is_ok() {}
    };
    tokio::select! {
        () = flood => {}
        () = relay.until(|stats| stats.members == 1) => {}
    }
    drop(hub);
    page.send(r#"{"sender":1,"channel":"a","message":0}"#).await;
    page.heard().await;
    drop(page);
    relay.until_empty().await;
}
