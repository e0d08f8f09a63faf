//! What's tested: HTTP connections that are held open shut nobody out, in whatever way they are
//! held.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

use signal_relay::Config;
use signal_relay::files::Mount;
use support::socket_io::Poller;
use support::sse::{Reader, post};
use support::{LIMIT, Relay, config, get, raw};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const ENVELOPE: &str = r#"{"sender":1,"channel":"a","message":1}"#;

/// A folder with a file that no socket's buffer holds.
fn folder() -> (tempfile::TempDir, Mount) {
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("big.bin")).unwrap();
    file.set_len(64 * 1024 * 1024).unwrap();
    let mount = format!("/files={}", folder.path().display());
    (folder, mount.parse().unwrap())
}

fn request(relay: &Relay, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", relay.address)
}

/// A connection over which this was written, with room for few answers.
async fn held(relay: &Relay, text: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(relay.address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

/// Everything that a newcomer may want.
async fn is_served(relay: &Relay) {
    assert_eq!(get(relay.address, "/healthz").await.status, 200);
    let mut page = relay.join("/").await;
    let mut reader = Reader::open(relay, "/sse").await;
    let poller = Poller::join(relay, 4).await;
    assert_eq!(post(relay, "/sse", ENVELOPE).await.status, 204);
    assert_eq!(page.envelope().await, ENVELOPE);
    assert_eq!(reader.message().await, ENVELOPE);
    assert_eq!(poller.poll().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_shut_out() {
    let (_folder, mount) = folder();
    let relay = Relay::start(Config {
        http_connections: 8,
        mounts: vec![mount],
        ..config()
    })
    .await;
    for held_by in [
        // Nothing, half a head, an idle keep-alive connection, half a body.
        String::new(),
        "GET / HTTP/1.1\r\nhost".to_owned(),
        request(&relay, "/healthz"),
        format!(
            "POST /sse HTTP/1.1\r\nhost: {}\r\ncontent-length: 9\r\n\r\n{{",
            relay.address
        ),
        // A file, and many answers, which aren't read.
        request(&relay, "/files/big.bin"),
        request(&relay, "/healthz").repeat(1000),
    ] {
        let mut attack = Vec::new();
        for _ in 0..32 {
            attack.push(held(&relay, &held_by).await);
        }
        is_served(&relay).await;
        drop(attack);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_no_answer_is_dropped() {
    let (_folder, mount) = folder();
    let relay = Relay::start(Config {
        mounts: vec![mount],
        write_timeout: Duration::from_millis(500),
        ..config()
    })
    .await;
    // What remains is what the sockets' buffers held.
    let mut stream = held(&relay, &request(&relay, "/files/big.bin")).await;
    stream.set_nodelay(true).unwrap();
    let gone = async { while stream.write_all(b"\r\n").await.is_ok() {} };
    tokio::time::timeout(LIMIT, gone)
        .await
        .expect("the file still waits for its reader");

    let requests = request(&relay, "/healthz").repeat(1000);
    let mut stream = held(&relay, &requests).await;
    let gone = async { while stream.write_all(requests.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(LIMIT, gone)
        .await
        .expect("the answers still wait for their reader");
}

#[tokio::test(flavor = "multi_thread")]
async fn polls_that_wait_and_sockets_are_not_dropped_for_newcomers() {
    let relay = Relay::start(Config {
        http_connections: 4,
        ..config()
    })
    .await;
    let poller = Poller::join(&relay, 4).await;
    let waiting = {
        let (address, path) = (relay.address, poller.path("polling"));
        tokio::spawn(async move { get(address, &path).await })
    };
    let mut page = relay.join("/").await;
    let mut reader = Reader::open(&relay, "/sse").await;
    let mut plain = raw(relay.address, "/elsewhere").await;
    for _ in 0..32 {
        assert_eq!(get(relay.address, "/healthz").await.status, 200);
    }
    page.send(ENVELOPE).await;
    assert_eq!(reader.message().await, ENVELOPE);
    assert!(waiting.await.unwrap().body.contains("message"));
    let mut hello = [0; 12];
    plain.read_exact(&mut hello).await.unwrap();
}

#[tokio::test]
async fn the_head_of_a_request_is_bounded() {
    let relay = Relay::start(config()).await;
    let head = format!(
        "GET /healthz HTTP/1.1\r\nhost: {}\r\nx: {}\r\n\r\n",
        relay.address,
        "x".repeat(200_000)
    );
    let mut stream = TcpStream::connect(relay.address).await.unwrap();
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 431");
}
