//! Pages on several relays, and pages that go from one to another.

use std::time::Duration;

use tokio_tungstenite::tungstenite::Message;

use super::support::nats::Nats;
use super::support::resuming::{Page, message, text};
use super::support::socket_io::{event, join};
use super::support::{self, Client, Relay, get, within};

#[tokio::test]
async fn what_is_published_on_one_relay_is_delivered_on_all() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let mut old_page = first.join("/").await;
    let mut a = Page::open(&first, "/", &["a"]).await;
    let mut b = Page::open(&second, "/", &["a", "b"]).await;
    let mut elsewhere = Page::open(&second, "/elsewhere", &["a"]).await;
    assert_eq!(a.epoch, b.epoch);
    for (number, channel) in [(1, "a"), (2, "b"), (3, "a")] {
        a.send(1, number, channel, &number.to_string()).await;
        assert_eq!(b.message().await, message(1, channel, &number.to_string()));
        assert_eq!(
            old_page.envelope().await,
            text(1, channel, &number.to_string())
        );
    }
    a.acknowledged(3).await;
    b.send(2, 1, "a", "\"back\"").await;
    assert_eq!(a.message().await, message(2, "a", "\"back\""));
    assert_eq!(old_page.envelope().await, text(2, "a", "\"back\""));
    b.acknowledged(1).await;
    // Any text reaches those who can't tell what they have open, on all relays.
    let mut other_page = second.join("/").await;
    old_page.send(&text(3, "a", "0")).await;
    assert_eq!(other_page.envelope().await, text(3, "a", "0"));
    old_page.send("no envelope").await;
    assert_eq!(other_page.text().await, "no envelope");
    assert_eq!(b.message().await, message(3, "a", "0"));
    elsewhere.send(9, 1, "a", "4").await;
    assert_eq!(elsewhere.next().await, r#"{"ack":1}"#);
    assert_eq!(get(first.address, "/readyz").await.status, 200);
}

#[tokio::test]
async fn messages_without_an_envelope_are_delivered_on_all_relays() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let (_ready, mut page) = (
        Page::open(&first, "/", &["a"]).await,
        Page::open(&second, "/", &["undefined"]).await,
    );
    let (mut one, mut other) = (join(&first, 3).await, join(&second, 4).await);
    for message in [r#""text""#, "5", "null", r#"{"message":"hi"}"#] {
        one.send(&event(message)).await;
        assert_eq!(other.text().await, event(message));
        let heard = page.client.envelope().await;
        assert!(
            heard.contains(&format!(r#","message":{message},"#)),
            "{heard}"
        );
    }
    other.send(&event("\"back\"")).await;
    assert_eq!(one.text().await, event("\"back\""));
    let mut shim = first.join("/").await;
    shim.send(r#"{"sender":5,"message":"from the shim"}"#).await;
    assert_eq!(other.text().await, event("\"from the shim\""));
}

#[tokio::test]
async fn a_page_resumes_on_another_relay() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (mut first, second) = (nats.program(&[]).await, nats.relay().await);
    let mut stays = Page::open(&second, "/", &["a", "quiet"]).await;
    let mut page = Page::open_on(first.address, "/", &["a", "quiet", "closed"]).await;
    let secret = page.secret.clone();
    page.say(r#"{"close":["closed"]}"#).await;
    page.send(1, 1, "a", "1").await;
    page.acknowledged(1).await;
    assert_eq!(stays.message().await, message(1, "a", "1"));
    stays.send(2, 1, "a", "\"seen\"").await;
    let (last, seen) = page.numbered().await;
    assert_eq!(seen, message(2, "a", "\"seen\""));

    // Its relay ends without a word.
    first.child.kill().unwrap();
    drop(page);
    stays.send(2, 2, "a", "\"missed\"").await;
    stays.send(2, 3, "quiet", "\"missed too\"").await;
    stays.send(2, 4, "closed", "\"not for it\"").await;
    stays.acknowledged(4).await;

    let mut page = Page::connect(&second, "/").await;
    page.resume(&secret, &["a", "quiet"], &[("a", last)]).await;
    page.acknowledged_open().await;
    assert_eq!(page.message().await, message(2, "a", "\"missed\""));
    assert_eq!(page.message().await, message(2, "quiet", "\"missed too\""));
    // What was accepted there isn't published again, though its acknowledgement was lost.
    page.send(1, 1, "a", "1").await;
    page.send(1, 2, "a", "2").await;
    page.acknowledged(2).await;
    assert_eq!(stays.message().await, message(1, "a", "2"));
    // Nothing of its own came back.
    stays.send(2, 5, "a", "5").await;
    assert_eq!(page.message().await, message(2, "a", "5"));
}

#[tokio::test]
async fn a_quiet_channel_has_no_gap_on_another_relay() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (mut first, second) = (nats.program(&[]).await, nats.relay().await);
    let page = Page::open_on(first.address, "/", &["quiet"]).await;
    let secret = page.secret.clone();
    let mut other = Page::open(&second, "/elsewhere", &["a"]).await;
    for number in 1..=50 {
        other.send(2, number, "a", "0").await;
    }
    other.acknowledged(50).await;
    first.child.kill().unwrap();
    drop(page);
    let mut page = Page::connect(&second, "/").await;
    page.resume(&secret, &["quiet"], &[]).await;
    page.acknowledged_open().await;
    page.send(1, 1, "quiet", "1").await;
    assert_eq!(page.next().await, r#"{"ack":1}"#);
    // A secret that is no session's is.
    let mut stranger = Page::connect(&second, "/").await;
    stranger
        .resume("0123456789abcdef0123456789abcdef", &["quiet"], &[])
        .await;
    stranger.ack(0).await;
    assert_eq!(stranger.next().await, r#"{"gap":"quiet"}"#);
}

#[tokio::test]
async fn a_session_is_on_one_relay_at_a_time() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let mut stays = Page::open(&first, "/", &["a"]).await;
    let mut left = Page::open(&first, "/", &["a"]).await;
    let secret = left.secret.clone();
    let mut page = Page::connect(&second, "/").await;
    page.resume(&secret, &["a"], &[]).await;
    page.acknowledged_open().await;
    // The connection that was left behind learns it as soon as it changes anything.
    left.say(r#"{"open":["b"]}"#).await;
    assert_eq!(left.client.closed().await.0, 4009);
    // And back: what the first relay knows of the session is out of date.
    page.send(1, 1, "a", "1").await;
    page.acknowledged(1).await;
    assert_eq!(stays.message().await, message(1, "a", "1"));
    page.say(r#"{"open":["c"]}"#).await;
    page.ack(1).await;
    drop(page);
    let mut page = Page::connect(&first, "/").await;
    page.resume(&secret, &["a", "c"], &[]).await;
    page.acknowledged_open().await;
    page.send(1, 1, "a", "1").await;
    page.send(1, 2, "a", "2").await;
    page.acknowledged(2).await;
    assert_eq!(stays.message().await, message(1, "a", "2"));
    stays.send(2, 1, "c", "3").await;
    assert_eq!(page.message().await, message(2, "c", "3"));
}

#[tokio::test]
async fn relays_are_replaced_one_after_the_other() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let mut relays = vec![nats.relay().await, nats.relay().await];
    let mut page = Page::open(&relays[0], "/", &["a", "quiet"]).await;
    let (secret, epoch) = (page.secret.clone(), page.epoch.clone());
    let mut sender = Page::open(&relays[1], "/", &["x"]).await;
    let sender_secret = sender.secret.clone();
    for number in 1..=4 {
        // The page's relay is stopped. The other one takes it, and a new one comes.
        let stopped = relays.remove(0).stop();
        assert_eq!(page.client.closed().await.0, 1001);
        drop(page);
        stopped.await.unwrap();
        sender.send(1, number, "a", &number.to_string()).await;
        sender.acknowledged(number).await;
        page = Page::connect(&relays[0], "/").await;
        page.resume(&secret, &["a", "quiet"], &[]).await;
        page.acknowledged_open().await;
        for seen in 1..=number {
            assert_eq!(page.message().await, message(1, "a", &seen.to_string()));
        }
        relays.push(nats.relay().await);
        sender = Page::connect(&relays[1], "/").await;
        sender.resume(&sender_secret, &["x"], &[]).await;
        sender.acknowledged_open().await;
    }
    assert_eq!(page.epoch, epoch);
}

#[tokio::test]
async fn a_page_goes_from_relay_to_relay_at_once() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let relays = [nats.relay().await, nats.relay().await];
    let mut page = Page::open(&relays[0], "/", &["a"]).await;
    let secret = page.secret.clone();
    for number in 1..=20 {
        // The relay that it leaves writes that it has left, at the same time.
        drop(page);
        page = Page::connect(&relays[number as usize % 2], "/").await;
        page.resume(&secret, &["a"], &[]).await;
        page.acknowledged_open().await;
        page.send(1, number, "a", "1").await;
        page.acknowledged(number).await;
    }
}

#[tokio::test]
async fn messages_keep_their_order_whatever_relay_they_came_by() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let relays = [nats.relay().await, nats.relay().await, nats.relay().await];
    let mut readers = Vec::new();
    for relay in &relays {
        readers.push(Page::open(relay, "/", &["a"]).await);
    }
    let publish = |relay: &Relay, sender: u64| {
        let address = relay.address;
        async move {
            let mut page = Page::open_on(address, "/", &["mine"]).await;
            for number in 1..=200 {
                page.send(sender, number, "a", &number.to_string()).await;
            }
            page.acknowledged(200).await;
        }
    };
    tokio::join!(
        publish(&relays[0], 1),
        publish(&relays[1], 2),
        publish(&relays[2], 3)
    );
    let mut orders = Vec::new();
    for reader in &mut readers {
        let mut order = Vec::new();
        for _ in 0..600 {
            order.push(reader.numbered().await);
        }
        assert!(order.is_sorted_by_key(|(id, _)| *id));
        orders.push(order);
    }
    assert!(orders[0] == orders[1] && orders[1] == orders[2]);
}

/// Whoever knows that it is in a space may let others publish, on any relay.
#[tokio::test]
async fn the_first_member_on_a_relay_misses_nothing_from_its_opening_on() {
    const ROUNDS: usize = 8;
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let mut rounds = 0..ROUNDS;
    let mut attempts = 0..10 * ROUNDS;
    while let (Some(round), Some(attempt)) = (rounds.next(), attempts.next()) {
        let space = format!("/{attempt}");
        let mut page = Page::open(&first, &space, &["a"]).await;
        // Relays can't tell in which order NATS takes what waits for it.
        nats.pause();
        let opening = async {
            let mut client = Client::open(second.address, &space).await.unwrap();
            page.send(1, 1, "a", "1").await;
            client.greeted().await;
            client
        };
        let going_on = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            nats.go_on();
        };
        let (mut client, ()) = tokio::join!(opening, going_on);
        let received = within("a message, or the end", client.next()).await;
        match received.unwrap().unwrap() {
            Message::Text(frame) => assert_eq!(support::without_id(&frame).0, text(1, "a", "1")),
            // On a busy machine it took too long. A client that is sent away comes back.
            Message::Close(_) => rounds = round..ROUNDS,
            other => panic!("{other:?} and no message"),
        }
    }
    assert!(rounds.is_empty(), "each time it took too long");
}
