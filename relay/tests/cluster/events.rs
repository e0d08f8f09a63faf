//! Server-sent events from several relays.

use super::support::nats::Nats;
use super::support::resuming::Page;
use super::support::sse::{Reader, post};

fn envelope(sender: u64, message: u64) -> String {
    format!(r#"{{"sender":{sender},"channel":"a","message":{message}}}"#)
}

#[tokio::test]
async fn a_reader_resumes_on_another_relay() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let mut reader = Reader::open(&first, "/sse?client=reader").await;
    // On both, also before it has received a message.
    let mut begun =
        Reader::open_with(&second, "/sse", &[("last-event-id", &reader.first.id)]).await;
    assert_eq!(begun.first.name, "hello");
    let posted = post(&second, "/sse", &envelope(2, 1)).await;
    assert_eq!(posted.status, 204);
    assert_eq!(begun.message().await, envelope(2, 1));
    let event = reader.event().await;
    assert_eq!(event.data, envelope(2, 1));
    drop(reader);
    for message in [2, 3] {
        post(&first, "/sse", &envelope(2, message)).await;
    }
    // Its own, from wherever.
    post(&first, "/sse?client=reader&ref=1", &envelope(1, 0)).await;
    let last = [("last-event-id", event.id.as_str())];
    let mut reader = Reader::open_with(&second, "/sse?client=reader", &last).await;
    assert_eq!(reader.first.name, "hello");
    assert_eq!(reader.message().await, envelope(2, 2));
    assert_eq!(reader.message().await, envelope(2, 3));
    post(&first, "/sse", &envelope(2, 4)).await;
    assert_eq!(reader.message().await, envelope(2, 4));
    // An id that no relay has given is none.
    let made_up = event.id.replace('-', "-1");
    let last = [("last-event-id", made_up.as_str())];
    let stranger = Reader::open_with(&second, "/sse", &last).await;
    assert_eq!(stranger.first.name, "gap");
}

#[tokio::test]
async fn what_is_sent_again_to_another_relay_is_published_once() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let mut reader = Reader::open(&first, "/sse").await;
    for (relay, reference) in [
        (&first, 1),
        (&second, 1),
        (&second, 2),
        (&first, 2),
        (&first, 3),
    ] {
        let path = format!("/sse?client=sender&ref={reference}");
        let posted = post(relay, &path, &envelope(1, reference)).await;
        assert_eq!(posted.status, 204);
    }
    for reference in 1..=3 {
        assert_eq!(reader.message().await, envelope(1, reference));
    }
    // Another client has numbers of its own.
    post(&second, "/sse?client=another&ref=1", &envelope(2, 1)).await;
    assert_eq!(reader.message().await, envelope(2, 1));
}

#[tokio::test]
async fn a_relay_that_comes_late_reads_all_that_is_kept() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    comes_late(&nats, 3000, "0").await;
    // Fewer of these are read at one time.
    comes_late(&nats, 60, &format!("\"{}\"", "x".repeat(100_000))).await;
}

async fn comes_late(nats: &Nats, messages: u64, message: &str) {
    let (first, second) = (nats.relay().await, nats.relay().await);
    let reader = Reader::open(&first, "/sse").await;
    let mut page = Page::open(&first, "/", &[]).await;
    for number in 1..=messages {
        page.send(1, number, &(number % 10).to_string(), message)
            .await;
        if number % 100 == 0 || message.len() > 1 {
            page.acknowledged(number).await;
        }
    }
    let last = [("last-event-id", reader.first.id.as_str())];
    let mut reader = Reader::open_with(&second, "/sse", &last).await;
    assert_eq!(reader.first.name, "hello");
    for number in 1..=messages {
        let channel = number % 10;
        let expected = format!(r#"{{"sender":1,"channel":"{channel}","message":{message}}}"#);
        assert!(reader.message().await == expected, "{number}");
    }
}
