//! Messages that the page waits for.

use super::{Stage, connected, notes, poll, server, settle, spawn, take};
use signal_wasm::{Error, ErrorKind, Options, Outbox, Overflow, Signaling};
use std::task::Poll;
use std::time::Duration;
use wasm_bindgen_test::wasm_bindgen_test;

/// So long a plain server may take to close the connection over a message.
const DOUBT: f64 = 2_000.0;

#[wasm_bindgen_test]
async fn it_is_sent_at_once_and_resolves_when_it_is_accepted() {
    let stage = Stage::set().await;
    let (signaling, channel) = connected::<u8>(&stage);
    let published = channel.publish(&1);
    assert_eq!(stage.last_socket().take_frames().len(), 1);
    let flushed = spawn(signaling.flushed());
    let published = spawn(published);
    settle().await;
    assert_eq!((take(&published), take(&flushed)), (vec![], vec![]));
    stage.pass(DOUBT);
    settle().await;
    assert_eq!(
        (take(&published), take(&flushed)),
        (vec![Ok(())], vec![Ok(())])
    );
}

#[wasm_bindgen_test]
async fn it_fails_as_send_does() {
    let stage = Stage::set().await;
    let (signaling, channel) = connected::<String>(&stage);
    let kind = async |text: String| channel.publish(&text).await.unwrap_err().kind();
    assert_eq!(
        kind("x".repeat(1_000_000)).await,
        ErrorKind::MessageTooLarge
    );
    channel.close();
    assert_eq!(kind("x".into()).await, ErrorKind::ChannelClosed);
    signaling.close();
    assert_eq!(kind("x".into()).await, ErrorKind::SignalingClosed);
}

#[wasm_bindgen_test]
async fn it_fails_when_the_message_is_stale_or_dropped() {
    let stage = Stage::set().await;
    let signaling = Signaling::new(&Options {
        outbox: Outbox {
            messages: Some(1),
            overflow: Overflow::DropOldest,
            ..Outbox::default()
        },
        ..server()
    })
    .unwrap();
    let (errors, note) = notes();
    let _errors = signaling.on_error(move |error: &Error| note(error.kind()));
    let channel = signaling.channel::<u8>("room").unwrap();
    let dropped = spawn(channel.publish(&1));
    let stale = spawn(channel.publish_within(&2, Duration::from_millis(5)));
    stage.pass(6.0);
    settle().await;
    let kind = |outcome: Result<(), Error>| outcome.unwrap_err().kind();
    let kinds = [ErrorKind::OutboxFull, ErrorKind::MessageExpired];
    assert_eq!(
        [take(&dropped), take(&stale)]
            .concat()
            .into_iter()
            .map(kind)
            .collect::<Vec<_>>(),
        kinds
    );
    assert_eq!(take(&errors), kinds);
    let last = spawn(channel.publish(&3));
    signaling.close();
    settle().await;
    assert_eq!(kind(take(&last).remove(0)), ErrorKind::SignalingClosed);
}

#[wasm_bindgen_test]
async fn a_message_that_nobody_waits_for_any_more_is_taken_back() {
    let stage = Stage::set().await;
    let signaling = Signaling::new(&server()).unwrap();
    let channel = signaling.channel::<u8>("room").unwrap();
    drop(channel.publish(&1));
    let mut second = Box::pin(channel.publish(&2));
    assert_eq!(poll(&mut second), Poll::Pending);
    drop(second);
    let third = spawn(channel.publish(&3));
    assert_eq!(signaling.stats().queued, 1);
    stage.last_socket().accept();
    let sent = stage.last_socket().take_frames();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].ends_with(r#""message":3}"#), "{sent:?}");
    stage.pass(DOUBT);
    settle().await;
    assert_eq!(take(&third), [Ok(())]);
    // One that has settled isn't taken back.
    assert_eq!(signaling.stats().dropped, 0);
}

#[wasm_bindgen_test]
async fn send_within_drops_what_is_stale() {
    let stage = Stage::set().await;
    let signaling = Signaling::new(&server()).unwrap();
    let channel = signaling.channel::<u8>("room").unwrap();
    channel.send_within(&1, Duration::from_secs(1)).unwrap();
    channel.send_within(&2, Duration::from_secs(3)).unwrap();
    stage.pass(2_000.0);
    stage.last_socket().accept();
    let sent = stage.last_socket().take_frames();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].ends_with(r#""message":2}"#), "{sent:?}");
}
