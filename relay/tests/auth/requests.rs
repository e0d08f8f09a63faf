//! Server-sent events and files.

use serde_json::json;

use super::support::sse::{Reader, post, post_with};
use super::support::tokens::{expired, forged, start, token, token_for, with_short};
use super::support::{get, request};

const PAGE: (&str, &str) = ("origin", "http://localhost:1234");
const A: &str = r#"{"sender":12,"channel":"a","message":"hi"}"#;

#[tokio::test]
async fn streams_and_posts_need_a_token() {
    let relay = start().await;
    let alice = token("alice", &["/", "/room"]);
    for (token, expected) in [
        (forged("alice"), 401),
        (expired("alice"), 401),
        (String::new(), 401),
        (token("alice", &["/other"]), 403),
    ] {
        let path = format!("/sse?access_token={token}");
        let line = format!("GET {path}");
        let answer = request(relay.address, &line, &[PAGE]).await;
        assert_eq!(answer.status, expected);
        assert!(
            answer
                .header("www-authenticate")
                .unwrap()
                .starts_with("Bearer")
        );
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE.1));
        assert!(token.is_empty() || !answer.body.contains(&token));
        assert_eq!(post(&relay, &path, A).await.status, expected);
    }
    let mut reader = Reader::open(&relay, &format!("/sse?token={alice}")).await;
    let bearer = format!("Bearer {alice}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "text/plain"),
    ];
    assert_eq!(post_with(&relay, "/sse", &headers, A).await.status, 204);
    let expected = r#"{"sender":12,"channel":"a","message":"hi","user":"alice"}"#;
    assert_eq!(reader.message().await, expected);
}

#[tokio::test]
async fn forbidden_channels_are_neither_sent_nor_received() {
    let relay = start().await;
    let (alice, bob) = (token_for("alice", &["a"], &["b"]), token("bob", &["/"]));
    let mut reader = Reader::open(&relay, &format!("/sse?token={alice}")).await;
    let refused = post(
        &relay,
        &format!("/sse?token={alice}"),
        r#"{"channel":"b","message":1}"#,
    )
    .await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.body,
        "The token doesn't allow publishing on this channel.\n"
    );
    let path = format!("/sse?token={bob}");
    let say = async |channel: &str, message: u32| {
        let body = json!({ "channel": channel, "message": message });
        assert_eq!(post(&relay, &path, &body.to_string()).await.status, 204);
    };
    say("a", 1).await;
    say("b", 2).await;
    let event = reader.event().await;
    assert!(event.data.contains(r#""channel":"b""#), "{event:?}");
    // Nor are they replayed.
    say("a", 3).await;
    say("b", 4).await;
    let path = format!("/sse?token={alice}&lastEventId={}", event.id);
    let mut again = Reader::open(&relay, &path).await;
    assert!(again.message().await.contains(r#""message":4"#));
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let relay = start().await;
    let made = with_short("alice", &["/"], async |token| {
        let reader = Reader::open(&relay, &format!("/sse?token={token}")).await;
        (reader.response.status() == 200).then(|| (reader, token.to_owned()))
    });
    let (mut reader, short) = made.await;
    while reader.any().await.is_some() {}
    relay.until_empty().await;
    assert_eq!(
        get(relay.address, &format!("/sse?token={short}"))
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn a_page_that_names_itself_learns_why_its_stream_ends() {
    let relay = start().await;
    for (token, why) in [
        (expired("alice"), "the token has expired"),
        (String::new(), "a token is needed here"),
    ] {
        let path = format!("/sse?client=secret&token={token}");
        let answer = get(relay.address, &path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("text/event-stream"));
        assert_eq!(answer.body, format!("event: refused\ndata: {why}\n\n"));
        assert_eq!(post(&relay, &path, A).await.status, 401);
    }
    let mut reader = with_short("alice", &["/"], async |token| {
        let path = format!("/sse?token={token}");
        let reader = Reader::open(&relay, &path).await;
        (reader.response.status() == 200).then_some(reader)
    })
    .await;
    assert_eq!(reader.event().await.name, "refused");
    assert_eq!(reader.any().await, None);
}

#[tokio::test]
async fn a_preflight_and_the_health_need_no_token() {
    let relay = start().await;
    let headers = [
        PAGE,
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    ];
    for path in ["/sse", "/hub/negotiate", "/signalr/negotiate"] {
        let answer = request(relay.address, &format!("OPTIONS {path}"), &headers).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(
            answer.header("access-control-allow-headers"),
            Some("authorization")
        );
    }
    assert_eq!(get(relay.address, "/healthz").await.status, 200);
}
