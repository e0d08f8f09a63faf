//! Negotiation, tokens, origins, other transports, and the proxy script.

use std::time::Duration;

use serde_json::{Value, json};
use signal_relay::Config;
use signal_relay::protocols::signalr::Timing;

use super::support::signalr_classic::{HUBS, query, token};
use super::support::{Client, Relay, config, get, request, status};

#[tokio::test]
async fn negotiation_tells_where_and_how() {
    let relay = Relay::start(config()).await;
    for base in ["/signalr", "/signalr/hubs", "/my-room/signalr"] {
        let answer = get(
            relay.address,
            &format!("{base}/negotiate?clientProtocol=2.1&connectionData={HUBS}&_=1700000000000"),
        )
        .await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_ne!(body["ConnectionToken"], body["ConnectionId"]);
        assert_eq!(
            body,
            json!({
                "Url": base,
                "ConnectionToken": body["ConnectionToken"],
                "ConnectionId": body["ConnectionId"],
                "KeepAliveTimeout": 20.0,
                "DisconnectTimeout": 30.0,
                "ConnectionTimeout": 110.0,
                "TryWebSockets": true,
                "ProtocolVersion": "2.1",
                "TransportConnectTimeout": 5.0,
                "LongPollDelay": 0.0,
            })
        );
    }
    let old = get(relay.address, "/signalr/negotiate?clientProtocol=1.5").await;
    assert!(
        old.body.contains(r#""ProtocolVersion":"1.5""#),
        "{}",
        old.body
    );
    assert_eq!(
        get(relay.address, "/signalr/ping").await.body,
        r#"{"Response":"pong"}"#
    );
}

#[tokio::test]
async fn a_page_without_cors_gets_its_answers_as_scripts() {
    let relay = Relay::start(config()).await;
    let answer = get(relay.address, "/signalr/ping?callback=jQuery37_17&_=1").await;
    assert_eq!(answer.body, r#"/**/jQuery37_17({"Response":"pong"});"#);
    assert_eq!(
        answer.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    let answer = get(
        relay.address,
        "/signalr/negotiate?callback=$.cb&clientProtocol=2.1",
    )
    .await;
    assert!(
        answer.body.starts_with("/**/$.cb({\"") && answer.body.ends_with("});"),
        "{}",
        answer.body
    );
    for wrong in ["", "alert(1)//", "a%20b", "%3Cscript%3E", &"x".repeat(200)] {
        let answer = get(relay.address, &format!("/signalr/ping?callback={wrong}")).await;
        assert_eq!(answer.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_may_negotiate_if_they_may_connect() {
    let relay = Relay::start(Config {
        origins: vec!["https://example.org".parse().unwrap()],
        ..config()
    })
    .await;
    let ours = [("origin", "https://example.org")];
    let theirs = [("origin", "https://example.com")];
    for line in [
        "GET /signalr/negotiate",
        "GET /signalr/ping",
        "POST /signalr/abort",
    ] {
        let mut headers = vec![("content-length", "0")];
        headers.extend(ours);
        let answer = request(relay.address, line, &headers).await;
        assert_eq!(answer.status, 200, "{line}");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("https://example.org")
        );
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            Some("true")
        );
        headers.splice(1.., theirs);
        let refused = request(relay.address, line, &headers).await;
        assert_eq!(
            (
                refused.status,
                refused.header("access-control-allow-origin")
            ),
            (403, None),
            "{line}"
        );
    }
    let preflight = [
        ours[0],
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "authorization"),
    ];
    let answer = request(relay.address, "OPTIONS /signalr/negotiate", &preflight).await;
    assert_eq!(
        answer.header("access-control-allow-headers"),
        Some("authorization")
    );
    let token = token(&relay, "/signalr").await;
    let path = format!("/signalr/connect?{}", query(&token));
    assert_eq!(
        status(Client::open_with(relay.address, &path, &theirs).await),
        403
    );
    Client::open_with(relay.address, &path, &ours)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_token_is_good_for_one_connection_in_its_space() {
    let relay = Relay::start(config()).await;
    let token = token(&relay, "/room/signalr").await;
    let path = |base: &str, step: &str| format!("{base}/{step}?{}", query(&token));
    assert_eq!(
        status(Client::open(relay.address, &path("/signalr", "connect")).await),
        404
    );
    // Not connected yet, it can't be started or come back; and Core's hub doesn't know it.
    assert_eq!(
        get(relay.address, &path("/room/signalr", "start"))
            .await
            .status,
        404
    );
    assert_eq!(
        status(Client::open(relay.address, &path("/room/signalr", "reconnect")).await),
        404
    );
    assert_eq!(
        status(Client::open(relay.address, &format!("/room/hub?id={token}")).await),
        404
    );
    let mut first = Client::open(relay.address, &path("/room/signalr/hubs", "connect"))
        .await
        .unwrap();
    assert_eq!(first.text().await, r#"{"C":"0","S":1,"M":[],"relay":true}"#);
    assert_eq!(
        status(Client::open(relay.address, &path("/room/signalr", "connect")).await),
        404
    );
    assert_eq!(
        get(relay.address, &path("/signalr", "start")).await.status,
        404
    );
    assert_eq!(
        get(relay.address, &path("/room/signalr", "start"))
            .await
            .status,
        200
    );

    for wrong in ["connect", "reconnect"] {
        let path = format!(
            "/signalr/{wrong}?transport=webSockets&connectionToken=0&connectionData={HUBS}"
        );
        assert_eq!(status(Client::open(relay.address, &path).await), 404);
        let path = format!("/signalr/{wrong}?transport=webSockets");
        assert_eq!(status(Client::open(relay.address, &path).await), 404);
    }
}

#[tokio::test]
async fn a_token_that_is_not_used_expires() {
    let relay = Relay::start(Config {
        signalr: Timing {
            ticket: Duration::ZERO,
            ..Timing::default()
        },
        ..config()
    })
    .await;
    let token = token(&relay, "/signalr").await;
    assert_eq!(
        status(
            Client::open(
                relay.address,
                &format!("/signalr/connect?{}", query(&token))
            )
            .await
        ),
        404
    );
}

#[tokio::test]
async fn other_transports_are_told_that_they_are_not_offered() {
    let relay = Relay::start(config()).await;
    let token = token(&relay, "/signalr").await;
    for line in [
        format!("GET /signalr/connect?transport=serverSentEvents&connectionToken={token}"),
        format!("GET /signalr/connect?transport=longPolling&connectionToken={token}"),
        format!("GET /signalr/connect?transport=foreverFrame&connectionToken={token}"),
        format!("POST /signalr/connect?transport=longPolling&connectionToken={token}"),
        format!("GET /signalr/poll?transport=longPolling&connectionToken={token}"),
        format!("POST /signalr/send?transport=longPolling&connectionToken={token}"),
        format!("GET /signalr/reconnect?transport=serverSentEvents&connectionToken={token}"),
    ] {
        let answer = request(relay.address, &line, &[("content-length", "0")]).await;
        assert_eq!(answer.status, 400, "{line}");
        assert!(
            answer
                .body
                .contains("Only the transport webSockets is offered"),
            "{}",
            answer.body
        );
    }
    let path = format!("/signalr/connect?{}", query(&token)).replace("webSockets", "longPolling");
    assert_eq!(status(Client::open(relay.address, &path).await), 400);
    // All that hasn't used the token up.
    Client::open(
        relay.address,
        &format!("/signalr/connect?{}", query(&token)),
    )
    .await
    .unwrap();
}

#[tokio::test]
async fn the_proxy_script_is_there_unless_a_mount_has_a_file_of_that_name() {
    let relay = Relay::start(config()).await;
    for (path, base) in [
        ("/signalr/hubs", "/signalr"),
        ("/signalr/js", "/signalr"),
        ("/my-room/signalr/hubs", "/my-room/signalr"),
    ] {
        let script = get(relay.address, path).await;
        assert_eq!(script.status, 200);
        assert_eq!(
            script.header("content-type"),
            Some("text/javascript; charset=utf-8")
        );
        assert!(
            script.body.contains(&format!(
                "$.hubConnection(\"{base}\", {{ useDefaultPath: false }})"
            )),
            "{}",
            script.body
        );
        assert!(script.body.contains("webRtcHub3"));
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("signalr")).unwrap();
    std::fs::write(folder.path().join("signalr/js"), "mine").unwrap();
    let relay = Relay::start(Config {
        mounts: vec![format!("/={}", folder.path().display()).parse().unwrap()],
        ..config()
    })
    .await;
    assert_eq!(get(relay.address, "/signalr/js").await.body, "mine");
    assert!(
        get(relay.address, "/signalr/hubs")
            .await
            .body
            .contains("webRtcHub3")
    );
}
