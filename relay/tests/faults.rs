//! A fault of the relay: what panics in one connection ends that connection.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::sync::Arc;

use signal_relay::Config;
use signal_relay::hub::Hub;
use signal_relay::hub::memory::MemoryStore;
use signal_relay::hub::spaces::Spaces;
use signal_relay::hub::store::{BoxFuture, Content, OpenRequest, Publication, ReadRequest, Store};
use toml::de::{DeTable, DeValue};

use self::support::socket_io::join;
use self::support::{Relay, config, request_with};

/// A store with a fault.
#[derive(Debug)]
struct Faulty(MemoryStore);

impl Store for Faulty {
    fn epoch(&self) -> Arc<str> {
        self.0.epoch()
    }

    fn publish(&self, publication: Publication) -> BoxFuture<'_> {
        if let Content::Envelope(message) = &publication.content {
            assert!(!message.as_str().contains("fault"), "a fault");
        }
        self.0.publish(publication)
    }

    fn open(&self, request: OpenRequest) -> BoxFuture<'_> {
        self.0.open(request)
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_> {
        self.0.read(request)
    }

    fn close(&self, space: &Arc<str>, channels: &mut dyn Iterator<Item = Arc<str>>) {
        self.0.close(space, channels);
    }
}

#[tokio::test]
async fn a_panic_ends_one_connection_and_no_other() {
    let config = Config {
        metrics: Some(([127, 0, 0, 1], 0).into()),
        ..config()
    };
    let spaces = Arc::new(Spaces::new(config.queue).unwrap());
    let store = MemoryStore::new(Arc::clone(&spaces), config.history).unwrap();
    let hub = Hub::new(config.hub_limits(), spaces, Arc::new(Faulty(store)));
    let relay = Relay::start_with(config, hub).await;
    let (mut a, mut b) = (relay.join("/").await, relay.join("/").await);
    let fault = r#"{"sender":1,"channel":"a","message":"fault"}"#;
    let fine = r#"{"sender":1,"channel":"a","message":"fine"}"#;

    let mut plain = relay.join("/").await;
    plain.send(fault).await;
    while let Some(Ok(_)) = plain.next().await {}
    let mut socket_io = join(&relay, 4).await;
    socket_io.send(&format!("42[\"message\",{fault}]")).await;
    while let Some(Ok(_)) = socket_io.next().await {}
    let answer = request_with(relay.address, "POST /sse", &[], fault.as_bytes()).await;
    assert_eq!(answer.status, 503, "{answer:?}");

    for _ in 0..3 {
        a.send(fine).await;
        assert_eq!(b.envelope().await, fine);
    }
    let text = relay.metrics().await;
    assert!(
        text.contains("sessions_ended_total{protocol=\"plain\",reason=\"panic\"} 1\n"),
        "{text}"
    );
    let late = relay.join("/").await;
    drop((a, b, late));
    relay.until(|stats| stats.members <= 1).await;
}

/// Tests are built so that panics unwind, whatever the profile of the program says.
#[test]
fn the_program_that_is_shipped_unwinds() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"));
    let text = text.unwrap();
    let workspace = DeTable::parse(&text).unwrap();
    let workspace = DeValue::Table(workspace.into_inner());
    let profiles = workspace.get("profile").unwrap().get_ref();
    for name in ["relay", "release"] {
        let profile = profiles.get(name).unwrap().get_ref();
        let panic = profile.get("panic").map(|panic| panic.get_ref().as_str());
        assert!(matches!(panic, None | Some(Some("unwind"))), "{name}");
    }
}
