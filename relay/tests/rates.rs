//! What's tested: clients that send more than they may. They wait, and the others suffer nothing;
//! those that don't stop are disconnected.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

use futures_util::SinkExt;
use signal_relay::Config;
use signal_relay::hub::queue::Limits;
use signal_relay::limits::{Rate, Rates};
use support::socket_io::Poller;
use support::sse::post;
use support::{Client, LIMIT, Relay, config, signalr_classic, signalr_core, within};
use tokio_tungstenite::tungstenite::Message;

const UNLIMITED: Rate = Rate {
    messages: 0,
    bytes: 0,
};

/// How many messages a flood has. More than any queue and any bucket here holds.
const FLOOD: usize = 20_000;

/// 128 messages at once, and then 50 each second.
fn limited() -> Config {
    Config {
        limit_loopback: true,
        queue: Limits {
            frames: 256,
            bytes: 4 * 1024 * 1024,
        },
        rates: Rates {
            connection: Rate {
                messages: 50,
                bytes: 0,
            },
            address: UNLIMITED,
            patience: Duration::from_millis(200),
        },
        ..config()
    }
}

fn envelope(number: usize) -> String {
    let filling = "x".repeat(1000);
    format!(r#"{{"sender":1,"channel":"a","message":["{filling}",{number}]}}"#)
}

/// Sends until the relay has closed the connection. Returns the close code.
async fn flood(client: &mut Client, text: impl Fn(usize) -> String) -> u16 {
    for number in 0..FLOOD {
        if client.0.send(Message::text(text(number))).await.is_err() {
            break;
        }
    }
    client.closed().await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flooding_member_does_not_throw_the_others_out() {
    let relay = Relay::start(limited()).await;
    let mut flooder = relay.join("/").await;
    // It doesn't read while the flood lasts.
    let mut slow = Client::open_narrow(relay.address, "/").await;
    slow.greeted().await;
    relay.until(|stats| stats.members == 2).await;
    assert_eq!(flood(&mut flooder, envelope).await, 4013);
    relay.until(|stats| stats.members == 1).await;
    let mut honest = relay.join("/").await;
    honest.send("after the flood").await;
    for number in 0..FLOOD {
        let text = slow.text().await;
        if text == "after the flood" {
            return;
        }
        assert!(text.contains(&format!(",{number}]")), "{text}");
    }
    panic!("the whole flood came through");
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_in_every_protocol_are_closed() {
    let relay = Relay::start(limited()).await;
    let quoted = |text: String| serde_json::to_string(&text).unwrap();
    let record = |number| {
        let text = quoted(envelope(number));
        format!("{{\"type\":1,\"target\":\"Send\",\"arguments\":[{text}]}}\u{1e}")
    };
    let call = |number| {
        let text = quoted(envelope(number));
        format!("{{\"H\":\"h\",\"M\":\"Send\",\"A\":[{text}],\"I\":0}}")
    };

    let mut open = relay.join("/").await;
    open.send(r#"{"open":["b"]}"#).await;
    assert_eq!(flood(&mut open, envelope).await, 4013);

    let mut texts = relay.join("/").await;
    let unread = flood(&mut texts, |_| "no envelope".to_owned());
    assert_eq!(unread.await, 4013);

    let path = "/socket.io/?EIO=4&transport=websocket";
    let mut socket_io = Client::open(relay.address, path).await.unwrap();
    socket_io.send("40").await;
    let event = |number| format!("42[\"message\",{}]", envelope(number));
    assert_eq!(flood(&mut socket_io, event).await, 4013);

    let mut core = signalr_core::Hub::join(&relay, "/hub").await;
    assert_eq!(flood(&mut core.client, record).await, 4013);

    let mut classic = signalr_classic::Hub::join(&relay, "/signalr").await;
    assert_eq!(flood(&mut classic.client, call).await, 4013);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_in_one_frame_are_counted_one_by_one() {
    let relay = Relay::start(limited()).await;
    let mut honest = relay.join("/").await;
    let short = r#"{\"channel\":\"a\",\"message\":1}"#;
    let record = format!("{{\"type\":1,\"target\":\"Send\",\"arguments\":[\"{short}\"]}}\u{1e}");
    let mut core = signalr_core::Hub::join(&relay, "/hub").await.client;
    core.send(&record.repeat(FLOOD)).await;
    assert_eq!(core.closed().await.0, 4013);
    honest.send("x").await;
    let mut other = relay.join("/").await;
    other.send("the end").await;
    let mut received = 0;
    while honest.text().await != "the end" {
        received += 1;
    }
    assert!((128..FLOOD).contains(&received), "{received}");

    let poller = Poller::join(&relay, 4).await;
    let packet = r#"42["message",{"channel":"a","message":1}]"#;
    let body = vec![packet; FLOOD].join("\u{1e}");
    let posted = poller.post_body(body.as_bytes()).await;
    assert_eq!(posted.status, 429);
    assert_eq!(posted.header("retry-after"), Some("10"));
    // The session is found until its task has ended.
    let status = async {
        loop {
            let status = poller.get().await.status;
            if status != 200 {
                return status;
            }
        }
    };
    assert_eq!(within("the end of the session", status).await, 400);
}

#[tokio::test]
async fn bytes_are_limited_too() {
    let mut config = limited();
    config.rates.connection = Rate {
        messages: 0,
        bytes: 100_000,
    };
    let relay = Relay::start(config).await;
    let mut flooder = relay.join("/").await;
    let text = "x".repeat(500_000);
    for _ in 0..20 {
        flooder.send(&text).await;
    }
    assert_eq!(flooder.closed().await.0, 4013);
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_over_the_rate_are_to_be_repeated_later() {
    let mut config = limited();
    config.rates.connection.messages = 1;
    let relay = Relay::start(config).await;
    let mut page = relay.join("/").await;
    let mut accepted = 0;
    let refused = loop {
        let posted = post(&relay, "/sse?client=secret", &envelope(accepted)).await;
        if posted.status != 204 {
            break posted;
        }
        let text = page.envelope().await;
        assert!(text.contains(&format!(",{accepted}]")), "{text}");
        accepted += 1;
    };
    assert!(accepted >= 128, "{accepted}");
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.retry_after.parse().unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    // Another client isn't affected.
    assert_eq!(
        post(&relay, "/sse?client=b", &envelope(0)).await.status,
        204
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_one_address_wait_together_and_stay() {
    let mut config = limited();
    config.rates = Rates {
        connection: UNLIMITED,
        address: Rate {
            messages: 200,
            bytes: 0,
        },
        patience: Duration::ZERO,
    };
    let relay = Relay::start(config).await;
    let mut reader = relay.join("/").await;
    let (mut one, mut other) = (relay.join("/").await, relay.join("/").await);
    for number in 0..150 {
        one.send(&envelope(number)).await;
        other.send(&envelope(number)).await;
    }
    for _ in 0..300 {
        reader.text().await;
    }
    one.send("still here").await;
    assert_eq!(reader.text().await, "still here");
    let refused = async { while post(&relay, "/sse", &envelope(0)).await.status != 429 {} };
    tokio::time::timeout(LIMIT, refused)
        .await
        .expect("the address has no limit");
}

/// An attacker that connects again for each message gains nothing.
#[tokio::test(flavor = "multi_thread")]
async fn new_clients_wait_for_what_the_address_has_sent() {
    let mut config = limited();
    config.max_frame = 20_000;
    config.queue.bytes = 20_000;
    config.rates = Rates {
        connection: UNLIMITED,
        address: Rate {
            messages: 0,
            bytes: 100,
        },
        patience: Duration::ZERO,
    };
    let relay = Relay::start(config).await;
    let mut reader = relay.join("/").await;
    let mut first = Client::open_from(2, relay.address, "/other").await.unwrap();
    let mut watcher = relay.join("/other").await;
    // More than the address may send in a minute and a half, besides what it may send at once.
    let long = "x".repeat(19_000);
    first.send(&long).await;
    assert_eq!(watcher.text().await, long);
    let mut second = Client::open_from(2, relay.address, "/").await.unwrap();
    second.send("late").await;
    let mut honest = Client::open_from(3, relay.address, "/").await.unwrap();
    honest.send("in time").await;
    assert_eq!(reader.text().await, "in time");
}

/// A page that opens a thousand channels gives the relay as much to do as one that sends much.
#[tokio::test(flavor = "multi_thread")]
async fn opening_channels_counts_as_sending() {
    let relay = Relay::start(limited()).await;
    let mut client = relay.join("/").await;
    let channels: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let open = serde_json::json!({ "open": channels }).to_string();
    for _ in 0..5 {
        client.send(&open).await;
    }
    assert_eq!(client.closed().await.0, 4013);
}

#[tokio::test]
async fn loopback_is_not_limited_by_default() {
    let relay = Relay::start(Config {
        limit_loopback: false,
        ..limited()
    })
    .await;
    let (mut one, mut other) = (relay.join("/").await, relay.join("/").await);
    for number in 0..1000 {
        one.send(&envelope(number)).await;
        other.text().await;
    }
    one.send("still here").await;
    assert_eq!(other.text().await, "still here");
}
