//! Tokens that expire, and those that take their place on the same connection.

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::support::tokens::{expired, forged, start, token, token_for, with_short};
use super::support::{Client, Relay};

async fn open(relay: &Relay, token: &str) -> Client {
    try_open(relay, token).await.unwrap()
}

/// `None`: the token has expired.
async fn try_open(relay: &Relay, token: &str) -> Option<Client> {
    let mut client = Client::open(relay.address, "/").await.unwrap();
    client.greeted().await;
    client
        .send(&json!({ "open": ["a"], "token": token }).to_string())
        .await;
    for expected in [r#"{"ack":0,"session":""#, "{\"expires\":"] {
        match client.next().await {
            Some(Ok(Message::Text(text))) => assert!(text.starts_with(expected), "{text}"),
            Some(Ok(Message::Close(Some(frame)))) if u16::from(frame.code) == 4503 => return None,
            other => panic!("{other:?}"),
        }
    }
    Some(client)
}

#[tokio::test]
async fn a_connection_ends_with_its_token() {
    let relay = start().await;
    let both = with_short("alice", &["/"], async |token| {
        let page = try_open(&relay, token).await?;
        let old = Client::open(relay.address, &format!("/?token={token}")).await;
        Some([page, old.ok()?])
    });
    for mut client in both.await {
        let expired = (4503, "the token has expired".to_owned());
        assert_eq!(client.closed().await, expired);
    }
    relay.until(|stats| stats.members == 0).await;
}

#[tokio::test]
async fn a_newer_token_keeps_the_connection() {
    let relay = start().await;
    for renew in [
        json!({ "token": token("alice", &["/"]) }),
        json!({ "open": [], "token": token("alice", &["/"]) }),
    ] {
        let both = with_short("alice", &["/"], async |token| {
            let mut renewed = try_open(&relay, token).await?;
            renewed.send(&renew.to_string()).await;
            loop {
                match renewed.next().await {
                    Some(Ok(Message::Text(text))) if text.starts_with("{\"expires\":") => break,
                    Some(Ok(Message::Text(text))) if text == r#"{"ack":0}"# => {}
                    _ => return None,
                }
            }
            Some((renewed, try_open(&relay, token).await?))
        });
        let (mut renewed, mut control) = both.await;
        // The other one, which began after it, ends.
        assert_eq!(control.closed().await.0, 4503);
        renewed
            .send(r#"{"sender":7,"channel":"a","ref":1,"message":1}"#)
            .await;
        loop {
            match renewed.text().await.as_str() {
                r#"{"ack":1}"# => break,
                r#"{"ack":0}"# => {}
                other => panic!("{other}"),
            }
        }
    }
}

#[tokio::test]
async fn a_bad_newer_token_ends_the_connection() {
    let relay = start().await;
    for (newer, told) in [
        (forged("alice"), "no key"),
        (expired("alice"), "expired"),
        (token("bob", &["/"]), "another user"),
        (token("alice", &["/other"]), "space"),
        ("nonsense".to_owned(), "no JWT"),
    ] {
        let mut page = open(&relay, &token("alice", &["/"])).await;
        page.send(&json!({ "token": newer }).to_string()).await;
        let (code, reason) = page.closed().await;
        assert_eq!(code, 4503);
        assert!(reason.contains(told), "{reason}");
        assert!(!reason.contains(&newer));
    }
}

#[tokio::test]
async fn a_newer_token_that_allows_less_counts_at_once() {
    let relay = start().await;
    let mut page = open(&relay, &token("alice", &["/"])).await;
    let mut bob = open(&relay, &token("bob", &["/"])).await;
    let less = token_for("alice", &["b"], &["b"]);
    page.send(&json!({ "token": less }).to_string()).await;
    assert!(page.text().await.starts_with("{\"expires\":"));
    bob.send(r#"{"sender":5,"channel":"a","message":1}"#).await;
    bob.heard().await;
    page.send(r#"{"sender":7,"channel":"a","ref":1,"message":1}"#)
        .await;
    let mut frames = [page.text().await, page.text().await];
    frames.sort();
    assert_eq!(frames[0], r#"{"ack":1}"#);
    assert!(frames[1].starts_with(r#"{"refused":"a""#), "{frames:?}");
    bob.heard().await;
}
