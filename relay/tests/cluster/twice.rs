//! What NATS has twice: a relay or a client publishes again what it doesn't know to be published.

use async_nats::jetstream::{self, stream::Stream};
use async_nats::{Client, HeaderMap};

use super::support::nats::Nats;
use super::support::resuming::{Page, message, text};
use super::support::sse::{Reader, post};
use super::support::within;

struct Log {
    client: Client,
    stream: Stream,
}

impl Log {
    async fn of(nats: &Nats) -> Self {
        let address = nats.settings().servers.to_string();
        let client = async_nats::connect(address).await.unwrap();
        let context = jetstream::new(client.clone());
        let stream = context.get_stream("signal-relay").await.unwrap();
        Self { client, stream }
    }

    /// Appends these messages again.
    async fn repeat(&self, ids: std::ops::RangeInclusive<u64>) {
        for id in ids {
            let kept = self.stream.get_raw_message(id).await.unwrap();
            let (subject, text) = (kept.subject.to_string(), kept.payload.clone());
            let headers: HeaderMap = kept.headers.clone();
            let sent = self.client.request_with_headers(subject, headers, text);
            let answer = within("an answer of NATS", sent).await.unwrap();
            let answer = str::from_utf8(&answer.payload).unwrap().to_owned();
            assert!(answer.contains("\"seq\""), "{answer}");
        }
    }
}

#[tokio::test]
async fn what_nats_has_twice_is_delivered_once() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let log = Log::of(&nats).await;
    let mut a = Page::open(&first, "/", &["a"]).await;
    let mut b = Page::open(&second, "/", &["a"]).await;
    let mut old_page = second.join("/").await;
    let mut other_page = first.join("/").await;
    let mut reader = Reader::open(&second, "/sse?client=reader").await;

    a.send(1, 1, "a", "1").await;
    a.send(1, 2, "a", "2").await;
    a.acknowledged(2).await;
    other_page.send(&text(2, "a", "3")).await;
    let (third, _) = a.numbered().await;
    other_page.send("no envelope").await;
    assert_eq!(old_page.envelope().await, text(1, "a", "1"));
    assert_eq!(old_page.envelope().await, text(1, "a", "2"));
    assert_eq!(old_page.envelope().await, text(2, "a", "3"));
    assert_eq!(old_page.text().await, "no envelope");
    post(&first, "/sse?client=writer&ref=1", &text(3, "a", "5")).await;
    assert_eq!(old_page.envelope().await, text(3, "a", "5"));

    // In the same order, and in another one.
    log.repeat(1..=third + 2).await;
    log.repeat(2..=2).await;
    log.repeat(1..=1).await;
    a.send(1, 3, "a", "6").await;
    a.acknowledged(3).await;
    for number in ["1", "2"] {
        assert_eq!(b.message().await, message(1, "a", number));
        assert_eq!(reader.message().await, text(1, "a", number));
    }
    assert_eq!(b.message().await, message(2, "a", "3"));
    assert_eq!(b.message().await, message(3, "a", "5"));
    assert_eq!(b.message().await, message(1, "a", "6"));
    assert_eq!(reader.message().await, text(2, "a", "3"));
    assert_eq!(reader.message().await, text(3, "a", "5"));
    assert_eq!(reader.message().await, text(1, "a", "6"));
    assert_eq!(old_page.envelope().await, text(1, "a", "6"));

    // A relay that reads all of it later decides as those did that were there.
    let secret = b.secret.clone();
    drop(b);
    let relay = nats.relay().await;
    let mut b = Page::connect(&relay, "/").await;
    b.resume(&secret, &["a"], &[("a", 0)]).await;
    b.acknowledged_open().await;
    for (sender, number) in [(1, "1"), (1, "2"), (2, "3"), (3, "5"), (1, "6")] {
        assert_eq!(b.message().await, message(sender, "a", number));
    }
    a.send(1, 4, "a", "7").await;
    assert_eq!(b.message().await, message(1, "a", "7"));
}
