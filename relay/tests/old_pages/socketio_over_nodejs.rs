//! Pages of socketio-over-nodejs.

use super::support::resuming::Page;
use super::support::socket_io::{Poller, event, join};
use super::support::{Client, Relay, config};

/// A page whose namespace is a channel. It joins before it says what it is, as real clients do.
async fn open(relay: &Relay, version: u8, channel: &str) -> Client {
    let mut client = join(relay, version).await;
    client.send(&format!("40/{channel},")).await;
    assert!(client.text().await.starts_with(&format!("40/{channel},")));
    let news = format!(r#"42["new-channel",{{"channel":"{channel}","sender":1}}]"#);
    client.send(&news).await;
    client.heard().await;
    client
}

async fn is_present(client: &mut Client, channel: &str) -> bool {
    client.send(&format!(r#"42["presence","{channel}"]"#)).await;
    match client.text().await.as_str() {
        r#"42["presence",true]"# => true,
        r#"42["presence",false]"# => false,
        other => panic!("{other}"),
    }
}

fn said(channel: &str, sender: u64, data: &str) -> String {
    format!(r#"42/{channel},["message",{{"sender":{sender},"data":{data}}}]"#)
}

#[tokio::test]
async fn the_others_in_the_namespace_receive_the_bare_data() {
    let relay = Relay::start(config()).await;
    for version in [3, 4] {
        let mut one = open(&relay, version, "a").await;
        let mut other = open(&relay, version, "a").await;
        let mut elsewhere = open(&relay, version, "b").await;
        for data in [r#"{"userToken":"x"}"#, "\"text\"", "null", "5"] {
            one.send(&said("a", 12, data)).await;
            assert_eq!(other.text().await, format!(r#"42/a,["message",{data}]"#));
        }
        elsewhere.send(&said("b", 13, "1")).await;
        for client in [&mut one, &mut other, &mut elsewhere] {
            client.heard().await;
        }
        drop((one, other, elsewhere));
        relay.until_empty().await;
    }
}

#[tokio::test]
async fn they_and_other_pages_hear_each_other() {
    let relay = Relay::start(config()).await;
    let mut old = open(&relay, 4, "a").await;
    let mut shim = relay.join("/").await;
    let mut page = Page::open(&relay, "/", &["a"]).await;
    let mut socket_io = join(&relay, 3).await;
    let mut websocket = relay.join("/").await;
    websocket.send(r#"{"open":true,"channel":"a"}"#).await;
    websocket.heard().await;
    old.send(&said("a", 12, r#"{"hello":1}"#)).await;
    let envelope = r#"{"sender":12,"channel":"a","message":{"hello":1}}"#;
    assert_eq!(shim.envelope().await, envelope);
    assert_eq!(page.client.envelope().await, envelope);
    assert_eq!(socket_io.text().await, event(envelope));
    assert_eq!(websocket.text().await, r#"{"hello":1}"#);
    page.say(r#"{"sender":6,"channel":"a","ref":1,"message":["from the page"]}"#)
        .await;
    assert_eq!(old.text().await, r#"42/a,["message",["from the page"]]"#);
    websocket
        .send(r#"{"data":"from there","channel":"a"}"#)
        .await;
    assert_eq!(old.text().await, r#"42/a,["message","from there"]"#);
}

#[tokio::test]
async fn a_message_shows_the_page_too() {
    let relay = Relay::start(config()).await;
    let mut other = open(&relay, 4, "a").await;
    // Later channels of a page are announced on other connections.
    let mut one = join(&relay, 4).await;
    one.send("40/a,").await;
    one.text().await;
    one.send(&said("a", 12, "1")).await;
    assert_eq!(other.text().await, r#"42/a,["message",1]"#);
    one.send("40/b,").await;
    one.text().await;
    other.send("40/b,").await;
    other.text().await;
    other.send(&said("b", 13, "2")).await;
    assert_eq!(one.text().await, r#"42/b,["message",2]"#);
}

#[tokio::test]
async fn presence_is_answered() {
    let relay = Relay::start(config()).await;
    let mut asking = join(&relay, 3).await;
    assert!(!is_present(&mut asking, "a").await);
    let mut old = open(&relay, 4, "a").await;
    assert!(is_present(&mut asking, "a").await);
    old.send("41/a,").await;
    old.heard().await;
    assert!(!is_present(&mut asking, "a").await);
    let _page = Page::open(&relay, "/", &["a"]).await;
    assert!(is_present(&mut asking, "a").await);
}

#[tokio::test]
async fn who_named_a_user_is_missed() {
    let relay = Relay::start(config()).await;
    let mut staying = open(&relay, 4, "a").await;
    let mut page = Page::open(&relay, "/", &["a"]).await;
    for version in [3, 4] {
        for leaves_namespace in [true, false] {
            let mut leaving = open(&relay, version, "a").await;
            let mut silent = open(&relay, version, "a").await;
            leaving.send(&said("a", 12, r#"{"sender":"Ann"}"#)).await;
            leaving.send(&said("a", 12, r#"{"sender":"Bob"}"#)).await;
            silent.send(&said("a", 14, r#"{"userid":"x"}"#)).await;
            for _ in 0..3 {
                staying.text().await;
                page.client.envelope().await;
            }
            if leaves_namespace {
                silent.send("41/a,").await;
                leaving.send("41/a,").await;
            }
            drop((leaving, silent));
            assert_eq!(staying.text().await, r#"42/a,["user-left","Ann"]"#);
            assert_eq!(
                page.client.envelope().await,
                r#"{"sender":12,"channel":"a","message":{"userLeft":"Ann"},"event":"user-left"}"#
            );
            relay.until(|stats| stats.members == 3).await;
        }
    }
    staying.heard().await;
    // A polling client whose session ends is missed as well.
    let poller = Poller::join(&relay, 4).await;
    poller.post("40/a,").await;
    poller.post(&said("a", 15, r#"{"sender":"Cleo"}"#)).await;
    assert_eq!(
        staying.text().await,
        r#"42/a,["message",{"sender":"Cleo"}]"#
    );
    poller.post("1").await;
    assert_eq!(staying.text().await, r#"42/a,["user-left","Cleo"]"#);
}

#[tokio::test]
async fn namespaces_of_other_pages_stay_spaces() {
    let relay = Relay::start(config()).await;
    let mut old = open(&relay, 4, "a").await;
    let mut seed = join(&relay, 4).await;
    seed.send("40/a,").await;
    seed.text().await;
    let mut shim = relay.join("/a").await;
    old.send(&said("a", 12, "1")).await;
    seed.text().await;
    let envelope = r#"{"sender":5,"channel":"x","message":1}"#;
    shim.send(envelope).await;
    assert_eq!(seed.text().await, format!(r#"42/a,["message",{envelope}]"#));
    seed.heard().await;
    old.heard().await;
}
