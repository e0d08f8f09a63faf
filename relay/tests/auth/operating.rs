//! What an operator sees of tokens: refusals in the metrics, places, and keys that are read again.

use signal_relay::{Config, StartError};

use super::support::tokens::{KeyFile, SECRET, forged, settings, token};
use super::support::{Client, Relay, status};

const PAGE: (&str, &str) = ("origin", "http://localhost:1234");

#[tokio::test]
async fn refusals_of_every_kind_are_counted() {
    let relay = Relay::start(Config {
        metrics: Some(([127, 0, 0, 1], 0).into()),
        ..settings(&KeyFile::new(SECRET))
    })
    .await;
    let path = format!("/?token={}", forged("alice"));
    assert_eq!(status(Client::open(relay.address, &path).await), 401);
    let other = format!("/other?token={}", token("alice", &["/"]));
    assert_eq!(status(Client::open(relay.address, &other).await), 403);
    let mut page = Client::open_with(relay.address, &path, &[PAGE])
        .await
        .unwrap();
    assert_eq!(page.closed().await.0, 4503);
    drop(page);
    relay.until_empty().await;
    let metrics = relay.metrics().await;
    for line in [
        "signal_relay_refusals_total{reason=\"token\"} 2\n",
        "signal_relay_sessions_ended_total{protocol=\"plain\",reason=\"token refused\"} 1\n",
    ] {
        assert!(metrics.contains(line), "{line}{metrics}");
    }
}

#[tokio::test]
async fn a_page_that_is_refused_by_a_close_code_takes_a_place() {
    let relay = Relay::start(Config {
        connections: 1,
        ..settings(&KeyFile::new(SECRET))
    })
    .await;
    let path = format!("/?token={}", token("alice", &["/"]));
    let mut alice = Client::open(relay.address, &path).await.unwrap();
    alice.greeted().await;
    for space in ["/", "/hub"] {
        let path = format!("{space}?access_token={}", forged("alice"));
        let refused = Client::open_with(relay.address, &path, &[PAGE]).await;
        assert_eq!(status(refused), 503, "{space}");
    }
}

#[tokio::test]
async fn everything_is_read_again_or_nothing() {
    let key = KeyFile::new(SECRET);
    let relay = Relay::start(settings(&key)).await;
    let path = format!("/?token={}", token("alice", &["/"]));
    let foreign = [("origin", "https://example.org")];
    let open = async || Client::open_with(relay.address, &path, &foreign).await;
    let changed = Config {
        origins: vec!["https://example.org".parse().unwrap()],
        ..settings(&key)
    };
    key.write("short");
    let refused = relay.reloader.reload(&changed);
    assert!(matches!(refused, Err(StartError::Keys(..))), "{refused:?}");
    assert_eq!(status(open().await), 403);
    key.write(SECRET);
    relay.reloader.reload(&changed).unwrap();
    open().await.unwrap().greeted().await;
    key.write(SECRET.replace('0', "1"));
    relay.reloader.reload(&changed).unwrap();
    let refused = Client::open(relay.address, &path).await;
    assert_eq!(status(refused), 401);
}
