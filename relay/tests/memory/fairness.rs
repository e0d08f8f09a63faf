//! A space or an address that uses much takes nothing from others.

use signal_relay::Config;
use signal_relay::hub::{history, sessions};

use super::support::resuming::{Page, message, text};
use super::support::{Client, Relay, config, request_with};

const MEGABYTE: usize = 1024 * 1024;

/// A page of the victim that has lost its connection, and what it missed.
struct Victim {
    secret: String,
    sender: Page,
    missed: u64,
}

impl Victim {
    async fn lose(relay: &Relay) -> Self {
        let page = open_from(2, relay, "/victim").await;
        let secret = page.secret.clone();
        drop(page);
        relay.until(|stats| stats.sessions.kept == 1).await;
        let mut sender = open_from(2, relay, "/victim").await;
        let missed = 20;
        for number in 1..=missed {
            sender.send(1, number, "a", &number.to_string()).await;
        }
        sender.acknowledged(missed).await;
        Self {
            secret,
            sender,
            missed,
        }
    }

    /// It comes back, and nothing is missing or repeated.
    async fn comes_back(mut self, relay: &Relay) {
        let mut page = Page::connect_from(2, relay, "/victim").await;
        page.resume(&self.secret, &["a"], &[]).await;
        page.ack(0).await;
        for number in 1..=self.missed {
            assert_eq!(page.message().await, message(1, "a", &number.to_string()));
        }
        self.sender.send(1, self.missed + 1, "a", "\"new\"").await;
        assert_eq!(page.message().await, message(1, "a", "\"new\""));
    }
}

async fn open_from(last: u8, relay: &Relay, space: &str) -> Page {
    let mut page = Page::connect_from(last, relay, space).await;
    page.say(r#"{"open":["a"]}"#).await;
    page.ack(0).await;
    page
}

async fn relay() -> Relay {
    Relay::start(Config {
        history: history::Limits {
            total: MEGABYTE,
            ..config().history
        },
        sessions: sessions::Limits {
            kept: 32,
            ..config().sessions
        },
        ..config()
    })
    .await
}

/// Publishes from these addresses, in these spaces in turn, four times what the history may have.
async fn flood(relay: &Relay, addresses: std::ops::Range<u8>, spaces: usize) {
    let mut clients = Vec::new();
    for space in 0..spaces {
        let last = addresses.start + (space % addresses.len()) as u8;
        let space = format!("/attacker-{space}");
        clients.push(
            Client::open_from(last, relay.address, &space)
                .await
                .unwrap(),
        );
    }
    if spaces == 1 {
        for last in addresses.skip(1) {
            clients.push(
                Client::open_from(last, relay.address, "/attacker-0")
                    .await
                    .unwrap(),
            );
        }
    }
    let body = format!("\"{}\"", "x".repeat(2000));
    let count = clients.len();
    for number in 0..4 * MEGABYTE / 2000 {
        // Each channel is bounded too.
        let channel = (number / count / 100).to_string();
        clients[number % count]
            .send(&text(9, &channel, &body))
            .await;
    }
    for mut client in clients {
        client.greeted().await;
        // What the others in the space publish comes before.
        drop(client);
    }
    relay
        .until(|stats| stats.members == 1 && stats.history.bytes <= MEGABYTE)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_space_that_publishes_much_takes_no_history_from_another() {
    let relay = relay().await;
    let victim = Victim::lose(&relay).await;
    flood(&relay, 3..4, 1).await;
    victim.comes_back(&relay).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_does_one_on_the_same_address() {
    let relay = relay().await;
    let victim = Victim::lose(&relay).await;
    flood(&relay, 2..3, 1).await;
    victim.comes_back(&relay).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_uses_many_spaces_takes_no_history_from_another() {
    let relay = relay().await;
    let victim = Victim::lose(&relay).await;
    flood(&relay, 3..4, 100).await;
    victim.comes_back(&relay).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_space_that_many_addresses_use_takes_no_history_from_another() {
    let relay = relay().await;
    let victim = Victim::lose(&relay).await;
    flood(&relay, 100..200, 1).await;
    victim.comes_back(&relay).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn throw_away_sessions_take_no_session_from_another() {
    let relay = relay().await;
    let mut sender = open_from(2, &relay, "/victim").await;
    let mut page = open_from(2, &relay, "/victim").await;
    page.send(7, 1, "a", "1").await;
    page.acknowledged(1).await;
    assert_eq!(sender.message().await, message(7, "a", "1"));
    let secret = page.secret.clone();
    drop(page);
    relay.until(|stats| stats.sessions.kept == 1).await;
    for round in 0..10_u8 {
        let mut pages = Vec::new();
        for number in 0..20 {
            // From the victim's address too.
            let space = format!("/attacker-{}", number % 3);
            pages.push(open_from(2 + round, &relay, &space).await);
        }
        drop(pages);
        relay.until(|stats| stats.sessions.attached == 1).await;
        let kept = relay.stats.get().sessions.kept;
        assert!(kept <= 32, "{kept}");
    }
    sender.send(8, 1, "a", "2").await;
    let mut page = Page::connect_from(2, &relay, "/victim").await;
    page.resume(&secret, &["a"], &[]).await;
    page.ack(1).await;
    assert_eq!(page.message().await, message(8, "a", "2"));
    // What was accepted before isn't published again.
    page.send(7, 1, "a", "1").await;
    page.send(7, 2, "a", "3").await;
    assert_eq!(sender.message().await, message(7, "a", "3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn throw_away_clients_of_server_sent_events_make_nobody_repeat() {
    let relay = Relay::start(Config {
        connections: 20,
        ..config()
    })
    .await;
    let mut receiver = relay.join("/victim").await;
    let publish = async |space: &str, client: &str, reference: u64| {
        let line = format!("POST {space}/sse?client={client}&ref={reference}");
        let body = text(1, "a", &reference.to_string());
        let answer = request_with(relay.address, &line, &[], body.as_bytes()).await;
        assert_eq!(answer.status, 204);
    };
    publish("/victim", "victim", 1).await;
    assert_eq!(receiver.envelope().await, text(1, "a", "1"));
    for number in 0..100 {
        publish("/attacker", &format!("attacker-{number}"), 1).await;
    }
    // Sent again, because the answer might have been lost.
    publish("/victim", "victim", 1).await;
    publish("/victim", "victim", 2).await;
    assert_eq!(receiver.envelope().await, text(1, "a", "2"));
}
