//! Each limit and its close code: frames, send queues, connections, silence, the name of a space.

use std::time::Duration;

use futures_util::SinkExt;
use signal_relay::hub::queue::Limits;
use signal_relay::{Config, Server, StartError};
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::support::{self, Client, LIMIT, Relay, config, within};

#[tokio::test]
async fn a_frame_over_the_limit_ends_its_senders_connection_only() {
    let relay = Relay::start(Config {
        max_frame: 1000,
        ..config()
    })
    .await;
    let (mut sender, mut receiver) = (relay.join("/").await, relay.join("/").await);
    sender.send(&"x".repeat(1000)).await;
    assert_eq!(receiver.text().await.len(), 1000);
    // So long that most of it is still on its way when the relay has seen enough. It reads on
    // nevertheless: were the connection reset, the sender would fail here, and on some systems
    // never see the close code.
    sender.send(&"x".repeat(16 * 1024 * 1024)).await;
    assert_eq!(
        sender.closed().await,
        (1009, "frame over 1000 bytes".into())
    );
    let mut another = relay.join("/").await;
    another.send("still here").await;
    assert_eq!(receiver.text().await, "still here");
}

#[tokio::test]
async fn a_long_message_in_short_fragments_is_over_the_limit_too() {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    let relay = Relay::start(Config {
        max_frame: 1000,
        ..config()
    })
    .await;
    let mut sender = relay.join("/").await;
    for kind in [Data::Text, Data::Continue, Data::Continue] {
        sender
            .0
            .send(Message::Frame(Frame::message(
                "x".repeat(400),
                OpCode::Data(kind),
                false,
            )))
            .await
            .unwrap();
    }
    assert_eq!(sender.closed().await.0, 1009);
}

#[tokio::test]
async fn a_binary_frame_is_refused() {
    let relay = Relay::start(config()).await;
    let (mut sender, mut receiver) = (relay.join("/").await, relay.join("/").await);
    sender
        .0
        .send(Message::binary(b"{}".to_vec()))
        .await
        .unwrap();
    assert_eq!(sender.closed().await, (1003, "text frames only".into()));
    let mut another = relay.join("/").await;
    another.send("text").await;
    assert_eq!(receiver.text().await, "text");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_does_not_read_is_closed_and_nobody_waits_for_it() {
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 64,
            bytes: 1024 * 1024,
        },
        ..config()
    })
    .await;
    let (mut sender, mut reader) = (relay.join("/").await, relay.join("/").await);
    let mut slow = Client::open_narrow(relay.address, "/").await;
    slow.greeted().await;
    relay.until(|stats| stats.members == 3).await;
    let mut sent = 0;
    within("the relay to close it", async {
        while relay.stats.get().members == 3 {
            sender.send(&format!("{sent:0>60000}")).await;
            assert_eq!(reader.text().await, format!("{sent:0>60000}"));
            sent += 1;
        }
    })
    .await;
    // What the slow one finds when it reads at last: the beginning without a gap, and why there is
    // no more.
    let mut next = 0;
    let code = loop {
        match slow.next().await {
            Some(Ok(Message::Text(text))) => {
                assert_eq!(
                    text.as_str().trim_start_matches('0').parse().unwrap_or(0),
                    next
                );
                next += 1;
            }
            Some(Ok(Message::Close(Some(frame)))) => break u16::from(frame.code),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code, 4008);
    assert!(next < sent, "{next} of {sent} came");
    sender.send("after it").await;
    assert_eq!(reader.text().await, "after it");
}

#[tokio::test]
async fn many_short_frames_fill_a_queue_too() {
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 16,
            bytes: 1024 * 1024,
        },
        ..config()
    })
    .await;
    let (mut sender, mut reader) = (relay.join("/").await, relay.join("/").await);
    let mut slow = Client::open_narrow(relay.address, "/").await;
    slow.greeted().await;
    relay.until(|stats| stats.members == 3).await;
    within("the relay to close it", async {
        while relay.stats.get().members == 3 {
            sender.send(&"x".repeat(2000)).await;
            reader.text().await;
        }
    })
    .await;
    assert_eq!(slow.closed().await, (4008, "too slow".into()));
}

#[tokio::test]
async fn a_silent_connection_is_pinged_and_then_closed() {
    let relay = Relay::start(Config {
        ping_interval: Duration::from_millis(20),
        ping_timeout: Duration::from_millis(100),
        ..config()
    })
    .await;
    let mut silent = support::raw(relay.address, "/").await;
    assert!(read_text(&mut silent).await.starts_with("{\"signal\":1,"));
    let mut frames = [0; 25];
    tokio::time::timeout(LIMIT, silent.read_exact(&mut frames))
        .await
        .expect("nothing came")
        .unwrap();
    // A ping, and 21 bytes of close frame: code and reason.
    assert_eq!(frames, *b"\x89\x00\x88\x15\x0f\xacno answer to a ping");
    relay.until(|stats| stats.members == 0).await;
}

/// A short text frame, read without answering anything.
async fn read_text(stream: &mut tokio::net::TcpStream) -> String {
    let (kind, text) = support::raw_next(stream).await;
    assert_eq!(kind, 0x81);
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn a_connection_that_answers_pings_stays() {
    let relay = Relay::start(Config {
        ping_interval: Duration::from_millis(20),
        ping_timeout: LIMIT,
        ..config()
    })
    .await;
    let mut idle = relay.join("/").await;
    for _ in 0..5 {
        assert!(matches!(idle.next().await, Some(Ok(Message::Ping(_)))));
    }
    assert_eq!(relay.stats.get().members, 1);
}

#[tokio::test]
async fn connections_over_the_limit_are_refused_until_one_is_free() {
    let relay = Relay::start(Config {
        connections: 2,
        ..config()
    })
    .await;
    let (first, _second) = (relay.join("/").await, relay.join("/").await);
    match Client::open(relay.address, "/").await {
        Err(Error::Http(answer)) => assert_eq!(
            (
                answer.status().as_u16(),
                answer.headers()["retry-after"].to_str().unwrap()
            ),
            (503, "10")
        ),
        other => panic!("{:?}", other.map(|_| "let in")),
    }
    assert_eq!(support::get(relay.address, "/healthz").await.status, 200);
    drop(first);
    relay.until(|_| relay.stats.connections() == 1).await;
    relay.join("/").await;
}

#[tokio::test]
async fn the_name_of_a_space_is_bounded() {
    let relay = Relay::start(config()).await;
    relay.join(&format!("/{}", "a".repeat(1023))).await;
    match Client::open(relay.address, &format!("/{}", "a".repeat(1024))).await {
        Err(Error::Http(answer)) => assert_eq!(answer.status(), 414),
        other => panic!("{:?}", other.map(|_| "let in")),
    }
}

#[tokio::test]
async fn handshakes_that_are_none() {
    let relay = Relay::start(config()).await;
    let key = "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    let version = "sec-websocket-version: 13\r\n";
    for path in ["/", "/socket.io/?EIO=4&transport=websocket", "/hub"] {
        for (lines, status) in [
            (format!("{version}{key}"), "101"),
            (format!("{version}{key}{key}"), "400"),
            (format!("{version}{version}{key}"), "400"),
            (version.to_owned(), "400"),
            (key.to_owned(), "400"),
            (format!("sec-websocket-version: 8\r\n{key}"), "426"),
            (format!("sec-websocket-version: 14\r\n{key}"), "426"),
            (format!("sec-websocket-version: 013\r\n{key}"), "426"),
        ] {
            let head = support::upgrade(relay.address, path, &lines).await;
            assert!(
                head.starts_with(&format!("HTTP/1.1 {status} ")),
                "{path}: {lines}: {head}"
            );
            let names_version = head.contains("\r\nsec-websocket-version: 13\r\n");
            assert_eq!(names_version, status == "426", "{path}: {lines}: {head}");
        }
    }
    relay.until(|_| relay.stats.connections() == 0).await;
}

#[tokio::test]
async fn a_queue_that_no_frame_fits_is_refused() {
    let config = Config {
        max_frame: 1001,
        queue: Limits {
            frames: 10,
            bytes: 1000,
        },
        ..config()
    };
    assert_eq!(
        Server::bind(config).await.unwrap_err(),
        StartError::QueueTooSmall {
            max_frame: 1001,
            queue_bytes: 1000
        }
    );
}
