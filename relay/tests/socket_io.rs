//! What's tested, with a real server, and clients that write the frames of Socket.IO by hand, of both versions that there are of Engine.IO:
//! * joining, sending and receiving over a WebSocket, by long-polling, and by the one changed over to the other
//! * one hub with plain WebSockets; namespaces are spaces; values come through byte for byte
//! * heartbeats, acknowledgements, the end of a session and of the relay
//! * origins: what is refused, and what a browser is told
//! * each bound: packets, bodies, queues, connections, silence; and whatever isn't Socket.IO

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::SinkExt;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use signal_relay::Config;
use signal_relay::queue::Bounds;
use support::{Answer, Client, Relay, config, get, request, request_with};
use tokio_tungstenite::tungstenite::{Error, Message};

const ENVELOPE: &str = r#"{"sender":12,"channel":"a","message":"hi"}"#;

fn path(version: u8, transport: &str) -> String {
    format!("/socket.io/?EIO={version}&transport={transport}&t=abc")
}

fn event(envelope: &str) -> String {
    format!("42[\"message\",{envelope}]")
}

/// A client of Socket.IO over a WebSocket that is in the space `/`.
async fn join(relay: &Relay, version: u8) -> Client {
    let mut client = Client::open(relay.address, &path(version, "websocket"))
        .await
        .unwrap();
    assert!(client.text().await.starts_with("0{\"sid\":\""));
    if version == 4 {
        client.send("40").await;
    }
    assert!(client.text().await.starts_with("40"));
    client
}

/// A client of Socket.IO by long-polling.
struct Poller<'a> {
    relay: &'a Relay,
    version: u8,
    id: String,
}

impl<'a> Poller<'a> {
    async fn open(relay: &'a Relay, version: u8) -> Self {
        let answer = get(relay.address, &path(version, "polling")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(
            answer.header("content-type"),
            Some("text/plain; charset=UTF-8")
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let id = answer.body.split('"').nth(3).unwrap().to_owned();
        let mut packets = packets(version, &answer.body);
        let open: Value =
            serde_json::from_str(packets.remove(0).strip_prefix('0').unwrap()).unwrap();
        assert_eq!(open["upgrades"], serde_json::json!(["websocket"]));
        assert_eq!(open.get("maxPayload").is_some(), version == 4);
        assert_eq!(
            packets.len(),
            if version == 4 { 0 } else { 1 },
            "{packets:?}"
        );
        Self { relay, version, id }
    }

    /// One that is in the space `/`.
    async fn join(relay: &'a Relay, version: u8) -> Self {
        let poller = Self::open(relay, version).await;
        if version == 4 {
            assert_eq!(poller.post("40").await.body, "ok");
            assert!(poller.poll().await[0].starts_with("40{\"sid\":\""));
        }
        poller
    }

    fn path(&self, transport: &str) -> String {
        format!("{}&sid={}", path(self.version, transport), self.id)
    }

    async fn get(&self) -> Answer {
        get(self.relay.address, &self.path("polling")).await
    }

    async fn poll(&self) -> Vec<String> {
        let answer = self.get().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        packets(self.version, &answer.body)
    }

    async fn post(&self, packet: &str) -> Answer {
        let body = if self.version == 3 {
            format!("{}:{packet}", packet.encode_utf16().count())
        } else {
            packet.to_owned()
        };
        self.post_body(body.as_bytes()).await
    }

    async fn post_body(&self, body: &[u8]) -> Answer {
        let line = format!("POST {}", self.path("polling"));
        let headers = [("content-type", "text/plain;charset=UTF-8")];
        request_with(self.relay.address, &line, &headers, body).await
    }
}

/// The packets of a payload of the relay's, which is always right.
fn packets(version: u8, payload: &str) -> Vec<String> {
    if version == 4 {
        return payload.split('\u{1e}').map(str::to_owned).collect();
    }
    let mut units: Vec<u16> = payload.encode_utf16().collect();
    let mut packets = Vec::new();
    while !units.is_empty() {
        let colon = units
            .iter()
            .position(|unit| *unit == u16::from(b':'))
            .unwrap();
        let length: usize = String::from_utf16(&units[..colon])
            .unwrap()
            .parse()
            .unwrap();
        let rest = units.split_off(colon + 1);
        packets.push(String::from_utf16(&rest[..length]).unwrap());
        units = rest[length..].to_vec();
    }
    packets
}

fn code(answer: &Answer) -> (u16, i64) {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    (answer.status, body["code"].as_i64().unwrap_or(-1))
}

#[tokio::test]
async fn version_4_over_a_websocket() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let mut client = Client::open(relay.address, &path(4, "websocket"))
        .await
        .unwrap();
    let open: Value = serde_json::from_str(client.text().await.strip_prefix('0').unwrap()).unwrap();
    assert_eq!(open["upgrades"], serde_json::json!([]));
    assert_eq!(
        (&open["pingInterval"], &open["pingTimeout"]),
        (&25000.into(), &20000.into())
    );
    assert!(open["maxPayload"].as_u64().unwrap() >= 1024 * 1024);
    // In no space yet.
    assert_eq!(relay.observer.census().members, 1);
    client.send("40{\"token\":\"whatever\"}").await;
    let connected = client.text().await;
    let connected: Value = serde_json::from_str(connected.strip_prefix("40").unwrap()).unwrap();
    // Pages tell each other this id; the session's would let others in.
    assert_ne!(connected["sid"], open["sid"]);
    let mut other = join(&relay, 4).await;

    client.send(&event(ENVELOPE)).await;
    assert_eq!(plain.envelope().await, ENVELOPE);
    assert_eq!(other.text().await, event(ENVELOPE));
    plain.send(ENVELOPE).await;
    // Had its own come back, it would be here before.
    assert_eq!(client.text().await, event(ENVELOPE));
    assert_eq!(other.text().await, event(ENVELOPE));

    client.send("41").await;
    relay.until(|census| census.members == 2).await;
    client.send("40").await;
    assert!(client.text().await.starts_with("40{"));
    client.send("1").await;
    relay.until(|census| census.members == 2).await;
    drop((plain, client, other));
    relay.until_empty().await;
}

#[tokio::test]
async fn version_3_over_a_websocket() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let mut client = Client::open(relay.address, &path(3, "websocket"))
        .await
        .unwrap();
    let open: Value = serde_json::from_str(client.text().await.strip_prefix('0').unwrap()).unwrap();
    // This is how clients tell the versions apart.
    assert_eq!(open.get("maxPayload"), None);
    assert_eq!(client.text().await, "40");
    client.send("2").await;
    assert_eq!(client.text().await, "3");
    client.send(&event(ENVELOPE)).await;
    assert_eq!(plain.envelope().await, ENVELOPE);
    plain.send(ENVELOPE).await;
    assert_eq!(client.text().await, event(ENVELOPE));
    client.send("40/room?token=1,").await;
    assert_eq!(client.text().await, "40/room,");
    client.send("40/room,").await;
    client
        .send(&format!("42/{},[\"message\",{ENVELOPE}]", "nowhere"))
        .await;
    assert_eq!(
        client.closed().await,
        (
            1002,
            "not Socket.IO: an event for a namespace that wasn't joined".into()
        )
    );
    drop((plain, client));
    relay.until_empty().await;
}

#[tokio::test]
async fn protocols_hear_each_other() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let (mut four, mut three) = (join(&relay, 4).await, join(&relay, 3).await);
    let mut hub = Client::open(relay.address, "/hub").await.unwrap();
    hub.send("{\"protocol\":\"json\",\"version\":1}\u{1e}")
        .await;
    assert_eq!(hub.text().await, "{}\u{1e}");
    relay.until(|census| census.members == 4).await;
    let message = r#"{"a\u0022":[1e400,"\\ \" é"]}"#;
    let envelope = format!(r#"{{"sender":12,"channel":"a","message":{message}}}"#);
    let argument = serde_json::to_string(&envelope).unwrap();
    let invocation = format!(r#"{{"type":1,"target":"Send","arguments":[{argument}]}}"#) + "\u{1e}";
    let delivery =
        format!(r#"{{"type":1,"target":"onMessageReceived","arguments":[{argument}]}}"#) + "\u{1e}";
    let forms = [
        envelope.clone(),
        event(&envelope),
        event(&envelope),
        delivery,
    ];
    let sent = [
        envelope.clone(),
        event(&envelope),
        event(&envelope),
        invocation,
    ];
    let clients = [&mut plain, &mut four, &mut three, &mut hub];
    for (sender, frame) in sent.iter().enumerate() {
        clients[sender].send(frame).await;
        for (receiver, form) in forms.iter().enumerate() {
            if receiver != sender {
                let text = if receiver == 0 {
                    clients[receiver].envelope().await
                } else {
                    clients[receiver].text().await
                };
                assert_eq!(text, *form, "{sender} to {receiver}");
            }
        }
    }
}

#[tokio::test]
async fn long_polling_of_both_versions() {
    for version in [3, 4] {
        let relay = Relay::start(config()).await;
        let mut plain = relay.join("/").await;
        let poller = Poller::join(&relay, version).await;
        let wide = r#"{"sender":1,"channel":"é😀","message":"😀é"}"#;
        assert_eq!(poller.post(&event(wide)).await.body, "ok");
        assert_eq!(plain.envelope().await, wide);
        // Something that waits already, and something that is waited for.
        plain.send(wide).await;
        assert_eq!(poller.poll().await, [event(wide)]);
        let (polled, ()) = tokio::join!(poller.poll(), async {
            plain.send(ENVELOPE).await;
        });
        assert_eq!(polled, [event(ENVELOPE)]);
        for number in 0..100 {
            plain
                .send(&format!(r#"{{"channel":"a","message":{number}}}"#))
                .await;
        }
        let mut came = Vec::new();
        while came.len() < 100 {
            came.extend(poller.poll().await);
        }
        for (number, packet) in came.iter().enumerate() {
            assert_eq!(
                *packet,
                event(&format!(r#"{{"channel":"a","message":{number}}}"#))
            );
        }
        assert_eq!(poller.post("1").await.body, "ok");
        relay.until(|census| census.members == 1).await;
        assert_eq!(code(&poller.get().await), (400, 1));
        drop(plain);
        relay.until_empty().await;
    }
}

#[tokio::test]
async fn packets_that_come_in_one_body_keep_their_order() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let texts: Vec<_> = (0..50)
        .map(|number| format!(r#"{{"sender":1,"channel":"é😀","message":{number}}}"#))
        .collect();
    let events: Vec<_> = texts.iter().map(|text| event(text)).collect();
    let four = Poller::join(&relay, 4).await;
    assert_eq!(
        four.post_body(events.join("\u{1e}").as_bytes()).await.body,
        "ok"
    );
    let three = Poller::join(&relay, 3).await;
    let counted: String = events
        .iter()
        .map(|event| format!("{}:{event}", event.encode_utf16().count()))
        .collect();
    assert_eq!(three.post_body(counted.as_bytes()).await.body, "ok");
    // With a binary packet among them, a client of version 3 writes all of them so.
    let mut binary = Vec::new();
    for event in &events {
        binary.push(0);
        binary.extend(event.len().to_string().bytes().map(|digit| digit - b'0'));
        binary.push(0xff);
        binary.extend(event.as_bytes());
    }
    binary.extend([1, 3, 0xff, 4, 1, 2]);
    let line = format!("POST {}", three.path("polling"));
    let kind = [("content-type", "application/octet-stream")];
    assert_eq!(
        request_with(relay.address, &line, &kind, &binary)
            .await
            .body,
        "ok"
    );
    for _ in 0..3 {
        for text in &texts {
            assert_eq!(plain.envelope().await, *text);
        }
    }
}

#[tokio::test]
async fn a_polling_client_changes_over_to_a_websocket() {
    for version in [3, 4] {
        let relay = Relay::start(config()).await;
        let mut plain = relay.join("/").await;
        let poller = Poller::join(&relay, version).await;
        let (polled, mut socket) = tokio::join!(poller.poll(), async {
            let mut socket = Client::open(relay.address, &poller.path("websocket"))
                .await
                .unwrap();
            socket.send("2probe").await;
            assert_eq!(socket.text().await, "3probe");
            socket
        });
        // The request that waits is sent home, with nothing.
        assert_eq!(polled, ["6"]);
        // What is published now waits for the client to make up its mind.
        plain.send(ENVELOPE).await;
        assert_eq!(poller.poll().await, ["6"]);
        assert_eq!(poller.post(&event(ENVELOPE)).await.body, "ok");
        assert_eq!(plain.envelope().await, ENVELOPE);
        socket.send("5").await;
        assert_eq!(socket.text().await, event(ENVELOPE));
        socket.send(&event(ENVELOPE)).await;
        assert_eq!(plain.envelope().await, ENVELOPE);
        assert_eq!(poller.poll().await, ["6"]);
        // Once is enough.
        assert!(matches!(
            Client::open(relay.address, &poller.path("websocket")).await,
            Err(Error::Http(answer)) if answer.status() == 400
        ));
        drop((plain, socket));
        relay.until_empty().await;
    }
}

#[tokio::test]
async fn a_change_that_is_given_up_leaves_the_session_as_it_was() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let poller = Poller::join(&relay, 4).await;
    for last in ["1", "42[\"message\",{}]", "x", ""] {
        let mut socket = Client::open(relay.address, &poller.path("websocket"))
            .await
            .unwrap();
        socket.send("2probe").await;
        assert_eq!(socket.text().await, "3probe");
        socket.send(last).await;
        while let Some(Ok(_)) = socket.next().await {}
        plain.send(ENVELOPE).await;
        let mut polled = poller.poll().await;
        while polled == ["6"] {
            polled = poller.poll().await;
        }
        assert_eq!(polled, [event(ENVELOPE)], "{last}");
    }
    assert_eq!(poller.post(&event(ENVELOPE)).await.body, "ok");
    assert_eq!(plain.envelope().await, ENVELOPE);
}

#[tokio::test]
async fn values_come_through_byte_for_byte() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let (mut four, mut three) = (join(&relay, 4).await, join(&relay, 3).await);
    let message =
        r#"{"z": 1e400, "a" :[9007199254740993,-0,1.10,1E+2], "\ud800":"\/\u00e9é😀","z":null}"#;
    let canonical = format!(r#"{{"sender":"me","channel":"a\"b","message":{message},"to":[ 1 ]}}"#);
    let sent = format!(
        r#"42[ "message" , {{ "to":[ 1 ], "message" : {message}, "channel":"a\u0022b","sender":"me" }} ]"#
    );
    four.send(&sent).await;
    assert_eq!(plain.envelope().await, canonical);
    assert_eq!(three.text().await, event(&canonical));
    // Nothing is added to what a plain client writes.
    plain
        .send(&format!("{{ \"message\":{message},\r\n\"channel\":7}}"))
        .await;
    let canonical = format!("{{\"channel\":7,\"message\":{message}}}");
    assert_eq!(four.text().await, event(&canonical));
    assert_eq!(three.text().await, event(&canonical));
}

#[tokio::test]
async fn a_sender_is_added_and_stays_the_same() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let mut senders = Vec::new();
    for version in [4, 3] {
        let mut client = join(&relay, version).await;
        let mut mine = Vec::new();
        for _ in 0..2 {
            client.send(&event(r#"{"message":1,"channel":"a"}"#)).await;
            let text = plain.envelope().await;
            let sender = text
                .strip_prefix("{\"sender\":")
                .unwrap()
                .strip_suffix(",\"channel\":\"a\",\"message\":1}")
                .unwrap();
            assert!(sender.parse::<u64>().unwrap() < 1 << 53);
            mine.push(sender.to_owned());
        }
        assert_eq!(mine[0], mine[1]);
        senders.push(mine.remove(0));
    }
    assert_ne!(senders[0], senders[1]);
}

#[tokio::test]
async fn what_is_no_envelope_stays_where_it_is() {
    let relay = Relay::start(config()).await;
    let (mut plain, mut other) = (relay.join("/").await, relay.join("/").await);
    let mut client = join(&relay, 4).await;
    for text in [
        "hello",
        "",
        "]",
        "{\"a\":1}",
        "{\"channel\":\"a\"}]",
        "{\"channel\":\"a\"}\u{1e}",
        "[\"channel\"]",
    ] {
        plain.send(text).await;
        assert_eq!(other.text().await, text);
    }
    for packet in [
        r#"42["message","hello"]"#,
        r#"42["message",{"message":1}]"#,
        r#"42["message",{"channel":null}]"#,
        r#"42["message"]"#,
        r#"42["other",{"channel":"a"}]"#,
        r#"451-["message",{"_placeholder":true,"num":0}]"#,
    ] {
        client.send(packet).await;
    }
    client.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    client.send(&event(ENVELOPE)).await;
    assert_eq!(plain.envelope().await, ENVELOPE);
    plain.send(ENVELOPE).await;
    assert_eq!(client.text().await, event(ENVELOPE));
}

#[tokio::test]
async fn what_is_asked_for_is_acknowledged() {
    let relay = Relay::start(config()).await;
    let mut client = join(&relay, 4).await;
    client.send("40/room,").await;
    assert!(client.text().await.starts_with("40/room,{\"sid\":\""));
    for (packet, answer) in [
        (r#"421["message",{"channel":"a","message":1}]"#, "431[]"),
        (
            r#"42/room,9007199254740991["message",{"channel":"a","message":1},2]"#,
            "43/room,9007199254740991[]",
        ),
        (
            r#"420["message","hello"]"#,
            "430[\"Only envelopes are relayed: an object with the members channel and message.\"]",
        ),
        (
            r#"422["hello"]"#,
            "432[\"Only the event 'message' is relayed, with one argument that isn't binary.\"]",
        ),
        (
            r#"451-/room,3["message",{"_placeholder":true,"num":0}]"#,
            "43/room,3[\"Only the event 'message' is relayed, with one argument that isn't binary.\"]",
        ),
    ] {
        client.send(packet).await;
        assert_eq!(client.text().await, answer);
    }
}

#[tokio::test]
async fn namespaces_are_spaces() {
    let relay = Relay::start(config()).await;
    let (mut main, mut room) = (relay.join("/").await, relay.join("/room").await);
    let mut client = Client::open(relay.address, &path(4, "websocket"))
        .await
        .unwrap();
    client.text().await;
    client.send("40/room,{\"auth\":1}").await;
    assert!(client.text().await.starts_with("40/room,{\"sid\":\""));
    client
        .send(&format!("42/room,[\"message\",{ENVELOPE}]"))
        .await;
    assert_eq!(room.envelope().await, ENVELOPE);
    main.send(r#"{"channel":"not for the room"}"#).await;
    room.send(ENVELOPE).await;
    assert_eq!(
        client.text().await,
        format!("42/room,[\"message\",{ENVELOPE}]")
    );
    client.send("40").await;
    assert!(client.text().await.starts_with("40{"));
    main.send(ENVELOPE).await;
    assert_eq!(client.text().await, event(ENVELOPE));
    assert_eq!(relay.observer.census().members, 4);
    client.send("41/room,").await;
    relay.until(|census| census.members == 3).await;
    room.send(ENVELOPE).await;
    main.send(r#"{"channel":"for main"}"#).await;
    assert_eq!(client.text().await, event(r#"{"channel":"for main"}"#));
    let longest = format!("/{}", "x".repeat(1023));
    client.send(&format!("40{longest},")).await;
    assert!(
        client
            .text()
            .await
            .starts_with(&format!("40{longest},{{\"sid\":"))
    );
    let longer = format!("40{longest}x,");
    for packet in [longer.as_str(), "40/a\u{1e}b,"] {
        let mut client = join(&relay, 4).await;
        client.send(packet).await;
        let reason =
            "not Socket.IO: a namespace's name over 1024 bytes, or with control characters";
        assert_eq!(client.closed().await, (1002, reason.into()));
    }
    drop((main, room, client));
    relay.until_empty().await;
}

#[tokio::test]
async fn each_namespace_counts_as_a_connection() {
    let relay = Relay::start(Config {
        connections: 3,
        ..config()
    })
    .await;
    let mut client = join(&relay, 3).await;
    for name in ["/b", "/c"] {
        client.send(&format!("40{name},")).await;
        assert_eq!(client.text().await, format!("40{name},"));
    }
    client.send("40/d,").await;
    assert_eq!(
        client.text().await,
        "44/d,\"The relay has all the connections it may have, and each namespace counts as one.\""
    );
    assert_eq!(relay.observer.connections(), 3);
    assert_eq!(get(relay.address, &path(4, "polling")).await.status, 503);
    assert!(matches!(
        Client::open(relay.address, &path(4, "websocket")).await,
        Err(Error::Http(answer)) if answer.status() == 503
    ));
    client.send("41/b,").await;
    relay.until(|census| census.members == 2).await;
    assert_eq!(get(relay.address, &path(4, "polling")).await.status, 200);
    assert_eq!(get(relay.address, &path(4, "polling")).await.status, 503);
}

#[tokio::test]
async fn other_requests_are_answered_with_what_is_wrong() {
    let relay = Relay::start(config()).await;
    let poller = Poller::join(&relay, 4).await;
    let known = poller.id.clone();
    for (line, wanted) in [
        (
            "GET /socket.io/?EIO=4&transport=polling&sid=unknown".to_owned(),
            (400, 1),
        ),
        (
            "GET /socket.io/?EIO=4&transport=polling&sid=".to_owned(),
            (400, 1),
        ),
        (
            "POST /socket.io/?EIO=4&transport=polling&sid=unknown".to_owned(),
            (400, 1),
        ),
        (
            "GET /socket.io/?EIO=4&transport=carrier-pigeon".to_owned(),
            (400, 0),
        ),
        ("GET /socket.io/?EIO=4".to_owned(), (400, 0)),
        (
            "GET /socket.io/?EIO=2&transport=polling".to_owned(),
            (400, 5),
        ),
        (
            "GET /socket.io/?EIO=&transport=polling".to_owned(),
            (400, 5),
        ),
        (
            "POST /socket.io/?EIO=4&transport=polling".to_owned(),
            (400, 2),
        ),
        (
            format!("PUT /socket.io/?EIO=4&transport=polling&sid={known}"),
            (400, 2),
        ),
        (
            format!("GET /socket.io/?EIO=4&transport=websocket&sid={known}"),
            (400, 3),
        ),
        // Not Engine.IO's, and there is no such file.
        ("GET /socket.io/?transport=polling".to_owned(), (404, -1)),
        (
            "GET /socket.io/x?EIO=4&transport=polling".to_owned(),
            (404, -1),
        ),
    ] {
        assert_eq!(
            code(&request(relay.address, &line, &[]).await),
            wanted,
            "{line}"
        );
    }
    for (path, status) in [
        ("/socket.io/?EIO=2&transport=websocket".to_owned(), 400),
        (path(4, "polling"), 400),
        (
            "/socket.io/?EIO=4&transport=websocket&sid=unknown".to_owned(),
            400,
        ),
    ] {
        assert!(matches!(
            Client::open(relay.address, &path).await,
            Err(Error::Http(answer)) if answer.status() == status
        ));
    }
    // A plain WebSocket may be here too.
    relay.join("/socket.io/").await;
}

#[tokio::test]
async fn the_clients_script_may_be_mounted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("socket.io")).unwrap();
    std::fs::write(folder.path().join("socket.io/socket.io.js"), "io").unwrap();
    let mount = format!("/={}", folder.path().display()).parse().unwrap();
    let relay = Relay::start(Config {
        mounts: vec![mount],
        ..config()
    })
    .await;
    assert_eq!(
        get(relay.address, "/socket.io/socket.io.js").await.body,
        "io"
    );
    Poller::join(&relay, 4).await;
}

#[tokio::test]
async fn pages_of_other_origins() {
    let relay = Relay::start(Config {
        origins: vec!["https://example.org".parse().unwrap()],
        ..config()
    })
    .await;
    let poller = Poller::join(&relay, 4).await;
    let evil = [("origin", "https://evil.example")];
    for line in [
        format!("GET {}", path(4, "polling")),
        format!("GET {}", poller.path("polling")),
        format!("POST {}", poller.path("polling")),
        format!("OPTIONS {}", poller.path("polling")),
    ] {
        let answer = request(relay.address, &line, &evil).await;
        assert_eq!(answer.status, 403, "{line}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    for path in [path(4, "websocket"), poller.path("websocket")] {
        assert!(matches!(
            Client::open_with(relay.address, &path, &evil).await,
            Err(Error::Http(answer)) if answer.status() == 403
        ));
    }
    for origin in ["https://example.org", "http://localhost:5173"] {
        let poller = Poller::join(&relay, 4).await;
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,x-mine"),
        ];
        let answer = request(
            relay.address,
            &format!("OPTIONS {}", path(4, "polling")),
            &headers,
        )
        .await;
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            Some("true")
        );
        assert_eq!(
            answer.header("access-control-allow-headers"),
            Some("content-type,x-mine")
        );
        assert!(
            answer
                .header("access-control-allow-methods")
                .unwrap()
                .contains("POST")
        );
        for (line, status) in [
            (format!("GET {}", path(4, "polling")), 200),
            (format!("POST {}", poller.path("polling")), 400),
            (format!("GET {}&sid=unknown", path(4, "polling")), 400),
        ] {
            // An error is to be read too.
            let answer = request(relay.address, &line, &headers[..1]).await;
            assert_eq!(answer.status, status, "{line}");
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            assert_eq!(answer.header("vary"), Some("Origin"));
        }
    }
    let mut client = Client::open_with(
        relay.address,
        &path(4, "websocket"),
        &[("origin", "https://example.org")],
    )
    .await
    .unwrap();
    assert!(client.text().await.starts_with('0'));
}

/// Settings under which silence is short, but longer than a busy machine is.
fn impatient() -> Config {
    Config {
        ping: Duration::from_millis(200),
        patience: Duration::from_millis(1500),
        ..config()
    }
}

#[tokio::test]
async fn clients_of_version_4_are_pinged() {
    let relay = Relay::start(impatient()).await;
    let mut client = join(&relay, 4).await;
    for _ in 0..3 {
        assert_eq!(client.text().await, "2");
        client.send("3").await;
    }
    // Anything else is an answer too.
    assert_eq!(client.text().await, "2");
    client.send(&event(ENVELOPE)).await;
    assert_eq!(client.text().await, "2");
    assert_eq!(client.closed().await, (4012, "no answer to a ping".into()));
}

#[tokio::test]
async fn clients_of_version_3_ping_by_themselves() {
    let relay = Relay::start(impatient()).await;
    let mut client = join(&relay, 3).await;
    for _ in 0..3 {
        client.send("2").await;
        assert_eq!(client.text().await, "3");
    }
    assert_eq!(client.closed().await, (4012, "no answer to a ping".into()));
}

#[tokio::test]
async fn polling_clients_are_pinged_too() {
    let relay = Relay::start(impatient()).await;
    let poller = Poller::join(&relay, 4).await;
    for _ in 0..3 {
        assert_eq!(poller.poll().await, ["2"]);
        assert_eq!(poller.post("3").await.body, "ok");
    }
    relay.until_empty().await;
    assert_eq!(code(&poller.get().await), (400, 1));
}

#[tokio::test]
async fn sessions_that_nobody_comes_back_to_end() {
    let relay = Relay::start(impatient()).await;
    for version in [3, 4] {
        for _ in 0..20 {
            Poller::open(&relay, version).await;
        }
    }
    assert_eq!(relay.observer.connections(), 40);
    relay.until_empty().await;
}

#[tokio::test]
async fn a_session_that_joins_nothing_ends() {
    let relay = Relay::start(impatient()).await;
    let mut client = Client::open(relay.address, &path(4, "websocket"))
        .await
        .unwrap();
    let code = loop {
        match client.next().await {
            // Alive it is.
            Some(Ok(Message::Text(text))) if text.as_str() == "2" => client.send("3").await,
            Some(Ok(Message::Text(text))) => assert!(text.starts_with('0')),
            Some(Ok(Message::Close(Some(frame)))) => break u16::from(frame.code),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code, 4012);
    drop(client);
    relay.until_empty().await;
}

#[tokio::test]
async fn what_is_no_socket_io_is_closed_with_the_reason() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let mut other = relay.join("/").await;
    for (packet, reason) in [
        ("", "an empty packet"),
        ("0", "a packet of no known type"),
        ("hello", "a packet of no known type"),
        ("{\"signal\":1}", "a packet of no known type"),
        ("4", "an empty packet"),
        ("47", "a Socket.IO packet of no known type"),
        (
            "44{\"message\":\"no\"}",
            "a Socket.IO packet of no known type",
        ),
        ("42", "an event that is no list"),
        ("42{}", "an event that is no list"),
        ("42[1]", "an event that is no list"),
        ("42[\"message\",{]", "an event that is no list"),
        (
            "42/nowhere,[\"message\",1]",
            "an event for a namespace that wasn't joined",
        ),
        ("45[\"message\",1]", "a binary packet without a count"),
        (
            "4299999999999999999[\"message\",1]",
            "an acknowledgement id that long",
        ),
    ] {
        for version in [3, 4] {
            let mut client = join(&relay, version).await;
            client.send(packet).await;
            assert_eq!(
                client.closed().await,
                (1002, format!("not Socket.IO: {reason}")),
                "{packet}"
            );
        }
        let poller = Poller::join(&relay, 4).await;
        let answer = poller
            .post(if packet.is_empty() { "\u{1e}" } else { packet })
            .await;
        assert_eq!(code(&answer), (400, 3), "{packet}");
        relay.until(|census| census.members == 2).await;
    }
    // The first packet is to be the connect.
    let mut early = Client::open(relay.address, &path(4, "websocket"))
        .await
        .unwrap();
    early.text().await;
    early.send(&event(ENVELOPE)).await;
    assert_eq!(early.closed().await.0, 1002);
    // A session may end more than once.
    let poller = Poller::join(&relay, 4).await;
    let body = format!("{}\u{1e}x\u{1e}{}", event(ENVELOPE), event(ENVELOPE));
    assert_eq!(code(&poller.post_body(body.as_bytes()).await), (400, 3));
    assert_eq!(plain.envelope().await, ENVELOPE);
    assert_eq!(other.envelope().await, ENVELOPE);
    plain.send("still here").await;
    assert_eq!(other.text().await, "still here");
}

#[tokio::test]
async fn frames_over_the_bound_are_refused() {
    let relay = Relay::start(Config {
        max_frame: 2000,
        queue: Bounds {
            frames: 64,
            bytes: 8000,
        },
        ..config()
    })
    .await;
    let mut plain = relay.join("/").await;
    let fits = |length: usize| {
        let around = r#"{"sender":1,"channel":"a","message":""}"#.len();
        format!(
            r#"{{"sender":1,"channel":"a","message":"{}"}}"#,
            "x".repeat(length - around)
        )
    };
    for version in [3, 4] {
        let mut client = join(&relay, version).await;
        client.send(&event(&fits(2000))).await;
        assert_eq!(plain.envelope().await, fits(2000));
        client.send(&event(&fits(2001))).await;
        assert_eq!(
            client.closed().await,
            (1009, "frame over 2000 bytes".into())
        );
        let mut client = join(&relay, version).await;
        client.send(&format!("4{}", "x".repeat(10_000))).await;
        assert_eq!(
            client.closed().await,
            (1009, "frame over 2000 bytes".into())
        );

        let poller = Poller::join(&relay, version).await;
        assert_eq!(poller.post(&event(&fits(2000))).await.body, "ok");
        assert_eq!(plain.envelope().await, fits(2000));
        assert_eq!(code(&poller.post(&event(&fits(2001))).await), (400, 3));
        let poller = Poller::join(&relay, version).await;
        assert_eq!(poller.post_body(&vec![b'4'; 10_000]).await.status, 413);
        relay.until(|census| census.members == 1).await;
    }
    // The sender that is added is no way around it.
    let mut client = join(&relay, 4).await;
    client
        .send(&event(&fits(2000).replace("\"sender\":1,", "")))
        .await;
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_closed_and_nobody_waits_for_it() {
    let relay = Relay::start(Config {
        queue: Bounds {
            frames: 64,
            bytes: 1024 * 1024,
        },
        ..config()
    })
    .await;
    let (mut sender, mut reader) = (relay.join("/").await, join(&relay, 4).await);
    for version in [3, 4] {
        let mut slow = Client::open_narrow(relay.address, &path(version, "websocket")).await;
        if version == 4 {
            slow.send("40").await;
        }
        relay.until(|census| census.members == 3).await;
        let mut sent = 0;
        while relay.observer.census().members == 3 {
            let text = format!(r#"{{"channel":"a","message":"{sent:0>60000}"}}"#);
            sender.send(&text).await;
            assert_eq!(reader.text().await, event(&text));
            sent += 1;
        }
        assert_eq!(slow.closed().await, (4008, "too slow".into()));
        drop(slow);
        // Reading on or not, it is gone.
        while relay.observer.connections() > 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_poll_ends_with_its_queue() {
    let relay = Relay::start(Config {
        queue: Bounds {
            frames: 16,
            bytes: 1024 * 1024,
        },
        ..config()
    })
    .await;
    let (mut sender, mut reader) = (relay.join("/").await, relay.join("/").await);
    let poller = Poller::join(&relay, 4).await;
    for _ in 0..17 {
        sender.send(ENVELOPE).await;
        reader.text().await;
    }
    relay.until(|census| census.members == 2).await;
    let answer = poller.get().await;
    assert!(
        code(&answer) == (400, 1) || answer.body == "1",
        "{answer:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_and_does_not_read_the_answers_is_closed() {
    let relay = Relay::start(Config {
        queue: Bounds {
            frames: 16,
            bytes: 1024 * 1024,
        },
        ..config()
    })
    .await;
    let mut slow = Client::open_narrow(relay.address, &path(4, "websocket")).await;
    slow.send(&format!("40/{},", "a".repeat(1000))).await;
    relay.until(|census| census.members == 1).await;
    let ask = format!("42/{},1[\"hello\"]", "a".repeat(1000));
    while relay.observer.census().members == 1 {
        if slow.0.send(Message::text(ask.as_str())).await.is_err() {
            break;
        }
    }
    assert_eq!(slow.closed().await, (4008, "too slow".into()));
    // One that polls asks in one body.
    let poller = Poller::join(&relay, 4).await;
    poller
        .post_body(vec!["421[\"hello\"]"; 100].join("\u{1e}").as_bytes())
        .await;
    drop(slow);
    relay.until_empty().await;
}

#[tokio::test]
async fn two_requests_at_one_time_end_a_session() {
    let relay = Relay::start(config()).await;
    let poller = Poller::join(&relay, 4).await;
    let (one, two) = tokio::join!(poller.get(), poller.get());
    let mut answers = [
        (one.status, one.body.as_str()),
        (two.status, two.body.as_str()),
    ];
    answers.sort_unstable();
    assert_eq!(answers[0], (200, "1"));
    assert_eq!(answers[1].0, 400);
    relay.until_empty().await;
}

#[tokio::test]
async fn polls_that_wait_leave_room_for_other_requests() {
    let relay = Relay::start(config()).await;
    let mut pollers = Vec::new();
    let mut waiting = Vec::new();
    // More than the connections that there may be, WebSockets apart.
    for _ in 0..1100 {
        let poller = Poller::open(&relay, 3).await;
        let (address, path) = (relay.address, poller.path("polling"));
        waiting.push(tokio::spawn(async move { get(address, &path).await }));
        pollers.push(poller);
    }
    let mut plain = relay.join("/").await;
    plain.send(ENVELOPE).await;
    for polled in waiting {
        assert_eq!(packets(3, &polled.await.unwrap().body), [event(ENVELOPE)]);
    }
}

#[tokio::test]
async fn a_poll_that_is_given_up_makes_room_for_the_next() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let poller = Poller::join(&relay, 4).await;
    for _ in 0..3 {
        let given_up = tokio::time::timeout(Duration::from_millis(50), poller.get()).await;
        assert!(given_up.is_err());
        // The relay notices when it sees the connection's end; a real client polls again later.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    plain.send(ENVELOPE).await;
    assert_eq!(poller.poll().await, [event(ENVELOPE)]);
}

#[tokio::test]
async fn a_relay_that_stops_says_goodbye() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let (mut four, mut three) = (join(&relay, 4).await, join(&relay, 3).await);
    let poller = Poller::join(&relay, 4).await;
    let waiting = {
        let (address, path) = (relay.address, poller.path("polling"));
        tokio::spawn(async move { get(address, &path).await })
    };
    plain.send(ENVELOPE).await;
    assert_eq!(waiting.await.unwrap().body, event(ENVELOPE));
    let waiting = {
        let (address, path) = (relay.address, poller.path("polling"));
        tokio::spawn(async move { get(address, &path).await })
    };
    // The poll waits before the relay stops: its answer to another would come first.
    while relay.observer.census().members < 4 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let served = relay.stop();
    for client in [&mut four, &mut three] {
        assert_eq!(client.text().await, event(ENVELOPE));
        assert_eq!(
            client.closed().await,
            (1001, "the relay is shutting down".into())
        );
    }
    assert_eq!(waiting.await.unwrap().body, "1");
    drop((plain, four, three));
    tokio::time::timeout(support::LIMIT, served)
        .await
        .expect("it doesn't stop")
        .unwrap();
}

static PANICS: AtomicUsize = AtomicUsize::new(0);

#[test]
fn no_packets_bring_the_relay_down() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() == Some("relay-io") {
            PANICS.fetch_add(1, Ordering::SeqCst);
        }
        hook(panic);
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("relay-io")
        .enable_all()
        .build()
        .unwrap();
    let (relay, others) = runtime.block_on(async {
        let relay = Relay::start(Config {
            max_frame: 2000,
            ..config()
        })
        .await;
        let others = [join(&relay, 4).await, join(&relay, 3).await];
        (relay, tokio::sync::Mutex::new(others))
    });
    let packet = prop_oneof![
        4 => "4[0-6]([0-9]{1,2}-)?(/[a-c]?,)?[0-9]{0,3}(\\[\"message\",(\\{\"channel\":\"a\"\\}|[0-9]|\"x\")\\])?",
        1 => Just("40".to_owned()),
        1 => Just(event(ENVELOPE)),
        1 => "[0-6b](probe)?",
        1 => any::<String>(),
        1 => (0..4000_usize).prop_map(|length| "4".repeat(length)),
    ];
    let input = (
        3..5_u8,
        prop::collection::vec(packet, 0..8),
        any::<bool>(),
        any::<Vec<u8>>(),
    );
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&input, |(version, packets, polling, garbage)| {
            runtime.block_on(async {
                if polling {
                    let poller = Poller::open(&relay, version).await;
                    for packet in &packets {
                        if poller.post(packet).await.status != 200 {
                            break;
                        }
                    }
                    poller.post_body(&garbage).await;
                    poller.post("1").await;
                } else {
                    let mut client = Client::open(relay.address, &path(version, "websocket"))
                        .await
                        .unwrap();
                    for packet in &packets {
                        if client.0.send(Message::text(packet.as_str())).await.is_err() {
                            break;
                        }
                    }
                    let _ = client.0.close(None).await;
                    while let Some(Ok(_)) = client.next().await {}
                }
                prop_assert_eq!(PANICS.load(Ordering::SeqCst), 0);
                relay.until(|census| census.members == 2).await;
                let [asking, answering] = &mut *others.lock().await;
                // What the other one published meanwhile comes first.
                let here = format!(r#"{{"sender":1,"channel":"here","message":{version}}}"#);
                asking.send(&event(&here)).await;
                while answering.text().await != event(&here) {}
                Ok(())
            })
        })
        .unwrap();
    drop(others);
    runtime.block_on(relay.until_empty());
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
}
