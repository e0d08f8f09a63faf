//! `signal-relay stats`, and the log as JSON.

use std::net::TcpListener;

use serde_json::Value;

use super::support::program::{Program, run};
use super::support::{Client, LIMIT};

/// The address of the metrics, from the log.
async fn metrics_of(program: &mut Program) -> String {
    let line = program.logged("metrics on http://").await;
    let (_, rest) = line.split_once("http://").unwrap();
    rest.split('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn stats_says_in_words_how_a_relay_does() {
    let mut program = Program::start(&["--metrics", "127.0.0.1:0"]);
    let metrics = metrics_of(&mut program).await;
    let mut a = Client::open(program.address, "/").await.unwrap();
    a.greeted().await;
    let mut b = Client::open(program.address, "/").await.unwrap();
    b.greeted().await;
    a.send("hello").await;
    assert_eq!(b.text().await, "hello");
    let stats = tokio::task::spawn_blocking(move || run(&["stats", "--metrics-address", &metrics]));
    let (code, stdout, stderr) = tokio::time::timeout(LIMIT, stats).await.unwrap().unwrap();
    assert_eq!((code, stderr.as_str()), (0, ""));
    for told in [
        concat!("signal-relay ", env!("CARGO_PKG_VERSION"), " is running."),
        "Connected now: 2 clients (plain 2) in 1 spaces; they take 2 of 10000 places.",
        "1 messages (5 B) came in, 1 deliveries (5 B) went out",
    ] {
        assert!(stdout.contains(told), "{told:?} is missing from:\n{stdout}");
    }
}

#[test]
fn stats_without_a_relay_says_what_to_do() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    drop(other);
    let (code, stdout, stderr) = run(&["stats", "--metrics-address", &address]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(
        stderr.contains(&format!("start the relay with --metrics {address}")),
        "{stderr}"
    );
}

#[tokio::test]
async fn the_end_of_a_connection_is_one_line_for_programs() {
    let mut program = Program::start(&["--log-format", "json"]);
    let mut client = Client::open(program.address, "/my-room?token=secret")
        .await
        .unwrap();
    client.greeted().await;
    client.0.close(None).await.unwrap();
    let line = program.logged("\"disconnected\"").await;
    assert!(!line.contains("secret"), "{line}");
    let line: Value = serde_json::from_str(&line).unwrap();
    for (name, value) in [
        ("level", "INFO"),
        ("message", "disconnected"),
        ("address", "127.0.0.1"),
        ("space", "/my-room"),
        ("protocol", "plain"),
        ("reason", "gone"),
    ] {
        assert_eq!(line[name], value, "{line}");
    }
    assert_eq!(line["connection"], 1, "{line}");
}

#[tokio::test]
async fn the_end_of_a_connection_is_one_line_for_people() {
    let mut program = Program::start(&[]);
    let mut client = Client::open(program.address, "/a%20b%0Ac").await.unwrap();
    client.greeted().await;
    client.0.close(None).await.unwrap();
    let line = program.logged("disconnected").await;
    assert!(
        line.contains("INFO disconnected connection=1 address=127.0.0.1 space=\"/a"),
        "{line}"
    );
}
