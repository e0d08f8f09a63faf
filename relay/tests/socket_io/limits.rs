//! Heartbeats, each limit, what isn't Socket.IO, and a relay that stops.

use std::time::Duration;

use signal_relay::Config;
use signal_relay::hub::queue::Limits;
use tokio_tungstenite::tungstenite::Message;

use futures_util::SinkExt;

use super::support::socket_io::{ENVELOPE, Poller, code, event, impatient, join, path};
use super::support::{self, Client, Relay, config, get, within};

#[tokio::test]
async fn clients_of_version_4_are_pinged() {
    let relay = Relay::start(impatient()).await;
    let mut client = join(&relay, 4).await;
    for _ in 0..3 {
        assert_eq!(client.text().await, "2");
        client.send("3").await;
    }
    // Anything else is an answer too.
    assert_eq!(client.text().await, "2");
    client.send(&event(ENVELOPE)).await;
    assert_eq!(client.text().await, "2");
    assert_eq!(client.closed().await, (4012, "no answer to a ping".into()));
}

#[tokio::test]
async fn clients_of_version_3_ping_by_themselves() {
    let relay = Relay::start(impatient()).await;
    let mut client = join(&relay, 3).await;
    for _ in 0..3 {
        client.send("2").await;
        assert_eq!(client.text().await, "3");
    }
    assert_eq!(client.closed().await, (4012, "no answer to a ping".into()));
}

#[tokio::test]
async fn polling_clients_are_pinged_too() {
    let relay = Relay::start(impatient()).await;
    let poller = Poller::join(&relay, 4).await;
    for _ in 0..3 {
        assert_eq!(poller.poll().await, ["2"]);
        assert_eq!(poller.post("3").await.body, "ok");
    }
    relay.until_empty().await;
    assert_eq!(code(&poller.get().await), (400, 1));
}

#[tokio::test]
async fn abandoned_sessions_end() {
    let relay = Relay::start(impatient()).await;
    for version in [3, 4] {
        for _ in 0..20 {
            Poller::open(&relay, version).await;
        }
    }
    assert_eq!(relay.stats.connections(), 40);
    relay.until_empty().await;
}

#[tokio::test]
async fn a_session_that_joins_nothing_ends() {
    let relay = Relay::start(impatient()).await;
    let mut client = Client::open(relay.address, &path(4, "websocket"))
        .await
        .unwrap();
    let closed = async {
        loop {
            match client.next().await {
                // Alive it is.
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => client.send("3").await,
                Some(Ok(Message::Text(text))) => assert!(text.starts_with('0')),
                Some(Ok(Message::Close(Some(frame)))) => return u16::from(frame.code),
                other => panic!("{other:?}"),
            }
        }
    };
    let code = within("the close frame", closed).await;
    assert_eq!(code, 4012);
    drop(client);
    relay.until_empty().await;
}

#[tokio::test]
async fn what_breaks_the_protocol_is_closed_with_the_reason() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let mut other = relay.join("/").await;
    for (packet, reason) in [
        ("", "an empty packet"),
        ("0", "a packet of no known type"),
        ("hello", "a packet of no known type"),
        ("{\"signal\":1}", "a packet of no known type"),
        ("4", "an empty packet"),
        ("47", "a Socket.IO packet of no known type"),
        (
            "44{\"message\":\"no\"}",
            "a Socket.IO packet of no known type",
        ),
        ("42", "an event that is no list"),
        ("42{}", "an event that is no list"),
        ("42[1]", "an event that is no list"),
        ("42[\"message\",{]", "an event that is no list"),
        (
            "42/nowhere,[\"message\",1]",
            "an event for a namespace that wasn't joined",
        ),
        ("45[\"message\",1]", "a binary packet without a count"),
        (
            "4299999999999999999[\"message\",1]",
            "an acknowledgement id over 16 digits",
        ),
    ] {
        for version in [3, 4] {
            let mut client = join(&relay, version).await;
            client.send(packet).await;
            assert_eq!(
                client.closed().await,
                (1002, format!("not Socket.IO: {reason}")),
                "{packet}"
            );
        }
        let poller = Poller::join(&relay, 4).await;
        let answer = poller
            .post(if packet.is_empty() { "\u{1e}" } else { packet })
            .await;
        assert_eq!(code(&answer), (400, 3), "{packet}");
        relay.until(|stats| stats.members == 2).await;
    }
    // The first packet is to be the connect.
    let mut early = Client::open(relay.address, &path(4, "websocket"))
        .await
        .unwrap();
    early.text().await;
    early.send(&event(ENVELOPE)).await;
    assert_eq!(early.closed().await.0, 1002);
    // A session may end more than once.
    let poller = Poller::join(&relay, 4).await;
    let body = format!("{}\u{1e}x\u{1e}{}", event(ENVELOPE), event(ENVELOPE));
    assert_eq!(code(&poller.post_body(body.as_bytes()).await), (400, 3));
    assert_eq!(plain.envelope().await, ENVELOPE);
    assert_eq!(other.envelope().await, ENVELOPE);
    plain.send("still here").await;
    assert_eq!(other.text().await, "still here");
}

#[tokio::test]
async fn frames_over_the_bound_are_refused() {
    let relay = Relay::start(Config {
        max_frame: 2000,
        queue: Limits {
            frames: 64,
            bytes: 8000,
        },
        ..config()
    })
    .await;
    let mut plain = relay.join("/").await;
    let fits = |length: usize| {
        let around = r#"{"sender":1,"channel":"a","message":""}"#.len();
        format!(
            r#"{{"sender":1,"channel":"a","message":"{}"}}"#,
            "x".repeat(length - around)
        )
    };
    for version in [3, 4] {
        let mut client = join(&relay, version).await;
        client.send(&event(&fits(2000))).await;
        assert_eq!(plain.envelope().await, fits(2000));
        client.send(&event(&fits(2001))).await;
        assert_eq!(
            client.closed().await,
            (1009, "frame over 2000 bytes".into())
        );
        let mut client = join(&relay, version).await;
        client.send(&format!("4{}", "x".repeat(10_000))).await;
        assert_eq!(
            client.closed().await,
            (1009, "frame over 2000 bytes".into())
        );

        let poller = Poller::join(&relay, version).await;
        assert_eq!(poller.post(&event(&fits(2000))).await.body, "ok");
        assert_eq!(plain.envelope().await, fits(2000));
        assert_eq!(code(&poller.post(&event(&fits(2001))).await), (400, 3));
        let poller = Poller::join(&relay, version).await;
        assert_eq!(poller.post_body(&vec![b'4'; 10_000]).await.status, 413);
        relay.until(|stats| stats.members == 1).await;
    }
    // The sender that is added is no way around it.
    let mut client = join(&relay, 4).await;
    client
        .send(&event(&fits(2000).replace("\"sender\":1,", "")))
        .await;
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_closed_and_nobody_waits_for_it() {
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 64,
            bytes: 1024 * 1024,
        },
        ..config()
    })
    .await;
    let (mut sender, mut reader) = (relay.join("/").await, join(&relay, 4).await);
    for version in [3, 4] {
        let mut slow = Client::open_narrow(relay.address, &path(version, "websocket")).await;
        if version == 4 {
            slow.send("40").await;
        }
        relay.until(|stats| stats.members == 3).await;
        let mut sent = 0;
        within("the relay to close it", async {
            while relay.stats.get().members == 3 {
                let text = format!(r#"{{"channel":"a","message":"{sent:0>60000}"}}"#);
                sender.send(&text).await;
                assert_eq!(reader.text().await, event(&text));
                sent += 1;
            }
        })
        .await;
        assert_eq!(slow.closed().await, (4008, "too slow".into()));
        drop(slow);
        // Reading on or not, it is gone.
        relay.until(|_| relay.stats.connections() <= 2).await;
    }
}

#[tokio::test]
async fn a_client_that_does_not_poll_ends_with_its_queue() {
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 16,
            bytes: 1024 * 1024,
        },
        ..config()
    })
    .await;
    let (mut sender, mut reader) = (relay.join("/").await, relay.join("/").await);
    let poller = Poller::join(&relay, 4).await;
    for _ in 0..17 {
        sender.send(ENVELOPE).await;
        reader.text().await;
    }
    relay.until(|stats| stats.members == 2).await;
    let answer = poller.get().await;
    assert!(
        code(&answer) == (400, 1) || answer.body == "1",
        "{answer:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_and_does_not_read_the_answers_is_closed() {
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 16,
            bytes: 1024 * 1024,
        },
        ..config()
    })
    .await;
    let mut slow = Client::open_narrow(relay.address, &path(4, "websocket")).await;
    slow.send(&format!("40/{},", "a".repeat(1000))).await;
    relay.until(|stats| stats.members == 1).await;
    let ask = format!("42/{},1[\"hello\"]", "a".repeat(1000));
    within("the relay to close it", async {
        while relay.stats.get().members == 1 {
            if slow.0.send(Message::text(ask.as_str())).await.is_err() {
                break;
            }
        }
    })
    .await;
    assert_eq!(slow.closed().await, (4008, "too slow".into()));
    // One that polls asks in one body.
    let poller = Poller::join(&relay, 4).await;
    poller
        .post_body(vec!["421[\"hello\"]"; 100].join("\u{1e}").as_bytes())
        .await;
    drop(slow);
    relay.until_empty().await;
}

#[tokio::test]
async fn a_relay_that_stops_says_goodbye() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let (mut four, mut three) = (join(&relay, 4).await, join(&relay, 3).await);
    let poller = Poller::join(&relay, 4).await;
    let waiting = {
        let (address, path) = (relay.address, poller.path("polling"));
        tokio::spawn(async move { get(address, &path).await })
    };
    plain.send(ENVELOPE).await;
    assert_eq!(waiting.await.unwrap().body, event(ENVELOPE));
    let waiting = {
        let (address, path) = (relay.address, poller.path("polling"));
        tokio::spawn(async move { get(address, &path).await })
    };
    // The poll waits before the relay stops: its answer to another would come first.
    relay.until(|stats| stats.members >= 4).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let served = relay.stop();
    for client in [&mut four, &mut three] {
        assert_eq!(client.text().await, event(ENVELOPE));
        assert_eq!(
            client.closed().await,
            (1001, "the relay is shutting down".into())
        );
    }
    assert_eq!(waiting.await.unwrap().body, "1");
    drop((plain, four, three));
    tokio::time::timeout(support::LIMIT, served)
        .await
        .expect("it doesn't stop")
        .unwrap();
}
