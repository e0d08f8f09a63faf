//! What's tested: clients that make the relay write and don't read. What waits for each is bounded,
//! whoever made it, and a client that reads nothing is dropped after a while.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

use signal_relay::Config;
use signal_relay::hub::queue::Limits;
use support::{LIMIT, Relay, config, raw};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// More than two sockets' buffers hold.
const MUCH: usize = 64 * 1024 * 1024;

/// A frame as a client sends it; the mask leaves the payload as it is.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![kind];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

fn ping() -> Vec<u8> {
    frame(0x89, &[b'x'; 125])
}

/// Writes the same again and again, and reads nothing. Returns how many bytes the relay took before
/// it dropped the connection, up to [`MUCH`].
async fn flood(stream: &mut TcpStream, frame: &[u8]) -> usize {
    let many = frame.repeat(64 * 1024 / frame.len());
    let mut written = 0;
    let flooding = async {
        while written < MUCH && stream.write_all(&many).await.is_ok() {
            written += many.len();
        }
    };
    tokio::time::timeout(LIMIT, flooding)
        .await
        .expect("it is neither read nor dropped");
    written
}

fn impatient() -> Config {
    Config {
        write_timeout: Duration::from_millis(500),
        close_timeout: Duration::from_millis(500),
        ..config()
    }
}

/// The paths of every kind of WebSocket, and the frames with which a client begins.
const KINDS: [(&str, &[&str]); 6] = [
    ("/", &[]),
    ("/", &[r#"{"open":["a"]}"#]),
    ("/socket.io/?EIO=4&transport=websocket", &["40"]),
    ("/socket.io/?EIO=3&transport=websocket", &[]),
    ("/hub", &["{\"protocol\":\"json\",\"version\":1}\u{1e}"]),
    // Before the handshake, which has a deadline of its own.
    ("/hub", &[]),
];

#[tokio::test(flavor = "multi_thread")]
async fn pongs_that_nobody_reads_are_bounded() {
    let relay = Relay::start(impatient()).await;
    for (path, beginning) in KINDS {
        let mut stream = raw(relay.address, path).await;
        for text in beginning {
            support::raw_send(&mut stream, text).await;
        }
        let written = flood(&mut stream, &ping()).await;
        assert!(written < MUCH, "{path}: the relay read {written} bytes");
        drop(stream);
        relay.until_empty().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_are_bounded() {
    let relay = Relay::start(impatient()).await;
    for (path, beginning, asking) in [
        (
            "/",
            vec![r#"{"open":["a"]}"#.to_owned()],
            r#"{"ping":1}"#.to_owned(),
        ),
        (
            "/socket.io/?EIO=3&transport=websocket",
            vec![],
            "2probe".to_owned(),
        ),
        (
            "/socket.io/?EIO=4&transport=websocket",
            vec!["40".to_owned()],
            format!("2{}", "x".repeat(125)),
        ),
        (
            "/socket.io/?EIO=4&transport=websocket",
            vec!["40".to_owned()],
            "421[\"not a message\"]".to_owned(),
        ),
        (
            "/hub",
            vec!["{\"protocol\":\"json\",\"version\":1}\u{1e}".to_owned()],
            "{\"type\":1,\"invocationId\":\"1\",\"target\":\"x\",\"arguments\":[]}\u{1e}"
                .to_owned(),
        ),
    ] {
        let mut stream = raw(relay.address, path).await;
        for text in beginning {
            support::raw_send(&mut stream, &text).await;
        }
        relay.until(|stats| stats.members == 1).await;
        // It leaves its space with what waited for it. What it sends while it is closed is read
        // over, however much that is.
        let asking = frame(0x81, asking.as_bytes()).repeat(1000);
        let flooding = async { while stream.write_all(&asking).await.is_ok() {} };
        tokio::join!(flooding, relay.until(|stats| stats.members == 0));
        drop(stream);
        relay.until_empty().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_pings_much_and_reads_gets_all_its_pongs() {
    let relay = Relay::start(config()).await;
    let mut member = relay.join("/").await;
    let stream = raw(relay.address, "/").await;
    let (mut reading, mut writing) = stream.into_split();
    const PINGS: usize = 20_000;
    let pinging = async {
        writing.write_all(&ping().repeat(PINGS)).await.unwrap();
        let text = frame(0x81, b"done");
        writing.write_all(&text).await.unwrap();
        assert_eq!(member.text().await, "done");
    };
    let hearing = async {
        let mut pongs = 0;
        let (mut header, mut payload) = ([0; 2], [0; 127]);
        while pongs < PINGS {
            reading.read_exact(&mut header).await.unwrap();
            let payload = &mut payload[..usize::from(header[1])];
            reading.read_exact(payload).await.unwrap();
            pongs += usize::from(header[0] == 0x8a);
        }
    };
    tokio::time::timeout(LIMIT, async { tokio::join!(pinging, hearing) })
        .await
        .expect("pongs are missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn namespaces_of_one_client_share_its_queue() {
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 1024,
            bytes: 64 * 1024,
        },
        max_frame: 16 * 1024,
        close_timeout: Duration::from_millis(500),
        ..config()
    })
    .await;
    let path = "/socket.io/?EIO=4&transport=polling";
    let opened = support::get(relay.address, path).await.body;
    let id = opened.split('"').nth(3).unwrap().to_owned();
    let path = format!("{path}&sid={id}");
    let spaces = ["/a", "/b", "/c", "/d"];
    let joining: Vec<_> = spaces.iter().map(|space| format!("40{space},")).collect();
    let body = joining.join("\u{1e}");
    support::request_with(relay.address, &format!("POST {path}"), &[], body.as_bytes()).await;
    assert_eq!(relay.stats.get().members, 4);
    // It doesn't poll, and 20 kB wait in each.
    for space in spaces {
        let mut sender = relay.join(space).await;
        for _ in 0..2 {
            let message = "x".repeat(10_000);
            sender
                .send(&format!(r#"{{"channel":"a","message":"{message}"}}"#))
                .await;
        }
        sender.heard().await;
    }
    relay.until(|stats| stats.members == 0).await;
    assert_eq!(support::get(relay.address, &path).await.status, 400);
}
