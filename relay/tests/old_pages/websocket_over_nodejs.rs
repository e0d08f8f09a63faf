//! Pages of websocket-over-nodejs.

use std::time::Duration;

use signal_relay::Config;

use super::support::resuming::Page;
use super::support::{Client, LIMIT, Relay, config};

/// A page that has this channel open.
async fn open(relay: &Relay, channel: &str) -> Client {
    let mut client = relay.join("/").await;
    client
        .send(&format!(r#"{{"open":true,"channel":"{channel}"}}"#))
        .await;
    client.heard().await;
    client
}

async fn is_present(client: &mut Client, channel: &str) -> bool {
    client
        .send(&format!(
            r#"{{"checkPresence":true,"channel":"{channel}"}}"#
        ))
        .await;
    match client.text().await.as_str() {
        r#"{"isChannelPresent":true}"# => true,
        r#"{"isChannelPresent":false}"# => false,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_others_on_a_channel_receive_the_bare_data() {
    let relay = Relay::start(config()).await;
    let mut one = open(&relay, "a").await;
    let mut other = open(&relay, "a").await;
    let mut elsewhere = open(&relay, "b").await;
    for data in [
        r#"{"userToken":"x","n":1e400}"#,
        r#""text""#,
        "null",
        "[1, 2]",
    ] {
        one.send(&format!(r#"{{"data":{data},"channel":"a"}}"#))
            .await;
        assert_eq!(other.text().await, data);
    }
    one.send(r#"{"data":"b","channel":"b"}"#).await;
    assert_eq!(elsewhere.text().await, r#""b""#);
    one.heard().await;
    other.heard().await;
}

#[tokio::test]
async fn they_and_other_pages_hear_each_other() {
    let relay = Relay::start(config()).await;
    let mut old = open(&relay, "a").await;
    let mut shim = relay.join("/").await;
    let mut page = Page::open(&relay, "/", &["a"]).await;
    old.send(r#"{"data":{"hello":1},"channel":"a"}"#).await;
    for heard in [shim.envelope().await, page.client.envelope().await] {
        let (sender, rest) = heard.split_once(',').unwrap();
        let sender = sender.strip_prefix(r#"{"sender":"#).unwrap();
        assert!(sender.parse::<u64>().is_ok(), "{heard}");
        assert_eq!(rest, r#""channel":"a","message":{"hello":1}}"#);
    }
    shim.send(r#"{"sender":5,"channel":"a","message":{"from":"the shim"}}"#)
        .await;
    assert_eq!(old.text().await, r#"{"from":"the shim"}"#);
    page.client
        .send(r#"{"sender":6,"channel":"a","ref":1,"message":"from the page"}"#)
        .await;
    assert_eq!(old.text().await, r#""from the page""#);
    // Neither an envelope without a message nor any other text.
    shim.send(r#"{"sender":5,"channel":"a"}"#).await;
    shim.send("text").await;
    shim.send(r#"{"sender":5,"channel":"b","message":1}"#).await;
    shim.send(r#"{"sender":5,"channel":"a","message":"last"}"#)
        .await;
    assert_eq!(old.text().await, r#""last""#);
}

#[tokio::test]
async fn presence_is_answered_for_whoever_has_the_channel_open() {
    let relay = Relay::start(config()).await;
    let mut asking = relay.join("/").await;
    assert!(!is_present(&mut asking, "a").await);
    let old = open(&relay, "a").await;
    assert!(is_present(&mut asking, "a").await);
    assert!(!is_present(&mut asking, "b").await);
    drop(old);
    relay.until(|stats| stats.members == 1).await;
    assert!(!is_present(&mut asking, "a").await);
    let _page = Page::open(&relay, "/", &["a"]).await;
    assert!(is_present(&mut asking, "a").await);
    // Spaces are apart.
    let mut outside = relay.join("/other").await;
    assert!(!is_present(&mut outside, "a").await);
    // Who only asks receives nothing.
    let mut shim = relay.join("/").await;
    shim.send(r#"{"sender":5,"channel":"a","message":1}"#).await;
    shim.heard().await;
    asking.heard().await;
}

#[tokio::test]
async fn the_hello_may_wait_for_the_first_frame() {
    let relay = Relay::start(Config {
        hello_delay: LIMIT * 10,
        ..config()
    })
    .await;
    let mut asking = Client::open(relay.address, "/").await.unwrap();
    assert!(!is_present(&mut asking, "a").await);
    let mut old = Client::open(relay.address, "/").await.unwrap();
    old.send(r#"{"open":true,"channel":"a"}"#).await;
    old.heard().await;
    let mut shim = Client::open(relay.address, "/").await.unwrap();
    shim.send(r#"{"sender":5,"channel":"a","message":1}"#).await;
    shim.greeted().await;
    assert_eq!(old.text().await, "1");
}

#[tokio::test]
async fn who_sends_nothing_is_greeted_a_little_later() {
    let relay = Relay::start(Config {
        hello_delay: Duration::from_millis(50),
        ..config()
    })
    .await;
    let mut silent = Client::open(relay.address, "/").await.unwrap();
    silent.greeted().await;
}

/// A page with signal-wasm takes a hello behind another frame for that of another page.
#[tokio::test]
async fn nothing_comes_before_a_hello_that_waits() {
    let relay = Relay::start(Config {
        hello_delay: LIMIT * 10,
        ..config()
    })
    .await;
    let mut silent = Client::open(relay.address, "/").await.unwrap();
    silent.heard().await;
    let mut shim = Client::open(relay.address, "/").await.unwrap();
    let text = r#"{"sender":5,"channel":"a","message":1}"#;
    shim.send(text).await;
    shim.greeted().await;
    silent.greeted().await;
    assert_eq!(silent.envelope().await, text);
}

#[tokio::test]
async fn a_frame_that_means_nothing_is_passed_over() {
    let relay = Relay::start(config()).await;
    let mut one = open(&relay, "a").await;
    let mut other = open(&relay, "a").await;
    let mut page = Page::open(&relay, "/", &["a"]).await;
    for nothing in [
        "",
        "{",
        "[]",
        "null",
        r#"{"data":1}"#,
        r#"{"channel":"a"}"#,
        r#"{"data":1,"channel":{}}"#,
        r#"{"open":true}"#,
        r#"{"open":["a"]}"#,
        r#"{"ping":1}"#,
        r#"{"token":"x"}"#,
        "{\"ack\":1}\n{\"gap\":\"a\"}",
    ] {
        one.send(nothing).await;
    }
    // What looks like the relay's own is data like any other, inside of its envelope.
    one.send(r#"{"data":{"gap":"a"},"channel":"a"}"#).await;
    assert_eq!(other.text().await, r#"{"gap":"a"}"#);
    let heard = page.client.envelope().await;
    assert!(
        heard.ends_with(r#","channel":"a","message":{"gap":"a"}}"#),
        "{heard}"
    );
}

#[tokio::test]
async fn its_channels_are_bounded() {
    let relay = Relay::start(config()).await;
    let mut client = open(&relay, "0").await;
    for number in 1..100 {
        client
            .send(&format!(r#"{{"open":true,"channel":"{number}"}}"#))
            .await;
    }
    assert_eq!(client.closed().await.0, 4501);
    drop(client);
    let mut client = open(&relay, "0").await;
    let long = "x".repeat(1025);
    client
        .send(&format!(r#"{{"open":true,"channel":"{long}"}}"#))
        .await;
    let (_, reason) = client.closed().await;
    assert!(reason.contains("over 1024 bytes"), "{reason}");
    drop(client);
    relay.until_empty().await;
}
