//! A store that loses what it kept, and what is kept in it.

use std::collections::HashSet;
use std::time::Duration;

use async_nats::jetstream::{self, stream};
use futures_util::{FutureExt, StreamExt};

use super::support::nats::Nats;
use super::support::resuming::Page;
use super::support::{config, within};

/// A stranger's access to what NATS keeps.
async fn jetstream(nats: &Nats) -> jetstream::Context {
    let servers = nats.settings().servers.to_string();
    jetstream::new(async_nats::connect(servers).await.unwrap())
}

#[tokio::test]
async fn a_relay_whose_store_has_lost_everything_ends() {
    let Some(mut nats) = Nats::start().await else {
        return;
    };
    let mut relay = nats.program(&[]).await;
    let mut page = Page::open_on(relay.address, "/", &["a"]).await;
    page.send(1, 1, "a", "1").await;
    page.acknowledged(1).await;
    relay.logged("connected to NATS").await;
    nats.kill();
    nats.forget();
    nats.restart().await;
    assert_eq!(page.client.closed().await.0, 1001);
    relay.logged("NATS has lost what it kept").await;
    let ended = tokio::task::spawn_blocking(move || relay.child.wait().unwrap());
    assert_eq!(within("the end", ended).await.unwrap().code(), Some(1));
    // Started again, it has another epoch.
    let again = nats.program(&[]).await;
    assert_ne!(Page::connect_to(again.address, "/").await.epoch, page.epoch);
}

#[tokio::test]
async fn nats_that_lost_everything_before_the_first_message_ends_the_relay() {
    let Some(mut nats) = Nats::start().await else {
        return;
    };
    let mut relay = nats.program(&[]).await;
    nats.kill();
    nats.forget();
    nats.restart().await;
    relay.logged("NATS has lost what it kept").await;
}

#[tokio::test]
async fn each_stream_that_nats_loses_ends_the_relay_and_the_epoch() {
    let lose = async |stream: &str| {
        let Some(nats) = Nats::start().await else {
            return;
        };
        let mut relay = nats.program(&[]).await;
        let page = Page::open_on(relay.address, "/", &["a"]).await;
        let context = jetstream(&nats).await;
        context.delete_stream(stream).await.unwrap();
        relay.logged("NATS has lost what it kept").await;
        let ended = tokio::task::spawn_blocking(move || relay.child.wait().unwrap());
        assert_eq!(within("the end", ended).await.unwrap().code(), Some(1));
        let again = nats.program(&[]).await;
        let epoch = Page::connect_to(again.address, "/").await.epoch;
        assert_ne!(epoch, page.epoch, "{stream}");
    };
    tokio::join!(
        lose("signal-relay"),
        lose("KV_signal-relay-sessions"),
        lose("KV_signal-relay-common"),
    );
}

#[tokio::test]
async fn streams_that_were_lost_while_there_was_no_relay_end_the_epoch() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let mut epochs = HashSet::new();
    for lost in [
        "",
        "signal-relay",
        "KV_signal-relay-sessions",
        "KV_signal-relay-common",
    ] {
        if !lost.is_empty() {
            jetstream(&nats).await.delete_stream(lost).await.unwrap();
        }
        // Both find that it is lost.
        let (first, second) = tokio::join!(nats.relay(), nats.relay());
        let epoch = Page::connect(&first, "/").await.epoch;
        assert_eq!(Page::connect(&second, "/").await.epoch, epoch);
        assert!(epochs.insert(epoch), "{lost}");
    }
}

#[tokio::test]
async fn what_expires_doesnt_end_the_epoch() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let first = nats.relay().await;
    let epoch = Page::connect(&first, "/").await.epoch;
    let context = jetstream(&nats).await;
    let sessions = context.get_stream("KV_signal-relay-sessions").await;
    sessions.unwrap().purge().await.unwrap();
    let second = nats.relay().await;
    assert_eq!(Page::connect(&second, "/").await.epoch, epoch);
}

#[tokio::test]
async fn a_relay_sets_its_own_limits_of_a_stream_only() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    drop(nats.relay().await);
    let context = jetstream(&nats).await;
    let kept = async || {
        let stream = context.get_stream("signal-relay").await.unwrap();
        stream.cached_info().config.clone()
    };
    let mut changed = kept().await;
    changed.max_message_size = 500_000;
    changed.max_age = Duration::from_secs(7);
    changed.description = None;
    context.update_stream(&changed).await.unwrap();
    for age in [Duration::from_secs(1000), Duration::from_secs(1)] {
        let mut config = config();
        config.history.age = age;
        drop(nats.relay_with(config).await);
        let expected = stream::Config {
            max_age: age,
            description: Some("What the pages of signal-relay have published".into()),
            ..changed.clone()
        };
        assert_eq!(kept().await, expected);
    }
}

#[tokio::test]
async fn a_relay_that_starts_changes_nothing_that_is_right() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let servers = nats.settings().servers.to_string();
    let stranger = async_nats::connect(servers).await.unwrap();
    let mut requests = stranger.subscribe("$JS.API.STREAM.*.*").await.unwrap();
    stranger.flush().await.unwrap();
    let mut counts = async || {
        drop(nats.relay().await);
        // What NATS sent before its answer is there.
        stranger.flush().await.unwrap();
        let mut counts = [0; 3];
        while let Some(Some(request)) = requests.next().now_or_never() {
            for (count, what) in counts.iter_mut().zip(["INFO", "CREATE", "UPDATE"]) {
                *count += usize::from(request.subject.contains(&format!(".{what}.")));
            }
        }
        counts
    };
    let [_, made, changed] = counts().await;
    assert_eq!((made, changed), (3, 0));
    let [asked, made, changed] = counts().await;
    assert_eq!((made, changed), (0, 0));
    assert!(asked >= 3, "{asked}");
}
