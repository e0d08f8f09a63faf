//! A store that loses what it kept, and what is kept in it.

use std::collections::HashSet;
use std::time::Duration;

use async_nats::jetstream::{self, stream};

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
        let relays = [nats.relay().await, nats.relay().await];
        for relay in &relays {
            epochs.insert(Page::connect(relay, "/").await.epoch);
        }
    }
    assert_eq!(epochs.len(), 4);
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
