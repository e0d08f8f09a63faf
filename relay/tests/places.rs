//! What's tested: nobody takes all places: not over one connection, and not from one address,
//! directly or through a proxy.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use signal_relay::Config;
use support::sse::Reader;
use support::{Client, Relay, config, request, status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEBSOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

/// One address may have three connections.
fn limited() -> Config {
    Config {
        connections_per_address: 3,
        limit_loopback: true,
        ..config()
    }
}

#[tokio::test]
async fn one_client_does_not_take_all_places_by_namespaces() {
    let relay = Relay::start(Config {
        connections: 200,
        ..config()
    })
    .await;
    let mut client = Client::open(relay.address, WEBSOCKET).await.unwrap();
    assert!(client.text().await.starts_with('0'));
    for number in 0..300 {
        client.send(&format!("40/{number},")).await;
        let answer = client.text().await;
        let expected = if number < 64 { "40" } else { "44" };
        assert!(answer.starts_with(expected), "{number}: {answer}");
    }
    assert_eq!(relay.stats.get().members, 64);
    relay.join("/").await;
    // Those that it leaves are free again.
    client.send("41/0,").await;
    client.send("40/again,").await;
    assert!(client.text().await.starts_with("40/again,"));
}

/// Sends requests over one keep-alive connection, one after the other, and returns the statuses.
async fn over_one_connection(relay: &Relay, path: &str, count: usize, header: &str) -> Vec<u16> {
    let mut stream = TcpStream::connect(relay.address).await.unwrap();
    let address = relay.address;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n{header}\r\n");
    let mut statuses = Vec::new();
    for _ in 0..count {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap();
        let length = length.lines().next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        statuses.push(head[9..12].parse().unwrap());
    }
    statuses
}

#[tokio::test]
async fn one_connection_does_not_take_all_places_by_polling() {
    let relay = Relay::start(Config {
        limit_loopback: true,
        ..config()
    })
    .await;
    let statuses = over_one_connection(&relay, POLLING, 100, "").await;
    assert!(statuses[..64].iter().all(|status| *status == 200));
    assert!(statuses[64..].iter().all(|status| *status == 503));
    assert_eq!(relay.stats.connections(), 64);
    // Over another there is room.
    let statuses = over_one_connection(&relay, POLLING, 1, "").await;
    assert_eq!(statuses, [200]);
}

#[tokio::test]
async fn an_address_has_a_share_in_every_protocol() {
    let relay = Relay::start(limited()).await;
    let mut pages = Vec::new();
    for _ in 0..3 {
        pages.push(relay.join("/").await);
    }
    assert_eq!(status(Client::open(relay.address, "/").await), 503);
    assert_eq!(status(Client::open(relay.address, WEBSOCKET).await), 503);
    assert_eq!(status(Client::open(relay.address, "/hub").await), 503);
    let stream = Reader::open(&relay, "/sse").await;
    assert_eq!(stream.response.status(), 503);
    let polled = support::get(relay.address, POLLING).await;
    assert_eq!(polled.status, 503);
    assert_eq!(polled.header("retry-after"), Some("10"));
    assert_eq!(support::get(relay.address, "/healthz").await.status, 200);
    pages.pop();
    relay.until(|_| relay.stats.connections() == 2).await;
    let mut client = Client::open(relay.address, WEBSOCKET).await.unwrap();
    client.send("40").await;
    client.send("40/more,").await;
    for expected in ["0", "40", "44/more,"] {
        let packet = client.text().await;
        assert!(packet.starts_with(expected), "{packet}");
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_its_share() {
    let relay = Relay::start(Config {
        // The clients aren't on loopback addresses, wherever the proxy is.
        limit_loopback: false,
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        ..limited()
    })
    .await;
    let mut pages = Vec::new();
    for client in [
        "192.0.2.1",
        "192.0.2.2",
        "2001:db8:1:2::3",
        "2001:db8:1:3::3",
    ] {
        for _ in 0..3 {
            // What is left of the proxy's own word counts for nothing.
            let header = format!("10.9.8.7, {client}");
            let headers = [("x-forwarded-for", header.as_str())];
            pages.push(
                Client::open_with(relay.address, "/", &headers)
                    .await
                    .unwrap(),
            );
        }
    }
    for client in ["192.0.2.1", "2001:db8:1:2:ffff::9", "9.9.9.9, 192.0.2.2"] {
        let refused = Client::open_with(relay.address, "/", &[("x-forwarded-for", client)]).await;
        assert_eq!(status(refused), 503, "{client}");
    }
    let forwarded = ("forwarded", "for=\"[2001:db8:1:3::4]:80\"");
    let refused = Client::open_with(relay.address, "/", &[forwarded]).await;
    assert_eq!(status(refused), 503);
    // Its connections carry the requests of many.
    let header = "x-forwarded-for: 192.0.2.77\r\n";
    let statuses = over_one_connection(&relay, POLLING, 4, header).await;
    assert_eq!(statuses, [200, 200, 200, 503]);
}

#[tokio::test]
async fn nobody_else_says_whose_request_it_is() {
    let relay = Relay::start(Config {
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..limited()
    })
    .await;
    let mut pages = Vec::new();
    for number in 0..3 {
        let client = format!("192.0.2.{number}");
        let headers = [("x-forwarded-for", client.as_str())];
        pages.push(
            Client::open_with(relay.address, "/", &headers)
                .await
                .unwrap(),
        );
    }
    for header in ["x-forwarded-for: 192.0.2.9", "forwarded: for=192.0.2.9"] {
        let (name, value) = header.split_once(": ").unwrap();
        let line = format!("GET {POLLING}");
        let polled = request(relay.address, &line, &[(name, value)]).await;
        assert_eq!(polled.status, 503);
    }
}
