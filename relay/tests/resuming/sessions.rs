//! The hello, subscribing, acknowledgements, and resuming a session.

use std::time::Duration;

use signal_relay::Config;
use signal_relay::hub::{history, sessions};

use super::support::resuming::{Page, message, text};
use super::support::{self, Client, Relay, config};

#[tokio::test]
async fn each_connection_starts_with_a_hello() {
    let relay = Relay::start(Config {
        ping_interval: Duration::from_millis(12_345),
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
            format!(
                r#"{{"signal":1,"version":2,"session":"{secret}","epoch":"{epoch}","ping":12345}}"#
            )
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
async fn a_replay_has_the_order_of_the_messages_whatever_their_channels() {
    let relay = Relay::start(config()).await;
    let page = Page::open(&relay, "/", &["a", "b"]).await;
    let secret = page.secret.clone();
    drop(page);
    relay.until(|stats| stats.sessions.kept == 1).await;
    let mut sender = Page::open(&relay, "/", &["x"]).await;
    let missed = [("b", 1), ("a", 2), ("b", 3), ("a", 4)];
    for (channel, number) in missed {
        sender.send(1, number, channel, &number.to_string()).await;
    }
    sender.acknowledged(4).await;
    let mut page = Page::connect(&relay, "/").await;
    page.resume(&secret, &["a", "b"], &[]).await;
    page.ack(0).await;
    for (channel, number) in missed {
        assert_eq!(
            page.message().await,
            message(1, channel, &number.to_string())
        );
    }
}

#[tokio::test]
async fn a_subscriber_receives_its_channels_only() {
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
    // Closed, it isn't delivered; opened twice, it is delivered once.
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
    // What came before is for one that couldn't say what it wants; what's behind the
    // acknowledgement is exact.
    page.say(r#"{"open":["a"]}"#).await;
    sender.send(&text(1, "other", "0")).await;
    page.ack(0).await;
    sender.send(&text(1, "a", "1")).await;
    assert_eq!(page.message().await, message(1, "a", "1"));
}

#[tokio::test]
async fn messages_are_acknowledged_and_accepted_once() {
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
async fn a_client_that_resumes_receives_what_it_missed() {
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
    relay.until(|stats| stats.sessions.kept == 1).await;
    b.send(2, 3, "b", "3").await;
    b.send(2, 4, "a", "4").await;
    b.acknowledged(4).await;

    let mut a = Page::connect(&relay, "/").await;
    a.resume(&secret, &["a", "b", "quiet"], &[("a", seen)])
        .await;
    // What it has sent is known; what it has not, is not.
    a.ack(1).await;
    assert_eq!(a.message().await, message(2, "a", "2"));
    assert_eq!(a.message().await, message(2, "b", "3"));
    assert_eq!(a.message().await, message(2, "a", "4"));
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
async fn a_connection_that_seems_alive_is_taken_over() {
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
    // What the old connection sends is dropped.
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
        .until(|stats| (stats.sessions.attached, stats.sessions.kept) == (2, 0))
        .await;
    assert_eq!(relay.stats.get().channels, 1);
}

#[tokio::test]
async fn an_unknown_session_has_gaps() {
    let relay = Relay::start(config()).await;
    let mut sender = Page::open(&relay, "/", &["a"]).await;
    sender.send(1, 1, "a", "1").await;
    sender.acknowledged(1).await;
    let mut page = Page::connect(&relay, "/").await;
    page.resume("0123456789abcdef", &["a", "b"], &[("a", 0)])
        .await;
    page.ack(0).await;
    // Which ids it had seen isn't known either.
    assert_eq!(page.next().await, r#"{"gap":"a"}"#);
    assert_eq!(page.next().await, r#"{"gap":"b"}"#);
    // From now on it is a session like any other.
    page.say(r#"{"open":["c"]}"#).await;
    page.ack(0).await;
    drop(page);
    relay.until(|stats| stats.sessions.kept == 1).await;
    sender.send(1, 2, "c", "2").await;
    sender.acknowledged(2).await;
    let mut page = Page::connect(&relay, "/").await;
    page.resume("0123456789abcdef", &["c"], &[]).await;
    page.ack(0).await;
    assert_eq!(page.message().await, message(1, "c", "2"));
    // In another space the secret means nothing.
    let mut stranger = Page::connect(&relay, "/room").await;
    stranger.resume("0123456789abcdef", &["c"], &[]).await;
    stranger.ack(0).await;
    assert_eq!(stranger.next().await, r#"{"gap":"c"}"#);
    sender.send(1, 3, "c", "3").await;
    assert_eq!(page.message().await, message(1, "c", "3"));
}

/// What was published before a page came isn't for it, whatever ids it names, unless the operator
/// allows it.
#[tokio::test]
async fn a_newcomer_gets_no_history() {
    for late_history in [false, true] {
        let relay = Relay::start(Config {
            sessions: sessions::Limits {
                late_history,
                ..config().sessions
            },
            ..config()
        })
        .await;
        let mut sender = Page::open(&relay, "/", &["a"]).await;
        sender.send(1, 1, "a", "\"secret\"").await;
        sender.acknowledged(1).await;
        // In a session that is new, that is said to exist, and that has other channels.
        let asks = [
            r#"{"open":["a"],"after":{"a":"0"}}"#,
            r#"{"open":["a"],"after":{"a":"0"},"session":"0123456789abcdef"}"#,
        ];
        let mut pages = Vec::new();
        for ask in asks {
            let mut page = Page::connect(&relay, "/").await;
            page.say(ask).await;
            page.acknowledged_open().await;
            pages.push(page);
        }
        let mut page = Page::open(&relay, "/", &["b"]).await;
        page.say(asks[0]).await;
        page.ack(0).await;
        pages.push(page);
        for (place, page) in pages.iter_mut().enumerate() {
            if late_history {
                assert_eq!(page.message().await, message(1, "a", "\"secret\""));
            } else if place < asks.len() {
                assert_eq!(page.next().await, r#"{"gap":"a"}"#);
            }
            // Nor does it when it asks again.
            page.say(asks[0]).await;
            page.acknowledged_open().await;
            if late_history {
                assert_eq!(page.message().await, message(1, "a", "\"secret\""));
            }
        }
        sender.send(1, 2, "a", "2").await;
        for page in &mut pages {
            assert_eq!(page.message().await, message(1, "a", "2"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_behind() {
    let relay = Relay::start(Config {
        sessions: sessions::Limits {
            age: Duration::from_millis(200),
            kept: 50,
            ..config().sessions
        },
        history: history::Limits {
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
        let stats = relay.stats.get();
        assert_eq!((stats.spaces, stats.members, stats.channels), (7, 100, 107));
        assert_eq!(stats.sessions.attached, 100);
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
        relay.until(|stats| stats.members == 0).await;
        let stats = relay.stats.get();
        assert!(stats.sessions.kept <= 50, "{stats:?}");
        assert!(stats.history.messages <= 70, "{stats:?}");
    }
    relay
        .until(|stats| {
            (stats.sessions, stats.history, stats.channels)
                == (sessions::Stats::default(), history::Stats::default(), 0)
        })
        .await;
    relay.until_empty().await;
    // A page that has done nothing that could be resumed isn't remembered at all.
    let mut page = Page::open(&relay, "/", &["a"]).await;
    page.say(r#"{"close":["a"]}"#).await;
    page.client.heard().await;
    drop(page);
    relay.until_empty().await;
    assert_eq!(relay.stats.get().sessions, sessions::Stats::default());
}

/// The first frames of a connection may be so late that its page has made another, which resumes the
/// session of the first one's hello.
#[tokio::test]
async fn late_frames_of_a_connection_dont_take_its_session_back() {
    let relay = Relay::start(config()).await;
    let mut other = relay.join("/").await;
    let mut late = Page::connect(&relay, "/").await;
    let secret = late.secret.clone();
    let mut page = Page::connect(&relay, "/").await;
    page.resume(&secret, &["a", "b"], &[]).await;
    page.ack(0).await;
    for channel in ["a", "b"] {
        assert_eq!(page.next().await, format!(r#"{{"gap":"{channel}"}}"#));
    }
    late.say(r#"{"open":["a"],"after":{}}"#).await;
    assert_eq!(
        late.client.closed().await,
        (4009, "resumed by another connection".into())
    );
    other.send(&text(1, "b", "1")).await;
    assert_eq!(page.message().await, text(1, "b", "1"));
}

/// The page opened `b` on a connection that was dead already, so the relay hears of it when the
/// page resumes. That connection dies too, before the page has read the replay.
#[tokio::test]
async fn a_replay_that_was_lost_on_its_way_comes_again() {
    let relay = Relay::start(config()).await;
    let mut other = relay.join("/").await;
    let mut page = Page::open(&relay, "/", &["a"]).await;
    other.send(&text(1, "a", "1")).await;
    let (seen, _) = page.numbered().await;
    let secret = page.secret.clone();
    drop(page);
    other.send(&text(1, "b", "2")).await;
    other.heard().await;
    for _ in 0..2 {
        let mut page = Page::connect(&relay, "/").await;
        let after = [("a", seen), ("b", seen)];
        page.resume(&secret, &["a", "b"], &after).await;
        page.ack(0).await;
        assert_eq!(page.message().await, text(1, "b", "2"));
    }
}

/// A page that opens a channel on a connection that is dead takes it for open.
#[tokio::test]
async fn a_channel_whose_open_was_lost_has_a_gap() {
    let relay = Relay::start(config()).await;
    let page = Page::open(&relay, "/", &["a"]).await;
    let secret = page.secret.clone();
    drop(page);
    let mut other = relay.join("/").await;
    other.send(&text(1, "b", "1")).await;
    other.heard().await;
    let mut page = Page::connect(&relay, "/").await;
    page.resume(&secret, &["a", "b"], &[]).await;
    page.ack(0).await;
    assert_eq!(page.next().await, r#"{"gap":"b"}"#);
    // A channel that it opens now has none.
    page.say(r#"{"open":["c"]}"#).await;
    page.ack(0).await;
    other.send(&text(1, "c", "2")).await;
    assert_eq!(page.message().await, text(1, "c", "2"));
}
