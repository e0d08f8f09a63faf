//! A page that wants to know who is on a channel, as far as a test needs it.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{Client, Relay, within};

/// A page on a plain WebSocket.
pub struct Page {
    pub client: Client,
    pub id: String,
    pub secret: String,
}

impl Page {
    /// A page that is on the channel `room`, and the answer.
    pub async fn come(relay: &Relay, id: &str) -> (Self, Value) {
        Self::come_to(relay.address, id).await
    }

    pub async fn come_to(address: SocketAddr, id: &str) -> (Self, Value) {
        let mut page = Self::connect_to(address, "/", id).await;
        let answer = page.say(json!({"present": id, "on": "room"})).await;
        (page, answer)
    }

    pub async fn connect(relay: &Relay, path: &str, id: &str) -> Self {
        Self::connect_to(relay.address, path, id).await
    }

    pub async fn connect_to(address: SocketAddr, path: &str, id: &str) -> Self {
        let mut client = Client::open(address, path).await.unwrap();
        client.greeted().await;
        client.send("{\"open\":[\"room\"]}").await;
        client
            .until_text(|text| text.starts_with("{\"ack\":0"))
            .await;
        let secret = format!("signal-wasm-presence/0123456789abcdef {id}");
        let id = id.into();
        Self { client, id, secret }
    }

    /// Continues on another connection.
    pub async fn reconnect(&mut self, relay: &Relay) -> Value {
        self.reconnect_to(relay.address).await
    }

    pub async fn reconnect_to(&mut self, address: SocketAddr) -> Value {
        let Self { client, .. } = Self::connect_to(address, "/", &self.id).await;
        self.client = client;
        self.say(json!({"present": self.id, "on": "room"})).await
    }

    pub async fn tell(&mut self, message: Value) {
        let frame = json!({"sender": 5, "channel": self.secret, "message": message});
        self.client.send(&frame.to_string()).await;
    }

    /// Says something and returns the next message.
    pub async fn say(&mut self, message: Value) -> Value {
        self.tell(message).await;
        self.hears().await
    }

    /// The next message on its private channel.
    pub async fn hears(&mut self) -> Value {
        within("a message", async {
            loop {
                let frame: Value = serde_json::from_str(&self.client.text().await).unwrap();
                if frame.get("ack").is_some() || frame.get("expires").is_some() {
                    continue;
                }
                if frame.get("ping").is_some() {
                    let pong = json!({"pong": frame["ping"]});
                    self.client.send(&pong.to_string()).await;
                    continue;
                }
                assert_eq!(frame["channel"], *self.secret, "{frame}");
                assert_eq!(frame["sender"], "relay");
                return frame["message"].clone();
            }
        })
        .await
    }
}

/// The others that an answer names.
pub fn present(answer: &Value) -> &Value {
    assert_eq!(answer["shown"], true, "{answer}");
    &answer["present"]
}
