//! Who sent a message: the relay says it, and nobody can say it for another.

use super::support::tokens::{start, token};
use super::support::{Client, Relay};

async fn join(relay: &Relay, user: &str) -> Client {
    let path = format!("/?token={}", token(user, &["/"]));
    let mut client = Client::open(relay.address, &path).await.unwrap();
    client.greeted().await;
    client
}

#[tokio::test]
async fn a_users_own_member_user_is_replaced() {
    let relay = start().await;
    let (mut alice, mut bob) = (join(&relay, "alice").await, join(&relay, "b\"ob").await);
    for text in [
        r#"{"sender":5,"channel":"a","message":1,"user":"alice"}"#,
        r#"{"user":"alice","\u0075ser":"alice","sender":5,"channel":"a","message":1}"#,
        r#"{"sender":5,"user":{"sub":"alice"},"channel":"a","message":1,"user":null}"#,
    ] {
        bob.send(text).await;
        assert_eq!(
            alice.envelope().await,
            r#"{"sender":5,"channel":"a","message":1,"user":"b\"ob"}"#
        );
    }
    // Members elsewhere are the page's own.
    bob.send(r#"{"sender":5,"channel":"a","message":{"user":"alice"},"User":1}"#)
        .await;
    assert_eq!(
        alice.envelope().await,
        r#"{"sender":5,"channel":"a","message":{"user":"alice"},"User":1,"user":"b\"ob"}"#
    );
}

#[tokio::test]
async fn nobody_uses_the_sender_of_another_user() {
    let relay = start().await;
    let (mut alice, mut mallory) = (join(&relay, "alice").await, join(&relay, "mallory").await);
    alice
        .send(r#"{"sender":5,"channel":"a","message":1}"#)
        .await;
    assert!(mallory.envelope().await.contains("alice"));
    for sender in ["5", "\"5\"", "5.0", "\"0x5\"", "\" 5\"", "[5]", "true"] {
        mallory
            .send(&format!(
                r#"{{"sender":{sender},"channel":"a","message":2}}"#
            ))
            .await;
        let refused = mallory.text().await;
        assert!(
            refused.starts_with(r#"{"refused":"a","why":"The sender"#),
            "{sender}: {refused}"
        );
    }
    mallory
        .send(r#"{"sender":6,"channel":"a","message":3}"#)
        .await;
    assert_eq!(
        alice.envelope().await,
        r#"{"sender":6,"channel":"a","message":3,"user":"mallory"}"#
    );
    // Another page of the same user, as after a reload or in another tab.
    let mut again = join(&relay, "alice").await;
    again
        .send(r#"{"sender":5,"channel":"a","message":4}"#)
        .await;
    assert!(
        mallory
            .envelope()
            .await
            .contains(r#""message":4,"user":"alice""#)
    );
}

#[tokio::test]
async fn without_tokens_nothing_is_added() {
    let relay = Relay::start(super::support::config()).await;
    let (mut one, mut other) = (relay.join("/").await, relay.join("/").await);
    for text in [
        r#"{"sender":5,"channel":"a","message":1,"user":"alice"}"#,
        r#"{"sender":[5],"channel":"a","message":1}"#,
    ] {
        one.send(text).await;
        assert_eq!(other.envelope().await, text);
    }
}
