//! What's tested, with real clients that speak the relay's own protocol:
//! * the greeting; who has opened channels gets those only, and each answer begins with an acknowledgement
//! * messages are acknowledged, and taken once, however often they are sent
//! * who comes back gets what it missed, once, in order, and nothing of its own; also from a connection that only looks as if it were there
//! * a gap is told for each bound of the history, for sessions that are gone, and for ids that were never given; and never else
//! * members of all other kinds beside it; what breaks the protocol; what each session may hold
//! * nothing is left behind

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

use signal_relay::queue::Bounds;
use signal_relay::{Config, history, session};
use support::resuming::{Page, message, text};
use support::{Client, Relay, config};

#[tokio::test]
async fn each_connection_is_greeted_first() {
    let relay = Relay::start(Config {
        ping: Duration::from_millis(12_345),
        ..config()
    })
    .await;
    let mut secrets = Vec::new();
    for path in ["/", "/room"] {
        let mut client = Client::open(relay.address, path).await.unwrap();
        let hello = client.greeted().await;
        let value: serde_json::Value = serde_json::from_str(&hello).unwrap();
        let (secret, epoch) = (
            value["session"].as_str().unwrap(),
            value["epoch"].as_str().unwrap(),
        );
        assert_eq!(
            hello,
            format!(r#"{{"signal":1,"session":"{secret}","epoch":"{epoch}","ping":12345}}"#)
        );
        assert!(secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(!epoch.is_empty());
        secrets.push((secret.to_owned(), epoch.to_owned()));
    }
    assert_ne!(secrets[0].0, secrets[1].0);
    assert_eq!(secrets[0].1, secrets[1].1);
    let other = Relay::start(config()).await;
    let page = Page::connect(&other, "/").await;
    assert_ne!(page.epoch, secrets[0].1);
}

#[tokio::test]
async fn who_opens_channels_gets_those_only() {
    let relay = Relay::start(config()).await;
    let mut legacy = relay.join("/").await;
    let mut a = Page::open(&relay, "/", &["a", "b"]).await;
    let mut b = Page::open(&relay, "/", &["b"]).await;
    let mut elsewhere = Page::open(&relay, "/room", &["a", "b"]).await;
    legacy.send(&text(1, "a", "\"for a\"")).await;
    legacy.send("no envelope").await;
    legacy.send(r#"{"channel":"c","message":0}"#).await;
    legacy.send(&text(1, "b", "\"for both\"")).await;
    assert_eq!(a.message().await, message(1, "a", "\"for a\""));
    assert_eq!(a.message().await, message(1, "b", "\"for both\""));
    assert_eq!(b.message().await, message(1, "b", "\"for both\""));
    // Closed, and nobody has it any more; opened twice, and it comes once.
    a.say(r#"{"close":["b","never"]}"#).await;
    a.say(r#"{"open":["a","a"]}"#).await;
    assert_eq!(a.next().await, r#"{"ack":0}"#);
    legacy.send(&text(1, "b", "1")).await;
    legacy.send(&text(1, "a", "2")).await;
    assert_eq!(a.message().await, message(1, "a", "2"));
    assert_eq!(b.message().await, message(1, "b", "1"));
    b.say(&text(2, "a", "3")).await;
    assert_eq!(a.message().await, message(2, "a", "3"));
    assert_eq!(legacy.envelope().await, text(2, "a", "3"));
    elsewhere.send(9, 1, "a", "4").await;
    assert_eq!(elsewhere.next().await, r#"{"ack":1}"#);
    // A number names the same channel as its text.
    b.say(r#"{"open":["7"]}"#).await;
    assert_eq!(b.next().await, r#"{"ack":0}"#);
    legacy.send(r#"{"channel":7,"message":5}"#).await;
    assert_eq!(
        support::without_id(&b.next().await).0,
        r#"{"channel":7,"message":5}"#
    );
}

#[tokio::test]
async fn an_answer_begins_with_the_acknowledgement() {
    let relay = Relay::start(config()).await;
    let mut sender = relay.join("/").await;
    let mut page = Page::connect(&relay, "/").await;
    for number in 0..20 {
        sender.send(&text(1, "other", &number.to_string())).await;
    }
    sender.heard().await;
    // What came before is for one that couldn't say what it wants; what's behind the acknowledgement is exact.
    page.say(r#"{"open":["a"]}"#).await;
    sender.send(&text(1, "other", "0")).await;
    page.ack(0).await;
    sender.send(&text(1, "a", "1")).await;
    assert_eq!(page.message().await, message(1, "a", "1"));
}

#[tokio::test]
async fn messages_are_acknowledged_and_taken_once() {
    let relay = Relay::start(config()).await;
    let mut a = Page::open(&relay, "/", &["a"]).await;
    let mut b = Page::open(&relay, "/", &["a"]).await;
    let mut legacy = relay.join("/").await;
    for reference in [1, 2, 2, 1, 7, 7, 3] {
        a.send(5, reference, "a", &reference.to_string()).await;
    }
    a.say(&text(5, "a", "\"without\"")).await;
    a.say(r#"{"ping":-1.5e3}"#).await;
    a.acknowledged(7).await;
    assert_eq!(a.next().await, r#"{"pong":-1.5e3}"#);
    let mut ids = Vec::new();
    for number in ["1", "2", "7", "\"without\""] {
        let (id, came) = b.numbered().await;
        assert_eq!(came, message(5, "a", number));
        // One frame for everybody, without the reference.
        let whole = legacy.text().await;
        assert_eq!(
            whole,
            format!(r#"{{"sender":5,"channel":"a","id":"{id}","message":{number}}}"#)
        );
        ids.push(id);
    }
    assert!(ids.is_sorted_by(|one, other| one < other), "{ids:?}");
    // Members in any order, further ones behind; an id is the relay's alone to give.
    a.say(r#"{"to":1,"id":"999","message":8,"ref":8,"\u0069d":"1000","channel":"a","sender":5}"#)
        .await;
    a.acknowledged(8).await;
    let whole = legacy.text().await;
    let (bare, id) = support::without_id(&whole);
    assert_eq!(bare, r#"{"sender":5,"channel":"a","message":8,"to":1}"#);
    assert!(id > ids[3] && id < 999, "{whole}");
}

#[tokio::test]
async fn who_comes_back_gets_what_it_missed() {
    let relay = Relay::start(config()).await;
    let mut a = Page::open(&relay, "/", &["a", "b", "quiet"]).await;
    let mut b = Page::open(&relay, "/", &["a"]).await;
    b.send(2, 1, "a", "1").await;
    let (seen, _) = a.numbered().await;
    b.send(2, 2, "a", "2").await;
    a.numbered().await;
    a.send(1, 1, "a", "\"mine\"").await;
    a.acknowledged(1).await;
    let secret = a.secret.clone();
    drop(a);
    relay.until(|census| census.sessions.kept == 1).await;
    b.send(2, 3, "b", "3").await;
    b.send(2, 4, "a", "4").await;
    b.acknowledged(4).await;

    let mut a = Page::connect(&relay, "/").await;
    a.resume(&secret, &["a", "b", "quiet"], &[("a", seen)])
        .await;
    // What it has sent is known; what it has not, is not.
    a.ack(1).await;
    assert_eq!(a.message().await, message(2, "a", "2"));
    assert_eq!(a.message().await, message(2, "a", "4"));
    assert_eq!(a.message().await, message(2, "b", "3"));
    a.send(1, 1, "a", "\"again\"").await;
    a.send(1, 2, "a", "\"new\"").await;
    a.acknowledged(2).await;
    assert_eq!(b.message().await, message(1, "a", "\"mine\""));
    assert_eq!(b.message().await, message(1, "a", "\"new\""));
    b.send(2, 5, "quiet", "5").await;
    assert_eq!(a.message().await, message(2, "quiet", "5"));
    // A channel that is open is replayed if it's asked for.
    let mut again = a;
    again
        .say(&format!(
            r#"{{"open":["a"],"after":{{"a":"{seen}","b":"0"}}}}"#
        ))
        .await;
    again.ack(2).await;
    assert_eq!(again.message().await, message(2, "a", "2"));
    assert_eq!(again.message().await, message(2, "a", "4"));
    b.send(2, 6, "a", "6").await;
    assert_eq!(again.message().await, message(2, "a", "6"));
}

#[tokio::test]
async fn a_connection_that_still_seems_to_be_there_is_taken_over() {
    let relay = Relay::start(config()).await;
    let mut witness = Page::open(&relay, "/", &["a"]).await;
    let mut first = Page::open(&relay, "/", &["a"]).await;
    first.send(1, 1, "a", "1").await;
    first.acknowledged(1).await;
    witness.message().await;
    witness.send(2, 1, "a", "\"missed\"").await;
    witness.acknowledged(1).await;
    let mut second = Page::connect(&relay, "/").await;
    second.resume(&first.secret, &["a"], &[]).await;
    second.ack(1).await;
    // The first has it in its pipe, and the client never sees it there.
    assert_eq!(second.message().await, message(2, "a", "\"missed\""));
    // The old connection's words come to nothing.
    first.say(&text(1, "a", "\"too late\"")).await;
    first.send(1, 2, "a", "\"too late\"").await;
    assert_eq!(
        first.client.closed().await,
        (4009, "resumed by another connection".into())
    );
    second.send(1, 2, "a", "2").await;
    second.acknowledged(2).await;
    assert_eq!(witness.message().await, message(1, "a", "2"));
    // It is one session, before and after.
    relay
        .until(|census| (census.sessions.attached, census.sessions.kept) == (2, 0))
        .await;
    assert_eq!(relay.observer.census().channels, 1);
}

#[tokio::test]
async fn an_unknown_session_has_gaps_where_it_does_not_know_better() {
    let relay = Relay::start(config()).await;
    let mut sender = Page::open(&relay, "/", &["a"]).await;
    sender.send(1, 1, "a", "1").await;
    sender.acknowledged(1).await;
    let mut page = Page::connect(&relay, "/").await;
    page.resume("0123456789abcdef", &["a", "b"], &[("a", 0)])
        .await;
    page.ack(0).await;
    assert_eq!(page.next().await, r#"{"gap":"b"}"#);
    assert_eq!(page.message().await, message(1, "a", "1"));
    // From now on it is a session like any other.
    page.say(r#"{"open":["c"]}"#).await;
    page.ack(0).await;
    drop(page);
    relay.until(|census| census.sessions.kept == 1).await;
    sender.send(1, 2, "c", "2").await;
    sender.acknowledged(2).await;
    let mut page = Page::connect(&relay, "/").await;
    page.resume("0123456789abcdef", &["c"], &[]).await;
    page.ack(0).await;
    assert_eq!(page.message().await, message(1, "c", "2"));
    // In another space it's nobody's.
    let mut stranger = Page::connect(&relay, "/room").await;
    stranger.resume("0123456789abcdef", &["c"], &[]).await;
    stranger.ack(0).await;
    assert_eq!(stranger.next().await, r#"{"gap":"c"}"#);
    sender.send(1, 3, "c", "3").await;
    assert_eq!(page.message().await, message(1, "c", "3"));
}

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

/// Opens, sends what overruns the bound, comes back, and gives what comes behind the acknowledgement.
async fn overrun(history: history::Bounds, messages: usize, length: usize) -> Vec<String> {
    let relay = Relay::start(Config {
        history,
        ..config()
    })
    .await;
    let page = Page::open(&relay, "/", &["a", "quiet"]).await;
    let secret = page.secret.clone();
    drop(page);
    relay.until(|census| census.sessions.kept == 1).await;
    let mut sender = Page::open(&relay, "/", &["x"]).await;
    for number in 0..messages {
        let body = format!("\"{number:0>length$}\"");
        sender.send(1, number as u64 + 1, "a", &body).await;
    }
    sender.acknowledged(messages as u64).await;
    if history.age < Duration::from_secs(10) {
        relay.until(|census| census.history.messages == 0).await;
    }
    let mut page = Page::connect(&relay, "/").await;
    page.resume(&secret, &["a", "quiet"], &[]).await;
    page.ack(0).await;
    page.say(r#"{"ping":1}"#).await;
    let mut came = Vec::new();
    loop {
        let text = page.next().await;
        if text == r#"{"pong":1}"# {
            return came;
        }
        came.push(text);
    }
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
async fn each_bound_of_the_history_leaves_a_gap_on_that_channel_only() {
    let ample = config().history;
    for (bounds, kept) in [
        (
            history::Bounds {
                messages: 4,
                ..ample
            },
            6..10,
        ),
        (
            history::Bounds {
                bytes: 3 * text(1, "a", "\"0000000000\"").len(),
                ..ample
            },
            7..10,
        ),
        (
            history::Bounds {
                total: 2 * (text(1, "a", "\"0000000000\"").len() + history::OVERHEAD) + 1,
                ..ample
            },
            8..10,
        ),
        (
            history::Bounds {
                age: Duration::from_millis(50),
                ..ample
            },
            10..10,
        ),
        (
            history::Bounds {
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
        history::Bounds {
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
        history: history::Bounds {
            messages: 3,
            ..config().history
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
    // For somebody else the very same is one, and so it is for the session itself when somebody else's is among what was dropped.
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
        history: history::Bounds {
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
    // Much is said elsewhere, and all of it is gone, with the channels.
    for number in 0..100 {
        sender.send(&text(1, &format!("busy {number}"), "0")).await;
    }
    sender.heard().await;
    relay
        .until(|census| (census.history.messages, census.history.channels) == (0, 2))
        .await;
    let secret = page.secret.clone();
    drop(page);
    let mut page = Page::connect(&relay, "/").await;
    page.resume(&secret, &["quiet", "silent"], &[("quiet", seen)])
        .await;
    page.ack(0).await;
    page.say(r#"{"ping":1}"#).await;
    assert_eq!(page.next().await, r#"{"pong":1}"#);
    // Of a channel that nobody had open nobody can tell: better a gap too many.
    page.say(&format!(
        r#"{{"open":["busy 7"],"after":{{"busy 7":"{seen}"}}}}"#
    ))
    .await;
    page.ack(0).await;
    assert_eq!(page.next().await, r#"{"gap":"busy 7"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_may_be_larger_than_the_queue() {
    let relay = Relay::start(Config {
        queue: Bounds {
            frames: 16,
            bytes: 70_000,
        },
        max_frame: 70_000,
        ..config()
    })
    .await;
    let page = Page::open(&relay, "/", &["a"]).await;
    let secret = page.secret.clone();
    drop(page);
    relay.until(|census| census.sessions.kept == 1).await;
    let mut sender = Page::open(&relay, "/", &["x"]).await;
    let body = |number: u64| format!("\"{number:0>10000}\"");
    for number in 1..=100 {
        sender.send(1, number, "a", &body(number)).await;
    }
    sender.acknowledged(100).await;
    // It comes back by a narrow connection and doesn't read for a while; what is said meanwhile waits behind.
    let mut page = Page::connect_narrow(&relay, "/").await;
    page.resume(&secret, &["a"], &[]).await;
    relay.until(|census| census.channels == 2).await;
    for number in 101..=105 {
        sender.send(1, number, "a", &body(number)).await;
    }
    sender.acknowledged(105).await;
    page.ack(0).await;
    for number in 1..=105 {
        assert_eq!(page.message().await, message(1, "a", &body(number)));
    }
    sender.send(1, 106, "a", &body(106)).await;
    assert_eq!(page.message().await, message(1, "a", &body(106)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_replays_and_does_not_read_them_is_closed() {
    let relay = Relay::start(Config {
        queue: Bounds {
            frames: 16,
            bytes: 50_000,
        },
        max_frame: 50_000,
        history: history::Bounds {
            total: 1_000_000,
            ..config().history
        },
        ..config()
    })
    .await;
    let mut sender = Page::open(&relay, "/", &["x"]).await;
    for number in 1..=50 {
        sender
            .send(1, number, "a", &format!("\"{number:0>10000}\""))
            .await;
    }
    sender.acknowledged(50).await;
    let mut page = Page::connect_narrow(&relay, "/").await;
    let flood = async {
        loop {
            page.say(r#"{"open":["a"],"after":{"a":"0"}}"#).await;
            // What is open is replayed from its opening on.
            page.say(r#"{"close":["a"]}"#).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = flood => {}
        () = relay.until(|census| census.members == 1) => {}
    }
    assert_eq!(page.client.closed().await, (4008, "too slow".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_too_slow_comes_back_and_misses_nothing() {
    let relay = Relay::start(Config {
        queue: Bounds {
            frames: 32,
            bytes: 1024 * 1024,
        },
        ..config()
    })
    .await;
    let mut sender = Page::open(&relay, "/", &["x"]).await;
    let mut slow = Page::connect_narrow(&relay, "/").await;
    slow.say(r#"{"open":["a"]}"#).await;
    relay.until(|census| census.sessions.attached == 2).await;
    let body = |number: u64| format!("\"{number:0>8000}\"");
    let mut sent = 0;
    while relay.observer.census().sessions.kept == 0 {
        sent += 1;
        sender.send(1, sent, "a", &body(sent)).await;
        sender.acknowledged(sent).await;
    }
    slow.ack(0).await;
    let (mut next, mut seen) = (1, None);
    let code = loop {
        match slow.client.next().await.unwrap().unwrap() {
            tokio_tungstenite::tungstenite::Message::Text(frame) => {
                let (text, id) = support::without_id(&frame);
                assert_eq!(text, message(1, "a", &body(next)));
                (next, seen) = (next + 1, Some(("a", id)));
            }
            tokio_tungstenite::tungstenite::Message::Close(frame) => break frame.unwrap().code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(u16::from(code), 4008);
    assert!(next < sent);
    let mut page = Page::connect(&relay, "/").await;
    page.resume(&slow.secret, &["a"], seen.as_slice()).await;
    page.ack(0).await;
    for number in next..=sent {
        assert_eq!(page.message().await, message(1, "a", &body(number)));
    }
}

#[tokio::test]
async fn members_of_all_kinds_are_in_it_together() {
    let relay = Relay::start(config()).await;
    let mut page = Page::open(&relay, "/", &["a"]).await;
    let mut legacy = relay.join("/").await;
    let mut socket_io = Client::open(relay.address, "/socket.io/?EIO=4&transport=websocket")
        .await
        .unwrap();
    socket_io.send("40").await;
    while !socket_io.text().await.starts_with("40") {}
    let mut signalr = Client::open(relay.address, "/hub").await.unwrap();
    signalr
        .send("{\"protocol\":\"json\",\"version\":1}\u{1e}")
        .await;
    assert_eq!(signalr.text().await, "{}\u{1e}");
    relay.until(|census| census.members == 4).await;
    page.send(1, 1, "a", "[1]").await;
    page.acknowledged(1).await;
    let bare = text(1, "a", "[1]");
    assert_eq!(legacy.envelope().await, bare);
    assert_eq!(socket_io.text().await, format!("42[\"message\",{bare}]"));
    assert!(
        signalr
            .text()
            .await
            .contains(r#""arguments":["{\"sender\":1,\"channel\":\"a\",\"message\":[1]}"]"#)
    );
    for (number, (client, frame)) in [
        (&mut socket_io, format!("42[\"message\",{}]", text(2, "a", "0"))),
        (&mut signalr, "{\"type\":1,\"target\":\"Send\",\"arguments\":[\"{\\\"sender\\\":2,\\\"channel\\\":\\\"a\\\",\\\"message\\\":1}\"]}\u{1e}".to_owned()),
        (&mut legacy, text(2, "a", "2")),
    ]
    .into_iter()
    .enumerate()
    {
        client.send(&frame).await;
        assert_eq!(page.message().await, message(2, "a", &number.to_string()));
    }
    // They are kept for those who come back, whoever sent them.
    let secret = page.secret.clone();
    drop(page);
    relay.until(|census| census.sessions.kept == 1).await;
    let mut page = Page::connect(&relay, "/").await;
    page.resume(&secret, &["a"], &[]).await;
    page.ack(1).await;
    for number in ["0", "1", "2"] {
        assert_eq!(page.message().await, message(2, "a", number));
    }
}

#[tokio::test]
async fn a_page_that_has_opened_nothing_is_as_it_was() {
    let relay = Relay::start(config()).await;
    let (mut one, mut other) = (relay.join("/").await, relay.join("/").await);
    for frame in [
        r#"{"close":["a"]}"#,
        r#"{"ping":1}"#,
        r#"{"open":"a"}"#,
        r#"{"open":[1]}"#,
        r#"{"open":true}"#,
        "[]",
    ] {
        one.send(frame).await;
        assert_eq!(other.text().await, frame);
    }
    // The open frame of websocket-over-nodejs is an envelope, and a member called ref is like any other.
    one.send(r#"{"open":true,"channel":"c"}"#).await;
    assert_eq!(other.envelope().await, r#"{"channel":"c","open":true}"#);
    one.send(r#"{"open":["a"],"channel":"c"}"#).await;
    assert_eq!(other.envelope().await, r#"{"channel":"c","open":["a"]}"#);
    for _ in 0..2 {
        one.send(r#"{"channel":"c","message":1,"ref":1}"#).await;
        assert_eq!(
            other.envelope().await,
            r#"{"channel":"c","message":1,"ref":1}"#
        );
    }
    assert_eq!(relay.observer.census().sessions, session::Census::default());
}

#[tokio::test]
async fn what_breaks_the_protocol_is_closed_with_the_reason_behind_the_acknowledgement() {
    let relay = Relay::start(Config {
        max_frame: 2000,
        sessions: session::Bounds {
            channels: 4,
            ..config().sessions
        },
        ..config()
    })
    .await;
    let mut other = Page::open(&relay, "/", &["a"]).await;
    let long = format!(r#"{{"open":["{}"]}}"#, "x".repeat(4 * 256));
    let longer = "x".repeat(2001);
    let session = format!(r#"{{"open":["a"],"session":"{}"}}"#, "x".repeat(65));
    let not = "not the relay's protocol: ";
    for (frame, code, reason) in [
        ("hello", 1002, format!("{not}a frame is a JSON object")),
        ("[]", 1002, format!("{not}a frame is a JSON object")),
        (
            "{}",
            1002,
            format!("{not}an object without channel, open, close, ping or pong"),
        ),
        (
            r#"{"channel":null,"open":["a"]}"#,
            1002,
            format!("{not}channel is a string or a number"),
        ),
        (
            r#"{"channel":"a","ref":"2"}"#,
            1002,
            format!("{not}ref is a whole number"),
        ),
        (
            r#"{"channel":"a","ref":-2}"#,
            1002,
            format!("{not}ref is a whole number"),
        ),
        (
            r#"{"open":"a"}"#,
            1002,
            format!("{not}open is an array of strings"),
        ),
        (
            r#"{"open":[1]}"#,
            1002,
            format!("{not}open is an array of strings"),
        ),
        (
            r#"{"open":["a"],"after":{"a":1}}"#,
            1002,
            format!("{not}after is an object with a string for each channel"),
        ),
        (
            &session,
            1002,
            format!("{not}session is a string of up to 64 bytes"),
        ),
        (
            r#"{"open":["a"],"session":"other"}"#,
            1002,
            format!("{not}another session than the one that was opened first"),
        ),
        (
            r#"{"close":[null]}"#,
            1002,
            format!("{not}close is an array of strings"),
        ),
        (r#"{"ping":"1"}"#, 1002, format!("{not}ping is a number")),
        (
            r#"{"ping":111111111111111111111111111111111}"#,
            1002,
            format!("{not}ping is a number"),
        ),
        (
            r#"{"open":["1","2","3","4"]}"#,
            4501,
            "over 4 channels, or their names too long".into(),
        ),
        (
            &long,
            4501,
            "over 4 channels, or their names too long".into(),
        ),
        (&longer, 1009, "frame over 2000 bytes".into()),
    ] {
        let mut page = Page::open(&relay, "/", &["a"]).await;
        page.send(1, 1, "a", "1").await;
        page.say(frame).await;
        // Whose fault it is, a client can only tell if it knows what was taken before.
        assert_eq!(page.next().await, r#"{"ack":1}"#, "{frame}");
        assert_eq!(page.client.closed().await, (code, reason), "{frame}");
        assert_eq!(other.message().await, message(1, "a", "1"));
    }
    // As many as may be.
    let mut page = Page::open(&relay, "/", &["a", "b", "c", "d"]).await;
    page.say(r#"{"close":["a"]}"#).await;
    page.say(r#"{"open":["e","d"]}"#).await;
    page.ack(0).await;
}

#[tokio::test]
async fn a_client_that_hears_nothing_is_pinged_where_it_sees_it() {
    let relay = Relay::start(Config {
        ping: Duration::from_millis(20),
        patience: support::LIMIT,
        ..config()
    })
    .await;
    let mut page = Page::open(&relay, "/", &["a"]).await;
    let mut legacy = relay.join("/").await;
    for number in 1..=3 {
        assert_eq!(page.next().await, format!(r#"{{"ping":{number}}}"#));
        page.say(&format!(r#"{{"pong":{number}}}"#)).await;
    }
    // An old page wouldn't know what that is.
    legacy.send(&text(1, "a", "1")).await;
    legacy.heard_through_pings().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_behind() {
    let relay = Relay::start(Config {
        sessions: session::Bounds {
            age: Duration::from_millis(200),
            kept: 50,
            ..config().sessions
        },
        history: history::Bounds {
            age: Duration::from_millis(200),
            messages: 10,
            ..config().history
        },
        ..config()
    })
    .await;
    for round in 0..20 {
        let mut pages = Vec::new();
        for number in 0..100 {
            let own = format!("{round} {number}");
            let space = format!("/{}", number % 7);
            pages.push(Page::open(&relay, &space, &[&own, "shared"]).await);
        }
        let census = relay.observer.census();
        assert_eq!(
            (census.spaces, census.members, census.channels),
            (7, 100, 107)
        );
        assert_eq!(census.sessions.attached, 100);
        for (number, page) in pages.iter_mut().enumerate() {
            page.send(1, 1, "shared", &number.to_string()).await;
            if number % 2 == 0 {
                page.say(r#"{"close":["shared"]}"#).await;
                page.say(&format!(r#"{{"close":["{round} {number}"]}}"#))
                    .await;
            }
        }
        for (number, mut page) in pages.into_iter().enumerate() {
            match number % 3 {
                0 => page.client.0.close(None).await.unwrap(),
                _ => drop(page),
            }
        }
        relay.until(|census| census.members == 0).await;
        let census = relay.observer.census();
        assert!(census.sessions.kept <= 50, "{census:?}");
        assert!(census.history.messages <= 70, "{census:?}");
    }
    relay
        .until(|census| {
            (census.sessions, census.history, census.channels)
                == (session::Census::default(), history::Census::default(), 0)
        })
        .await;
    relay.until_empty().await;
    // A page that has done nothing that could be resumed isn't remembered at all.
    let mut page = Page::open(&relay, "/", &["a"]).await;
    page.say(r#"{"close":["a"]}"#).await;
    page.client.heard().await;
    drop(page);
    relay.until_empty().await;
    assert_eq!(relay.observer.census().sessions, session::Census::default());
}
