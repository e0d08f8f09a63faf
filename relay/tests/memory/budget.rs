//! What all clients make the relay hold stays within the budget, and an honest pair of pages works
//! on.

use signal_relay::Config;
use signal_relay::hub::{history, queue};
use signal_relay::{Server, StartError};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::support::resuming::{Page, message, text};
use super::support::{Client, Relay, config, connect_from, raw_next, raw_over};

const KILOBYTE: usize = 1024;
const MEGABYTE: usize = 1024 * KILOBYTE;
const MEMORY: usize = 12 * MEGABYTE;

fn small() -> Config {
    Config {
        connections: 128,
        max_frame: 256 * KILOBYTE,
        queue: queue::Limits {
            frames: 10_000,
            bytes: 2 * MEGABYTE,
        },
        history: history::Limits {
            total: 2 * MEGABYTE,
            bytes: 2 * MEGABYTE,
            messages: 10_000,
            ..config().history
        },
        memory: MEMORY,
        ..config()
    }
}

/// A pair of pages on an address and in a space of its own.
struct Pair {
    from: Page,
    to: Page,
    sent: u64,
}

impl Pair {
    async fn open(relay: &Relay) -> Self {
        let mut pages = Vec::new();
        for _ in 0..2 {
            let mut page = Page::connect_from(2, relay, "/pair").await;
            page.say(r#"{"open":["a"]}"#).await;
            page.ack(0).await;
            pages.push(page);
        }
        let (to, from) = (pages.pop().unwrap(), pages.pop().unwrap());
        Self { from, to, sent: 0 }
    }

    /// One more message arrives, and memory is within the budget, but for what was added since
    /// somebody looked last.
    async fn works(&mut self, relay: &Relay) {
        self.sent += 1;
        let body = self.sent.to_string();
        self.from.send(1, self.sent, "a", &body).await;
        assert_eq!(self.to.message().await, message(1, "a", &body));
        let used = relay.stats.get().memory;
        assert!(used.total() <= MEMORY + MEGABYTE, "{used:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_messages_of_many_connections_are_paid_out_of_the_budget() {
    let relay = Relay::start(small()).await;
    let mut pair = Pair::open(&relay).await;
    let mut streams: Vec<TcpStream> = Vec::new();
    for _ in 0..120 {
        let stream = connect_from(3, relay.address).await;
        let mut stream = raw_over(stream, relay.address, "/attacker").await;
        assert_eq!(raw_next(&mut stream).await.0, 0x81);
        // A first fragment of 200,000 bytes.
        let mut frame = vec![0x01, 0x80 | 127];
        frame.extend(200_000_u64.to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(vec![b'x'; 200_000]);
        // It may be closed meanwhile.
        let _ = stream.write_all(&frame).await;
        let _ = stream.write_all(b"\x89\x80\0\0\0\0").await;
        pair.works(&relay).await;
        streams.push(stream);
    }
    // Several had to go, and were told so.
    let mut over = 0;
    for stream in &mut streams {
        let _ = stream.write_all(b"\x89\x80\0\0\0\0").await;
        for _ in 0..2 {
            match raw_next(stream).await {
                (0x88, reason) => {
                    assert_eq!(reason, b"\x0f\xaeover its share of memory");
                    over += 1;
                    break;
                }
                (0x8a, _) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(over >= 60, "{over}");
    drop(streams);
    pair.works(&relay).await;
    relay.until(|stats| stats.memory.buffers < MEGABYTE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_with_many_channels_are_paid_out_of_the_budget() {
    let relay = Relay::start(small()).await;
    let mut pair = Pair::open(&relay).await;
    let channels: Vec<_> = (0..1000).map(|number| format!("{number:0>200}")).collect();
    let open = serde_json::json!({ "open": channels }).to_string();
    let mut attached = Vec::new();
    for number in 0..60_u8 {
        // From several addresses, and with and without a connection.
        let mut page = Page::connect_from(3 + number % 5, &relay, "/attacker").await;
        page.say(&open).await;
        // It may be closed meanwhile.
        let _ = page.client.next().await;
        if number % 2 == 0 {
            attached.push(page);
        }
        pair.works(&relay).await;
    }
    let sessions = relay.stats.get().sessions;
    assert!(sessions.channels < 12_000, "{sessions:?}");
    drop(attached);
    pair.works(&relay).await;
    // The pair's sessions are still there.
    let secret = pair.to.secret.clone();
    drop(pair.to);
    let mut page = Page::connect_from(2, &relay, "/pair").await;
    page.resume(&secret, &["a"], &[]).await;
    page.ack(0).await;
    for number in 1..=pair.sent {
        assert_eq!(page.message().await, message(1, "a", &number.to_string()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replays_that_nobody_reads_are_paid_out_of_the_budget() {
    let relay = Relay::start(small()).await;
    let mut pair = Pair::open(&relay).await;
    let mut publisher = Client::open_from(3, relay.address, "/attacker")
        .await
        .unwrap();
    let body = format!("\"{}\"", "x".repeat(20_000));
    let mut readers = Vec::new();
    for round in 0..30 {
        // The history is full of messages that no earlier reader has.
        let mut page = Page::connect_narrow(&relay, "/attacker").await;
        page.say(r#"{"open":["x"]}"#).await;
        page.ack(0).await;
        let secret = page.secret.clone();
        drop(page);
        for _ in 0..110 {
            publisher.send(&text(9, "x", &body)).await;
        }
        let mut reader = Page::connect_narrow(&relay, "/attacker").await;
        reader.resume(&secret, &["x"], &[]).await;
        readers.push(reader);
        pair.works(&relay).await;
        let used = relay.stats.get().memory;
        assert!(used.messages <= MEMORY, "{used:?} in round {round}");
    }
    drop(readers);
    pair.works(&relay).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_message_is_not_copied_for_each_receiver() {
    let relay = Relay::start(small()).await;
    let mut sender = relay.join("/").await;
    let mut receivers = Vec::new();
    for _ in 0..50 {
        receivers.push(relay.join("/").await);
    }
    for letter in ["a", "b", "c"] {
        let sent = letter.repeat(250_000);
        sender.send(&sent).await;
        for receiver in &mut receivers {
            assert!(receiver.text().await == sent);
        }
        let used = relay.stats.get().memory;
        assert!(used.buffers < 51 * 64 * KILOBYTE, "{used:?}");
    }
    assert_eq!(relay.stats.get().members, 51);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_given_back_when_everybody_has_gone() {
    let relay = Relay::start(Config {
        sessions: signal_relay::hub::sessions::Limits {
            kept: 0,
            ..config().sessions
        },
        history: history::Limits {
            age: std::time::Duration::from_millis(1),
            ..small().history
        },
        ..small()
    })
    .await;
    let mut pair = Pair::open(&relay).await;
    for _ in 0..10 {
        pair.works(&relay).await;
    }
    assert!(relay.stats.get().memory.total() > 0);
    drop(pair);
    relay
        .until(|stats| stats.memory.total() == 0 && stats.history == history::Stats::default())
        .await;
}

#[tokio::test]
async fn settings_that_need_more_memory_than_there_is_are_refused() {
    let least = small().least_memory();
    let config = Config {
        memory: least - 1,
        ..small()
    };
    let refused = Server::bind(config).await.unwrap_err();
    assert_eq!(
        refused,
        StartError::MemoryTooSmall {
            memory: least - 1,
            least
        }
    );
    let sentence = refused.to_string();
    assert!(
        sentence.contains(&format!("--memory to at least {least}")),
        "{sentence}"
    );
    let config = Config {
        memory: least,
        ..small()
    };
    assert!(Server::bind(config).await.is_ok());
}
