//! Socket.IO: the token is in the credentials of a namespace, or in the first request.

use std::time::Duration;

use futures_util::SinkExt;
use serde_json::json;
use signal_relay::Config;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use super::support::socket_io::{Poller, code, event, impatient, path};
use super::support::tokens::{
    KeyFile, SECRET, expired, forged, settings, start, token, token_for, with_short,
};
use super::support::{Client, Relay, get, within};

/// Between two pings of a client.
const PAUSE: Duration = Duration::from_millis(50);

const A: &str = r#"{"sender":12,"channel":"a","message":"hi"}"#;

async fn open(relay: &Relay, version: u8, query: &str) -> Client {
    let path = format!("{}{query}", path(version, "websocket"));
    let mut client = Client::open(relay.address, &path).await.unwrap();
    assert!(client.text().await.starts_with("0{\"sid\":\""));
    client
}

async fn connect(client: &mut Client, namespace: &str, token: &str) -> String {
    let auth = json!({ "token": token });
    let packet = match namespace {
        "/" => format!("40{auth}"),
        namespace => format!("40{namespace},{auth}"),
    };
    client.send(&packet).await;
    client.text().await
}

#[tokio::test]
async fn a_namespace_needs_a_token_for_its_space() {
    let relay = start().await;
    let mut client = open(&relay, 4, "").await;
    client.send("40").await;
    assert_eq!(
        client.text().await,
        r#"44{"message":"a token is needed here"}"#
    );
    for bad in [
        forged("alice"),
        expired("alice"),
        token("alice", &["/other"]),
    ] {
        let answer = connect(&mut client, "/", &bad).await;
        assert!(
            answer.starts_with("44{\"message\":\"the token "),
            "{answer}"
        );
        assert!(!answer.contains(&bad));
    }
    client.send(&event(A)).await;
    assert_eq!(client.closed().await.0, 1002);

    let mut client = open(&relay, 4, "").await;
    let alice = token("alice", &["/", "/room"]);
    assert!(
        connect(&mut client, "/", &alice)
            .await
            .starts_with("40{\"sid\":")
    );
    assert!(
        connect(&mut client, "/room", &alice)
            .await
            .starts_with("40/room,{\"sid\":")
    );
    let answer = connect(&mut client, "/other", &alice).await;
    assert_eq!(
        answer,
        r#"44/other,{"message":"the token isn't for this space"}"#
    );
}

#[tokio::test]
async fn the_first_request_may_have_the_token() {
    let relay = start().await;
    let query = format!("&token={}", token("alice", &["/"]));
    let mut four = open(&relay, 4, &query).await;
    four.send("40").await;
    assert!(four.text().await.starts_with("40{\"sid\":"));
    let mut three = open(&relay, 3, &query).await;
    assert_eq!(three.text().await, "40");
    three.send(&event(A)).await;
    assert_eq!(
        four.text().await,
        event(r#"{"sender":12,"channel":"a","message":"hi","user":"alice"}"#)
    );
    let mut refused = open(&relay, 3, "").await;
    assert_eq!(refused.text().await, "44\"a token is needed here\"");
    let refused = get(relay.address, &path(3, "polling")).await;
    assert!(
        refused.body.ends_with("44\"a token is needed here\""),
        "{refused:?}"
    );
}

/// Pings alone don't keep the place of a client that wasn't let in.
#[tokio::test]
async fn a_refused_client_that_pings_is_disconnected() {
    let key = KeyFile::new(SECRET);
    let relay = Relay::start(Config {
        auth: settings(&key).auth,
        ..impatient()
    })
    .await;
    let mut client = open(&relay, 3, "").await;
    assert_eq!(client.text().await, "44\"a token is needed here\"");
    client.send("2").await;
    let poller = Poller::open(&relay, 3).await;
    let polling = async {
        while poller.post("2").await.status == 200 {
            sleep(PAUSE).await;
        }
    };
    let on_a_socket = async {
        while let Some(Ok(Message::Text(_) | Message::Ping(_))) = client.next().await {
            sleep(PAUSE).await;
            if client.0.send(Message::text("2")).await.is_err() {
                break;
            }
        }
    };
    // At the same time: neither may end by its silence.
    tokio::join!(
        within("the end of the polling client", polling),
        within("the end of the other client", on_a_socket),
    );
}

#[tokio::test]
async fn polling_needs_no_token_in_each_request() {
    let relay = start().await;
    let poller = Poller::open(&relay, 4).await;
    let auth = json!({ "access_token": token("alice", &["/"]) });
    assert_eq!(poller.post(&format!("40{auth}")).await.body, "ok");
    assert!(poller.poll().await[0].starts_with("40{\"sid\":"));
    let mut other = open(&relay, 4, "").await;
    connect(&mut other, "/", &token("bob", &["/"])).await;
    poller.post(&event(A)).await;
    assert!(other.text().await.contains(r#""user":"alice""#));
}

#[tokio::test]
async fn forbidden_channels_are_neither_sent_nor_received() {
    let relay = start().await;
    let (mut alice, mut bob) = (open(&relay, 4, "").await, open(&relay, 4, "").await);
    connect(&mut alice, "/", &token_for("alice", &["a"], &["b"])).await;
    connect(&mut bob, "/", &token("bob", &["/"])).await;
    alice
        .send(r#"427["message",{"sender":1,"channel":"b","message":1}]"#)
        .await;
    let answer = alice.text().await;
    assert_eq!(
        answer,
        r#"437["The token doesn't allow publishing on this channel."]"#
    );
    alice
        .send(r#"428["message",{"sender":1,"channel":"a","message":1}]"#)
        .await;
    assert_eq!(alice.text().await, "438[]");
    assert!(bob.text().await.contains(r#""channel":"a""#));
    for channel in ["a", "b"] {
        bob.send(&event(
            &json!({ "sender": 2, "channel": channel, "message": 1 }).to_string(),
        ))
        .await;
    }
    assert!(alice.text().await.contains(r#""channel":"b""#));
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let relay = start().await;
    let both = with_short("alice", &["/"], async |token| {
        let mut client = open(&relay, 4, "").await;
        let poller = Poller::open(&relay, 4).await;
        let auth = json!({ "token": token });
        poller.post(&format!("40{auth}")).await;
        let answers = [
            connect(&mut client, "/", token).await,
            poller.poll().await.remove(0),
        ];
        let joined = answers.iter().all(|answer| answer.starts_with("40"));
        joined.then_some((client, poller))
    });
    let (mut client, poller) = both.await;
    let expired = (4503, "the token has expired".to_owned());
    assert_eq!(client.closed().await, expired);
    while poller.get().await.status == 200 {}
    assert_eq!(code(&poller.get().await), (400, 1));
}
