//! What's tested: clients whose connections break again and again, at any moment and in any way,
//! receive everything of each other once and in order.
//!
//! The order of what happens is the scheduler's; what each client does comes from a seed, which a
//! failure names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use signal_relay::Config;
use signal_relay::hub::queue::Limits;
use support::{Client, LIMIT, Relay, config};
use tokio::sync::Barrier;
use tokio_tungstenite::tungstenite::Message;

const CLIENTS: usize = 6;
const MESSAGES: usize = 400;
const CHANNELS: [&str; 3] = ["a", "b", "c"];

/// The generator called SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }
}

/// What a client keeps from one connection to the next.
struct Member {
    name: usize,
    random: Random,
    secret: Option<String>,
    after: HashMap<String, String>,
    outbox: VecDeque<(u64, String)>,
    written: usize,
    /// For each other member and channel, the number of the last message.
    heard: HashMap<(u64, String), u64>,
    count: usize,
    /// Connections that nobody reads any more and that aren't closed either. The relay had answered
    /// their `open`.
    half_open: Vec<Client>,
    /// Those whose `open` the relay hadn't answered. It may yet take the session over.
    unanswered: Vec<Client>,
    connections: usize,
}

impl Member {
    fn is_done(&self) -> bool {
        self.written == MESSAGES && self.outbox.is_empty() && self.count == (CLIENTS - 1) * MESSAGES
    }

    /// The next message: its number rises for each channel, and over all channels.
    fn write(&mut self) -> String {
        self.written += 1;
        let number = self.written as u64;
        let channel = CHANNELS[self.random.below(CHANNELS.len())];
        let padding = "x".repeat(self.random.below(2000));
        let frame = format!(
            r#"{{"sender":{},"channel":"{channel}","ref":{number},"message":[{number},"{padding}"]}}"#,
            self.name
        );
        self.outbox.push_back((number, frame.clone()));
        frame
    }

    async fn connect(&mut self, relay: &Relay) {
        self.connections += 1;
        let mut client = Client::open(relay.address, "/").await.unwrap();
        let hello: Value = serde_json::from_str(&client.greeted().await).unwrap();
        let mut open = json!({ "open": CHANNELS, "after": self.after });
        match &self.secret {
            Some(secret) => open["session"] = secret.as_str().into(),
            None => self.secret = Some(hello["session"].as_str().unwrap().to_owned()),
        }
        client.send(&open.to_string()).await;
        // A client that doesn't wait for the acknowledgement repeats accepted messages.
        let eager = self.random.below(2) == 0;
        if eager {
            for (_, frame) in &self.outbox {
                let _ = client.0.feed(Message::text(frame.as_str())).await;
            }
        }
        let mut left = self.random.below(150);
        let mut exact = false;
        while !self.is_done() || left > 0 {
            if left == 0 {
                return self.part(client, exact).await;
            }
            left -= 1;
            if exact && self.written < MESSAGES && self.random.below(2) == 0 {
                let frame = self.write();
                // The relay may have closed it; what it sent before may still be read.
                let _ = client.0.feed(Message::text(frame)).await;
                if self.random.below(3) > 0 {
                    let _ = client.0.flush().await;
                }
                continue;
            }
            let _ = client.0.flush().await;
            let next = tokio::time::timeout(LIMIT, client.0.next());
            let idle = async {
                // Nothing may be to come any more; then a break is what is left to do.
                for _ in 0..50 {
                    tokio::task::yield_now().await;
                }
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            };
            let message = tokio::select! {
                message = next => message.expect("nothing came"),
                () = idle => continue,
            };
            match message {
                Some(Ok(Message::Text(text))) => {
                    let value: Value = serde_json::from_str(&text).unwrap();
                    if let Some(taken) = value["ack"].as_u64() {
                        self.outbox.retain(|(number, _)| *number > taken);
                        if !exact {
                            exact = true;
                            for (_, frame) in self.outbox.iter().filter(|_| !eager) {
                                let _ = client.0.feed(Message::text(frame.as_str())).await;
                            }
                            self.say_on_the_old_ones().await;
                        }
                    } else if exact {
                        self.hear(&value, &text);
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            }
        }
    }

    fn hear(&mut self, value: &Value, text: &str) {
        assert_eq!(value.get("gap"), None, "{text}");
        let (sender, channel) = (
            value["sender"].as_u64().unwrap(),
            value["channel"].as_str().unwrap().to_owned(),
        );
        assert_ne!(sender, self.name as u64, "its own message");
        let number = value["message"][0].as_u64().unwrap();
        let id = value["id"].as_str().unwrap().to_owned();
        self.after.insert(channel.clone(), id);
        let last = self.heard.insert((sender, channel), number).unwrap_or(0);
        assert!(number > last, "{number} of {sender} behind {last}");
        self.count += 1;
    }

    async fn part(&mut self, mut client: Client, answered: bool) {
        match self.random.below(4) {
            0 => drop(client),
            1 => {
                let _ = client.0.close(None).await;
            }
            // Half a frame is on its way.
            2 => {
                let _ = client.0.feed(Message::text("x".repeat(50_000))).await;
            }
            _ if answered => self.half_open.push(client),
            _ => self.unanswered.push(client),
        }
    }

    /// Once another connection has the session, nothing that these send is published.
    async fn say_on_the_old_ones(&mut self) {
        for client in &mut self.half_open {
            let stale = format!(
                r#"{{"sender":{},"channel":"a","ref":{},"message":[0]}}"#,
                self.name,
                MESSAGES * 2
            );
            let _ = client.0.send(Message::text(stale)).await;
        }
        for left in [&mut self.half_open, &mut self.unanswered] {
            if left.len() > 3 {
                left.clear();
            }
        }
    }
}

async fn storm(seed: u64) {
    let relay = Arc::new(
        Relay::start(Config {
            // Small, so that some are too slow now and then.
            queue: Limits {
                frames: 100,
                bytes: 1024 * 1024,
            },
            close_timeout: std::time::Duration::from_millis(100),
            history: signal_relay::hub::history::Limits {
                messages: CLIENTS * MESSAGES,
                bytes: 16 * 1024 * 1024,
                ..config().history
            },
            ..config()
        })
        .await,
    );
    // Everybody has to have its channels open before the first message, and to stay until all have
    // everything.
    let start = Arc::new(Barrier::new(CLIENTS));
    let done = Arc::new(AtomicUsize::new(0));
    let members = (0..CLIENTS).map(|name| {
        let (relay, start, done) = (Arc::clone(&relay), Arc::clone(&start), Arc::clone(&done));
        tokio::spawn(async move {
            let mut member = Member {
                name,
                random: Random(seed ^ name as u64),
                secret: None,
                after: HashMap::new(),
                outbox: VecDeque::new(),
                written: 0,
                heard: HashMap::new(),
                count: 0,
                half_open: Vec::new(),
                unanswered: Vec::new(),
                connections: 0,
            };
            let mut first = support::resuming::Page::open(&relay, "/", &CHANNELS).await;
            member.secret = Some(std::mem::take(&mut first.secret));
            start.wait().await;
            drop(first);
            while !member.is_done() {
                member.connect(&relay).await;
            }
            done.fetch_add(1, Ordering::SeqCst);
            // Anything that would come once too often would come now.
            while done.load(Ordering::SeqCst) < CLIENTS {
                member.connect(&relay).await;
            }
            member.connect(&relay).await;
            member.connections
        })
    });
    let mut connections = 0;
    for member in members.collect::<Vec<_>>() {
        connections += tokio::time::timeout(LIMIT * 2, member)
            .await
            .unwrap_or_else(|_| panic!("with the seed {seed} it doesn't come to an end"))
            .unwrap_or_else(|error| panic!("with the seed {seed}: {error}"));
    }
    assert!(
        connections > CLIENTS * 10,
        "{connections} connections are no storm"
    );
    relay
        .until(|stats| stats.members == 0 && stats.sessions.attached == 0)
        .await;
    assert_eq!(relay.stats.get().sessions.kept, CLIENTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_storm_of_reconnections_loses_and_repeats_nothing() {
    let seed = match std::env::var("SEED") {
        Ok(seed) => seed.parse().expect("SEED is a number"),
        Err(_) => RandomState::new().hash_one("storm"),
    };
    println!("SEED={seed}");
    storm(seed).await;
}
