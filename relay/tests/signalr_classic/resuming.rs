//! Coming back after a lost connection, and leaving.

use std::time::Duration;

use signal_relay::Config;
use signal_relay::hub::queue::Limits;
use signal_relay::protocols::signalr::Timing;
use tokio_tungstenite::tungstenite::Error;

use super::support::signalr_classic::{Hub, abort, envelope, query, token};
use super::support::{Client, Relay, config, status, within};

#[tokio::test]
async fn a_client_that_resumes_receives_what_it_missed() {
    let relay = Relay::start(config()).await;
    let mut hub = Hub::join(&relay, "/signalr/hubs").await;
    let mut page = relay.join("/").await;
    for n in 1..=5 {
        page.send(&envelope(n)).await;
    }
    for n in 1..=3 {
        assert_eq!(hub.delivered().await, envelope(n));
    }
    // Four and five were sent and are lost on the way; six to eight come while it is away.
    let lost = hub.lose();
    assert_eq!(lost.cursor, "3");
    for n in 6..=8 {
        page.send(&envelope(n)).await;
    }
    page.heard().await;
    let mut hub = lost.try_back(&relay).await.unwrap();
    for n in 4..=8 {
        assert_eq!(hub.delivered().await, envelope(n));
    }
    assert_eq!(hub.cursor, "8");
    page.send(&envelope(9)).await;
    assert_eq!(hub.delivered().await, envelope(9));
    hub.publish(&envelope(10)).await;
    assert_eq!(page.envelope().await, envelope(10));

    // It is one member still, and again after another loss, with nothing missed.
    assert_eq!(relay.stats.get().joined, 2);
    let mut hub = hub.lose().try_back(&relay).await.unwrap();
    page.send(&envelope(11)).await;
    assert_eq!(hub.delivered().await, envelope(11));
    assert_eq!(hub.cursor, "10");
}

#[tokio::test]
async fn a_reconnect_takes_over_from_a_connection_that_seems_alive() {
    let relay = Relay::start(config()).await;
    let mut old = Hub::join(&relay, "/signalr").await;
    let mut page = relay.join("/").await;
    page.send(&envelope(1)).await;
    assert_eq!(old.delivered().await, envelope(1));
    let mut new = Hub {
        client: Client::open(relay.address, &old.reconnect_path())
            .await
            .unwrap(),
        base: old.base.clone(),
        token: old.token.clone(),
        cursor: old.cursor.clone(),
    };
    assert_eq!(old.client.closed().await, (1000, String::new()));
    page.send(&envelope(2)).await;
    assert_eq!(new.delivered().await, envelope(2));
    new.publish(&envelope(3)).await;
    assert_eq!(page.envelope().await, envelope(3));
    drop(old);
    assert_eq!(relay.stats.get().joined, 2);

    // Without a messageId everything that is kept is sent again.
    let mut again = Client::open(
        relay.address,
        &format!("/signalr/reconnect?{}", query(&new.token)),
    )
    .await
    .unwrap();
    for n in 1..=2 {
        assert!(again.text().await.contains(&format!(r#""C":"{n}""#)));
    }
    // Ten in a row: the last one stays, and it is alone.
    let path = format!("/signalr/reconnect?messageId=2&{}", query(&new.token));
    let mut many = Vec::new();
    for _ in 0..10 {
        let mut client = Client::open(relay.address, &path).await.unwrap();
        client.heard().await;
        many.push(client);
    }
    let mut last = many.pop().unwrap();
    for client in &mut many {
        assert_eq!(client.closed().await.0, 1000);
    }
    page.send(&envelope(4)).await;
    assert_eq!(
        last.text().await,
        r#"{"C":"3","M":[{"H":"webrtchub3","M":"onMessageReceived","A":["{\"sender\":5000,\"channel\":\"main\",\"message\":4}"]}]}"#
    );
}

#[tokio::test]
async fn a_client_that_reconnects_too_late_is_unknown() {
    let relay = Relay::start(Config {
        signalr: Timing {
            resume: Duration::from_millis(50),
            ..Timing::default()
        },
        ..config()
    })
    .await;
    let hub = Hub::join(&relay, "/signalr").await;
    let path = hub.reconnect_path();
    drop(hub);
    relay.until_empty().await;
    assert_eq!(status(Client::open(relay.address, &path).await), 404);
}

#[tokio::test]
async fn an_expired_cursor_stops_the_client() {
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 2,
            bytes: 2 << 20,
        },
        ..config()
    })
    .await;
    let mut page = relay.join("/").await;
    let mut hub = Hub::join(&relay, "/signalr").await;
    for n in 1..=5 {
        page.send(&envelope(n)).await;
        assert_eq!(hub.delivered().await, envelope(n));
    }
    assert_eq!(
        status(
            Client::open(
                relay.address,
                &hub.reconnect_path()
                    .replace("messageId=5", "messageId=five")
            )
            .await
        ),
        400
    );
    hub.cursor = "2".to_owned();
    let mut back = Client::open(relay.address, &hub.reconnect_path())
        .await
        .unwrap();
    assert_eq!(
        back.text().await,
        r#"{"E":"What was sent meanwhile is no longer kept here: connect again."}"#
    );
    assert_eq!(back.closed().await.0, 1000);
    drop((hub, back, page));
    relay.until_empty().await;
}

#[tokio::test]
async fn a_session_ends_when_its_queue_overflows_while_away() {
    let relay = Relay::start(Config {
        queue: Limits {
            frames: 3,
            bytes: 2 << 20,
        },
        ..config()
    })
    .await;
    let mut page = relay.join("/").await;
    let hub = Hub::join(&relay, "/signalr").await;
    let path = hub.reconnect_path();
    let _lost = hub.lose();
    within("the relay to close it", async {
        while relay.stats.get().members == 2 {
            page.send(&envelope(0)).await;
            page.heard().await;
        }
    })
    .await;
    assert_eq!(status(Client::open(relay.address, &path).await), 404);
}

#[tokio::test]
async fn abort_ends_the_session_at_once() {
    let relay = Relay::start(config()).await;
    let mut hub = Hub::join(&relay, "/signalr").await;
    assert_eq!(
        abort(&relay, "/other/signalr", &hub.token).await.status,
        200
    );
    hub.publish(&envelope(0)).await;
    let left = abort(&relay, "/signalr", &hub.token).await;
    assert_eq!((left.status, left.body.as_str()), (200, ""));
    assert_eq!(hub.client.closed().await, (1000, String::new()));
    assert_eq!(
        status(Client::open(relay.address, &hub.reconnect_path()).await),
        404
    );
    drop(hub);
    relay.until_empty().await;

    // The official client closes the WebSocket first.
    let mut hub = Hub::join(&relay, "/signalr").await;
    hub.client.0.close(None).await.unwrap();
    let token = hub.token.clone();
    drop(hub);
    assert_eq!(relay.stats.get().members, 1);
    assert_eq!(abort(&relay, "/signalr", &token).await.status, 200);
    relay.until_empty().await;
    assert_eq!(abort(&relay, "/signalr", &token).await.status, 200);
}

#[tokio::test]
async fn clients_count_as_connections_also_while_away() {
    let relay = Relay::start(Config {
        connections: 2,
        ..config()
    })
    .await;
    let mut page = relay.join("/").await;
    let lost = Hub::join(&relay, "/signalr").await.lose();
    let token = token(&relay, "/signalr").await;
    let path = format!("/signalr/connect?{}", query(&token));
    assert_eq!(status(Client::open(relay.address, &path).await), 503);
    // Its own place is enough to come back with, once the loss was noticed.
    let back = async {
        loop {
            match lost.try_back(&relay).await {
                Ok(hub) => return hub,
                Err(Error::Http(response)) => assert_eq!(response.status(), 503),
                Err(error) => panic!("{error}"),
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let mut hub = within("its own place", back).await;
    page.send(&envelope(1)).await;
    assert_eq!(hub.delivered().await, envelope(1));
    assert_eq!(relay.stats.connections(), 2);
    abort(&relay, "/signalr", &hub.token).await;
    drop((hub, page));
    relay.until_empty().await;
    Client::open(relay.address, &path).await.unwrap();
}
