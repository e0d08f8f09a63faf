//! What's tested: the program as people start it. Its one line on stdout, `--help`, what it says to a wrong command line and to a port or folder
//! that it can't have, its exit codes, and how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use support::{Client, LIMIT};
use tokio_tungstenite::tungstenite::Message;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signal-relay"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(arguments).output().unwrap();
    (
        status.code().unwrap(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

/// A running program, which doesn't outlive its test.
struct Program {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    address: SocketAddr,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(&[&["--listen", "127.0.0.1:0"], arguments].concat())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line
            .strip_prefix("signal-relay listening on http://")
            .and_then(|rest| rest.strip_suffix("/\n"));
        let address = address
            .unwrap_or_else(|| panic!("{line:?}"))
            .parse()
            .unwrap();
        Self {
            child,
            stdout,
            address,
        }
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        assert!(
            Command::new("kill")
                .args(["-s", name, &self.child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for the end. Returns the exit code, and what was printed after the first line and on stderr.
    fn end(mut self) -> (Option<i32>, String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        (self.child.wait().unwrap().code(), stdout, stderr)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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
            while client.next().await.is_some() {}
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

#[test]
fn a_taken_port_is_named_with_the_way_out() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let (code, stdout, stderr) = run(&["--listen", &address.to_string()]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert_eq!(
        stderr,
        format!(
            "signal-relay: {address} is taken by another program, perhaps another signal-relay: \
             stop the other or choose --listen 127.0.0.1:0 for any free port\n"
        )
    );
}

#[test]
fn what_can_not_be_had_ends_it_with_code_1() {
    for (arguments, told) in [
        // An address of the block that is kept for documentation.
        (
            ["--listen", "192.0.2.1:8888"],
            "this machine has no address 192.0.2.1; --listen 0.0.0.0:8888 takes all it has",
        ),
        (
            ["--mount", "/=no-such-folder"],
            "can't serve --mount /=no-such-folder: ",
        ),
    ] {
        let (code, stdout, stderr) = run(&arguments);
        assert_eq!((code, stdout.as_str()), (1, ""), "{arguments:?}: {stderr}");
        assert!(
            stderr.starts_with("signal-relay: ") && stderr.contains(told),
            "{arguments:?}: {stderr}"
        );
    }
}

#[test]
fn a_wrong_command_line_ends_it_with_code_2() {
    for (arguments, told) in [
        (
            &["--listen", "localhost:9000"][..],
            "invalid value 'localhost:9000' for '--listen <IP:PORT>': that is no IP address and port; this machine only: 127.0.0.1:9000",
        ),
        (&["--listen", "8888"], "all its addresses: 0.0.0.0:8888"),
        (&["--listen", "127.0.0.1"], "no IP address and port"),
        (&["--listen", "127.0.0.1:65536"], "no IP address and port"),
        (
            &["--mount", "www"],
            "for '--mount </PREFIX=DIR>': a mount is /PREFIX=FOLDER, for example /=www",
        ),
        (
            &["--mount", "/=.", "--mount", "/=src"],
            "--mount /=. and --mount /=src are for the same path",
        ),
        (
            &["--origin", "example.org"],
            "for '--origin <ORIGIN>': an origin is SCHEME://HOST[:PORT]; did you mean https://example.org?",
        ),
        (
            &["--max-frame", "big"],
            "for '--max-frame <BYTES>': give a number of bytes from 1 up",
        ),
        (
            &["--max-frame", "0"],
            "for '--max-frame <BYTES>': give a number of bytes from 1 up",
        ),
        (
            &["--max-frame", "99999999999999999999"],
            "give a number of bytes",
        ),
        (
            &["--max-frame", "18446744073709551615K"],
            "give a number of bytes",
        ),
        (
            &["--max-frame", "2M", "--queue-bytes", "1M"],
            "raise --queue-bytes to at least 2097152 or lower --max-frame",
        ),
        (&["--queue", "0"], "for '--queue <FRAMES>'"),
        (&["--queue", "-1"], "--queue"),
        (&["--connections", "0"], "for '--connections <NUMBER>'"),
        (
            &["--log", "loud"],
            "[possible values: off, error, warn, info, debug]",
        ),
        (
            &["--session-age", "soon"],
            "give a time of up to a year, for example 90, 500ms, 10s, 5m or 2h",
        ),
        (&["--history-age", "0"], "give a time of up to a year"),
        (&["--history-age", "1d"], "give a time of up to a year"),
        (
            &["--history-age", "18446744073709551615h"],
            "give a time of up to a year",
        ),
        (
            &["--ping", "0"],
            "invalid value '0' for '--ping <TIME>': give a time from 1s to 24h, for example 10, 1500ms, 10s, 5m or 2h",
        ),
        (&["--ping", "1ms"], "'1ms' for '--ping <TIME>': give a time"),
        (&["--ping", "999ms"], "give a time from 1s to 24h"),
        (&["--ping", "86400001ms"], "give a time from 1s to 24h"),
        (&["--ping", "never"], "give a time from 1s to 24h"),
        (&["--ping", "-1"], "'-1' for '--ping <TIME>'"),
        (
            &["--patience", "500ms"],
            "'500ms' for '--patience <TIME>': give a time from 1s to 24h",
        ),
        (&["--patience", "25h"], "give a time from 1s to 24h"),
        (&["--channels", "0"], "0 is not in 1.."),
        (&["--mont", "/=www"], "a similar argument exists: '--mount'"),
        (&["www"], "unexpected argument 'www'"),
    ] {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(stderr.contains(told), "{arguments:?}: {stderr}");
    }
}

#[tokio::test]
async fn what_is_kept_is_as_the_command_line_has_it() {
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
    ]);
    let mut page = Client::open(program.address, "/").await.unwrap();
    page.greeted().await;
    page.send(r#"{"open":["a","b"],"after":{"a":"0"}}"#).await;
    assert_eq!(page.text().await, r#"{"ack":0}"#);
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
async fn silence_is_as_long_as_the_command_line_has_it() {
    for (arguments, ping, patience) in [
        (&[][..], 25_000, 20_000),
        (&["--ping", "1s", "--patience", "24h"], 1000, 86_400_000),
        (&["--ping", "24h", "--patience", "1"], 86_400_000, 1000),
    ] {
        let program = Program::start(arguments);
        let mut page = Client::open(program.address, "/").await.unwrap();
        let hello = page.greeted().await;
        assert!(hello.ends_with(&format!(",\"ping\":{ping}}}")), "{hello}");
        for version in [3, 4] {
            let path = format!("/socket.io/?EIO={version}&transport=websocket");
            let mut client = Client::open(program.address, &path).await.unwrap();
            let told = format!("\"pingInterval\":{ping},\"pingTimeout\":{patience}");
            let open = client.text().await;
            assert!(open.contains(&told), "{open}");
        }
    }
}

#[tokio::test]
async fn who_does_not_answer_a_ping_is_closed_in_every_protocol() {
    const CLOSE: (u8, &[u8]) = (0x88, b"\x0f\xacno answer to a ping");
    let program = Program::start(&["--ping", "1s", "--patience", "1500ms"]);
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
        loop {
            let (kind, payload) = support::raw_next(&mut silent).await;
            pinged |= payload == ping.as_bytes();
            if kind == 0x88 {
                assert_eq!((kind, &*payload), CLOSE, "{path}");
                assert!(pinged, "{path}");
                return;
            }
        }
    });
    // Who answers stays, however long the others take.
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
fn a_longer_frame_alone_is_no_contradiction() {
    let mut program = Program::start(&["--max-frame", "16M"]);
    assert!(program.child.try_wait().unwrap().is_none());
}

#[test]
fn the_help_tells_every_option_its_default_and_its_purpose() {
    let (code, help, _) = run(&["--help"]);
    assert_eq!(code, 0);
    // As one line: where lines are broken depends on the terminal.
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "signal-relay [OPTIONS]",
        "--listen <IP:PORT>",
        "[default: 127.0.0.1:8888]",
        "--mount </PREFIX=DIR>",
        "--origin <ORIGIN>",
        "--max-frame <BYTES>",
        "[default: 1M]",
        "--queue <FRAMES>",
        "[default: 1024]",
        "--queue-bytes <BYTES>",
        "[default: 4M, or --max-frame if that is more]",
        "--connections <NUMBER>",
        "[default: 10000]",
        "--ping <TIME>",
        "[default: 25s]",
        "--patience <TIME>",
        "[default: 20s]",
        "from 1s to 24h",
        "code 4012",
        "--session-age <TIME>",
        "[default: 10m]",
        "--sessions <NUMBER>",
        "--channels <NUMBER>",
        "--history-messages <NUMBER>",
        "[default: 1000]",
        "--history-bytes <BYTES>",
        "--history-age <TIME>",
        "[default: 2m]",
        "--history-total <BYTES>",
        "[default: 64M]",
        "code 4501",
        "--log <LEVEL>",
        "[default: info]",
        "code 1009",
        "code 4008",
        "HTTP 503",
        "SIGTERM",
        "Examples: signal-relay ",
        "Exit codes:",
    ] {
        assert!(help.contains(told), "{told:?} is missing from:\n{help}");
    }
    let (code, short, _) = run(&["-h"]);
    assert_eq!(code, 0);
    assert!(
        short.len() < help.len() / 2 && short.contains("--queue-bytes"),
        "{short}"
    );
    assert_eq!(
        run(&["--version"]),
        (
            0,
            format!("signal-relay {}\n", env!("CARGO_PKG_VERSION")),
            String::new()
        )
    );
}
