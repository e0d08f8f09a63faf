//! What's tested: clients of ASP.NET SignalR 2, by the requests and frames that they and real servers exchange: negotiation, connecting,
//! calls, coming back after a loss, leaving, the proxy script, and what doesn't follow the rules.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::time::Duration;

use futures_util::SinkExt;
use serde_json::{Value, json};
use signal_relay::Config;
use signal_relay::queue::Bounds;
use signal_relay::signalr::Times;
use support::{Answer, Client, LIMIT, Relay, amid_chatter, config, get, raw, request};
use tokio::io::AsyncReadExt;
use tokio_tungstenite::tungstenite::{Error, Message};

/// `[{"name":"webrtchub3"}]`, as the official client writes it into a URL.
const HUBS: &str = "%5B%7B%22name%22%3A%22webrtchub3%22%7D%5D";

/// A connection of one client, with what it needs to come back.
struct Hub {
    client: Client,
    base: String,
    token: String,
    cursor: String,
}

async fn token(relay: &Relay, base: &str) -> String {
    let answer = get(
        relay.address,
        &format!("{base}/negotiate?clientProtocol=2.1&connectionData={HUBS}&_=1"),
    )
    .await;
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    answer["ConnectionToken"].as_str().unwrap().to_owned()
}

fn query(token: &str) -> String {
    format!("transport=webSockets&clientProtocol=2.1&connectionToken={token}&connectionData={HUBS}")
}

impl Hub {
    /// As the official client does it: negotiate, connect, start.
    async fn join(relay: &Relay, base: &str) -> Self {
        let token = token(relay, base).await;
        let client = Client::open(
            relay.address,
            &format!("{base}/connect?{}&tid=4", query(&token)),
        )
        .await
        .unwrap();
        let mut hub = Self {
            client,
            base: base.to_owned(),
            token,
            cursor: String::new(),
        };
        assert_eq!(hub.frame().await, json!({ "C": "0", "S": 1, "M": [] }));
        let started = get(
            relay.address,
            &format!("{base}/start?{}", query(&hub.token)),
        )
        .await;
        assert_eq!(
            (started.status, started.body.as_str()),
            (200, r#"{"Response":"started"}"#)
        );
        hub
    }

    fn reconnect_path(&self) -> String {
        format!(
            "{}/reconnect?messageId={}&{}&tid=9",
            self.base,
            self.cursor,
            query(&self.token)
        )
    }

    /// Goes without a word, as when the network breaks, and gives what the client still knows.
    fn lose(self) -> Lost {
        let Self {
            base,
            token,
            cursor,
            ..
        } = self;
        Lost {
            base,
            token,
            cursor,
        }
    }

    /// The next frame that isn't empty.
    async fn frame(&mut self) -> Value {
        loop {
            let text = self.client.text().await;
            if text != "{}" {
                let frame: Value = serde_json::from_str(&text).unwrap();
                if let Some(cursor) = frame["C"].as_str() {
                    self.cursor = cursor.to_owned();
                }
                return frame;
            }
        }
    }

    /// The next frame of a page that is handed over.
    async fn delivered(&mut self) -> String {
        let frame = self.frame().await;
        let text = frame["M"][0]["A"][0]
            .as_str()
            .unwrap_or_else(|| panic!("{frame}"))
            .to_owned();
        assert_eq!(
            frame,
            json!({ "C": self.cursor, "M": [{ "H": "webrtchub3", "M": "onMessageReceived", "A": [text] }] })
        );
        text
    }

    async fn call(&mut self, method: &str, arguments: &Value) -> Value {
        self.client
            .send(&json!({ "H": "webrtchub3", "M": method, "A": arguments, "I": 4 }).to_string())
            .await;
        self.frame().await
    }

    async fn publish(&mut self, frame: &str) {
        assert_eq!(
            self.call("send", &json!([frame])).await,
            json!({ "I": "4" })
        );
    }
}

/// What a client knows that has lost its connection.
struct Lost {
    base: String,
    token: String,
    cursor: String,
}

impl Lost {
    async fn try_back(&self, relay: &Relay) -> Result<Hub, Error> {
        let Self {
            base,
            token,
            cursor,
        } = self;
        let path = format!("{base}/reconnect?messageId={cursor}&{}&tid=9", query(token));
        Ok(Hub {
            client: Client::open(relay.address, &path).await?,
            base: base.clone(),
            token: token.clone(),
            cursor: cursor.clone(),
        })
    }
}

fn status(refused: Result<Client, Error>) -> u16 {
    match refused.map(|_| "connected") {
        Err(Error::Http(response)) => response.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

fn envelope(n: usize) -> String {
    format!(r#"{{"sender":5000,"channel":"main","message":{n}}}"#)
}

async fn abort(relay: &Relay, base: &str, token: &str) -> Answer {
    request(
        relay.address,
        &format!("POST {base}/abort?{}", query(token)),
        &[("content-length", "0")],
    )
    .await
}

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
    assert_eq!(first.text().await, r#"{"C":"0","S":1,"M":[]}"#);
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
        signalr: Times {
            ticket: Duration::ZERO,
            ..Times::default()
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
async fn messages_go_both_ways_and_not_back() {
    let relay = Relay::start(config()).await;
    let (mut one, mut other) = (
        Hub::join(&relay, "/signalr").await,
        Hub::join(&relay, "/signalr/hubs").await,
    );
    let mut page = relay.join("/").await;
    let mut elsewhere = Hub::join(&relay, "/room/signalr").await;
    let frame = r#"{"sender":12345,"channel":"main","message":{"sdp":"v=0\r\n\"é😀\""}}"#;
    one.publish(frame).await;
    assert_eq!(other.delivered().await, frame);
    assert_eq!(page.envelope().await, frame);
    page.send(&envelope(1)).await;
    // The sender got nothing of its own in between.
    assert_eq!(one.delivered().await, envelope(1));
    assert_eq!(other.delivered().await, envelope(1));
    assert_eq!((one.cursor.as_str(), other.cursor.as_str()), ("1", "2"));

    // What a page of the seed sends has no sender.
    let sender = |text: &str| {
        let value: Value = serde_json::from_str(text).unwrap();
        let sender = value["sender"].as_u64().unwrap();
        assert_eq!(
            text,
            format!(r#"{{"sender":{sender},"channel":"main","message":"hello"}}"#)
        );
        sender
    };
    let old = r#"{"message":"hello","channel":"main"}"#;
    one.publish(old).await;
    let first = sender(&page.envelope().await);
    assert_eq!(sender(&other.delivered().await), first);
    other.publish(old).await;
    assert_ne!(sender(&page.envelope().await), first);

    let mut neighbour = relay.join("/room").await;
    neighbour.send("no envelope").await;
    neighbour.send(&envelope(2)).await;
    assert_eq!(elsewhere.delivered().await, envelope(2));
}

#[tokio::test]
async fn calls_that_cannot_be_are_answered() {
    let relay = Relay::start(config()).await;
    let mut hub = Hub::join(&relay, "/signalr").await;
    for (method, arguments, reason) in [
        (
            "shout",
            json!(["a"]),
            "The hub has no method 'shout'. It has Send(string).",
        ),
        (
            "send",
            json!([]),
            "Send takes one argument, a string, and got 0.",
        ),
        (
            "send",
            json!(["a", "b"]),
            "Send takes one argument, a string, and got 2.",
        ),
        (
            "send",
            json!([{ "channel": "a" }]),
            "The argument of Send is to be a string, the JSON text of {message, channel}: use JSON.stringify.",
        ),
        (
            "send",
            json!(["hello"]),
            "The string is no envelope: Send takes the JSON text of {message, channel}, where channel is the channel's name.",
        ),
    ] {
        assert_eq!(
            hub.call(method, &arguments).await,
            json!({ "I": "4", "E": reason, "H": true })
        );
    }
    // Nobody waits for this one's answer.
    hub.client
        .send(r#"{"H":"webrtchub3","M":"shout","A":[]}"#)
        .await;
    assert_eq!(
        hub.call("Send", &json!([envelope(0)])).await,
        json!({ "I": "4" })
    );
}

#[tokio::test]
async fn what_is_no_call_stops_the_client() {
    let relay = Relay::start(config()).await;
    for text in [
        "hello",
        "{}",
        "[1]",
        "{\"protocol\":\"json\",\"version\":1}\u{1e}",
    ] {
        let mut hub = Hub::join(&relay, "/signalr").await;
        hub.client.send(text).await;
        let last = hub.frame().await;
        assert!(
            last["E"]
                .as_str()
                .unwrap()
                .starts_with("That is no call of a hub's method"),
            "{last}"
        );
        assert_eq!(hub.client.closed().await, (1000, String::new()));
        assert_eq!(
            status(Client::open(relay.address, &hub.reconnect_path()).await),
            404
        );
    }
    let mut hub = Hub::join(&relay, "/signalr").await;
    hub.client
        .0
        .send(Message::binary(b"{}".to_vec()))
        .await
        .unwrap();
    assert_eq!(hub.client.closed().await.0, 1003);
    drop(hub);
    relay.until_empty().await;
}

#[tokio::test]
async fn every_hub_of_the_client_is_called_by_its_name() {
    let relay = Relay::start(config()).await;
    let mut page = relay.join("/").await;
    let connect = async |data: &str| {
        let token = token(&relay, "/signalr").await;
        Client::open(relay.address, &format!("/signalr/connect?transport=webSockets&connectionToken={token}&connectionData={data}")).await
    };
    let mut two = connect("%5B%7B%22name%22%3A%22Chat%22%7D%2C%7B%22name%22%3A%22video%22%7D%5D")
        .await
        .unwrap();
    let mut none = connect("%5B%5D").await.unwrap();
    assert_eq!(two.text().await, r#"{"C":"0","S":1,"M":[]}"#);
    assert_eq!(none.text().await, r#"{"C":"0","S":1,"M":[]}"#);
    page.send(r#"{"channel":1}"#).await;
    assert_eq!(
        two.text().await,
        r#"{"C":"1","M":[{"H":"Chat","M":"onMessageReceived","A":["{\"channel\":1}"]},{"H":"video","M":"onMessageReceived","A":["{\"channel\":1}"]}]}"#
    );
    // A client that has no hub hears nothing, and can speak.
    none.send(&json!({ "H": "any", "M": "send", "A": [envelope(1)], "I": 0 }).to_string())
        .await;
    assert_eq!(none.text().await, r#"{"I":"0"}"#);
    assert_eq!(page.envelope().await, envelope(1));
    for wrong in ["x", "%7B%7D", "%5B1%5D"] {
        assert_eq!(status(connect(wrong).await), 400, "{wrong}");
    }
}

#[tokio::test]
async fn who_comes_back_gets_what_it_missed() {
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
    assert_eq!(relay.observer.census().joined, 2);
    let mut hub = hub.lose().try_back(&relay).await.unwrap();
    page.send(&envelope(11)).await;
    assert_eq!(hub.delivered().await, envelope(11));
    assert_eq!(hub.cursor, "10");
}

#[tokio::test]
async fn who_comes_back_takes_over_from_a_connection_that_still_seems_to_be_there() {
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
    assert_eq!(relay.observer.census().joined, 2);

    // Without a messageId all that is kept comes again.
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
async fn who_comes_back_too_late_is_not_known() {
    let relay = Relay::start(Config {
        signalr: Times {
            resume: Duration::from_millis(50),
            ..Times::default()
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
async fn a_cursor_that_is_not_known_any_more_stops_the_client() {
    let relay = Relay::start(Config {
        queue: Bounds {
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
        r#"{"E":"What was sent meanwhile is no longer kept here: connect anew."}"#
    );
    assert_eq!(back.closed().await.0, 1000);
    drop((hub, back, page));
    relay.until_empty().await;
}

#[tokio::test]
async fn who_is_away_too_long_for_its_queue_is_not_waited_for() {
    let relay = Relay::start(Config {
        queue: Bounds {
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
    while relay.observer.census().members == 2 {
        page.send(&envelope(0)).await;
        page.heard().await;
    }
    assert_eq!(status(Client::open(relay.address, &path).await), 404);
}

#[tokio::test]
async fn leaving_ends_it_at_once() {
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
    assert_eq!(relay.observer.census().members, 1);
    assert_eq!(abort(&relay, "/signalr", &token).await.status, 200);
    relay.until_empty().await;
    assert_eq!(abort(&relay, "/signalr", &token).await.status, 200);
}

#[tokio::test]
async fn clients_count_among_all_and_keep_their_place_while_they_are_away() {
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
    let mut hub = loop {
        match lost.try_back(&relay).await {
            Ok(hub) => break hub,
            Err(Error::Http(response)) => assert_eq!(response.status(), 503),
            Err(error) => panic!("{error}"),
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    };
    page.send(&envelope(1)).await;
    assert_eq!(hub.delivered().await, envelope(1));
    assert_eq!(relay.observer.connections(), 2);
    abort(&relay, "/signalr", &hub.token).await;
    drop((hub, page));
    relay.until_empty().await;
    Client::open(relay.address, &path).await.unwrap();
}

#[tokio::test]
async fn the_relay_says_that_it_is_there() {
    let relay = Relay::start(Config {
        signalr: Times {
            keep_alive: Duration::from_millis(40),
            ..Times::default()
        },
        ..config()
    })
    .await;
    let mut hub = Hub::join(&relay, "/signalr").await;
    for _ in 0..3 {
        assert_eq!(hub.client.text().await, "{}");
    }
}

#[tokio::test]
async fn the_relay_says_so_as_often_as_it_is_told_to_ping() {
    let relay = Relay::start(Config {
        ping: Duration::from_secs(1),
        patience: LIMIT,
        ..config()
    })
    .await;
    let mut hub = Hub::join(&relay, "/signalr").await;
    for _ in 0..3 {
        assert_eq!(hub.client.text().await, "{}");
    }
    // What isn't for the client doesn't count.
    let text = amid_chatter(&relay, hub.client.text()).await;
    assert_eq!(text, "{}");
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_taken_for_lost() {
    let relay = Relay::start(Config {
        ping: Duration::from_millis(20),
        patience: Duration::from_millis(50),
        farewell: Duration::from_millis(50),
        ..config()
    })
    .await;
    let token = token(&relay, "/signalr").await;
    let mut silent = raw(
        relay.address,
        &format!("/signalr/connect?{}", query(&token)),
    )
    .await;
    let mut all = Vec::new();
    tokio::time::timeout(LIMIT, silent.read_to_end(&mut all))
        .await
        .expect("it is not dropped")
        .unwrap();
    let end: &[u8] = b"\x0f\xacno answer to a ping";
    assert!(all.ends_with(end), "{all:?}");
    // It may come back.
    assert_eq!(relay.observer.census().members, 1);
    let path = format!("/signalr/reconnect?messageId=0&{}", query(&token));
    Client::open(relay.address, &path).await.unwrap();
}

#[tokio::test]
async fn too_long_is_too_long() {
    let relay = Relay::start(Config {
        max_frame: 1000,
        ..config()
    })
    .await;
    let mut page = relay.join("/").await;
    let head = r#"{"sender":1,"channel":"a","message":""#;
    let frame =
        |length: usize| format!("{head}{}\"}}", "\\\"".repeat((length - head.len() - 2) / 2));
    let mut hub = Hub::join(&relay, "/signalr").await;
    hub.publish(&frame(1000)).await;
    assert_eq!(page.envelope().await, frame(1000));
    for (length, reason) in [
        (1003, "frame over 1000 bytes"),
        (8000, "frame over 6096 bytes"),
    ] {
        let mut hub = Hub::join(&relay, "/signalr").await;
        hub.client
            .send(&json!({ "H": "h", "M": "send", "A": [frame(length)], "I": 1 }).to_string())
            .await;
        assert_eq!(hub.client.closed().await, (1009, reason.to_owned()));
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped() {
    let relay = Relay::start(Config {
        queue: Bounds {
            frames: 20,
            bytes: 200_000,
        },
        max_frame: 100_000,
        farewell: Duration::from_millis(100),
        ..config()
    })
    .await;
    let token = token(&relay, "/signalr").await;
    let _narrow = Client::open_narrow(
        relay.address,
        &format!("/signalr/connect?{}", query(&token)),
    )
    .await;
    relay.until(|census| census.members == 1).await;
    let mut page = relay.join("/").await;
    let frame = format!(
        r#"{{"sender":1,"channel":"a","message":"{}"}}"#,
        "x".repeat(90_000)
    );
    while relay.observer.census().members == 2 {
        page.send(&frame).await;
        page.heard().await;
    }
    assert_eq!(
        status(
            Client::open(
                relay.address,
                &format!("/signalr/reconnect?{}", query(&token))
            )
            .await
        ),
        404
    );
}

#[tokio::test]
async fn a_stopping_relay_sends_what_waits() {
    let relay = Relay::start(config()).await;
    let mut hub = Hub::join(&relay, "/signalr").await;
    let _lost = Hub::join(&relay, "/signalr").await.lose();
    let mut page = relay.join("/").await;
    page.send(&envelope(1)).await;
    page.heard().await;
    let stopped = relay.stop();
    assert_eq!(hub.delivered().await, envelope(1));
    assert_eq!(
        hub.client.closed().await,
        (1001, "the relay is shutting down".to_owned())
    );
    drop((hub, page));
    tokio::time::timeout(LIMIT, stopped).await.unwrap().unwrap();
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
