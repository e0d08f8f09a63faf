//! By long-polling, and from polling to a WebSocket.

use std::time::Duration;

use super::support::socket_io::{ENVELOPE, Poller, code, event, packets};
use super::support::{Client, Relay, config, get, request, request_with, within};

#[tokio::test]
async fn long_polling_of_all_versions() {
    for version in [2, 3, 4] {
        let relay = Relay::start(config()).await;
        let mut plain = relay.join("/").await;
        let poller = Poller::join(&relay, version).await;
        let wide = r#"{"sender":1,"channel":"é😀","message":"😀é"}"#;
        assert_eq!(poller.post(&event(wide)).await.body, "ok");
        assert_eq!(plain.envelope().await, wide);
        // Something that waits already, and something that is waited for.
        plain.send(wide).await;
        assert_eq!(poller.poll().await, [event(wide)]);
        let (polled, ()) = tokio::join!(poller.poll(), async {
            plain.send(ENVELOPE).await;
        });
        assert_eq!(polled, [event(ENVELOPE)]);
        for number in 0..100 {
            plain
                .send(&format!(r#"{{"channel":"a","message":{number}}}"#))
                .await;
        }
        let mut came = Vec::new();
        while came.len() < 100 {
            came.extend(poller.poll().await);
        }
        for (number, packet) in came.iter().enumerate() {
            assert_eq!(
                *packet,
                event(&format!(r#"{{"channel":"a","message":{number}}}"#))
            );
        }
        assert_eq!(poller.post("1").await.body, "ok");
        relay.until(|stats| stats.members == 1).await;
        assert_eq!(code(&poller.get().await), (400, 1));
        drop(plain);
        relay.until_empty().await;
    }
}

#[tokio::test]
async fn a_client_that_asks_for_text_polls_text() {
    for (version, more, kind) in [
        (2, "", "application/octet-stream"),
        (2, "&b64=1", "text/plain; charset=UTF-8"),
        (3, "", "application/octet-stream"),
        (3, "&b64=1", "text/plain; charset=UTF-8"),
        (4, "", "text/plain; charset=UTF-8"),
        (4, "&b64=1", "text/plain; charset=UTF-8"),
    ] {
        let relay = Relay::start(config()).await;
        let mut plain = relay.join("/").await;
        let poller = Poller::open_with(&relay, version, more).await;
        if version == 4 {
            assert_eq!(poller.post("40").await.body, "ok");
            assert!(poller.poll().await[0].starts_with("40{\"sid\":\""));
        }
        let wide = r#"{"sender":1,"channel":"é😀","message":"😀é"}"#;
        plain.send(wide).await;
        let answer = poller.get().await;
        assert_eq!(answer.header("content-type"), Some(kind), "{version}{more}");
        assert_eq!(packets(version, &answer), [event(wide)]);
    }
}

#[tokio::test]
async fn packets_that_come_in_one_body_keep_their_order() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let texts: Vec<_> = (0..50)
        .map(|number| format!(r#"{{"sender":1,"channel":"é😀","message":{number}}}"#))
        .collect();
    let events: Vec<_> = texts.iter().map(|text| event(text)).collect();
    let four = Poller::join(&relay, 4).await;
    assert_eq!(
        four.post_body(events.join("\u{1e}").as_bytes()).await.body,
        "ok"
    );
    let three = Poller::join(&relay, 3).await;
    let counted: String = events
        .iter()
        .map(|event| format!("{}:{event}", event.encode_utf16().count()))
        .collect();
    assert_eq!(three.post_body(counted.as_bytes()).await.body, "ok");
    // With a binary packet among them, a client of version 3 writes all of them so.
    let mut binary = Vec::new();
    for event in &events {
        binary.push(0);
        binary.extend(event.len().to_string().bytes().map(|digit| digit - b'0'));
        binary.push(0xff);
        binary.extend(event.as_bytes());
    }
    binary.extend([1, 3, 0xff, 4, 1, 2]);
    let line = format!("POST {}", three.path("polling"));
    let kind = [("content-type", "application/octet-stream")];
    assert_eq!(
        request_with(relay.address, &line, &kind, &binary)
            .await
            .body,
        "ok"
    );
    for _ in 0..3 {
        for text in &texts {
            assert_eq!(plain.envelope().await, *text);
        }
    }
}

#[tokio::test]
async fn a_polling_client_upgrades_to_a_websocket() {
    for version in [2, 3, 4] {
        let relay = Relay::start(config()).await;
        let mut plain = relay.join("/").await;
        let poller = Poller::join(&relay, version).await;
        let (polled, mut socket) = tokio::join!(poller.poll(), async {
            let mut socket = Client::open(relay.address, &poller.path("websocket"))
                .await
                .unwrap();
            socket.send("2probe").await;
            assert_eq!(socket.text().await, "3probe");
            socket
        });
        // The request that waits is sent home, with nothing.
        assert_eq!(polled, ["6"]);
        // As long as the client hasn't made up its mind, it gets by polling what is published.
        assert_eq!(poller.poll().await, ["6"]);
        plain.send(ENVELOPE).await;
        assert_eq!(poller.poll().await, [event(ENVELOPE)]);
        assert_eq!(poller.post(&event(ENVELOPE)).await.body, "ok");
        assert_eq!(plain.envelope().await, ENVELOPE);
        socket.send("5").await;
        plain.send(ENVELOPE).await;
        assert_eq!(socket.text().await, event(ENVELOPE));
        socket.send(&event(ENVELOPE)).await;
        assert_eq!(plain.envelope().await, ENVELOPE);
        // It is over with polling, and the session goes on.
        for line in ["GET", "POST"] {
            let line = format!("{line} {}", poller.path("polling"));
            assert_eq!(request(relay.address, &line, &[]).await.status, 400);
        }
        plain.send(ENVELOPE).await;
        assert_eq!(socket.text().await, event(ENVELOPE));
        // Once is enough.
        let second = Client::open(relay.address, &poller.path("websocket")).await;
        assert_eq!(
            second.unwrap().closed().await,
            (
                1002,
                "not Socket.IO: a second WebSocket for a session".into()
            )
        );
        plain.send(ENVELOPE).await;
        assert_eq!(socket.text().await, event(ENVELOPE));
        drop((plain, socket));
        relay.until_empty().await;
    }
}

#[tokio::test]
async fn the_request_that_waits_learns_how_the_session_ended() {
    let relay = Relay::start(config()).await;
    // The client has closed it: there is nothing to say. Which request comes first is up to chance.
    loop {
        let poller = Poller::join(&relay, 4).await;
        let (polled, posted) = tokio::join!(poller.get(), poller.post("1"));
        assert_eq!(posted.body, "ok");
        match polled.status {
            200 => break assert_eq!(polled.body, "6"),
            status => assert_eq!(status, 400, "{polled:?}"),
        }
    }
    relay.until_empty().await;
}

#[tokio::test]
async fn an_aborted_upgrade_leaves_the_session_as_it_was() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let poller = Poller::join(&relay, 4).await;
    for last in ["1", "42[\"message\",{}]", "x", ""] {
        let mut socket = Client::open(relay.address, &poller.path("websocket"))
            .await
            .unwrap();
        socket.send("2probe").await;
        assert_eq!(socket.text().await, "3probe");
        socket.send(last).await;
        socket.ended().await;
        plain.send(ENVELOPE).await;
        let polled = within("an event", async {
            loop {
                let polled = poller.poll().await;
                if polled != ["6"] {
                    return polled;
                }
            }
        })
        .await;
        assert_eq!(polled, [event(ENVELOPE)], "{last}");
    }
    assert_eq!(poller.post(&event(ENVELOPE)).await.body, "ok");
    assert_eq!(plain.envelope().await, ENVELOPE);
}

#[tokio::test]
async fn two_requests_at_one_time_end_a_session() {
    let relay = Relay::start(config()).await;
    let poller = Poller::join(&relay, 4).await;
    let (one, two) = tokio::join!(poller.get(), poller.get());
    let mut answers = [
        (one.status, one.body.as_str()),
        (two.status, two.body.as_str()),
    ];
    answers.sort_unstable();
    assert_eq!(answers[0], (200, "1"));
    assert_eq!(answers[1].0, 400);
    relay.until_empty().await;
}

#[tokio::test]
async fn waiting_polls_leave_room_for_other_requests() {
    let relay = Relay::start(config()).await;
    let mut pollers = Vec::new();
    let mut waiting = Vec::new();
    // More than the connections that there may be, WebSockets apart.
    for _ in 0..1100 {
        let poller = Poller::open(&relay, 3).await;
        let (address, path) = (relay.address, poller.path("polling"));
        waiting.push(tokio::spawn(async move { get(address, &path).await }));
        pollers.push(poller);
    }
    let mut plain = relay.join("/").await;
    plain.send(ENVELOPE).await;
    for polled in waiting {
        assert_eq!(packets(3, &polled.await.unwrap()), [event(ENVELOPE)]);
    }
}

#[tokio::test]
async fn an_aborted_poll_makes_room_for_the_next() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let poller = Poller::join(&relay, 4).await;
    for _ in 0..3 {
        let given_up = tokio::time::timeout(Duration::from_millis(50), poller.get()).await;
        assert!(given_up.is_err());
        // The relay notices when it sees the connection's end; a real client polls again later.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    plain.send(ENVELOPE).await;
    assert_eq!(poller.poll().await, [event(ENVELOPE)]);
}
