//! A client of ASP.NET SignalR 2, written by hand.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Error;

use super::{Answer, Client, Relay, get, request, within};

/// `[{"name":"webrtchub3"}]`, as the official client writes it into a URL.
pub const HUBS: &str = "%5B%7B%22name%22%3A%22webrtchub3%22%7D%5D";

/// A connection of one client, with what it needs to come back.
pub struct Hub {
    pub client: Client,
    pub base: String,
    pub token: String,
    pub cursor: String,
}

pub async fn token(relay: &Relay, base: &str) -> String {
    let answer = get(
        relay.address,
        &format!("{base}/negotiate?clientProtocol=2.1&connectionData={HUBS}&_=1"),
    )
    .await;
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    answer["ConnectionToken"].as_str().unwrap().to_owned()
}

pub fn query(token: &str) -> String {
    format!("transport=webSockets&clientProtocol=2.1&connectionToken={token}&connectionData={HUBS}")
}

impl Hub {
    /// As the official client does it: negotiate, connect, start.
    pub async fn join(relay: &Relay, base: &str) -> Self {
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
        assert_eq!(
            hub.frame().await,
            json!({ "C": "0", "S": 1, "M": [], "relay": true })
        );
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

    pub fn reconnect_path(&self) -> String {
        format!(
            "{}/reconnect?messageId={}&{}&tid=9",
            self.base,
            self.cursor,
            query(&self.token)
        )
    }

    /// Drops the connection, as when the network breaks. Returns what the client still knows.
    pub fn lose(self) -> Lost {
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
    pub async fn frame(&mut self) -> Value {
        let text = async {
            loop {
                let text = self.client.text().await;
                if text != "{}" {
                    return text;
                }
            }
        };
        let text = within("a frame that isn't empty", text).await;
        let frame: Value = serde_json::from_str(&text).unwrap();
        if let Some(cursor) = frame["C"].as_str() {
            self.cursor = cursor.to_owned();
        }
        frame
    }

    /// The next frame of a page that is handed over.
    pub async fn delivered(&mut self) -> String {
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

    pub async fn call(&mut self, method: &str, arguments: &Value) -> Value {
        self.client
            .send(&json!({ "H": "webrtchub3", "M": method, "A": arguments, "I": 4 }).to_string())
            .await;
        self.frame().await
    }

    pub async fn publish(&mut self, frame: &str) {
        assert_eq!(
            self.call("send", &json!([frame])).await,
            json!({ "I": "4" })
        );
    }
}

/// What a client knows that has lost its connection.
pub struct Lost {
    pub base: String,
    pub token: String,
    pub cursor: String,
}

impl Lost {
    pub async fn try_back(&self, relay: &Relay) -> Result<Hub, Error> {
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

pub fn envelope(n: usize) -> String {
    format!(r#"{{"sender":5000,"channel":"main","message":{n}}}"#)
}

pub async fn abort(relay: &Relay, base: &str, token: &str) -> Answer {
    request(
        relay.address,
        &format!("POST {base}/abort?{}", query(token)),
        &[("content-length", "0")],
    )
    .await
}
