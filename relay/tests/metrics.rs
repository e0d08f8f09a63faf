//! Metrics: every protocol is counted in the same place, and the dashboard shows all there is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::collections::BTreeSet;

use serde_json::Value;
use signal_relay::Config;
use signal_relay::hub::queue::Limits;

use self::support::socket_io::join;
use self::support::sse::Reader;
use self::support::{Client, LIMIT, Relay, config, get, signalr_classic, signalr_core, status};

fn measured() -> Config {
    Config {
        metrics: Some(([127, 0, 0, 1], 0).into()),
        ..config()
    }
}

/// The value of a sample.
fn sample(text: &str, name: &str) -> Option<f64> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .map(|value| value.parse().unwrap())
}

async fn until(relay: &Relay, name: &str, wanted: f64) {
    let waiting = async {
        while sample(&relay.metrics().await, name) != Some(wanted) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(LIMIT, waiting).await.is_err() {
        panic!("{name} isn't {wanted} in:\n{}", relay.metrics().await);
    }
}

#[tokio::test]
async fn clients_of_each_protocol_are_counted() {
    let relay = Relay::start(measured()).await;
    let plain = relay.join("/").await;
    let socket_io = join(&relay, 4).await;
    let sse = Reader::open(&relay, "/sse").await;
    let signalr = signalr_core::Hub::join(&relay, "/hub").await;
    let classic = signalr_classic::Hub::join(&relay, "/signalr").await;
    let all = ["plain", "socket.io", "sse", "signalr", "signalr-classic"];
    for protocol in all {
        let name = format!("signal_relay_sessions{{protocol=\"{protocol}\"}}");
        until(&relay, &name, 1.0).await;
    }
    drop((plain, socket_io, sse, signalr, classic));
    for protocol in all {
        let name = format!("signal_relay_sessions{{protocol=\"{protocol}\"}}");
        until(&relay, &name, 0.0).await;
        let name = format!("signal_relay_sessions_opened_total{{protocol=\"{protocol}\"}}");
        until(&relay, &name, 1.0).await;
        let name =
            format!("signal_relay_sessions_ended_total{{protocol=\"{protocol}\",reason=\"gone\"}}");
        until(&relay, &name, 1.0).await;
    }
}

#[tokio::test]
async fn messages_and_their_deliveries_are_counted() {
    let relay = Relay::start(measured()).await;
    let mut sender = relay.join("/").await;
    let mut readers = [
        relay.join("/").await,
        relay.join("/").await,
        relay.join("/").await,
    ];
    for _ in 0..16 {
        sender.send(r#"{"channel":"a","message":1}"#).await;
        for reader in &mut readers {
            reader.envelope().await;
        }
    }
    let text = relay.metrics().await;
    let is = |name: &str| sample(&text, name).unwrap_or_else(|| panic!("no {name} in\n{text}"));
    assert_eq!(is("signal_relay_messages_total"), 16.0);
    assert_eq!(is("signal_relay_message_bytes_total"), 16.0 * 27.0);
    assert_eq!(is("signal_relay_deliveries_total"), 48.0);
    assert_eq!(is("signal_relay_delivery_bytes_total"), 48.0 * 27.0);
    // One message in eight is measured.
    assert_eq!(is("signal_relay_delivery_seconds_count"), 6.0);
    assert_eq!(is("signal_relay_delivery_seconds_bucket{le=\"+Inf\"}"), 6.0);
    assert_eq!(is("signal_relay_history_messages"), 16.0);
    assert_eq!(is("signal_relay_spaces"), 1.0);
    assert_eq!(is("signal_relay_queued_messages"), 0.0);
    assert!(is("signal_relay_received_bytes_total") > 432.0);
    assert!(is("signal_relay_sent_bytes_total") > 1296.0);
    assert!(is("signal_relay_connections") >= 4.0);
}

#[tokio::test]
async fn a_slow_client_and_refusals_are_counted() {
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 100,
            bytes: 64 * 1024 * 1024,
        },
        connections: 2,
        ..measured()
    })
    .await;
    let foreign = [("origin", "https://example.org")];
    let refused = Client::open_with(relay.address, "/", &foreign).await;
    assert_eq!(status(refused), 403);
    let other = [("host", "example.org")];
    let refused = Client::open_with(relay.address, "/", &other).await;
    assert_eq!(status(refused), 403);
    let mut sender = relay.join("/").await;
    let _slow = Client::open_narrow(relay.address, "/").await;
    let refused = Client::open(relay.address, "/").await;
    assert_eq!(status(refused), 503);
    let text = "x".repeat(100_000);
    // Until its queue overflows, which ends its membership.
    while relay.stats.get().members > 1 {
        sender.send(&text).await;
        sender.heard().await;
    }
    until(&relay, "signal_relay_slow_consumers_total", 1.0).await;
    for reason in ["origin", "host", "connections"] {
        let name = format!("signal_relay_refusals_total{{reason=\"{reason}\"}}");
        until(&relay, &name, 1.0).await;
    }
}

#[tokio::test]
async fn nobody_can_add_a_label() {
    let relay = Relay::start(measured()).await;
    for number in 0..20 {
        let path = format!("/space-{number}");
        let origin = [("origin", "https://example.org")];
        let origin = [(origin[0].0, &*format!("{}{number}", origin[0].1))];
        drop(relay.join(&path).await);
        assert!(
            Client::open_with(relay.address, &path, &origin)
                .await
                .is_err()
        );
        get(relay.address, &format!("/no-such-file-{number}")).await;
    }
    until(&relay, "signal_relay_sessions{protocol=\"plain\"}", 0.0).await;
    let text = relay.metrics().await;
    assert!(
        !text.contains("space-") && !text.contains("no-such"),
        "{text}"
    );
    assert!(text.lines().count() < 250, "{text}");
}

#[tokio::test]
async fn both_listeners_say_that_the_relay_is_well() {
    let relay = Relay::start(measured()).await;
    for address in [relay.address, relay.metrics.unwrap()] {
        for path in ["/healthz", "/readyz"] {
            assert_eq!(get(address, path).await.status, 200, "{path}");
        }
    }
    // The metrics are for operators.
    assert_eq!(get(relay.address, "/metrics").await.status, 404);
}

#[tokio::test]
async fn the_dashboard_shows_all_there_is_and_nothing_else() {
    let relay = Relay::start(Config {
        connections: 2,
        ..measured()
    })
    .await;
    // Something of everything that appears only once it has happened.
    let (one, two) = (relay.join("/").await, relay.join("/").await);
    assert!(Client::open(relay.address, "/").await.is_err());
    drop((one, two));
    relay.until_empty().await;
    let text = relay.metrics().await;
    let known: BTreeSet<_> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/dashboard.json");
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut asked = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            let query = target["expr"].as_str().unwrap();
            let names = query
                .split(|character: char| !(character.is_alphanumeric() || character == '_'))
                .filter(|word| word.starts_with("signal_relay_"));
            let before = asked.len();
            for name in names {
                assert!(
                    known.contains(name),
                    "{name} of {query:?} isn't in:\n{text}"
                );
                asked.insert(name.to_owned());
            }
            assert!(
                asked.len() > before || query.contains("signal_relay_"),
                "{query}"
            );
        }
    }
    let families = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    for (family, kind) in families {
        // It names the relays to choose from.
        if family == "signal_relay_build_info" {
            continue;
        }
        let name = match kind {
            "histogram" => format!("{family}_bucket"),
            _ => family.to_owned(),
        };
        assert!(asked.contains(&name), "no panel shows {name}");
    }
}
