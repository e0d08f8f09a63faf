//! Envelopes without a channel.

use super::support::resuming::{Page, text};
use super::support::signalr_classic::Hub as ClassicHub;
use super::support::signalr_core::Hub as CoreHub;
use super::support::socket_io::{event, join};
use super::support::sse::{Reader, post};
use super::support::{Relay, config};

/// RTCMultiConnection 1.0 names no channel for the room itself, so the shim's envelopes have none.
#[tokio::test]
async fn envelopes_without_a_channel_reach_every_protocol() {
    let relay = Relay::start(config()).await;
    let mut sender = relay.join("/").await;
    let mut old = relay.join("/").await;
    let mut page = Page::open(&relay, "/", &["undefined"]).await;
    let mut elsewhere = Page::open(&relay, "/", &["main-channel"]).await;
    let mut reader = Reader::open(&relay, "/sse").await;
    let mut socket_io = join(&relay, 4).await;
    let mut core = CoreHub::join(&relay, "/hub").await;
    let mut classic = ClassicHub::join(&relay, "/signalr").await;
    for number in 0..5 {
        let text = format!(r#"{{"sender":7,"message":{{"n":{number}}}}}"#);
        match number {
            0 => sender.send(&text).await,
            1 => assert_eq!(post(&relay, "/sse", &text).await.status, 204),
            2 => socket_io.send(&event(&text)).await,
            3 => core.publish(&text).await,
            _ => classic.publish(&text).await,
        }
        assert_eq!(old.text().await, text);
        assert_eq!(page.message().await, text);
        assert_eq!(reader.message().await, text);
        if number != 2 {
            assert_eq!(socket_io.text().await, event(&text));
        }
        if number != 3 {
            assert_eq!(core.delivered().await, text);
        }
        if number != 4 {
            assert_eq!(classic.delivered().await, text);
        }
    }
    // A subscriber names it, and everyone else hears it as the shim does: `channels['undefined']`.
    page.send(8, 1, "undefined", "1").await;
    let named = text(8, "undefined", "1");
    assert_eq!(old.envelope().await, named);
    assert_eq!(socket_io.text().await, event(&named));
    // Who has another channel open received none of it.
    sender.send(&text(7, "main-channel", "1")).await;
    assert_eq!(elsewhere.message().await, text(7, "main-channel", "1"));
}

#[tokio::test]
async fn a_call_without_sender_and_channel_gets_the_connections_sender() {
    let relay = Relay::start(config()).await;
    let mut page = Page::open(&relay, "/", &["undefined"]).await;
    let mut core = CoreHub::join(&relay, "/hub").await;
    let mut classic = ClassicHub::join(&relay, "/signalr").await;
    core.publish(r#"{"message":1}"#).await;
    classic.delivered().await;
    classic.publish(r#"{"message":2}"#).await;
    for message in ["1", "2"] {
        let text = page.message().await;
        let sender = text
            .strip_prefix(r#"{"sender":"#)
            .and_then(|rest| rest.strip_suffix(&format!(r#","message":{message}}}"#)));
        assert!(sender.unwrap().parse::<u64>().unwrap() < 1 << 53, "{text}");
    }
}

#[tokio::test]
async fn what_was_missed_without_a_channel_is_replayed_by_its_id() {
    let relay = Relay::start(config()).await;
    let mut sender = relay.join("/").await;
    let mut page = Page::open(&relay, "/", &["main-channel", "undefined"]).await;
    let secret = page.secret.clone();
    sender.send(r#"{"sender":7,"message":1}"#).await;
    let (seen, text) = page.numbered().await;
    assert_eq!(text, r#"{"sender":7,"message":1}"#);
    drop(page);
    sender.send(r#"{"sender":7,"message":2}"#).await;
    let mut page = Page::connect(&relay, "/").await;
    page.resume(
        &secret,
        &["main-channel", "undefined"],
        &[("undefined", seen)],
    )
    .await;
    page.ack(0).await;
    assert_eq!(page.message().await, r#"{"sender":7,"message":2}"#);
}
