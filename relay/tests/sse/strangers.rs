//! Pages that strangers must not disturb, and that must not hear themselves.

use std::time::Duration;

use signal_relay::Config;
use signal_relay::hub::sessions;
use tokio::time::sleep;

use super::support::sse::{Reader, post, post_with};
use super::support::{Relay, config, request};

const ENVELOPE: &str = r#"{"sender":1,"channel":"a","message":1}"#;
const OTHER: &str = r#"{"sender":2,"channel":"a","message":2}"#;

#[tokio::test]
async fn a_page_that_listened_for_long_does_not_hear_itself() {
    let relay = Relay::start(Config {
        sessions: sessions::Limits {
            age: Duration::from_millis(50),
            ..config().sessions
        },
        ..config()
    })
    .await;
    let mut reader = Reader::open(&relay, "/sse?client=me").await;
    sleep(Duration::from_millis(200)).await;
    assert_eq!(
        post(&relay, "/sse?client=me&ref=1", ENVELOPE).await.status,
        204
    );
    assert_eq!(
        post(&relay, "/sse?client=you&ref=1", OTHER).await.status,
        204
    );
    assert_eq!(reader.message().await, OTHER);
}

#[tokio::test]
async fn strangers_do_not_make_the_relay_forget_a_connected_page() {
    let relay = Relay::start(Config {
        connections: 3,
        ..config()
    })
    .await;
    let mut reader = Reader::open(&relay, "/sse?client=me").await;
    let mut other = Reader::open(&relay, "/sse?client=you").await;
    assert_eq!(
        post(&relay, "/sse?client=me&ref=1", ENVELOPE).await.status,
        204
    );
    for number in 0..4 {
        let path = format!("/elsewhere/sse?client=stranger{number}");
        assert_eq!(post(&relay, &path, "no envelope").await.status, 400);
    }
    // The answer was lost, so it is sent again.
    assert_eq!(
        post(&relay, "/sse?client=me&ref=1", ENVELOPE).await.status,
        204
    );
    assert_eq!(post(&relay, "/sse?client=x&ref=1", OTHER).await.status, 204);
    assert_eq!(other.message().await, ENVELOPE);
    assert_eq!(other.message().await, OTHER, "published twice");
    assert_eq!(reader.message().await, OTHER, "its own");
}

#[tokio::test]
async fn foreign_pages_publish_nothing() {
    let relay = Relay::start(config()).await;
    let mut other = Reader::open(&relay, "/sse?client=you").await;
    for origin in [
        "https://evil.example",
        "null",
        "file://",
        "https://evil.example, http://localhost",
    ] {
        let headers = [("content-type", "text/plain"), ("origin", origin)];
        assert_eq!(
            post_with(&relay, "/sse", &headers, ENVELOPE).await.status,
            403,
            "{origin}"
        );
        let stream = Reader::open_with(&relay, "/sse", &[("origin", origin)]).await;
        assert_eq!(stream.response.status(), 403, "{origin}");
    }
    for kind in [
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "text/plainx",
        "",
    ] {
        let headers = [("content-type", kind)];
        assert_eq!(
            post_with(&relay, "/sse", &headers, ENVELOPE).await.status,
            415,
            "{kind}"
        );
    }
    request(relay.address, "OPTIONS /sse", &[("content-length", "0")]).await;
    assert_eq!(post(&relay, "/sse?client=x&ref=1", OTHER).await.status, 204);
    assert_eq!(other.message().await, OTHER);
}
