//! Stopping: what waits is still written, then close code 1001.

use std::time::Duration;

use signal_relay::Config;
use signal_relay::hub::queue::Limits;

use super::support::{Client, LIMIT, Relay, config};

#[tokio::test]
async fn stopping_writes_what_waits_and_says_so() {
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 1000,
            bytes: 64 * 1024 * 1024,
        },
        ..config()
    })
    .await;
    let address = relay.address;
    let mut sender = relay.join("/").await;
    let mut idle = relay.join("/idle").await;
    let mut receiver = Client::open_narrow(address, "/").await;
    receiver.greeted().await;
    // More than the system's buffers hold, so that a good part still waits in the relay.
    for number in 0..600 {
        sender.send(&format!("{number:0>30000}")).await;
    }
    // Everything has gone through the hub when another member has the last frame.
    let mut last = relay.join("/").await;
    sender.send("the last").await;
    last.until_text(|text| text == "the last").await;

    let served = relay.stop();
    for number in 0..600 {
        let text = receiver.text().await;
        assert_eq!(text.trim_start_matches('0').parse().unwrap_or(0), number);
    }
    assert_eq!(receiver.text().await, "the last");
    for client in [&mut receiver, &mut sender, &mut idle, &mut last] {
        assert_eq!(
            client.closed().await,
            (1001, "the relay is shutting down".into())
        );
        client.ended().await;
    }
    tokio::time::timeout(LIMIT, served)
        .await
        .expect("it goes on")
        .unwrap();
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "it still accepts"
    );
}

#[tokio::test]
async fn stopping_waits_a_limited_time_for_clients_that_do_not_answer() {
    let relay = Relay::start(Config {
        close_timeout: Duration::from_millis(50),
        ..config()
    })
    .await;
    let _mute = relay.join("/").await;
    let _half_a_request = tokio::net::TcpStream::connect(relay.address).await.unwrap();
    tokio::time::timeout(LIMIT, relay.stop())
        .await
        .expect("it goes on")
        .unwrap();
}
