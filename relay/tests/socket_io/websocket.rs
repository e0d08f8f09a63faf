//! Over a WebSocket: joining, sending and receiving, namespaces, acknowledgements, beside all other
//! protocols.

use futures_util::SinkExt;
use serde_json::Value;
use signal_relay::Config;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::support::socket_io::{ENVELOPE, event, join, path};
use super::support::{Client, Relay, config, get};

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
    assert_eq!(relay.stats.get().members, 1);
    client.send("40{\"token\":\"whatever\"}").await;
    let connected = client.text().await;
    let connected: Value = serde_json::from_str(connected.strip_prefix("40").unwrap()).unwrap();
    // Pages tell each other this id. The session's id is a secret.
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
    relay.until(|stats| stats.members == 2).await;
    client.send("40").await;
    assert!(client.text().await.starts_with("40{"));
    client.send("1").await;
    relay.until(|stats| stats.members == 2).await;
    drop((plain, client, other));
    relay.until_empty().await;
}

/// In version 2 each character is a byte of the text's UTF-8.
#[tokio::test]
async fn version_2_over_a_websocket() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let mut client = join(&relay, 2).await;
    let wide = r#"{"sender":1,"channel":"é😀","message":"😀é"}"#;
    let frame: String = event(wide).bytes().map(char::from).collect();
    client.send(&frame).await;
    assert_eq!(plain.envelope().await, wide);
    plain.send(wide).await;
    assert_eq!(client.text().await, frame);
    client.send("2").await;
    assert_eq!(client.text().await, "3");
    client.send(&event(wide)).await;
    assert_eq!(
        client.closed().await,
        (1002, "not Socket.IO: text that isn't UTF-8".into())
    );
}

#[tokio::test]
async fn version_3_over_a_websocket() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let mut client = Client::open(relay.address, &path(3, "websocket"))
        .await
        .unwrap();
    let open: Value = serde_json::from_str(client.text().await.strip_prefix('0').unwrap()).unwrap();
    // This is how clients distinguish the versions.
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
async fn protocols_receive_each_others_messages() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let (mut four, mut three) = (join(&relay, 4).await, join(&relay, 3).await);
    let mut hub = Client::open(relay.address, "/hub").await.unwrap();
    hub.send("{\"protocol\":\"json\",\"version\":1}\u{1e}")
        .await;
    assert_eq!(
        hub.text().await,
        "{\"minorVersion\":0,\"relay\":true}\u{1e}"
    );
    relay.until(|stats| stats.members == 4).await;
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
async fn texts_that_are_no_envelopes_are_not_relayed() {
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
async fn requested_acknowledgements_are_sent() {
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
        (r#"420["message","hello"]"#, "430[]"),
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
    assert_eq!(relay.stats.get().members, 4);
    client.send("41/room,").await;
    relay.until(|stats| stats.members == 3).await;
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
        "44/d,\"The relay has as many connections as it may have, and each namespace counts as one.\""
    );
    assert_eq!(relay.stats.connections(), 3);
    assert_eq!(get(relay.address, &path(4, "polling")).await.status, 503);
    assert!(matches!(
        Client::open(relay.address, &path(4, "websocket")).await,
        Err(Error::Http(answer)) if answer.status() == 503
    ));
    client.send("41/b,").await;
    relay.until(|stats| stats.members == 2).await;
    assert_eq!(get(relay.address, &path(4, "polling")).await.status, 200);
    assert_eq!(get(relay.address, &path(4, "polling")).await.status, 503);
}
