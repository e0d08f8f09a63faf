//! A gap is reported for each limit of the history, for sessions that are gone, and for ids that
//! were never given; and only then.

use std::time::Duration;

use signal_relay::Config;
use signal_relay::hub::{history, sessions};

use super::support::resuming::{Page, message, text};
use super::support::{Relay, config, within};

#[tokio::test]
async fn an_id_that_was_never_given_is_a_gap() {
    let relay = Relay::start(config()).await;
    let mut sender = relay.join("/").await;
    let mut page = Page::connect(&relay, "/").await;
    page.say(r#"{"open":["a","b","c"],"after":{"a":"12","b":"of another epoch","c":"-1"}}"#)
        .await;
    page.ack(0).await;
    for channel in ["a", "b", "c"] {
        assert_eq!(page.next().await, format!(r#"{{"gap":"{channel}"}}"#));
    }
    sender.send(&text(1, "a", "1")).await;
    assert_eq!(page.message().await, message(1, "a", "1"));
}

/// Opens, sends what overruns the bound, comes back, and gives what comes behind the
/// acknowledgement.
async fn overrun(history: history::Limits, messages: usize, length: usize) -> Vec<String> {
    let relay = Relay::start(Config {
        history,
        ..config()
    })
    .await;
    let page = Page::open(&relay, "/", &["a", "quiet"]).await;
    let secret = page.secret.clone();
    drop(page);
    relay.until(|stats| stats.sessions.kept == 1).await;
    let mut sender = Page::open(&relay, "/", &["x"]).await;
    for number in 0..messages {
        let body = format!("\"{number:0>length$}\"");
        sender.send(1, number as u64 + 1, "a", &body).await;
    }
    sender.acknowledged(messages as u64).await;
    if history.age < Duration::from_secs(10) {
        relay.until(|stats| stats.history.messages == 0).await;
    }
    let mut page = Page::connect(&relay, "/").await;
    page.resume(&secret, &["a", "quiet"], &[]).await;
    page.ack(0).await;
    page.say(r#"{"ping":1}"#).await;
    let mut came = Vec::new();
    within("the answer to a ping", async {
        loop {
            let text = page.next().await;
            if text == r#"{"pong":1}"# {
                return came;
            }
            came.push(text);
        }
    })
    .await
}

fn numbers(came: &[String]) -> Vec<usize> {
    came.iter()
        .map(|text| {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            value["message"].as_str().unwrap().parse().unwrap()
        })
        .collect()
}

#[tokio::test]
async fn each_limit_of_the_history_leaves_a_gap_on_that_channel_only() {
    let ample = config().history;
    for (bounds, kept) in [
        (
            history::Limits {
                messages: 4,
                ..ample
            },
            6..10,
        ),
        (
            history::Limits {
                bytes: 3 * text(1, "a", "\"0000000000\"").len(),
                ..ample
            },
            7..10,
        ),
        (
            history::Limits {
                // Almost three.
                total: 3 * (text(1, "a", "\"0000000000\"").len() + history::OVERHEAD)
                    + history::SPACE
                    + history::RECORD,
                ..ample
            },
            8..10,
        ),
        (
            history::Limits {
                age: Duration::from_millis(50),
                ..ample
            },
            10..10,
        ),
        (
            history::Limits {
                messages: 0,
                ..ample
            },
            10..10,
        ),
    ] {
        let came = overrun(bounds, 10, 10).await;
        assert_eq!(came[0], r#"{"gap":"a"}"#, "{bounds:?}");
        assert_eq!(numbers(&came[1..]), kept.collect::<Vec<_>>(), "{bounds:?}");
    }
    // To the message: nothing is missing as long as all that came is kept.
    let came = overrun(
        history::Limits {
            messages: 10,
            bytes: 10 * text(1, "a", "\"0000000000\"").len(),
            ..ample
        },
        10,
        10,
    )
    .await;
    assert_eq!(numbers(&came), (0..10).collect::<Vec<_>>());
}

#[tokio::test]
async fn own_messages_leave_no_gap() {
    let relay = Relay::start(Config {
        history: history::Limits {
            messages: 3,
            ..config().history
        },
        sessions: sessions::Limits {
            late_history: true,
            ..config().sessions
        },
        ..config()
    })
    .await;
    let mut a = Page::open(&relay, "/", &["a"]).await;
    let mut b = Page::open(&relay, "/", &["a"]).await;
    b.send(2, 1, "a", "1").await;
    let (seen, _) = a.numbered().await;
    for reference in 1..=10 {
        a.send(1, reference, "a", "0").await;
        b.message().await;
    }
    a.acknowledged(10).await;
    let secret = a.secret.clone();
    drop(a);
    let mut a = Page::connect(&relay, "/").await;
    a.resume(&secret, &["a"], &[("a", seen)]).await;
    a.ack(10).await;
    b.send(2, 2, "a", "2").await;
    assert_eq!(a.message().await, message(2, "a", "2"));
    // For another session it is a gap, and so it is for the session itself when somebody
    // else's is among what was dropped.
    let mut c = Page::connect(&relay, "/").await;
    c.say(&format!(r#"{{"open":["a"],"after":{{"a":"{seen}"}}}}"#))
        .await;
    c.ack(0).await;
    assert_eq!(c.next().await, r#"{"gap":"a"}"#);
    assert!(c.next().await.contains("\"message\":0"));
    for reference in 11..=20 {
        a.send(1, reference, "a", "0").await;
    }
    a.acknowledged(20).await;
    drop(a);
    let mut a = Page::connect(&relay, "/").await;
    a.resume(&secret, &["a"], &[("a", seen)]).await;
    a.ack(20).await;
    assert_eq!(a.next().await, r#"{"gap":"a"}"#);
    a.say(r#"{"ping":1}"#).await;
    assert_eq!(a.next().await, r#"{"pong":1}"#);
}

#[tokio::test]
async fn a_quiet_channel_has_no_gap_however_old_its_last_message_is() {
    let relay = Relay::start(Config {
        history: history::Limits {
            age: Duration::from_millis(1),
            ..config().history
        },
        ..config()
    })
    .await;
    let mut page = Page::open(&relay, "/", &["quiet", "silent"]).await;
    let mut sender = relay.join("/").await;
    sender.send(&text(1, "quiet", "1")).await;
    let (seen, _) = page.numbered().await;
    // Much is published elsewhere, and all of it expires, with the channels.
    for number in 0..100 {
        sender.send(&text(1, &format!("busy {number}"), "0")).await;
    }
    sender.heard().await;
    relay
        .until(|stats| (stats.history.messages, stats.history.channels) == (0, 2))
        .await;
    let secret = page.secret.clone();
    drop(page);
    let mut page = Page::connect(&relay, "/").await;
    page.resume(&secret, &["quiet", "silent"], &[("quiet", seen)])
        .await;
    page.ack(0).await;
    page.say(r#"{"ping":1}"#).await;
    assert_eq!(page.next().await, r#"{"pong":1}"#);
    // For a channel that nobody had open there is no record: better a gap too many.
    page.say(&format!(
        r#"{{"open":["busy 7"],"after":{{"busy 7":"{seen}"}}}}"#
    ))
    .await;
    page.ack(0).await;
    assert_eq!(page.next().await, r#"{"gap":"busy 7"}"#);
}
