//! What is charged to the budget is what the process grows by, or a little more: the constants in
//! the code are measured. One test, because it reads the memory of the whole process.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use signal_relay::Config;
use signal_relay::hub::Hub;
use signal_relay::hub::frame::PendingMessage;
use signal_relay::hub::history;
use signal_relay::hub::store::{Content, Publication};
use support::resuming::{Page, text};
use support::{Relay, address, config};

/// Bytes of data that the process has in memory. The program's own pages come in when they are
/// first needed, and aren't counted.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<usize>().unwrap() * 1024
}

fn ample() -> Config {
    Config {
        memory: usize::MAX,
        history: history::Limits {
            total: usize::MAX,
            messages: usize::MAX,
            bytes: usize::MAX,
            age: Duration::from_secs(3600),
        },
        ..config()
    }
}

/// Publishes messages in these spaces, on these channels.
async fn publish(
    hub: &Hub,
    count: usize,
    space: impl Fn(usize) -> String,
    channel: impl Fn(usize) -> String,
    length: usize,
) {
    let from = hub.new_publisher();
    let body = format!("\"{}\"", "x".repeat(length));
    for number in 0..count {
        let space: Arc<str> = space(number).into();
        let message = PendingMessage::read(&text(1, &channel(number), &body), None).unwrap();
        hub.publish(Publication {
            account: hub.account(&space, address(1)),
            space,
            from,
            content: Content::Envelope(message),
            reference: None,
        })
        .await
        .unwrap();
    }
}

struct Growth {
    what: &'static str,
    charged: usize,
    resident: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_charged_covers_what_is_used() {
    let mut growths = Vec::new();
    let mut hubs = Vec::new();
    // What a process needs only once belongs to no message.
    let first = Hub::in_memory(ample().hub_limits()).unwrap();
    publish(&first, 100, |_| "/".to_owned(), |_| String::new(), 20).await;
    hubs.push(first);
    for (what, spaces, channels, length, count) in [
        ("short messages on one channel", 1, 1, 20, 30_000),
        ("messages on one channel", 1, 1, 1000, 15_000),
        (
            "short messages on a channel each",
            1,
            usize::MAX,
            20,
            20_000,
        ),
        ("short messages in a space each", usize::MAX, 1, 20, 10_000),
        (
            "short messages in a long space each",
            usize::MAX,
            1,
            21,
            10_000,
        ),
    ] {
        let hub = Hub::in_memory(ample().hub_limits()).unwrap();
        let before = resident();
        let long = if length == 21 {
            "s".repeat(1000)
        } else {
            String::new()
        };
        let space = |number: usize| format!("/{long}{}", number % spaces);
        let channel = |number: usize| (number % channels).to_string();
        publish(&hub, count, space, channel, length).await;
        growths.push(Growth {
            what,
            charged: hub.stats().memory.total(),
            resident: resident().saturating_sub(before),
        });
        hubs.push(hub);
    }

    let relay = Relay::start(ample()).await;
    let channels: Vec<_> = (0..1000).map(|number| format!("{number:0>50}")).collect();
    let before = (resident(), relay.stats.get().memory.total());
    for number in 0..50 {
        let own: Vec<_> = channels
            .iter()
            .map(|name| format!("{name}{number}"))
            .collect();
        let own: Vec<_> = own.iter().map(String::as_str).collect();
        drop(Page::open(&relay, "/", &own).await);
    }
    relay.until(|stats| stats.sessions.kept == 50).await;
    growths.push(Growth {
        what: "sessions with a thousand channels each",
        charged: relay.stats.get().memory.total() - before.1,
        resident: resident().saturating_sub(before.0),
    });
    let before = (resident(), relay.stats.get().memory.total());
    for number in 0..1000 {
        drop(Page::open(&relay, &format!("/{number}"), &["a"]).await);
    }
    relay.until(|stats| stats.sessions.kept == 1050).await;
    growths.push(Growth {
        what: "sessions with one channel in a space each",
        charged: relay.stats.get().memory.total() - before.1,
        resident: resident().saturating_sub(before.0),
    });
    for Growth {
        what,
        charged,
        resident,
    } in &growths
    {
        println!(
            "{what}: charged {charged}, resident {resident}, {:.2}",
            *charged as f64 / *resident as f64
        );
    }
    for Growth {
        what,
        charged,
        resident,
    } in growths
    {
        assert!(
            charged * 5 / 4 >= resident,
            "{what}: charged {charged}, resident {resident}"
        );
    }
}
