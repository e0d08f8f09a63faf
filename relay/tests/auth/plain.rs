//! Plain WebSockets and the relay's own protocol.

use serde_json::{Value, json};

use super::support::resuming::Page;
use super::support::tokens::{expired, forged, start, token, token_for};
use super::support::{Client, Relay, status};

const PAGE: (&str, &str) = ("origin", "http://localhost:1234");

async fn connect(relay: &Relay, path: &str, token: &str) -> Client {
    let path = format!("{path}?access_token={token}");
    let mut client = Client::open(relay.address, &path).await.unwrap();
    client.greeted().await;
    client
}

/// Opens channels with a token in the same frame, and waits for the acknowledgement.
async fn open(relay: &Relay, path: &str, token: &str, channels: &[&str]) -> Client {
    let mut client = Client::open(relay.address, path).await.unwrap();
    client.greeted().await;
    let open = json!({ "open": channels, "token": token });
    client.send(&open.to_string()).await;
    let answer = client.text().await;
    assert!(answer.starts_with(r#"{"ack":0,"session":""#), "{answer}");
    client
}

fn expires(frame: &str) -> u64 {
    let frame: Value = serde_json::from_str(frame).unwrap();
    frame["expires"]
        .as_u64()
        .unwrap_or_else(|| panic!("{frame}"))
}

#[tokio::test]
async fn programs_without_a_good_token_are_refused_before_the_upgrade() {
    let relay = start().await;
    let alice = token("alice", &["/room/*"]);
    for (path, expected) in [
        (format!("/room/1?token={}", forged("alice")), 401),
        (format!("/room/1?token={}", expired("alice")), 401),
        ("/room/1?token=nonsense".to_owned(), 401),
        (format!("/other?token={alice}"), 403),
    ] {
        let refused = Client::open(relay.address, &path).await;
        assert_eq!(status(refused), expected, "{path}");
    }
    let bearer = format!("Bearer {alice}");
    let headers = [("authorization", bearer.as_str())];
    let mut client = Client::open_with(relay.address, "/room/1", &headers)
        .await
        .unwrap();
    client.greeted().await;
    relay.until(|stats| stats.members == 1).await;
}

#[tokio::test]
async fn pages_are_refused_by_a_close_code() {
    let relay = start().await;
    for (path, told) in [
        (
            format!("/?token={}", forged("alice")),
            "no key of the relay has signed it",
        ),
        (
            format!("/?token={}", expired("alice")),
            "the token has expired",
        ),
        (
            format!("/?token={}", token("a", &["/other"])),
            "the token isn't for this space",
        ),
    ] {
        let mut client = Client::open_with(relay.address, &path, &[PAGE])
            .await
            .unwrap();
        let (code, reason) = client.closed().await;
        assert_eq!(code, 4503, "{reason}");
        assert!(reason.contains(told), "{reason}");
    }
    relay.until_empty().await;
}

#[tokio::test]
async fn a_client_without_a_token_receives_nothing_and_says_nothing() {
    let relay = start().await;
    let mut alice = connect(&relay, "/", &token("alice", &["/"])).await;
    for first in [
        r#"{"sender":7,"channel":"a","message":"hi"}"#,
        r#"{"open":["a"]}"#,
        r#"{"open":["a"],"token":"nonsense"}"#,
        r#"{"open":["a"],"session":"s"}"#,
        "no envelope",
    ] {
        let mut stranger = Client::open(relay.address, "/").await.unwrap();
        stranger.greeted().await;
        let others = r#"{"sender":5,"channel":"a","message":1}"#;
        alice.send(others).await;
        alice.heard().await;
        stranger.send(first).await;
        // Nothing but the close frame.
        let next = stranger.next().await.unwrap().unwrap();
        let tokio_tungstenite::tungstenite::Message::Close(Some(frame)) = next else {
            panic!("{next:?}");
        };
        assert_eq!(u16::from(frame.code), 4503);
    }
    alice.heard().await;
}

#[tokio::test]
async fn the_token_may_come_in_the_first_open() {
    let relay = start().await;
    let mut alice = open(&relay, "/room", &token("alice", &["/room"]), &["a"]).await;
    assert!(expires(&alice.text().await) > 60_000);
    let mut bob = connect(&relay, "/room", &token("bob", &["*"])).await;
    bob.send(r#"{"sender":5,"channel":"a","message":1}"#).await;
    assert_eq!(
        alice.envelope().await,
        r#"{"sender":5,"channel":"a","message":1,"user":"bob"}"#
    );
    alice
        .send(r#"{"sender":6,"channel":"a","ref":1,"message":2}"#)
        .await;
    assert_eq!(alice.text().await, r#"{"ack":1}"#);
    assert_eq!(
        bob.envelope().await,
        r#"{"sender":6,"channel":"a","message":2,"user":"alice"}"#
    );
}

#[tokio::test]
async fn what_is_not_allowed_is_refused_and_the_page_learns_it() {
    let relay = start().await;
    let alice = token_for("alice", &["chat/*"], &["chat/*", "news"]);
    let mut page = open(&relay, "/", &alice, &["chat/1", "secret", "news"]).await;
    let refused = |frame: &str| {
        let frame: Value = serde_json::from_str(frame).unwrap();
        frame["refused"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(refused(&page.text().await), "secret");
    expires(&page.text().await);
    let mut listener = open(
        &relay,
        "/",
        &token("bob", &["/"]),
        &["chat/1", "secret", "news"],
    )
    .await;
    expires(&listener.text().await);

    // Its acknowledgement comes too: the page needn't send it again.
    page.say_ref(1, "secret").await;
    let (one, other) = (page.text().await, page.text().await);
    let (ack, refusal) = if one.starts_with("{\"ack") {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!(
        (ack.as_str(), refused(&refusal).as_str()),
        (r#"{"ack":1}"#, "secret")
    );
    page.say_ref(2, "chat/1").await;
    assert_eq!(page.text().await, r#"{"ack":2}"#);
    assert!(listener.envelope().await.contains(r#""channel":"chat/1""#));

    for channel in ["secret", "news", "chat/1"] {
        listener
            .send(&json!({ "sender": 8, "channel": channel, "message": 1 }).to_string())
            .await;
    }
    for channel in ["news", "chat/1"] {
        assert!(
            page.text()
                .await
                .contains(&format!("\"channel\":\"{channel}\""))
        );
    }
}

trait SayRef {
    async fn say_ref(&mut self, reference: u64, channel: &str);
}

impl SayRef for Client {
    async fn say_ref(&mut self, reference: u64, channel: &str) {
        let frame = json!({ "sender": 7, "channel": channel, "ref": reference, "message": 1 });
        self.send(&frame.to_string()).await;
    }
}

#[tokio::test]
async fn old_pages_receive_only_what_they_may() {
    let relay = start().await;
    let mut old = connect(&relay, "/", &token_for("old", &["a"], &["a", "undefined"])).await;
    let mut bob = connect(&relay, "/", &token("bob", &["/"])).await;
    for text in [
        r#"{"sender":5,"channel":"b","message":1}"#,
        r#"{"sender":5,"message":2}"#,
        r#"{"sender":5,"channel":"a","message":3}"#,
    ] {
        bob.send(text).await;
    }
    assert_eq!(old.text().await, r#"{"sender":5,"message":2,"user":"bob"}"#);
    assert_eq!(
        old.envelope().await,
        r#"{"sender":5,"channel":"a","message":3,"user":"bob"}"#
    );
    // Anything else could be another user's envelope in other words.
    old.send(r#"[{"sender":5,"channel":"a","user":"bob","message":4}]"#)
        .await;
    assert!(
        old.text()
            .await
            .starts_with(r#"{"refused":"undefined","why":"With tokens only envelopes"#)
    );
    old.send(r#"{"sender":6,"channel":"b","message":5}"#).await;
    assert!(old.text().await.starts_with(r#"{"refused":"b","#));
    old.send(r#"{"sender":6,"channel":"a","message":6}"#).await;
    assert_eq!(
        bob.envelope().await,
        r#"{"sender":6,"channel":"a","message":6,"user":"old"}"#
    );
}

#[tokio::test]
async fn what_was_missed_on_a_forbidden_channel_is_not_replayed() {
    let relay = start().await;
    let mut page = Page::connect(&relay, "/").await;
    let open = json!({ "open": ["a", "b"], "token": token("alice", &["/"]) });
    page.say(&open.to_string()).await;
    page.ack(0).await;
    expires(&page.next().await);
    let mut bob = connect(&relay, "/", &token("bob", &["/"])).await;
    bob.send(r#"{"sender":5,"channel":"a","message":1}"#).await;
    let first = page.next().await;
    let (_, id) = super::support::without_id(&first);
    let secret = page.secret.clone();
    drop(page);
    relay.until(|stats| stats.members == 1).await;
    for channel in ["a", "b"] {
        bob.send(&json!({ "sender": 5, "channel": channel, "message": 2 }).to_string())
            .await;
    }
    bob.heard().await;
    // The same user, who may do less meanwhile.
    let mut page = Page::connect(
        &relay,
        &format!("/?token={}", token_for("alice", &[], &["a"])),
    )
    .await;
    page.resume(&secret, &["a", "b"], &[("a", id), ("b", id)])
        .await;
    page.ack(0).await;
    let mut rest = Vec::new();
    for _ in 0..3 {
        rest.push(page.next().await);
    }
    assert!(
        !rest.iter().any(|frame| frame.contains("\"channel\":\"b\"")),
        "{rest:?}"
    );
    let missed = |frame: &String| frame.contains("\"channel\":\"a\"");
    assert!(rest.iter().any(missed), "{rest:?}");
    assert!(
        rest.iter()
            .any(|frame| frame.starts_with("{\"refused\":\"b\"")),
        "{rest:?}"
    );
}
