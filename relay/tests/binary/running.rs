//! Starting, serving, stopping by a signal, and what the options set.

use std::time::{Duration, Instant};

use tokio_tungstenite::tungstenite::Message;

use super::support::program::Program;
use super::support::{self, Client, LIMIT};

#[cfg(unix)]
#[tokio::test]
async fn a_signal_ends_it_and_its_members_are_told() {
    for name in ["TERM", "INT"] {
        let program = Program::start(&[]);
        let mut clients = Vec::new();
        for path in ["/", "/room", "/room"] {
            let mut client = Client::open(program.address, path).await.unwrap();
            client.greeted().await;
            clients.push(client);
        }
        program.signal(name);
        for client in &mut clients {
            assert_eq!(
                client.closed().await,
                (1001, "the relay is shutting down".into())
            );
            client.ended().await;
        }
        let ended = tokio::time::timeout(LIMIT, tokio::task::spawn_blocking(|| program.end()))
            .await
            .expect("it goes on")
            .unwrap();
        let (code, stdout, stderr) = ended;
        assert_eq!((code, stdout.as_str()), (Some(0), ""), "{stderr}");
        assert!(
            stderr.contains(&format!("SIG{name}: stopping")) && stderr.contains("stopped"),
            "{stderr}"
        );
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_ends_it_even_if_nobody_answers() {
    let program = Program::start(&["--log", "off"]);
    let _mute = support::raw(program.address, "/").await;
    let _idle = tokio::net::TcpStream::connect(program.address)
        .await
        .unwrap();
    program.signal("TERM");
    let ended = tokio::time::timeout(LIMIT, tokio::task::spawn_blocking(|| program.end()))
        .await
        .expect("it goes on")
        .unwrap();
    assert_eq!(ended, (Some(0), String::new(), String::new()));
}

#[tokio::test]
async fn it_serves_and_relays_as_the_command_line_says() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("page.html"), "page").unwrap();
    let mount = format!("/files={}", folder.path().display());
    let program = Program::start(&[
        "--mount",
        &mount,
        "--origin",
        "https://example.org",
        "--max-frame",
        "1K",
        "--queue-bytes",
        "1k",
        "--connections",
        "2",
    ]);
    assert_eq!(
        support::get(program.address, "/files/page.html").await.body,
        "page"
    );
    let mut a = Client::open_with(program.address, "/", &[("origin", "https://example.org")])
        .await
        .unwrap();
    let mut b = Client::open(program.address, "/").await.unwrap();
    assert!(Client::open(program.address, "/").await.is_err());
    b.greeted().await;
    a.send(&"x".repeat(1024)).await;
    assert_eq!(b.text().await.len(), 1024);
    a.send(&"x".repeat(1025)).await;
    assert_eq!(a.closed().await, (1009, "frame over 1024 bytes".into()));
}

#[tokio::test]
async fn the_history_follows_the_command_line() {
    let program = Program::start(&[
        "--session-age",
        "1m",
        "--sessions",
        "1",
        "--channels",
        "2",
        "--history-messages",
        "1",
        "--history-bytes",
        "64K",
        "--history-age",
        "500s",
        "--history-total",
        "1M",
        "--late-history",
    ]);
    let mut page = Client::open(program.address, "/").await.unwrap();
    page.greeted().await;
    page.send(r#"{"open":["a","b"],"after":{"a":"0"}}"#).await;
    assert!(page.text().await.starts_with(r#"{"ack":0,"#));
    let mut other = Client::open(program.address, "/").await.unwrap();
    other.greeted().await;
    for number in [1, 2] {
        other
            .send(&format!(r#"{{"channel":"a","message":{number}}}"#))
            .await;
        assert!(
            page.text()
                .await
                .ends_with(&format!("\"message\":{number}}}"))
        );
    }
    page.send(r#"{"open":["a"],"after":{"a":"0"}}"#).await;
    assert_eq!(page.text().await, r#"{"ack":0}"#);
    assert_eq!(page.text().await, r#"{"gap":"a"}"#);
    assert_eq!(page.text().await, r#"{"channel":"a","id":"2","message":2}"#);
    page.send(r#"{"open":["c"]}"#).await;
    assert_eq!(
        page.closed().await,
        (4501, "over 2 channels, or their names too long".into())
    );
}

#[tokio::test]
async fn heartbeats_follow_the_command_line() {
    for (arguments, ping, timeout) in [
        (&[][..], 25_000, 20_000),
        (
            &["--ping-interval", "1s", "--ping-timeout", "24h"],
            1000,
            86_400_000,
        ),
        (
            &["--ping-interval", "24h", "--ping-timeout", "1"],
            86_400_000,
            1000,
        ),
    ] {
        let program = Program::start(arguments);
        let mut page = Client::open(program.address, "/").await.unwrap();
        let hello = page.greeted().await;
        assert!(hello.ends_with(&format!(",\"ping\":{ping}}}")), "{hello}");
        for version in [3, 4] {
            let path = format!("/socket.io/?EIO={version}&transport=websocket");
            let mut client = Client::open(program.address, &path).await.unwrap();
            let told = format!("\"pingInterval\":{ping},\"pingTimeout\":{timeout}");
            let open = client.text().await;
            assert!(open.contains(&told), "{open}");
        }
    }
}

#[tokio::test]
async fn a_silent_client_is_closed_in_every_protocol() {
    const CLOSE: (u8, &[u8]) = (0x88, b"\x0f\xacno answer to a ping");
    let program = Program::start(&["--ping-interval", "1s", "--ping-timeout", "1500ms"]);
    let address = program.address;
    let plain = async {
        let mut silent = support::raw(address, "/").await;
        let (_, hello) = support::raw_next(&mut silent).await;
        assert!(hello.ends_with(b",\"ping\":1000}"), "{hello:?}");
        assert_eq!(support::raw_next(&mut silent).await, (0x89, Vec::new()));
        let (kind, close) = support::raw_next(&mut silent).await;
        assert_eq!((kind, &*close), CLOSE);
    };
    let others = [
        ("/", r#"{"open":["a"]}"#, r#"{"ping":1}"#),
        (
            "/hub",
            "{\"protocol\":\"json\",\"version\":1}\u{1e}",
            "{\"type\":6}\u{1e}",
        ),
        ("/socket.io/?EIO=4&transport=websocket", "40", "2"),
    ]
    .map(|(path, first, ping)| async move {
        let mut silent = support::raw(address, path).await;
        support::raw_send(&mut silent, first).await;
        let mut pinged = false;
        support::within("the close frame", async {
            loop {
                let (kind, payload) = support::raw_next(&mut silent).await;
                pinged |= payload == ping.as_bytes();
                if kind == 0x88 {
                    assert_eq!((kind, &*payload), CLOSE, "{path}");
                    assert!(pinged, "{path}");
                    return;
                }
            }
        })
        .await;
    });
    // A client that answers stays, however long the others take.
    let mut lively = Client::open(address, "/").await.unwrap();
    lively.greeted().await;
    let answering = async {
        while !matches!(
            lively.next().await,
            Some(Ok(Message::Close(_)) | Err(_)) | None
        ) {}
    };
    let before = Instant::now();
    let all = async { tokio::join!(plain, futures_util::future::join_all(others)) };
    tokio::select! {
        _ = all => {}
        () = answering => panic!("closed although it answers"),
    }
    assert!(before.elapsed() >= Duration::from_millis(2500));
    lively.heard_through_pings().await;
}

#[test]
fn a_longer_frame_raises_the_queue_too() {
    let mut program = Program::start(&["--max-frame", "16M"]);
    assert!(program.child.try_wait().unwrap().is_none());
}
