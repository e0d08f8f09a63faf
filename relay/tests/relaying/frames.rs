//! Frames go to all others in the space and to nobody else, in order, byte for byte.

use std::io::{Read, Write};
use std::time::Duration;

use futures_util::SinkExt;
use signal_relay::hub::Stats;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use super::support::{Relay, config};

const REQUEST: &str = "GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\n\
    upgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

#[tokio::test]
async fn a_frame_goes_to_all_others_and_not_back() {
    let relay = Relay::start(config()).await;
    let (mut a, mut b, mut c) = (
        relay.join("/").await,
        relay.join("/").await,
        relay.join("/").await,
    );
    a.send("from a").await;
    assert_eq!(b.text().await, "from a");
    assert_eq!(c.text().await, "from a");
    b.send("from b").await;
    // Had a's own frame come back, it would be here before b's.
    assert_eq!(a.text().await, "from b");
    assert_eq!(c.text().await, "from b");
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_of_one_sender_keep_their_order() {
    let relay = Relay::start(config()).await;
    let mut senders = [relay.join("/").await, relay.join("/").await];
    let mut receivers = [
        relay.join("/").await,
        relay.join("/").await,
        relay.join("/").await,
    ];
    for number in 0..400 {
        for (name, sender) in senders.iter_mut().enumerate() {
            sender
                .0
                .feed(Message::text(format!("{name} {number}")))
                .await
                .unwrap();
        }
    }
    for sender in &mut senders {
        sender.0.flush().await.unwrap();
    }
    for receiver in &mut receivers {
        let mut next = [0, 0];
        while next != [400, 400] {
            let text = receiver.text().await;
            let (name, number) = text.split_once(' ').unwrap();
            let name: usize = name.parse().unwrap();
            assert_eq!(number, next[name].to_string());
            next[name] += 1;
        }
    }
}

#[tokio::test]
async fn an_outbox_sent_at_once_fits_the_default_queue() {
    let relay = Relay::start(config()).await;
    let (mut sender, mut receiver) = (relay.join("/").await, relay.join("/").await);
    for number in 0..1000 {
        sender
            .0
            .feed(Message::text(number.to_string()))
            .await
            .unwrap();
    }
    sender.0.flush().await.unwrap();
    for number in 0..1000 {
        assert_eq!(receiver.text().await, number.to_string());
    }
}

#[tokio::test]
async fn the_path_names_the_space() {
    let relay = Relay::start(config()).await;
    let mut room = relay.join("/room").await;
    let mut same = relay.join("/room?token=1&other").await;
    let mut others = Vec::new();
    for path in ["/", "/room/", "/Room", "/room/a", "/r%6Fom", "/roo"] {
        others.push(relay.join(path).await);
    }
    let Stats {
        spaces, members, ..
    } = relay.stats.get();
    assert_eq!((spaces, members), (7, 8));
    room.send("for the room").await;
    assert_eq!(same.text().await, "for the room");
    // Each of the others is alone: the first that it receives is what a newcomer sends afterwards.
    for (other, path) in others
        .iter_mut()
        .zip(["/?query", "/room/", "/Room", "/room/a", "/r%6Fom", "/roo"])
    {
        relay.join(path).await.send("for you").await;
        assert_eq!(other.text().await, "for you");
    }
}

#[tokio::test]
async fn a_text_that_is_no_envelope_arrives_as_it_was_sent() {
    let long = "ö".repeat(config().max_frame / 2);
    let texts = [
        "",
        " ",
        "no JSON at all",
        "{\"sender\":7,\"message\":{}}",
        "{ \"message\" : 1e400, \"message\":2,\t\"sender\":\"\\u0041\", \"channel\":null }\r\n",
        "{\"Signal\":1,\"opened\":true,\"data\":{\"ack\":1}}",
        "{\"channel\":\"a\",\"message\":{]}",
        "[[[[[[",
        "\u{0}\u{1f}\u{7f}\u{feff}\u{2028}\u{10ffff}",
        &long,
    ];
    let relay = Relay::start(config()).await;
    let (mut sender, mut receiver) = (relay.join("/").await, relay.join("/").await);
    for text in texts {
        sender.send(text).await;
        assert!(
            receiver.text().await == text,
            "{:?}…",
            text.chars().take(40).collect::<String>()
        );
    }
    // In fragments it is the same frame.
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    for (part, kind, last) in [
        ("{\"a\":", Data::Text, false),
        ("", Data::Continue, false),
        ("1}", Data::Continue, true),
    ] {
        sender
            .0
            .send(Message::Frame(Frame::message(
                part.to_owned(),
                OpCode::Data(kind),
                last,
            )))
            .await
            .unwrap();
    }
    assert_eq!(receiver.text().await, "{\"a\":1}");
}

#[tokio::test]
async fn a_ping_of_a_client_is_answered() {
    let relay = Relay::start(config()).await;
    let mut client = relay.join("/").await;
    client
        .0
        .send(Message::Ping(b"are you there".to_vec().into()))
        .await
        .unwrap();
    assert_eq!(
        client.next().await.unwrap().unwrap(),
        Message::Pong(b"are you there".to_vec().into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_leave_nothing_behind() {
    let relay = Relay::start(config()).await;
    let mut witness = relay.join("/witness").await;
    for round in 0..10 {
        let mut clients = Vec::new();
        for number in 0..100 {
            clients.push(relay.join(&format!("/room-{}", number % 7)).await);
        }
        let Stats {
            spaces,
            members,
            joined,
            ..
        } = relay.stats.get();
        assert_eq!((spaces, members, joined), (8, 101, round * 101 + 101));
        for client in &mut clients {
            client.send("hello").await;
        }
        for (number, mut client) in clients.into_iter().enumerate() {
            // Some close, some vanish, some vanish with a frame half-written or unread.
            match number % 3 {
                0 => client.0.close(None).await.unwrap(),
                1 => drop(client),
                _ => client
                    .0
                    .feed(Message::text("x".repeat(100_000)))
                    .await
                    .unwrap(),
            }
        }
        relay
            .until(|stats| (stats.spaces, stats.members) == (1, 1))
            .await;
        relay.join("/witness").await.send(&round.to_string()).await;
        assert_eq!(witness.text().await, round.to_string());
        relay.until(|stats| stats.members == 1).await;
    }
    drop(witness);
    relay.until_empty().await;
}

/// Whoever knows that a WebSocket is open may let others publish.
#[tokio::test]
async fn a_client_is_in_its_space_when_its_websocket_is_open() {
    let relay = Relay::start(config()).await;
    let (address, stats) = (relay.address, relay.stats.clone());
    // The relay has much to do: what it leaves for later comes much later.
    let busy = async {
        loop {
            std::thread::sleep(Duration::from_millis(5));
            tokio::task::yield_now().await;
        }
    };
    let clients = tokio::task::spawn_blocking(move || {
        let open = |number| {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            stream.write_all(REQUEST.as_bytes()).unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.extend(byte);
            }
            let head = String::from_utf8_lossy(&head);
            assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
            assert_eq!(stats.get().members, number);
            stream
        };
        (1..=20).map(open).collect::<Vec<_>>()
    });
    tokio::select! {
        () = busy => {}
        clients = clients => drop(clients.unwrap()),
    }
    // One that is gone before it is answered is in it no longer than its connection.
    for _ in 0..50 {
        let mut stream = TcpStream::connect(relay.address).await.unwrap();
        stream.write_all(REQUEST.as_bytes()).await.unwrap();
    }
    relay.until_empty().await;
}
