//! SignalR, of both kinds: the token is in each request.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::support::signalr_classic::{HUBS, query};
use super::support::signalr_core::{HANDSHAKE, Hub, WELCOME, negotiate};
use super::support::tokens::{expired, forged, start, token, token_for, with_short};
use super::support::{Client, Relay, get, status};

const PAGE: (&str, &str) = ("origin", "http://localhost:1234");

async fn join(relay: &Relay, token: &str) -> Hub {
    Hub::join(relay, &format!("/hub?access_token={token}")).await
}

#[tokio::test]
async fn a_negotiation_needs_a_token() {
    let relay = start().await;
    let alice = format!("Bearer {}", token("alice", &["/"]));
    for (path, authorization, expected) in [
        ("/hub/negotiate?negotiateVersion=1", alice.as_str(), 200),
        (
            "/room/hub/negotiate?negotiateVersion=1",
            alice.as_str(),
            403,
        ),
        ("/hub/negotiate?negotiateVersion=1", "Bearer nonsense", 401),
        ("/hub/negotiate?negotiateVersion=1", "", 401),
        ("/signalr/negotiate", alice.as_str(), 200),
        ("/signalr/negotiate", "", 401),
        ("/signalr/start", "", 401),
        ("/signalr/abort", "", 401),
    ] {
        let headers = [("authorization", authorization), PAGE];
        let answer = negotiate(&relay, path, &headers).await;
        assert_eq!(
            answer.status, expected,
            "{path} {authorization}: {answer:?}"
        );
        // So that the page can read the status.
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE.1));
    }
}

#[tokio::test]
async fn a_websocket_needs_a_token() {
    let relay = start().await;
    for bad in [
        forged("alice"),
        expired("alice"),
        token("alice", &["/other"]),
    ] {
        let path = format!("/hub?access_token={bad}");
        assert!([401, 403].contains(&status(Client::open(relay.address, &path).await)));
        let mut page = Client::open_with(relay.address, &path, &[PAGE])
            .await
            .unwrap();
        page.send(HANDSHAKE).await;
        let (code, reason) = page.closed().await;
        assert_eq!(code, 4503);
        assert!(
            reason.starts_with("the token ") && !reason.contains(&bad),
            "{reason}"
        );
    }
    assert_eq!(status(Client::open(relay.address, "/hub").await), 401);
    assert_eq!(
        status(Client::open(relay.address, "/signalr/connect").await),
        401
    );
}

#[tokio::test]
async fn forbidden_channels_are_neither_sent_nor_received() {
    let relay = start().await;
    let mut alice = join(&relay, &token_for("alice", &["a"], &["b"])).await;
    let mut bob = join(&relay, &token("bob", &["/"])).await;
    let refused = alice
        .invoke("Send", json!([r#"{"channel":"b","message":1}"#]))
        .await;
    assert_eq!(
        refused["error"],
        "The token doesn't allow publishing on this channel."
    );
    let taken = alice
        .invoke("Send", json!([r#"{"sender":1,"channel":"a","message":1}"#]))
        .await;
    assert_eq!(taken.get("error"), None);
    assert_eq!(
        bob.delivered().await,
        r#"{"sender":1,"channel":"a","message":1,"user":"alice"}"#
    );
    for channel in ["a", "b"] {
        bob.publish(&json!({ "sender": 2, "channel": channel, "message": 1 }).to_string())
            .await;
    }
    assert!(alice.delivered().await.contains(r#""channel":"b""#));
}

#[tokio::test]
async fn a_connection_ends_with_its_token() {
    let relay = start().await;
    let hub = with_short("alice", &["/"], async |token| {
        let client = Client::open(relay.address, &format!("/hub?access_token={token}")).await;
        let mut client = client.ok()?;
        client.send(HANDSHAKE).await;
        let records = VecDeque::new();
        Some(Hub { client, records })
    });
    let mut hub = hub.await;
    assert_eq!(hub.record().await, WELCOME);
    assert_eq!(hub.record().await, r#"{"type":7,"allowReconnect":true}"#);
    let expired = (4503, "the token has expired".to_owned());
    assert_eq!(hub.client.closed().await, expired);
}

/// A client of SignalR 2, and its connection's token. `None`: the access token has expired.
async fn classic(relay: &Relay, access: &str) -> Option<(Client, String)> {
    let path = format!(
        "/signalr/negotiate?clientProtocol=2.1&connectionData={HUBS}&access_token={access}"
    );
    let answer: Value = serde_json::from_str(&get(relay.address, &path).await.body).ok()?;
    let connection = answer["ConnectionToken"].as_str().unwrap().to_owned();
    let path = format!(
        "/signalr/connect?{}&access_token={access}",
        query(&connection)
    );
    let mut client = Client::open(relay.address, &path).await.ok()?;
    assert!(client.text().await.contains("\"S\":1"));
    Some((client, connection))
}

#[tokio::test]
async fn a_client_of_signalr_2_comes_back_with_a_newer_token() {
    let relay = start().await;
    let made = with_short("alice", &["/"], async |token| {
        let (client, connection) = classic(&relay, token).await?;
        Some((client, connection, token.to_owned()))
    });
    let (mut client, connection, short) = made.await;
    let (mut bob, _) = classic(&relay, &token("bob", &["/"])).await.unwrap();
    let expired = (4503, "the token has expired".to_owned());
    assert_eq!(client.closed().await, expired);
    let call = json!({ "H": "webrtchub3", "M": "send", "A": [r#"{"sender":5,"channel":"a","message":1}"#], "I": 1 });
    bob.send(&call.to_string()).await;
    assert_eq!(bob.text().await, r#"{"I":"1"}"#);
    let path = |access: &str| {
        format!(
            "/signalr/reconnect?messageId=0&{}&access_token={access}",
            query(&connection)
        )
    };
    assert_eq!(
        status(Client::open(relay.address, &path(&short)).await),
        401
    );
    let mallory = token("mallory", &["/"]);
    assert_eq!(
        status(Client::open(relay.address, &path(&mallory)).await),
        403
    );
    let path = path(&token("alice", &["/"]));
    let mut client = Client::open(relay.address, &path).await.unwrap();
    assert!(client.text().await.contains(r#"\"user\":\"bob\""#));
}
