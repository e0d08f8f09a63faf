//! Pages that were written for other servers.

use std::time::Duration;

use signal_relay::auth::claims::Claims;

use super::support::Client;
use super::support::socket_io::path;
use crate::support::tokens::{claims, sign, start, token};

fn limited(user: &str) -> String {
    let claims = Claims {
        publish: Some(vec!["a".into()]),
        subscribe: Some(vec!["a".into()]),
        ..claims(user, &["/", "/a", "/b"])
    };
    sign(claims, Duration::from_secs(3600))
}

#[tokio::test]
async fn websocket_over_nodejs_does_what_the_token_allows() {
    let relay = start().await;
    let open = async |token: &str| {
        let path = format!("/?access_token={token}");
        let mut client = Client::open(relay.address, &path).await.unwrap();
        client.greeted().await;
        client
    };
    let mut all = open(&token("alice", &["/"])).await;
    let mut old = open(&limited("bob")).await;
    let mut asking = open(&limited("bob")).await;
    for channel in ["a", "b"] {
        let frame = format!(r#"{{"open":true,"channel":"{channel}"}}"#);
        all.send(&frame).await;
        old.send(&frame).await;
    }
    all.heard().await;
    old.heard().await;
    for (channel, answer) in [("a", true), ("b", false)] {
        let ask = format!(r#"{{"checkPresence":true,"channel":"{channel}"}}"#);
        asking.send(&ask).await;
        let expected = format!(r#"{{"isChannelPresent":{answer}}}"#);
        assert_eq!(asking.text().await, expected);
    }
    old.send(r#"{"data":"no","channel":"b"}"#).await;
    old.send(r#"{"data":"yes","channel":"a"}"#).await;
    assert_eq!(all.text().await, "\"yes\"");
    all.send(r#"{"data":"no","channel":"b"}"#).await;
    all.send(r#"{"data":"yes","channel":"a"}"#).await;
    assert_eq!(old.text().await, "\"yes\"");

    let mut without = Client::open(relay.address, "/").await.unwrap();
    without.greeted().await;
    without.send(r#"{"open":true,"channel":"a"}"#).await;
    assert_eq!(without.closed().await.0, 4503);
}

#[tokio::test]
async fn socketio_over_nodejs_does_what_the_token_allows() {
    let relay = start().await;
    let open = async |token: &str| {
        let path = format!("{}&access_token={token}", path(3, "websocket"));
        let mut client = Client::open(relay.address, &path).await.unwrap();
        client.text().await;
        assert_eq!(client.text().await, "40");
        for channel in ["a", "b"] {
            client.send(&format!("40/{channel}")).await;
            assert_eq!(client.text().await, format!("40/{channel},"));
        }
        client.send(r#"42["new-channel",{"channel":"a"}]"#).await;
        client.heard().await;
        client
    };
    let mut all = open(&token("alice", &["/", "/a", "/b"])).await;
    let mut old = open(&limited("bob")).await;
    let said = |channel: &str, sender: u64| {
        format!(r#"42/{channel},7["message",{{"sender":{sender},"data":1}}]"#)
    };
    old.send(&said("b", 12)).await;
    let refused = old.text().await;
    assert!(
        refused.starts_with("43/b,7[\"The token doesn't allow publishing"),
        "{refused}"
    );
    old.send(&said("a", 12)).await;
    assert_eq!(old.text().await, "43/a,7[]");
    assert_eq!(all.text().await, r#"42/a,["message",1]"#);
    // Nobody speaks as another.
    all.send(&said("a", 12)).await;
    let refused = all.text().await;
    assert!(refused.starts_with("43/a,7[\"The sender is"), "{refused}");
    all.send(&said("b", 13)).await;
    all.send(&said("a", 13)).await;
    assert_eq!(old.text().await, r#"42/a,["message",1]"#);
}

/// A page may take a bare object for an envelope, and its member `user` for who sent it.
#[tokio::test]
async fn bare_messages_say_who_sent_them() {
    let relay = start().await;
    let open = async |user: &str| {
        let path = format!(
            "{}&access_token={}",
            path(3, "websocket"),
            token(user, &["/"])
        );
        let mut client = Client::open(relay.address, &path).await.unwrap();
        client.text().await;
        assert_eq!(client.text().await, "40");
        client
    };
    let (mut a, mut bob) = (open("alice").await, open("bob").await);
    for first in [
        r#"{"user":"alice","channel":["c"],"x":1}"#,
        r#"{"user":"alice"}"#,
    ] {
        bob.send(&format!(r#"42["message",{first}]"#)).await;
        let packet = a.text().await;
        assert!(packet.ends_with(r#""user":"bob"}]"#), "{packet}");
        assert!(!packet.contains("alice"), "{packet}");
        // A page that sends bare messages itself is sent them no differently.
        a.send(r#"42["message","bare"]"#).await;
        assert_eq!(bob.text().await, r#"42["message","bare"]"#);
    }
    bob.send(r#"42["message",{"sender":1,"message":{"user":"alice"}}]"#)
        .await;
    let packet = a.text().await;
    assert!(!packet.contains("alice"), "{packet}");
}
