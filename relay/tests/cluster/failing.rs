//! A store that fails, and comes back.

use std::time::Duration;

use async_nats::jetstream::{self, stream};
use serde_json::{Value, json};
use signal_relay::Config;
use signal_relay::hub::history;

use super::support::nats::Nats;
use super::support::resuming::{Page, message, text};
use super::support::sse::post;
use super::support::{LIMIT, Relay, config, get, within};

/// Waits until `/readyz` answers so.
async fn until_ready(relay: &Relay, is_ready: bool) {
    let expected = if is_ready { 200 } else { 503 };
    within("another state", async {
        while get(relay.address, "/readyz").await.status != expected {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

/// Some messages of 500 bytes are all that NATS keeps then.
fn with_little_history() -> Config {
    Config {
        history: history::Limits {
            total: 4096,
            ..config().history
        },
        ..config()
    }
}

#[tokio::test]
async fn without_nats_nothing_is_acknowledged_and_nothing_is_lost() {
    let Some(mut nats) = Nats::start().await else {
        return;
    };
    // No page is to be sent a ping meanwhile.
    let patient = Config {
        ping_interval: 10 * LIMIT,
        ..config()
    };
    let first = nats.relay_with(patient.clone()).await;
    let second = nats.relay_with(patient).await;
    let mut a = Page::open(&first, "/", &["a"]).await;
    let mut b = Page::open(&second, "/", &["a"]).await;
    a.send(1, 1, "a", "1").await;
    a.acknowledged(1).await;
    assert_eq!(b.message().await, message(1, "a", "1"));

    nats.kill();
    until_ready(&first, false).await;
    assert_eq!(get(first.address, "/healthz").await.status, 200);
    a.send(1, 2, "a", "2").await;
    assert_eq!(a.client.closed().await.0, 1013);

    nats.restart().await;
    until_ready(&first, true).await;
    let secret = a.secret.clone();
    let mut a = Page::connect(&first, "/").await;
    a.resume(&secret, &["a"], &[]).await;
    a.ack(1).await;
    a.send(1, 2, "a", "2").await;
    a.send(1, 3, "a", "3").await;
    a.acknowledged(3).await;
    // The connection that sent nothing is still there, and receives each message once.
    assert_eq!(b.message().await, message(1, "a", "2"));
    assert_eq!(b.message().await, message(1, "a", "3"));
    b.send(2, 1, "a", "4").await;
    assert_eq!(a.message().await, message(2, "a", "4"));
}

#[tokio::test]
async fn a_short_interruption_is_not_noticed() {
    let Some(mut nats) = Nats::start().await else {
        return;
    };
    let relay = nats.relay().await;
    let mut a = Page::open(&relay, "/", &["a"]).await;
    let mut b = Page::open(&relay, "/", &["a"]).await;
    for round in 1..=3 {
        nats.kill();
        a.send(1, round, "a", &round.to_string()).await;
        nats.restart().await;
        a.acknowledged(round).await;
        assert_eq!(b.message().await, message(1, "a", &round.to_string()));
    }
}

#[tokio::test]
async fn what_was_dropped_before_it_came_is_a_gap() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let few = with_little_history();
    let first = nats.relay_with(few.clone()).await;
    let mut page = Page::open(&first, "/", &["a"]).await;
    let secret = page.secret.clone();
    page.say(r#"{"open":["b"]}"#).await;
    page.ack(0).await;
    drop(page);
    first.until(|stats| stats.members == 0).await;
    let mut publisher = Page::open(&first, "/", &["mine"]).await;
    let long = format!("\"{}\"", "x".repeat(500));
    for number in 1..=30 {
        publisher.send(2, number, "a", &long).await;
    }
    publisher.acknowledged(30).await;
    // On a relay that has to read it from NATS.
    let second = nats.relay_with(few).await;
    let mut page = Page::connect(&second, "/").await;
    page.resume(&secret, &["a", "b"], &[]).await;
    page.acknowledged_open().await;
    assert_eq!(page.next().await, r#"{"gap":"a"}"#);
    assert_eq!(page.next().await, r#"{"gap":"b"}"#);
    assert_eq!(page.message().await, message(2, "a", &long));
}

#[tokio::test]
async fn strangers_in_nats_harm_nothing() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let relay = nats.relay().await;
    let mut a = Page::open(&relay, "/", &["a"]).await;
    let mut old_page = relay.join("/").await;
    a.send(1, 1, "a", "1").await;
    assert_eq!(old_page.envelope().await, text(1, "a", "1"));
    let stranger = async_nats::connect(nats.settings().servers.to_string())
        .await
        .unwrap();
    let space = "signal-relay.said.8a5edab282632443219e051e4ade2d1d5bbc671c";
    for subject in [space, &space.replace("said", "heard")] {
        for payload in [
            "",
            "{}",
            "\u{0}",
            r#"{"sender":1,"channel":"a","message":2}"#,
        ] {
            stranger
                .publish(subject.to_owned(), payload.into())
                .await
                .unwrap();
        }
    }
    stranger.flush().await.unwrap();
    a.send(1, 2, "a", "3").await;
    assert_eq!(old_page.envelope().await, text(1, "a", "3"));
}

#[tokio::test]
async fn a_position_that_is_made_up_costs_nats_little() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let relay = nats.relay().await;
    let mut page = Page::open(&relay, "/", &["a"]).await;
    page.send(1, 1, "a", "1").await;
    page.acknowledged(1).await;
    let client = async_nats::connect(nats.settings().servers.to_string());
    let client = client.await.unwrap();
    let requests = async || {
        let answer = client.request("$JS.API.INFO", "".into()).await.unwrap();
        let account: Value = serde_json::from_slice(&answer.payload).unwrap();
        account["api"]["total"].as_u64().unwrap()
    };
    let before = requests().await;

    page.say(r#"{"open":["b"],"after":{"b":"1000"}}"#).await;
    page.acknowledged_open().await;
    // The relay looks twice, and not again and again while it waits. It may have asked for other
    // things meanwhile.
    let asked = requests().await - before;
    assert!((4..20).contains(&asked), "{asked} requests");
}

#[tokio::test]
async fn closing_what_is_not_open_writes_nothing() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let relay = nats.relay().await;
    let mut page = Page::open(&relay, "/", &["a"]).await;
    let client = async_nats::connect(nats.settings().servers.to_string());
    let context = jetstream::new(client.await.unwrap());
    let sessions = "KV_signal-relay-sessions";
    let written = async || {
        let stream = context.get_stream(sessions).await.unwrap();
        stream.get_info().await.unwrap().state.last_sequence
    };
    let before = written().await;
    for _ in 0..100 {
        page.say(r#"{"close":["none"]}"#).await;
    }
    page.send(1, 1, "a", "1").await;
    page.acknowledged(1).await;
    // The relay writes things of its own too, now and then.
    let more = written().await - before;
    assert!(more < 50, "{more} writes");
}

#[tokio::test]
async fn a_flood_in_one_space_is_no_gap_in_another() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let few = with_little_history();
    let (first, second) = (
        nats.relay_with(few.clone()).await,
        nats.relay_with(few).await,
    );
    let mut idle = Page::open(&first, "/idle", &["a"]).await;
    let mut other = Page::open(&second, "/idle", &["a"]).await;
    // No page is there: a relay that is too slow for the flood sends such pages away.
    let long = format!("\"{}\"", "x".repeat(500));
    for _ in 1..=30 {
        let posted = post(&first, "/busy/sse", &text(2, "a", &long)).await;
        assert_eq!(posted.status, 204);
    }
    for number in 1..=2 {
        other.send(3, number, "a", "1").await;
        assert_eq!(idle.message().await, message(3, "a", "1"));
    }
}

#[tokio::test]
async fn a_page_that_came_while_there_was_no_nats_misses_nothing_in_silence() {
    let Some(mut nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let mut a = Page::open(&first, "/", &["a"]).await;
    nats.kill();
    let mut old_page = second.join("/").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    nats.restart().await;
    for number in 1..=20 {
        a.send(1, number, "a", "1").await;
    }
    a.acknowledged(20).await;
    // It comes back, as any client does.
    assert_eq!(old_page.closed().await.0, 4008);
    let mut old_page = second.join("/").await;
    a.send(1, 21, "a", "2").await;
    assert_eq!(old_page.envelope().await, text(1, "a", "2"));
}

#[tokio::test]
async fn that_a_page_left_while_nats_took_nothing_is_known_later() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let relay = nats.relay().await;
    let page = Page::open(&relay, "/", &["a"]).await;
    let servers = nats.settings().servers.to_string();
    let context = jetstream::new(async_nats::connect(servers).await.unwrap());
    let stream = context
        .get_stream("KV_signal-relay-sessions")
        .await
        .unwrap();
    let is_connected = async || {
        let subject = "$KV.signal-relay-sessions.session.*";
        let record = stream.get_last_raw_message_by_subject(subject).await;
        let record: Value = serde_json::from_slice(&record.unwrap().payload).unwrap();
        record["is_connected"] == json!(true)
    };
    assert!(is_connected().await);
    let config = &stream.cached_info().config;
    let elsewhere = stream::Config {
        subjects: vec!["elsewhere".into()],
        ..config.clone()
    };
    context.update_stream(elsewhere).await.unwrap();
    drop(page);
    relay.until(|stats| stats.sessions.kept == 1).await;
    assert!(is_connected().await);
    context.update_stream(config).await.unwrap();
    within("the record", async {
        while is_connected().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}
