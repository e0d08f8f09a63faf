//! The handshake, records, invocations, and stopping.

use std::time::Duration;

use serde_json::{Value, json};
use signal_relay::Config;
use signal_relay::protocols::signalr::Timing;

use super::support::signalr_core::{HANDSHAKE, Hub, SendBinary, WELCOME};
use super::support::{LIMIT, Relay, config};

#[tokio::test]
async fn without_negotiation_the_handshake_is_enough() {
    let relay = Relay::start(config()).await;
    let mut hub = Hub::join(&relay, "/room/hub").await;
    let mut slash = Hub::join(&relay, "/room/hub/?access_token=x").await;
    let mut page = relay.join("/room").await;
    let mut elsewhere = relay.join("/").await;
    let frame = r#"{"sender":12345,"channel":"main","message":{"sdp":"v=0\r\n"}}"#;
    hub.publish(frame).await;
    assert_eq!(page.envelope().await, frame);
    assert_eq!(slash.delivered().await, frame);
    page.send(r#"{"sender":5000,"channel":"main","message":"é\u001e"}"#)
        .await;
    let wanted = r#"{"sender":5000,"channel":"main","message":"é\u001e"}"#;
    assert_eq!(hub.delivered().await, wanted);
    assert_eq!(slash.delivered().await, wanted);
    // Nothing of all that went to another space.
    let mut neighbour = Hub::join(&relay, "/hub").await;
    neighbour
        .publish(r#"{"sender":1,"channel":"b","message":0}"#)
        .await;
    assert_eq!(
        elsewhere.envelope().await,
        r#"{"sender":1,"channel":"b","message":0}"#
    );
}

#[tokio::test]
async fn a_page_without_a_sender_gets_one_of_its_own() {
    let relay = Relay::start(config()).await;
    let (mut one, mut other) = (
        Hub::join(&relay, "/hub").await,
        Hub::join(&relay, "/hub").await,
    );
    let mut page = relay.join("/").await;
    let mut senders = Vec::new();
    for hub in [&mut one, &mut other] {
        for message in ["1", "2"] {
            hub.publish(&format!(
                r#"{{"message":{{"n":{message}}},"channel":"main"}}"#
            ))
            .await;
            let text = page.envelope().await;
            let value: Value = serde_json::from_str(&text).unwrap();
            let sender = value["sender"].as_u64().unwrap();
            assert!(sender < 1 << 53);
            assert_eq!(
                text,
                format!(r#"{{"sender":{sender},"channel":"main","message":{{"n":{message}}}}}"#)
            );
            senders.push(sender);
        }
    }
    assert!(senders[0] == senders[1] && senders[2] == senders[3] && senders[0] != senders[2]);
}

#[tokio::test]
async fn only_envelopes_are_delivered() {
    let relay = Relay::start(config()).await;
    let mut hub = Hub::join(&relay, "/hub").await;
    let mut page = relay.join("/").await;
    for text in [
        "hello",
        "{}",
        r#"["channel"]"#,
        "{\"channel\":\"a\"}\u{1e}{\"type\":7}\u{1e}",
    ] {
        page.send(text).await;
    }
    page.send(r#"{"sender":1,"channel":"a","message":2}"#).await;
    assert_eq!(
        hub.delivered().await,
        r#"{"sender":1,"channel":"a","message":2}"#
    );
}

#[tokio::test]
async fn records_come_packed_and_split() {
    let relay = Relay::start(config()).await;
    let mut page = relay.join("/").await;
    let mut hub = Hub::open(&relay, "/hub").await;
    let sent = |n: u32| json!({ "type": 1, "target": "send", "arguments": [format!(r#"{{"sender":1,"channel":"é😀","message":{n}}}"#)] });
    // The handshake split, and what follows it packed with its end.
    hub.client.send("{\"protocol\":\"js").await;
    hub.client.send("").await;
    hub.client
        .send(&format!(
            "on\",\"version\":1}}\u{1e}{}\u{1e}{{\"type\":6}}\u{1e}{}\u{1e}{{\"type",
            sent(0),
            sent(1)
        ))
        .await;
    hub.client.send("\":6}").await;
    hub.client.send("\u{1e}").await;
    let stream: String = (2..20).map(|n| format!("{}\u{1e}", sent(n))).collect();
    let characters: Vec<char> = stream.chars().collect();
    for part in characters.chunks(7) {
        hub.client.send(&part.iter().collect::<String>()).await;
    }
    assert_eq!(hub.record().await, WELCOME);
    for n in 0..20 {
        assert_eq!(
            page.envelope().await,
            format!(r#"{{"sender":1,"channel":"é😀","message":{n}}}"#)
        );
    }
}

#[tokio::test]
async fn invalid_handshakes_are_answered_and_closed() {
    let relay = Relay::start(config()).await;
    for (first, reason) in [
        (
            "{\"protocol\":\"messagepack\",\"version\":1}\u{1e}",
            "The protocol 'messagepack' is not supported.",
        ),
        (
            "{\"protocol\":\"json\",\"version\":7}\u{1e}",
            "Version 7 of the protocol 'json' is not supported.",
        ),
        (
            "{\"sender\":1,\"channel\":\"a\",\"message\":2}\u{1e}",
            "The first record must be the handshake",
        ),
        ("\u{1e}", "The first record must be the handshake"),
    ] {
        let mut hub = Hub::open(&relay, "/hub").await;
        hub.client.send(first).await;
        let answer: Value = serde_json::from_str(&hub.record().await).unwrap();
        assert!(
            answer["error"].as_str().unwrap().starts_with(reason),
            "{answer}"
        );
        assert_eq!(hub.client.closed().await, (1000, String::new()));
    }
    let mut hub = Hub::open(&relay, "/hub").await;
    hub.client.0.send_binary(HANDSHAKE).await;
    assert_eq!(hub.record().await, r#"{"error":"text frames only"}"#);
    assert_eq!(hub.client.closed().await.0, 1003);
    drop(hub);
    relay.until_empty().await;
}

#[tokio::test]
async fn a_missing_handshake_times_out() {
    let relay = Relay::start(Config {
        signalr: Timing {
            handshake: Duration::from_millis(50),
            ..Timing::default()
        },
        ..config()
    })
    .await;
    let mut hub = Hub::open(&relay, "/hub").await;
    assert_eq!(
        hub.record().await,
        r#"{"error":"No handshake came within 0.05 seconds."}"#
    );
    assert_eq!(hub.client.closed().await.0, 1000);
    assert_eq!(relay.stats.get().joined, 0);
}

#[tokio::test]
async fn invocations_are_completed_if_asked() {
    let relay = Relay::start(config()).await;
    let mut hub = Hub::join(&relay, "/hub").await;
    let mut page = relay.join("/").await;
    for (n, target) in ["Send", "send", "SEND"].into_iter().enumerate() {
        let frame = format!(r#"{{"sender":1,"channel":"a","message":{n}}}"#);
        assert_eq!(
            hub.invoke(target, json!([frame])).await,
            json!({ "type": 3, "invocationId": "7" })
        );
        assert_eq!(page.envelope().await, frame);
    }
    for (target, arguments, reason) in [
        (
            "Shout",
            json!(["a"]),
            "The hub has no method 'Shout'. It has Send(string).",
        ),
        (
            "Send",
            json!([]),
            "Send takes one argument, a string, and got 0.",
        ),
        (
            "Send",
            json!(["a", 1]),
            "Send takes one argument, a string, and got 2.",
        ),
        (
            "Send",
            json!([{ "channel": "a" }]),
            "The argument of Send must be a string, the JSON text of {message, channel}: use JSON.stringify.",
        ),
        (
            "Send",
            json!(["hello"]),
            "The string is no envelope: Send takes the JSON text of {message, channel}, where channel is the channel's name.",
        ),
    ] {
        let completion = hub.invoke(target, arguments.clone()).await;
        assert_eq!(
            completion,
            json!({ "type": 3, "invocationId": "7", "error": reason })
        );
        // Without an invocationId there is no answer; the connection stays.
        hub.send(&json!({ "type": 1, "target": target, "arguments": arguments }))
            .await;
    }
    hub.send(&json!({ "type": 4, "target": "Counter", "arguments": [], "invocationId": "8" }))
        .await;
    let completion: Value = serde_json::from_str(&hub.record().await).unwrap();
    assert_eq!(
        (&completion["type"], &completion["invocationId"]),
        (&json!(3), &json!("8"))
    );
    assert!(
        completion["error"]
            .as_str()
            .unwrap()
            .contains("The hub has no streams")
    );
    // Nothing else came: the next record is the next answer.
    assert_eq!(
        hub.invoke("Send", json!([r#"{"channel":"a"}"#])).await,
        json!({ "type": 3, "invocationId": "7" })
    );
}

#[tokio::test]
async fn what_breaks_the_protocol_is_closed_with_the_reason() {
    let relay = Relay::start(config()).await;
    for record in [
        "hello",
        "{\"type\":1}",
        "{\"type\":\"6\"}",
        "",
        "{\"type\":1,\"target\":\"Send\",\"arguments\":{}}",
    ] {
        let mut hub = Hub::join(&relay, "/hub").await;
        hub.client.send(&format!("{record}\u{1e}")).await;
        let last: Value = serde_json::from_str(&hub.record().await).unwrap();
        assert_eq!(last["type"], 7);
        assert!(!last["error"].as_str().unwrap().is_empty());
        assert_eq!(last.get("allowReconnect"), None);
        assert_eq!(hub.client.closed().await, (1000, String::new()), "{record}");
    }
    let mut hub = Hub::join(&relay, "/hub").await;
    hub.client.0.send_binary("{\"type\":6}\u{1e}").await;
    assert_eq!(
        hub.record().await,
        r#"{"type":7,"error":"text frames only"}"#
    );
    assert_eq!(hub.client.closed().await.0, 1003);
    drop(hub);
    let mut hub = Hub::join(&relay, "/hub").await;
    hub.send(&json!({ "type": 7 })).await;
    assert_eq!(hub.client.closed().await.0, 1000);
    drop(hub);
    relay.until_empty().await;
}

#[tokio::test]
async fn a_stopping_relay_sends_what_waits_and_allows_reconnects() {
    let relay = Relay::start(config()).await;
    let mut hub = Hub::join(&relay, "/hub").await;
    let mut waiting = Hub::open(&relay, "/hub").await;
    let mut page = relay.join("/").await;
    page.send(r#"{"sender":1,"channel":"a","message":2}"#).await;
    page.heard().await;
    let stopped = relay.stop();
    assert_eq!(
        hub.delivered().await,
        r#"{"sender":1,"channel":"a","message":2}"#
    );
    assert_eq!(hub.record().await, r#"{"type":7,"allowReconnect":true}"#);
    assert_eq!(
        hub.client.closed().await,
        (1001, "the relay is shutting down".to_owned())
    );
    assert_eq!(
        waiting.record().await,
        r#"{"error":"the relay is shutting down"}"#
    );
    assert_eq!(waiting.client.closed().await.0, 1001);
    assert_eq!(page.closed().await.0, 1001);
    drop((hub, waiting, page));
    tokio::time::timeout(LIMIT, stopped).await.unwrap().unwrap();
}
