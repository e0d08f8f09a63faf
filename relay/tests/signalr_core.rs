//! What's tested: clients of ASP.NET Core SignalR, by the frames that they and real servers exchange: negotiation, handshake, records, pings,
//! closing, and what doesn't follow the rules.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use signal_relay::Config;
use signal_relay::signalr::Times;
use support::{Answer, Client, LIMIT, Relay, amid_chatter, config, get, request};
use tokio_tungstenite::tungstenite::{Error, Message};

const HANDSHAKE: &str = "{\"protocol\":\"json\",\"version\":1}\u{1e}";

/// A client of the hub that cuts what comes into records.
struct Hub {
    client: Client,
    records: VecDeque<String>,
}

impl Hub {
    async fn open(relay: &Relay, path: &str) -> Self {
        Self {
            client: Client::open(relay.address, path).await.unwrap(),
            records: VecDeque::new(),
        }
    }

    /// A client that is in.
    async fn join(relay: &Relay, path: &str) -> Self {
        let mut hub = Self::open(relay, path).await;
        hub.client.send(HANDSHAKE).await;
        assert_eq!(hub.record().await, "{}");
        hub
    }

    /// The next record; pings are read over.
    async fn record(&mut self) -> String {
        loop {
            while let Some(record) = self.records.pop_front() {
                if record != r#"{"type":6}"# {
                    return record;
                }
            }
            let text = self.client.text().await;
            let whole = text.strip_suffix('\u{1e}').expect("half a record");
            self.records
                .extend(whole.split('\u{1e}').map(str::to_owned));
        }
    }

    /// The next frame that is handed over.
    async fn delivered(&mut self) -> String {
        let record: Value = serde_json::from_str(&self.record().await).unwrap();
        let frame = record["arguments"][0].as_str().unwrap().to_owned();
        assert_eq!(
            record,
            json!({ "type": 1, "target": "onMessageReceived", "arguments": [frame] })
        );
        frame
    }

    async fn send(&mut self, record: &Value) {
        self.client.send(&format!("{record}\u{1e}")).await;
    }

    async fn publish(&mut self, frame: &str) {
        self.send(&json!({ "type": 1, "target": "Send", "arguments": [frame] }))
            .await;
    }

    /// Invokes and gives the completion.
    async fn invoke(&mut self, target: &str, arguments: Value) -> Value {
        self.send(
            &json!({ "type": 1, "target": target, "arguments": arguments, "invocationId": "7" }),
        )
        .await;
        serde_json::from_str(&self.record().await).unwrap()
    }
}

async fn negotiate(relay: &Relay, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut all = vec![("content-length", "0")];
    all.extend(headers);
    request(relay.address, &format!("POST {path}"), &all).await
}

async fn token(relay: &Relay, space: &str) -> String {
    let answer = negotiate(
        relay,
        &format!("{space}/hub/negotiate?negotiateVersion=1"),
        &[],
    )
    .await;
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    answer["connectionToken"].as_str().unwrap().to_owned()
}

fn status(refused: Result<Client, Error>) -> u16 {
    match refused.map(|_| "connected") {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn negotiation_offers_the_websocket_and_a_secret() {
    let relay = Relay::start(config()).await;
    let answer = negotiate(&relay, "/hub/negotiate?negotiateVersion=1", &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    let (name, secret) = (&body["connectionId"], &body["connectionToken"]);
    assert_ne!(name, secret);
    assert_eq!(
        body,
        json!({
            "negotiateVersion": 1,
            "connectionId": name,
            "connectionToken": secret,
            "availableTransports": [{ "transport": "WebSockets", "transferFormats": ["Text"] }],
        })
    );

    // The client of version 0 shows the connectionId; one of a later version gets ours.
    for path in ["/hub/negotiate", "/hub/negotiate?negotiateVersion=0"] {
        let body: Value = serde_json::from_str(&negotiate(&relay, path, &[]).await.body).unwrap();
        assert_eq!(body.get("connectionToken"), None);
        let id = body["connectionId"].as_str().unwrap();
        Hub::join(&relay, &format!("/hub?id={id}")).await;
    }
    let later = negotiate(
        &relay,
        "/hub/negotiate?negotiateVersion=3&useStatefulReconnect=true",
        &[],
    )
    .await;
    let later: Value = serde_json::from_str(&later.body).unwrap();
    assert_eq!(later["negotiateVersion"], 1);
    assert_eq!(later.get("useStatefulReconnect"), None);
    let wrong = negotiate(&relay, "/hub/negotiate?negotiateVersion=one", &[]).await;
    assert_eq!(
        serde_json::from_str::<Value>(&wrong.body).unwrap(),
        json!({ "error": "The query's negotiateVersion is to be a number and is 'one'." })
    );
}

#[tokio::test]
async fn a_token_is_good_for_one_websocket_in_its_space() {
    let relay = Relay::start(config()).await;
    let id = token(&relay, "/room").await;
    for path in [
        format!("/hub?id={id}"),
        format!("/other/hub?id={id}"),
        "/room/hub?id=".into(),
        "/room/hub?id=0".into(),
    ] {
        assert_eq!(
            status(Client::open(relay.address, &path).await),
            404,
            "{path}"
        );
    }
    let mut hub = Hub::join(&relay, &format!("/room/hub?id={id}&access_token=any")).await;
    assert_eq!(
        status(Client::open(relay.address, &format!("/room/hub?id={id}")).await),
        404
    );
    let mut page = relay.join("/room").await;
    page.send(r#"{"sender":1,"channel":"a","message":2}"#).await;
    assert_eq!(
        hub.delivered().await,
        r#"{"sender":1,"channel":"a","message":2}"#
    );
}

#[tokio::test]
async fn a_token_expires_and_the_oldest_gives_way() {
    let short = Relay::start(Config {
        signalr: Times {
            ticket: Duration::ZERO,
            ..Times::default()
        },
        ..config()
    })
    .await;
    let id = token(&short, "").await;
    assert_eq!(
        status(Client::open(short.address, &format!("/hub?id={id}")).await),
        404
    );

    let few = Relay::start(Config {
        connections: 2,
        ..config()
    })
    .await;
    let ids = [
        token(&few, "").await,
        token(&few, "").await,
        token(&few, "").await,
    ];
    assert_eq!(
        status(Client::open(few.address, &format!("/hub?id={}", ids[0])).await),
        404
    );
    let _first = Hub::join(&few, &format!("/hub?id={}", ids[1])).await;
    // SignalR's clients count among all; and who finds no room has not used up the ticket.
    let page = few.join("/").await;
    assert_eq!(
        status(Client::open(few.address, &format!("/hub?id={}", ids[2])).await),
        503
    );
    drop(page);
    few.until(|census| census.members == 1).await;
    while few.observer.connections() > 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Hub::join(&few, &format!("/hub?id={}", ids[2])).await;
}

#[tokio::test]
async fn pages_of_other_origins_may_negotiate_if_they_may_connect() {
    let relay = Relay::start(Config {
        origins: vec!["https://example.org".parse().unwrap()],
        ..config()
    })
    .await;
    let preflight = [
        ("origin", "https://example.org"),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "x-requested-with,x-signalr-user-agent",
        ),
    ];
    let answer = request(
        relay.address,
        "OPTIONS /hub/negotiate?negotiateVersion=1",
        &preflight,
    )
    .await;
    assert_eq!(answer.status, 204);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://example.org")
    );
    assert_eq!(
        answer.header("access-control-allow-credentials"),
        Some("true")
    );
    assert_eq!(
        answer.header("access-control-allow-headers"),
        Some("x-requested-with,x-signalr-user-agent")
    );
    assert!(
        answer
            .header("access-control-allow-methods")
            .unwrap()
            .contains("POST")
    );
    let answer = negotiate(
        &relay,
        "/hub/negotiate",
        &[("origin", "https://example.org")],
    )
    .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://example.org")
    );
    assert_eq!(
        answer.header("access-control-allow-credentials"),
        Some("true")
    );

    let foreign = [
        ("origin", "https://example.com"),
        ("access-control-request-method", "POST"),
    ];
    let refused = request(relay.address, "OPTIONS /hub/negotiate", &foreign).await;
    assert_eq!(
        (
            refused.status,
            refused.header("access-control-allow-origin")
        ),
        (403, None)
    );
    let refused = negotiate(
        &relay,
        "/hub/negotiate",
        &[("origin", "https://example.com")],
    )
    .await;
    assert_eq!(
        (
            refused.status,
            refused.header("access-control-allow-origin")
        ),
        (403, None)
    );
    assert!(
        refused.body.contains("--origin https://example.com"),
        "{}",
        refused.body
    );
    let id = token(&relay, "").await;
    let foreign = Client::open_with(
        relay.address,
        &format!("/hub?id={id}"),
        &[("origin", "https://example.com")],
    )
    .await;
    assert_eq!(status(foreign), 403);
}

#[tokio::test]
async fn other_transports_are_told_that_they_are_not_offered() {
    let relay = Relay::start(config()).await;
    let id = token(&relay, "").await;
    for line in [
        format!("GET /hub?id={id}"),
        format!("POST /hub?id={id}"),
        format!("DELETE /hub?id={id}"),
        "POST /hub".into(),
    ] {
        let answer = request(relay.address, &line, &[("content-length", "0")]).await;
        assert_eq!(answer.status, 400, "{line}");
        assert!(
            answer.body.contains("Only the transport webSockets"),
            "{}",
            answer.body
        );
    }
    // Without an id, a file may be meant.
    assert_eq!(get(relay.address, "/hub").await.status, 404);
    assert_eq!(get(relay.address, "/hub/negotiate").await.status, 404);
    Hub::join(&relay, &format!("/hub?id={id}")).await;
}

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
async fn only_envelopes_are_handed_over() {
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
    assert_eq!(hub.record().await, "{}");
    for n in 0..20 {
        assert_eq!(
            page.envelope().await,
            format!(r#"{{"sender":1,"channel":"é😀","message":{n}}}"#)
        );
    }
}

#[tokio::test]
async fn handshakes_that_cannot_be_are_answered_and_closed() {
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
            "The first record is to be the handshake",
        ),
        ("\u{1e}", "The first record is to be the handshake"),
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

trait SendBinary {
    async fn send_binary(&mut self, bytes: &str);
}

impl<S: futures_util::Sink<Message, Error = Error> + Unpin> SendBinary for S {
    async fn send_binary(&mut self, bytes: &str) {
        use futures_util::SinkExt;
        self.send(Message::binary(bytes.as_bytes().to_vec()))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let relay = Relay::start(Config {
        signalr: Times {
            handshake: Duration::from_millis(50),
            ..Times::default()
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
    assert_eq!(relay.observer.census().joined, 0);
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
            "The argument of Send is to be a string, the JSON text of {message, channel}: use JSON.stringify.",
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
        // Not asked for, it isn't told; the connection stays.
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
async fn too_long_is_too_long_in_every_way() {
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
    for shaken in [false, true] {
        let mut hub = if shaken {
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
async fn the_relay_pings_when_there_is_nothing_else() {
    let relay = Relay::start(Config {
        signalr: Times {
            ping: Duration::from_millis(20),
            ..Times::default()
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
async fn what_is_not_for_the_client_does_not_count_as_a_sign_of_life() {
    let relay = Relay::start(Config {
        signalr: Times {
            ping: Duration::from_secs(1),
            ..Times::default()
        },
        ..config()
    })
    .await;
    let mut hub = Hub::join(&relay, "/hub").await;
    let text = amid_chatter(&relay, hub.client.text()).await;
    assert_eq!(text, "{\"type\":6}\u{1e}");
}

#[tokio::test]
async fn the_relay_pings_as_often_as_it_is_told_to() {
    let relay = Relay::start(Config {
        ping: Duration::from_millis(20),
        patience: LIMIT,
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
    assert_eq!(relay.observer.census().members, 1);
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_dropped() {
    let relay = Relay::start(Config {
        ping: Duration::from_millis(20),
        patience: Duration::from_millis(100),
        // It doesn't answer the close frame either.
        farewell: Duration::from_millis(100),
        ..config()
    })
    .await;
    let mut silent = support::raw(relay.address, "/hub").await;
    support::raw_send(&mut silent, HANDSHAKE).await;
    let (mut pings, mut last) = (0, Vec::new());
    let close = loop {
        match support::raw_next(&mut silent).await {
            (0x81, text) => last = text,
            (0x89, _) => pings += 1,
            (0x88, close) => break close,
            other => panic!("{other:?}"),
        }
    };
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
        signalr: Times {
            ping: Duration::from_millis(100),
            ..Times::default()
        },
        ping: Duration::from_millis(500),
        patience: Duration::from_millis(4500),
        ..config()
    })
    .await;
    // Not even pings of the WebSocket are answered.
    let mut hub = support::raw(relay.address, "/hub").await;
    support::raw_send(&mut hub, HANDSHAKE).await;
    assert_eq!(support::raw_next(&mut hub).await.1, b"{}\x1e");
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
    assert_eq!(relay.observer.census().members, 1);
}

#[tokio::test]
async fn a_stopping_relay_sends_what_waits_and_says_to_come_back() {
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

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_whatever_fills_its_queue() {
    let relay = Relay::start(Config {
        queue: signal_relay::queue::Bounds {
            frames: 20,
            bytes: 200_000,
        },
        max_frame: 100_000,
        farewell: Duration::from_millis(100),
        ..config()
    })
    .await;
    let frame = format!(
        r#"{{"sender":1,"channel":"a","message":"{}"}}"#,
        "x".repeat(90_000)
    );
    // What others say.
    let mut hub = Client::open_narrow(relay.address, "/hub").await;
    hub.send(HANDSHAKE).await;
    relay.until(|census| census.members == 1).await;
    let mut page = relay.join("/").await;
    while relay.observer.census().members == 2 {
        page.send(&frame).await;
        page.heard().await;
    }
    // What it asked for itself.
    let mut hub = Client::open_narrow(relay.address, "/elsewhere/hub").await;
    hub.send(HANDSHAKE).await;
    relay.until(|census| census.members == 2).await;
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
        () = relay.until(|census| census.members == 1) => {}
    }
    drop(hub);
    page.send(r#"{"sender":1,"channel":"a","message":0}"#).await;
    page.heard().await;
    drop(page);
    relay.until_empty().await;
}
