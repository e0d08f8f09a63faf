//! Replays and slow clients.

use signal_relay::Config;
use signal_relay::hub::queue::Limits;
use signal_relay::hub::{history, sessions};

use super::support::resuming::{Page, message};
use super::support::{self, Relay, config, within};

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_may_be_larger_than_the_queue() {
    let relay = Relay::start(Config {
        queue: Limits {
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
    relay.until(|stats| stats.sessions.kept == 1).await;
    let mut sender = Page::open(&relay, "/", &["x"]).await;
    let body = |number: u64| format!("\"{number:0>10000}\"");
    for number in 1..=100 {
        sender.send(1, number, "a", &body(number)).await;
    }
    sender.acknowledged(100).await;
    // It comes back by a narrow connection and doesn't read for a while; what is said meanwhile
    // waits behind.
    let mut page = Page::connect_narrow(&relay, "/").await;
    page.resume(&secret, &["a"], &[]).await;
    relay.until(|stats| stats.channels == 2).await;
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
async fn a_client_that_requests_replays_and_does_not_read_is_closed() {
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 16,
            bytes: 50_000,
        },
        max_frame: 50_000,
        history: history::Limits {
            total: 1_000_000,
            ..config().history
        },
        sessions: sessions::Limits {
            late_history: true,
            ..config().sessions
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
        () = relay.until(|stats| stats.members == 1) => {}
    }
    assert_eq!(page.client.closed().await, (4008, "too slow".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_consumer_that_resumes_misses_nothing() {
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 32,
            bytes: 1024 * 1024,
        },
        ..config()
    })
    .await;
    let mut sender = Page::open(&relay, "/", &["x"]).await;
    let mut slow = Page::connect_narrow(&relay, "/").await;
    slow.say(r#"{"open":["a"]}"#).await;
    relay.until(|stats| stats.sessions.attached == 2).await;
    let body = |number: u64| format!("\"{number:0>8000}\"");
    let mut sent = 0;
    within("the relay to close it", async {
        while relay.stats.get().sessions.kept == 0 {
            sent += 1;
            sender.send(1, sent, "a", &body(sent)).await;
            sender.acknowledged(sent).await;
        }
    })
    .await;
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

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_client_when_it_subscribes_still_comes() {
    const MESSAGES: u64 = 200;
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 1024,
            bytes: 64 << 20,
        },
        max_frame: 200_000,
        history: history::Limits {
            messages: 1024,
            bytes: 64 << 20,
            total: 128 << 20,
            ..config().history
        },
        memory: 1 << 30,
        ..config()
    })
    .await;
    let mut sender = Page::open(&relay, "/", &["x"]).await;
    // For pages its connection is open already. It reads nothing for a while.
    let mut page = Page::connect_narrow(&relay, "/").await;
    let body = |number: u64| format!("\"{number:0>50000}\"");
    for number in 1..=MESSAGES {
        let (reference, body) = (2 * number, body(number));
        sender.send(1, reference - 1, "a", &body).await;
        sender.send(1, reference, "b", &body).await;
    }
    sender.acknowledged(2 * MESSAGES).await;
    // The answer to a ping is the page's alone, and waits too.
    page.say(r#"{"ping":1}"#).await;
    page.say(r#"{"open":["a"]}"#).await;
    relay.until(|stats| stats.channels == 2).await;

    let mut next = 1;
    loop {
        let text = page.next().await;
        if text.starts_with("{\"ack\":") {
            break;
        }
        let (text, _) = support::without_id(&text);
        if text == message(1, "a", &body(next)) {
            next += 1;
        } else {
            assert!(text.contains("\"channel\":\"b\""), "{text:.60}");
        }
    }
    assert!(next < MESSAGES, "nothing waited");
    assert_eq!(page.next().await, r#"{"pong":1}"#);
    let first = next;
    for _ in 0..3 {
        assert_eq!(page.message().await, message(1, "a", &body(next)));
        next += 1;
    }
    // What is lost with its connection is replayed.
    let secret = page.secret.clone();
    drop(page);
    relay.until(|stats| stats.sessions.kept == 1).await;
    let mut page = Page::connect(&relay, "/").await;
    page.resume(&secret, &["a"], &[]).await;
    page.ack(0).await;
    for number in first..=MESSAGES {
        assert_eq!(page.message().await, message(1, "a", &body(number)));
    }
}
