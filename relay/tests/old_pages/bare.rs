//! Bare messages of Socket.IO: `io.connect().on('message')`.

use super::support::resuming::Page;
use super::support::socket_io::{event, join};
use super::support::{Relay, config};

#[tokio::test]
async fn bare_messages_reach_the_others_as_they_came() {
    let relay = Relay::start(config()).await;
    let mut one = join(&relay, 3).await;
    let mut other = join(&relay, 4).await;
    for message in [
        r#""text""#,
        "5",
        "null",
        "[1, 2]",
        r#"{"userToken":"x"}"#,
        r#"{"message":"hi"}"#,
        r#"{"channel":{}}"#,
    ] {
        one.send(&event(message)).await;
        assert_eq!(other.text().await, event(message));
    }
    other.send(&event("\"back\"")).await;
    assert_eq!(one.text().await, event("\"back\""));
}

#[tokio::test]
async fn they_and_pages_on_the_channel_undefined_hear_each_other() {
    let relay = Relay::start(config()).await;
    let mut bare = join(&relay, 4).await;
    let mut envelopes = join(&relay, 4).await;
    let mut shim = relay.join("/").await;
    let mut page = Page::open(&relay, "/", &["undefined"]).await;
    envelopes
        .send(&event(r#"{"sender":3,"channel":"a","message":1}"#))
        .await;
    bare.text().await;
    shim.text().await;
    bare.send(&event(r#"{"hello":1}"#)).await;
    // Who has sent envelopes receives envelopes.
    let heard = envelopes.text().await;
    assert!(heard.starts_with(r#"42["message",{"sender":"#), "{heard}");
    assert!(heard.contains(r#","message":{"hello":1},"#), "{heard}");
    let heard = shim.text().await;
    assert!(heard.contains(r#","message":{"hello":1},"#), "{heard}");
    let heard = page.client.envelope().await;
    assert!(heard.contains(r#","message":{"hello":1},"#), "{heard}");
    shim.send(r#"{"sender":5,"message":"from the shim"}"#).await;
    assert_eq!(bare.text().await, event("\"from the shim\""));
    page.say(r#"{"sender":6,"channel":"undefined","ref":1,"message":"named"}"#)
        .await;
    assert_eq!(bare.text().await, event("\"named\""));
}

#[tokio::test]
async fn what_looks_like_a_control_frame_never_reaches_a_plain_client_as_one() {
    let relay = Relay::start(config()).await;
    let mut bare = join(&relay, 4).await;
    let mut shim = relay.join("/").await;
    for control in [
        r#"{"gap":"a"}"#,
        r#"{"signal":1,"session":"x","epoch":"y","ping":1}"#,
        r#"{"ack":7,"message":1}"#,
    ] {
        bare.send(&event(control)).await;
        let heard = shim.text().await;
        assert!(heard.starts_with(r#"{"sender":"#), "{heard}");
        assert!(
            heard.contains(&format!(r#""message":{control}"#)),
            "{heard}"
        );
    }
}
