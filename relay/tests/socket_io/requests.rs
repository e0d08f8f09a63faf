//! Requests that are invalid, of foreign origins, or for files.

use signal_relay::Config;
use tokio_tungstenite::tungstenite::Error;

use super::support::socket_io::{Poller, code, path};
use super::support::{Client, Relay, config, get, request};

#[tokio::test]
async fn other_requests_are_answered_with_what_is_wrong() {
    let relay = Relay::start(config()).await;
    let poller = Poller::join(&relay, 4).await;
    let known = poller.id.clone();
    for (line, wanted) in [
        (
            "GET /socket.io/?EIO=4&transport=polling&sid=unknown".to_owned(),
            (400, 1),
        ),
        (
            "GET /socket.io/?EIO=4&transport=polling&sid=".to_owned(),
            (400, 1),
        ),
        (
            "POST /socket.io/?EIO=4&transport=polling&sid=unknown".to_owned(),
            (400, 1),
        ),
        (
            "GET /socket.io/?EIO=4&transport=carrier-pigeon".to_owned(),
            (400, 0),
        ),
        ("GET /socket.io/?EIO=4".to_owned(), (400, 0)),
        (
            "GET /socket.io/?EIO=1&transport=polling".to_owned(),
            (400, 5),
        ),
        (
            "GET /socket.io/?EIO=&transport=polling".to_owned(),
            (400, 5),
        ),
        (
            "POST /socket.io/?EIO=4&transport=polling".to_owned(),
            (400, 2),
        ),
        (
            format!("PUT /socket.io/?EIO=4&transport=polling&sid={known}"),
            (400, 2),
        ),
        (
            format!("GET /socket.io/?EIO=4&transport=websocket&sid={known}"),
            (400, 3),
        ),
        ("GET /socket.io/?transport=polling".to_owned(), (400, 5)),
        ("GET /socket.io/".to_owned(), (400, 5)),
        // Not Engine.IO's, and there is no such file.
        (
            "GET /socket.io/x?EIO=4&transport=polling".to_owned(),
            (404, -1),
        ),
    ] {
        assert_eq!(
            code(&request(relay.address, &line, &[]).await),
            wanted,
            "{line}"
        );
    }
    for (path, status) in [
        ("/socket.io/?EIO=1&transport=websocket".to_owned(), 400),
        (path(4, "polling"), 400),
        ("/socket.io/?transport=websocket".to_owned(), 400),
        (
            "/socket.io/?EIO=4&transport=websocket&sid=unknown".to_owned(),
            400,
        ),
    ] {
        assert!(matches!(
            Client::open(relay.address, &path).await,
            Err(Error::Http(answer)) if answer.status() == status
        ));
    }
    // A plain WebSocket may be here too.
    relay.join("/socket.io/").await;
}

#[tokio::test]
async fn the_clients_script_may_be_mounted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("socket.io")).unwrap();
    std::fs::write(folder.path().join("socket.io/socket.io.js"), "io").unwrap();
    let mount = format!("/={}", folder.path().display()).parse().unwrap();
    let relay = Relay::start(Config {
        mounts: vec![mount],
        ..config()
    })
    .await;
    assert_eq!(
        get(relay.address, "/socket.io/socket.io.js").await.body,
        "io"
    );
    Poller::join(&relay, 4).await;
}

#[tokio::test]
async fn pages_of_other_origins() {
    let relay = Relay::start(Config {
        origins: vec!["https://example.org".parse().unwrap()],
        ..config()
    })
    .await;
    let poller = Poller::join(&relay, 4).await;
    let evil = [("origin", "https://evil.example")];
    for line in [
        format!("GET {}", path(4, "polling")),
        format!("GET {}", poller.path("polling")),
        format!("POST {}", poller.path("polling")),
        format!("OPTIONS {}", poller.path("polling")),
    ] {
        let answer = request(relay.address, &line, &evil).await;
        assert_eq!(answer.status, 403, "{line}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    for path in [path(4, "websocket"), poller.path("websocket")] {
        assert!(matches!(
            Client::open_with(relay.address, &path, &evil).await,
            Err(Error::Http(answer)) if answer.status() == 403
        ));
    }
    for origin in ["https://example.org", "http://localhost:5173"] {
        let poller = Poller::join(&relay, 4).await;
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,x-mine"),
        ];
        let answer = request(
            relay.address,
            &format!("OPTIONS {}", path(4, "polling")),
            &headers,
        )
        .await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            Some("true")
        );
        assert_eq!(
            answer.header("access-control-allow-headers"),
            Some("content-type,x-mine")
        );
        assert!(
            answer
                .header("access-control-allow-methods")
                .unwrap()
                .contains("POST")
        );
        for (line, status) in [
            (format!("GET {}", path(4, "polling")), 200),
            (format!("POST {}", poller.path("polling")), 400),
            (format!("GET {}&sid=unknown", path(4, "polling")), 400),
        ] {
            // An error is to be read too.
            let answer = request(relay.address, &line, &headers[..1]).await;
            assert_eq!(answer.status, status, "{line}");
            assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
            assert_eq!(answer.header("vary"), Some("origin"));
        }
    }
    let mut client = Client::open_with(
        relay.address,
        &path(4, "websocket"),
        &[("origin", "https://example.org")],
    )
    .await
    .unwrap();
    assert!(client.text().await.starts_with('0'));
}
