//! Negotiation, tickets, and origins.

use std::time::Duration;

use serde_json::{Value, json};
use signal_relay::Config;
use signal_relay::protocols::signalr::Timing;

use super::support::signalr_core::{Hub, negotiate, token};
use super::support::{Client, Relay, config, get, request, status};

#[tokio::test]
async fn negotiation_offers_the_websocket_and_a_secret() {
    let relay = Relay::start(config()).await;
    let answer = negotiate(&relay, "/hub/negotiate?negotiateVersion=1", &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    let (name, secret) = (&body["connectionId"], &body["connectionToken"]);
    assert_ne!(name, secret);
    assert_eq!(
        body,
        json!({
            "negotiateVersion": 1,
            "connectionId": name,
            "connectionToken": secret,
            "availableTransports": [{ "transport": "WebSockets", "transferFormats": ["Text"] }],
        })
    );

    // The client of version 0 shows the connectionId; one of a later version gets ours.
    for path in ["/hub/negotiate", "/hub/negotiate?negotiateVersion=0"] {
        let body: Value = serde_json::from_str(&negotiate(&relay, path, &[]).await.body).unwrap();
        assert_eq!(body.get("connectionToken"), None);
        let id = body["connectionId"].as_str().unwrap();
        Hub::join(&relay, &format!("/hub?id={id}")).await;
    }
    let later = negotiate(
        &relay,
        "/hub/negotiate?negotiateVersion=3&useStatefulReconnect=true",
        &[],
    )
    .await;
    let later: Value = serde_json::from_str(&later.body).unwrap();
    assert_eq!(later["negotiateVersion"], 1);
    assert_eq!(later.get("useStatefulReconnect"), None);
    let wrong = negotiate(&relay, "/hub/negotiate?negotiateVersion=one", &[]).await;
    assert_eq!(
        serde_json::from_str::<Value>(&wrong.body).unwrap(),
        json!({ "error": "The query's negotiateVersion must be a number and is 'one'." })
    );
}

#[tokio::test]
async fn a_token_is_good_for_one_websocket_in_its_space() {
    let relay = Relay::start(config()).await;
    let id = token(&relay, "/room").await;
    for path in [
        format!("/hub?id={id}"),
        format!("/other/hub?id={id}"),
        "/room/hub?id=".into(),
        "/room/hub?id=0".into(),
    ] {
        assert_eq!(
            status(Client::open(relay.address, &path).await),
            404,
            "{path}"
        );
    }
    let mut hub = Hub::join(&relay, &format!("/room/hub?id={id}&access_token=any")).await;
    assert_eq!(
        status(Client::open(relay.address, &format!("/room/hub?id={id}")).await),
        404
    );
    let mut page = relay.join("/room").await;
    page.send(r#"{"sender":1,"channel":"a","message":2}"#).await;
    assert_eq!(
        hub.delivered().await,
        r#"{"sender":1,"channel":"a","message":2}"#
    );
}

#[tokio::test]
async fn a_token_expires_and_the_oldest_gives_way() {
    let short = Relay::start(Config {
        signalr: Timing {
            ticket: Duration::ZERO,
            ..Timing::default()
        },
        ..config()
    })
    .await;
    let id = token(&short, "").await;
    assert_eq!(
        status(Client::open(short.address, &format!("/hub?id={id}")).await),
        404
    );

    let few = Relay::start(Config {
        connections: 2,
        ..config()
    })
    .await;
    let ids = [
        token(&few, "").await,
        token(&few, "").await,
        token(&few, "").await,
    ];
    assert_eq!(
        status(Client::open(few.address, &format!("/hub?id={}", ids[0])).await),
        404
    );
    let _first = Hub::join(&few, &format!("/hub?id={}", ids[1])).await;
    // SignalR's clients count as connections, and a refused one hasn't used up its ticket.
    let page = few.join("/").await;
    assert_eq!(
        status(Client::open(few.address, &format!("/hub?id={}", ids[2])).await),
        503
    );
    drop(page);
    few.until(|stats| stats.members == 1).await;
    while few.stats.connections() > 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Hub::join(&few, &format!("/hub?id={}", ids[2])).await;
}

#[tokio::test]
async fn pages_of_other_origins_may_negotiate_if_they_may_connect() {
    let relay = Relay::start(Config {
        origins: vec!["https://example.org".parse().unwrap()],
        ..config()
    })
    .await;
    let preflight = [
        ("origin", "https://example.org"),
        ("access-control-request-method", "POST"),
        (
            "access-control-request-headers",
            "x-requested-with,x-signalr-user-agent",
        ),
    ];
    let answer = request(
        relay.address,
        "OPTIONS /hub/negotiate?negotiateVersion=1",
        &preflight,
    )
    .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://example.org")
    );
    assert_eq!(
        answer.header("access-control-allow-credentials"),
        Some("true")
    );
    assert_eq!(
        answer.header("access-control-allow-headers"),
        Some("x-requested-with,x-signalr-user-agent")
    );
    assert!(
        answer
            .header("access-control-allow-methods")
            .unwrap()
            .contains("POST")
    );
    let answer = negotiate(
        &relay,
        "/hub/negotiate",
        &[("origin", "https://example.org")],
    )
    .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://example.org")
    );
    assert_eq!(
        answer.header("access-control-allow-credentials"),
        Some("true")
    );

    let foreign = [
        ("origin", "https://example.com"),
        ("access-control-request-method", "POST"),
    ];
    let refused = request(relay.address, "OPTIONS /hub/negotiate", &foreign).await;
    assert_eq!(
        (
            refused.status,
            refused.header("access-control-allow-origin")
        ),
        (403, None)
    );
    let refused = negotiate(
        &relay,
        "/hub/negotiate",
        &[("origin", "https://example.com")],
    )
    .await;
    assert_eq!(
        (
            refused.status,
            refused.header("access-control-allow-origin")
        ),
        (403, None)
    );
    assert!(
        refused.body.contains("--origin https://example.com"),
        "{}",
        refused.body
    );
    let id = token(&relay, "").await;
    let foreign = Client::open_with(
        relay.address,
        &format!("/hub?id={id}"),
        &[("origin", "https://example.com")],
    )
    .await;
    assert_eq!(status(foreign), 403);
}

#[tokio::test]
async fn other_transports_are_told_that_they_are_not_offered() {
    let relay = Relay::start(config()).await;
    let id = token(&relay, "").await;
    for line in [
        format!("GET /hub?id={id}"),
        format!("POST /hub?id={id}"),
        format!("DELETE /hub?id={id}"),
        "POST /hub".into(),
    ] {
        let answer = request(relay.address, &line, &[("content-length", "0")]).await;
        assert_eq!(answer.status, 400, "{line}");
        assert!(
            answer.body.contains("Only the transport webSockets"),
            "{}",
            answer.body
        );
    }
    // Without an id, a file may be meant.
    assert_eq!(get(relay.address, "/hub").await.status, 404);
    assert_eq!(get(relay.address, "/hub/negotiate").await.status, 404);
    Hub::join(&relay, &format!("/hub?id={id}")).await;
}
