//! An operator's own endpoint that decides about tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::StatusCode;
use serde_json::{Value, json};
use signal_relay::Config;
use signal_relay::auth::Settings;
use tokio::net::TcpListener;

use super::support::program::run;
use super::support::{Client, Relay, config, status};

/// An endpoint that lets `alice` into `/`. Any other token is a status that it answers.
async fn endpoint() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let answer = async move |body: String| {
        counter.fetch_add(1, Ordering::Relaxed);
        let body: Value = serde_json::from_str(&body).unwrap();
        let token = body["token"].as_str().unwrap();
        let claims = json!({ "sub": "alice", "exp": 4_000_000_000_u32, "spaces": ["/"] });
        match token {
            "alice" => (StatusCode::OK, claims.to_string()),
            "nonsense" => (StatusCode::OK, "yes".to_owned()),
            "endless" => (StatusCode::OK, " ".repeat(1_000_000)),
            "silent" => std::future::pending().await,
            status => (
                StatusCode::from_bytes(status.as_bytes()).unwrap(),
                claims.to_string(),
            ),
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/allow", listener.local_addr().unwrap());
    let router = Router::new().route("/allow", axum::routing::post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, asked)
}

async fn start(url: &str) -> Relay {
    let config = Config {
        auth: Some(Settings::Hook(url.parse().unwrap())),
        ..config()
    };
    Relay::start(config).await
}

async fn refused(relay: &Relay, token: &str) -> u16 {
    status(Client::open(relay.address, &format!("/?token={token}")).await)
}

#[tokio::test]
async fn the_endpoint_decides_and_is_not_asked_each_time() {
    let (url, asked) = endpoint().await;
    let relay = start(&url).await;
    for _ in 0..20 {
        let mut client = Client::open(relay.address, "/?token=alice").await.unwrap();
        client.greeted().await;
        assert_eq!(refused(&relay, "403").await, 401);
    }
    // Twice, if the machine is so slow that a decision was forgotten.
    assert!(asked.load(Ordering::Relaxed) < 20);
    let other = Client::open(relay.address, "/other?token=alice").await;
    assert_eq!(status(other), 403);
    let mut page = Client::open(relay.address, "/?token=alice").await.unwrap();
    page.greeted().await;
    page.send(r#"{"open":["a"]}"#).await;
    let answer = page.text().await;
    assert!(answer.starts_with(r#"{"ack":0,"session":""#), "{answer}");
}

#[tokio::test]
async fn without_a_decision_nobody_is_let_in() {
    let (url, asked) = endpoint().await;
    let relay = start(&url).await;
    for token in ["500", "503", "endless", "silent"] {
        assert_eq!(refused(&relay, token).await, 503, "{token}");
    }
    // It is asked again.
    let before = asked.load(Ordering::Relaxed);
    assert_eq!(refused(&relay, "500").await, 503);
    assert_eq!(asked.load(Ordering::Relaxed), before + 1);
    for token in ["nonsense", "204", "302", "401"] {
        assert_eq!(refused(&relay, token).await, 401, "{token}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    assert_eq!(refused(&start(&url).await, "alice").await, 503);
}

#[test]
fn the_option_names_an_endpoint_on_this_machine() {
    for (arguments, told) in [
        (&["--auth", "hook"][..], "--auth-url <URL>"),
        (
            &["--auth", "hook", "--auth-url", "https://example.org/"],
            "an HTTP endpoint on this machine",
        ),
        (&["--auth-url", "http://127.0.0.1:1/"], "--auth <KIND>"),
    ] {
        let (code, _, stderr) = run(arguments);
        assert_eq!(code, 2);
        assert!(stderr.contains(told), "{stderr}");
    }
}
