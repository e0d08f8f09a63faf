//! Messages, calls, heartbeats, limits, and stopping.

use std::time::Duration;

use futures_util::SinkExt;
use serde_json::{Value, json};
use signal_relay::Config;
use signal_relay::hub::queue::Limits;
use signal_relay::protocols::signalr::Timing;
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::Message;

use super::support::signalr_classic::{Hub, envelope, query, token};
use super::support::{Client, LIMIT, Relay, amid_chatter, config, raw, status, within};

#[tokio::test]
async fn messages_go_both_ways_and_not_back() {
    let relay = Relay::start(config()).await;
    let (mut one, mut other) = (
        Hub::join(&relay, "/signalr").await,
        Hub::join(&relay, "/signalr/hubs").await,
    );
    let mut page = relay.join("/").await;
    let mut elsewhere = Hub::join(&relay, "/room/signalr").await;
    let frame = r#"{"sender":12345,"channel":"main","message":{"sdp":"v=0\r\n\"é😀\""}}"#;
    one.publish(frame).await;
    assert_eq!(other.delivered().await, frame);
    assert_eq!(page.envelope().await, frame);
    page.send(&envelope(1)).await;
    // The sender got nothing of its own in between.
    assert_eq!(one.delivered().await, envelope(1));
    assert_eq!(other.delivered().await, envelope(1));
    assert_eq!((one.cursor.as_str(), other.cursor.as_str()), ("1", "2"));

    // What a page of the seed sends has no sender.
    let sender = |text: &str| {
        let value: Value = serde_json::from_str(text).unwrap();
        let sender = value["sender"].as_u64().unwrap();
        assert_eq!(
            text,
            format!(r#"{{"sender":{sender},"channel":"main","message":"hello"}}"#)
        );
        sender
    };
    let old = r#"{"message":"hello","channel":"main"}"#;
    one.publish(old).await;
    let first = sender(&page.envelope().await);
    assert_eq!(sender(&other.delivered().await), first);
    other.publish(old).await;
    assert_ne!(sender(&page.envelope().await), first);

    let mut neighbour = relay.join("/room").await;
    neighbour.send("no envelope").await;
    neighbour.send(&envelope(2)).await;
    assert_eq!(elsewhere.delivered().await, envelope(2));
}

#[tokio::test]
async fn invalid_calls_are_answered() {
    let relay = Relay::start(config()).await;
    let mut hub = Hub::join(&relay, "/signalr").await;
    for (method, arguments, reason) in [
        (
            "shout",
            json!(["a"]),
            "The hub has no method 'shout'. It has Send(string).",
        ),
        (
            "send",
            json!([]),
            "Send takes one argument, a string, and got 0.",
        ),
        (
            "send",
            json!(["a", "b"]),
            "Send takes one argument, a string, and got 2.",
        ),
        (
            "send",
            json!([{ "channel": "a" }]),
            "The argument of Send must be a string, the JSON text of {message, channel}: use JSON.stringify.",
        ),
        (
            "send",
            json!(["hello"]),
            "The string is no envelope: Send takes the JSON text of {message, channel}, where channel is the channel's name.",
        ),
    ] {
        assert_eq!(
            hub.call(method, &arguments).await,
            json!({ "I": "4", "E": reason, "H": true })
        );
    }
    // Nobody waits for this one's answer.
    hub.client
        .send(r#"{"H":"webrtchub3","M":"shout","A":[]}"#)
        .await;
    assert_eq!(
        hub.call("Send", &json!([envelope(0)])).await,
        json!({ "I": "4" })
    );
}

#[tokio::test]
async fn a_frame_that_is_no_call_stops_the_client() {
    let relay = Relay::start(config()).await;
    for text in [
        "hello",
        "{}",
        "[1]",
        "{\"protocol\":\"json\",\"version\":1}\u{1e}",
    ] {
        let mut hub = Hub::join(&relay, "/signalr").await;
        hub.client.send(text).await;
        let last = hub.frame().await;
        assert!(
            last["E"]
                .as_str()
                .unwrap()
                .starts_with("That is no call of a hub's method"),
            "{last}"
        );
        assert_eq!(hub.client.closed().await, (1000, String::new()));
        assert_eq!(
            status(Client::open(relay.address, &hub.reconnect_path()).await),
            404
        );
    }
    let mut hub = Hub::join(&relay, "/signalr").await;
    hub.client
        .0
        .send(Message::binary(b"{}".to_vec()))
        .await
        .unwrap();
    assert_eq!(hub.client.closed().await.0, 1003);
    drop(hub);
    relay.until_empty().await;
}

#[tokio::test]
async fn every_hub_of_the_client_is_called_by_its_name() {
    let relay = Relay::start(config()).await;
    let mut page = relay.join("/").await;
    let connect = async |data: &str| {
        let token = token(&relay, "/signalr").await;
        Client::open(relay.address, &format!("/signalr/connect?transport=webSockets&connectionToken={token}&connectionData={data}")).await
    };
    let mut two = connect("%5B%7B%22name%22%3A%22Chat%22%7D%2C%7B%22name%22%3A%22video%22%7D%5D")
        .await
        .unwrap();
    let mut none = connect("%5B%5D").await.unwrap();
    assert_eq!(two.text().await, r#"{"C":"0","S":1,"M":[],"relay":true}"#);
    assert_eq!(none.text().await, r#"{"C":"0","S":1,"M":[],"relay":true}"#);
    page.send(r#"{"channel":1}"#).await;
    assert_eq!(
        two.text().await,
        r#"{"C":"1","M":[{"H":"Chat","M":"onMessageReceived","A":["{\"channel\":1}"]},{"H":"video","M":"onMessageReceived","A":["{\"channel\":1}"]}]}"#
    );
    // A client without hubs receives nothing, and may send.
    none.send(&json!({ "H": "any", "M": "send", "A": [envelope(1)], "I": 0 }).to_string())
        .await;
    assert_eq!(none.text().await, r#"{"I":"0"}"#);
    assert_eq!(page.envelope().await, envelope(1));
    for wrong in ["x", "%7B%7D", "%5B1%5D"] {
        assert_eq!(status(connect(wrong).await), 400, "{wrong}");
    }
}

#[tokio::test]
async fn keep_alives_are_sent() {
    let relay = Relay::start(Config {
        signalr: Timing {
            keep_alive: Duration::from_millis(40),
            ..Timing::default()
        },
        ..config()
    })
    .await;
    let mut hub = Hub::join(&relay, "/signalr").await;
    for _ in 0..3 {
        assert_eq!(hub.client.text().await, "{}");
    }
}

#[tokio::test]
async fn keep_alives_follow_the_ping_interval() {
    let relay = Relay::start(Config {
        ping_interval: Duration::from_secs(1),
        ping_timeout: LIMIT,
        ..config()
    })
    .await;
    let mut hub = Hub::join(&relay, "/signalr").await;
    for _ in 0..3 {
        assert_eq!(hub.client.text().await, "{}");
    }
    // What isn't for the client doesn't count.
    let text = amid_chatter(&relay, hub.client.text()).await;
    assert_eq!(text, "{}");
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_taken_for_lost() {
    let relay = Relay::start(Config {
        ping_interval: Duration::from_millis(20),
        ping_timeout: Duration::from_millis(50),
        close_timeout: Duration::from_millis(50),
        ..config()
    })
    .await;
    let token = token(&relay, "/signalr").await;
    let mut silent = raw(
        relay.address,
        &format!("/signalr/connect?{}", query(&token)),
    )
    .await;
    let mut all = Vec::new();
    tokio::time::timeout(LIMIT, silent.read_to_end(&mut all))
        .await
        .expect("it is not dropped")
        .unwrap();
    let end: &[u8] = b"\x0f\xacno answer to a ping";
    assert!(all.ends_with(end), "{all:?}");
    // It may come back.
    assert_eq!(relay.stats.get().members, 1);
    let path = format!("/signalr/reconnect?messageId=0&{}", query(&token));
    Client::open(relay.address, &path).await.unwrap();
}

#[tokio::test]
async fn long_frames_are_refused() {
    let relay = Relay::start(Config {
        max_frame: 1000,
        ..config()
    })
    .await;
    let mut page = relay.join("/").await;
    let head = r#"{"sender":1,"channel":"a","message":""#;
    let frame =
        |length: usize| format!("{head}{}\"}}", "\\\"".repeat((length - head.len() - 2) / 2));
    let mut hub = Hub::join(&relay, "/signalr").await;
    hub.publish(&frame(1000)).await;
    assert_eq!(page.envelope().await, frame(1000));
    for (length, reason) in [
        (1003, "frame over 1000 bytes"),
        (8000, "frame over 6096 bytes"),
    ] {
        let mut hub = Hub::join(&relay, "/signalr").await;
        hub.client
            .send(&json!({ "H": "h", "M": "send", "A": [frame(length)], "I": 1 }).to_string())
            .await;
        assert_eq!(hub.client.closed().await, (1009, reason.to_owned()));
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped() {
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 20,
            bytes: 200_000,
        },
        max_frame: 100_000,
        close_timeout: Duration::from_millis(100),
        ..config()
    })
    .await;
    let token = token(&relay, "/signalr").await;
    let _narrow = Client::open_narrow(
        relay.address,
        &format!("/signalr/connect?{}", query(&token)),
    )
    .await;
    relay.until(|stats| stats.members == 1).await;
    let mut page = relay.join("/").await;
    let frame = format!(
        r#"{{"sender":1,"channel":"a","message":"{}"}}"#,
        "x".repeat(90_000)
    );
    within("the relay to close it", async {
        while relay.stats.get().members == 2 {
            page.send(&frame).await;
            page.heard().await;
        }
    })
    .await;
    assert_eq!(
        status(
            Client::open(
                relay.address,
                &format!("/signalr/reconnect?{}", query(&token))
            )
            .await
        ),
        404
    );
}

#[tokio::test]
async fn a_stopping_relay_sends_what_waits() {
    let relay = Relay::start(config()).await;
    let mut hub = Hub::join(&relay, "/signalr").await;
    let _lost = Hub::join(&relay, "/signalr").await.lose();
    let mut page = relay.join("/").await;
    page.send(&envelope(1)).await;
    page.heard().await;
    let stopped = relay.stop();
    assert_eq!(hub.delivered().await, envelope(1));
    assert_eq!(
        hub.client.closed().await,
        (1001, "the relay is shutting down".to_owned())
    );
    drop((hub, page));
    tokio::time::timeout(LIMIT, stopped).await.unwrap().unwrap();
}
