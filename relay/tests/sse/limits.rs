//! Each limit, invalid requests, keep-alives, a store that fails, and a relay that stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use signal_relay::Config;
use signal_relay::hub::Hub;
use signal_relay::hub::history;
use signal_relay::hub::queue::Limits;
use signal_relay::hub::spaces::Spaces;
use signal_relay::hub::store::{BoxFuture, OpenRequest, Publication, Store, StoreError};
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use super::support::sse::{Reader, post, post_with};
use super::support::{LIMIT, Relay, config, get, request, within};

const ENVELOPE: &str = r#"{"sender":1,"channel":"a","message":1}"#;

#[tokio::test]
async fn invalid_posts_are_answered_with_what_is_wrong() {
    let relay = Relay::start(Config {
        max_frame: 1000,
        ..config()
    })
    .await;
    let mut page = relay.join("/").await;
    for body in [
        "",
        "hello",
        "{}",
        "[1]",
        r#"{"channel":null}"#,
        r#"{"channel":"a"}{}"#,
    ] {
        let posted = post(&relay, "/sse", body).await;
        assert_eq!(posted.status, 400, "{body}");
        assert!(posted.body.starts_with("The body must be one envelope"));
    }
    let around = r#"{"channel":"a","message":""}"#.len();
    let sized = |length: usize| {
        let message = "x".repeat(length - around);
        format!(r#"{{"channel":"a","message":"{message}"}}"#)
    };
    assert_eq!(post(&relay, "/sse", &sized(1000)).await.status, 204);
    assert_eq!(page.envelope().await, sized(1000));
    let posted = post(&relay, "/sse", &sized(1001)).await;
    assert_eq!(posted.status, 413);
    assert_eq!(posted.body, "A message has at most 1000 bytes.\n");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(post_with(&relay, "/sse", &form, ENVELOPE).await.status, 415);

    let long = "x".repeat(65);
    for query in [
        "ref=1",
        "client=&ref=1",
        "client=a&ref=",
        "client=a&ref=-1",
        "client=a&ref=1.5",
        &format!("client={long}"),
    ] {
        let posted = post(&relay, &format!("/sse?{query}"), ENVELOPE).await;
        assert_eq!(posted.status, 400, "{query}");
    }
    let longest = "a".repeat(1023);
    assert_eq!(
        post(&relay, &format!("/{longest}/sse"), ENVELOPE)
            .await
            .status,
        204
    );
    assert_eq!(
        post(&relay, &format!("/{longest}a/sse"), ENVELOPE)
            .await
            .status,
        414
    );
    assert_eq!(
        get(relay.address, &format!("/{longest}a/sse")).await.status,
        414
    );
    for line in ["PUT /sse", "DELETE /sse", "HEAD /sse"] {
        let answer = request(relay.address, line, &[("content-length", "0")]).await;
        assert!(answer.status == 404 || answer.status == 405, "{answer:?}");
    }
    assert_eq!(relay.stats.get().members, 1);
}

#[tokio::test]
async fn readers_count_as_connections() {
    let relay = Relay::start(Config {
        connections: 2,
        ..config()
    })
    .await;
    let reader = Reader::open(&relay, "/sse").await;
    let _page = relay.join("/").await;
    let refused = Reader::open(&relay, "/sse").await;
    assert_eq!(refused.response.status(), 503);
    assert_eq!(refused.header("retry-after"), "10");
    // A POST needs none.
    assert_eq!(post(&relay, "/sse", ENVELOPE).await.status, 204);
    drop(reader);
    relay.until(|_| relay.stats.connections() == 1).await;
    let reader = Reader::open(&relay, "/sse").await;
    assert_eq!(reader.response.status(), 200);
}

#[tokio::test]
async fn streams_leave_room_for_other_requests() {
    let relay = Relay::start(config()).await;
    let mut readers = Vec::new();
    // More than the HTTP connections that there may be.
    for _ in 0..1100 {
        readers.push(Reader::open(&relay, "/sse").await);
    }
    assert_eq!(post(&relay, "/sse", ENVELOPE).await.status, 204);
    for reader in &mut readers {
        assert_eq!(reader.message().await, ENVELOPE);
    }
    drop(readers);
    relay.until_empty().await;
}

#[tokio::test]
async fn an_idle_stream_is_kept_alive() {
    let relay = Relay::start(Config {
        ping_interval: Duration::from_millis(20),
        ping_timeout: LIMIT,
        ..config()
    })
    .await;
    let mut reader = Reader::open(&relay, "/sse").await;
    for _ in 0..3 {
        assert_eq!(reader.any().await.map(|event| event.comments), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_dropped_and_nobody_waits_for_it() {
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 64,
            bytes: 1024 * 1024,
        },
        ..config()
    })
    .await;
    let mut sender = relay.join("/").await;
    let mut other = Reader::open(&relay, "/sse").await;
    let mut slow = Reader::open_narrow(&relay, "/sse").await;
    let text = |sent: usize| format!(r#"{{"channel":"a","message":"{sent:0>60000}"}}"#);
    let mut sent = 0;
    within("the relay to close it", async {
        while relay.stats.get().members == 3 {
            sender.send(&text(sent)).await;
            assert_eq!(other.message().await, text(sent));
            sent += 1;
        }
    })
    .await;
    relay.until(|_| relay.stats.connections() == 2).await;
    // It finds the beginning without a gap, and then the end of its connection.
    let mut next = 0;
    while let Some(event) = slow.any().await {
        assert_eq!(event.data, text(next));
        next += 1;
    }
    assert!(next < sent, "{next} of {sent} came");
}

#[tokio::test]
async fn a_stopping_relay_sends_what_waits_and_ends_the_stream() {
    let relay = Relay::start(config()).await;
    let mut page = relay.join("/").await;
    let mut reader = Reader::open(&relay, "/sse").await;
    for _ in 0..100 {
        page.send(ENVELOPE).await;
    }
    page.heard().await;
    let served = relay.stop();
    for _ in 0..100 {
        assert_eq!(reader.message().await, ENVELOPE);
    }
    assert_eq!(reader.any().await, None);
    assert_eq!(page.closed().await.0, 1001);
    drop((page, reader));
    let stopped = tokio::time::timeout(LIMIT, served).await;
    stopped.expect("it doesn't stop").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_waits_a_limited_time_for_readers_that_do_not_read() {
    let relay = Relay::start(Config {
        close_timeout: Duration::from_millis(100),
        ..config()
    })
    .await;
    let mut page = relay.join("/").await;
    let stuck = Reader::open_narrow(&relay, "/sse").await;
    // More than the system's buffers hold.
    for _ in 0..100 {
        let message = "x".repeat(40_000);
        page.send(&format!(r#"{{"channel":"a","message":"{message}"}}"#))
            .await;
    }
    page.heard().await;
    let stats = relay.stats.clone();
    let stopped = tokio::time::timeout(LIMIT, relay.stop()).await;
    stopped.expect("it doesn't stop").unwrap();
    // On a busy machine the relay may not have waited to the end.
    let gone = async {
        while stats.get().members > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let gone = tokio::time::timeout(LIMIT, gone).await;
    gone.expect("the stream stays");
    drop((page, stuck));
}

#[tokio::test]
async fn a_replay_has_a_gap_where_messages_are_gone() {
    let relay = Relay::start(Config {
        history: history::Limits {
            messages: 2,
            ..config().history
        },
        ..config()
    })
    .await;
    let mut page = relay.join("/").await;
    let mut reader = Reader::open(&relay, "/sse").await;
    page.send(ENVELOPE).await;
    let last = reader.event().await.id;
    for channel in ["a", "b", "a", "a"] {
        page.send(&format!(r#"{{"channel":"{channel}"}}"#)).await;
    }
    page.heard().await;
    let mut reader = Reader::open_with(&relay, "/sse", &[("last-event-id", &last)]).await;
    // Not seen yet is what comes now.
    assert_eq!((&*reader.first.name, &*reader.first.id), ("gap", ""));
    for channel in ["b", "a", "a"] {
        assert_eq!(
            reader.message().await,
            format!(r#"{{"channel":"{channel}"}}"#)
        );
    }
}

#[tokio::test]
async fn a_body_that_does_not_come_is_no_message() {
    let relay = Relay::start(config()).await;
    let mut stream = tokio::net::TcpStream::connect(relay.address).await.unwrap();
    let head = "POST /sse HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{\"channel\":";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer);
    let _ = tokio::time::timeout(LIMIT, read).await.expect("no end");
    assert_eq!(relay.stats.get().history, history::Stats::default());
}

/// A store that is out of order.
#[derive(Debug)]
struct Broken;

impl Store for Broken {
    fn epoch(&self) -> Arc<str> {
        "broken".into()
    }

    fn publish(&self, _: Publication) -> BoxFuture<'_> {
        Box::pin(async { Err(StoreError::Unavailable("no connection".into())) })
    }

    fn open(&self, _: OpenRequest) -> BoxFuture<'_> {
        Box::pin(async { Err(StoreError::Unavailable("no connection".into())) })
    }

    fn close(&self, _: &Arc<str>, _: &mut dyn Iterator<Item = Arc<str>>) {}
}

/// A store that publishes one message after the other, when the test says so.
#[derive(Debug)]
struct Gated {
    begun: AtomicUsize,
    gate: Semaphore,
}

impl Store for Gated {
    fn epoch(&self) -> Arc<str> {
        "gated".into()
    }

    fn publish(&self, _: Publication) -> BoxFuture<'_> {
        Box::pin(async {
            self.begun.fetch_add(1, Ordering::Relaxed);
            let opened = self.gate.acquire().await;
            opened.expect("never closed").forget();
            Ok(())
        })
    }

    fn open(&self, _: OpenRequest) -> BoxFuture<'_> {
        Box::pin(async { Err(StoreError::Unavailable("it opens nothing".into())) })
    }

    fn close(&self, _: &Arc<str>, _: &mut dyn Iterator<Item = Arc<str>>) {}
}

#[tokio::test]
async fn a_message_whose_client_disconnects_is_published_once() {
    let store = Arc::new(Gated {
        begun: AtomicUsize::new(0),
        gate: Semaphore::new(0),
    });
    let spaces = Arc::new(Spaces::new(config().queue).unwrap());
    let hub = Hub::new(config().hub_limits(), spaces, store.clone());
    let relay = Relay::start_with(config(), hub).await;
    let path = "/sse?client=a&ref=1";
    let mut stream = tokio::net::TcpStream::connect(relay.address).await.unwrap();
    let length = ENVELOPE.len();
    let first = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{ENVELOPE}"
    );
    stream.write_all(first.as_bytes()).await.unwrap();
    relay
        .until(|_| store.begun.load(Ordering::Relaxed) == 1)
        .await;
    drop(stream);
    // Meanwhile the relay has seen the end of that connection.
    for _ in 0..20 {
        get(relay.address, "/healthz").await;
    }
    store.gate.add_permits(2);
    assert_eq!(post(&relay, path, ENVELOPE).await.status, 204);
    assert_eq!(store.begun.load(Ordering::Relaxed), 1);
    assert_eq!(
        post(&relay, "/sse?client=a&ref=2", ENVELOPE).await.status,
        204
    );
    assert_eq!(store.begun.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_message_that_the_store_refuses_may_be_sent_again() {
    let spaces = Arc::new(Spaces::new(config().queue).unwrap());
    let hub = Hub::new(config().hub_limits(), spaces, Arc::new(Broken));
    let relay = Relay::start_with(config(), hub).await;
    for path in ["/sse", "/sse?client=a&ref=1", "/sse?client=a&ref=1"] {
        let posted = post(&relay, path, ENVELOPE).await;
        assert_eq!((posted.status, posted.retry_after.as_str()), (503, "5"));
        assert!(posted.body.contains("no connection"), "{}", posted.body);
    }
    // A store that replays no spaces says so.
    let reader = Reader::open_with(&relay, "/sse", &[("last-event-id", "broken-0")]).await;
    assert_eq!((&*reader.first.name, &*reader.first.id), ("gap", ""));
}
