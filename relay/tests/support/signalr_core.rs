//! A client of ASP.NET Core SignalR, written by hand.

use std::collections::VecDeque;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{Answer, Client, Relay, request, within};

pub const HANDSHAKE: &str = "{\"protocol\":\"json\",\"version\":1}\u{1e}";

/// The answer to it.
pub const WELCOME: &str = r#"{"minorVersion":0,"relay":true}"#;

/// A client of the hub that cuts what comes into records.
pub struct Hub {
    pub client: Client,
    pub records: VecDeque<String>,
}

impl Hub {
    pub async fn open(relay: &Relay, path: &str) -> Self {
        Self {
            client: Client::open(relay.address, path).await.unwrap(),
            records: VecDeque::new(),
        }
    }

    /// A client that is in.
    pub async fn join(relay: &Relay, path: &str) -> Self {
        let mut hub = Self::open(relay, path).await;
        hub.client.send(HANDSHAKE).await;
        assert_eq!(hub.record().await, WELCOME);
        hub
    }

    /// The next record; pings are read over.
    pub async fn record(&mut self) -> String {
        let record = async {
            loop {
                while let Some(record) = self.records.pop_front() {
                    if record != r#"{"type":6}"# {
                        return record;
                    }
                }
                let text = self.client.text().await;
                let whole = text.strip_suffix('\u{1e}').expect("half a record");
                self.records
                    .extend(whole.split('\u{1e}').map(str::to_owned));
            }
        };
        within("a record", record).await
    }

    /// The next frame that is handed over.
    pub async fn delivered(&mut self) -> String {
        let record: Value = serde_json::from_str(&self.record().await).unwrap();
        let frame = record["arguments"][0].as_str().unwrap().to_owned();
        assert_eq!(
            record,
            json!({ "type": 1, "target": "onMessageReceived", "arguments": [frame] })
        );
        frame
    }

    pub async fn send(&mut self, record: &Value) {
        self.client.send(&format!("{record}\u{1e}")).await;
    }

    pub async fn publish(&mut self, frame: &str) {
        self.send(&json!({ "type": 1, "target": "Send", "arguments": [frame] }))
            .await;
    }

    /// Invokes and gives the completion.
    pub async fn invoke(&mut self, target: &str, arguments: Value) -> Value {
        self.send(
            &json!({ "type": 1, "target": target, "arguments": arguments, "invocationId": "7" }),
        )
        .await;
        serde_json::from_str(&self.record().await).unwrap()
    }
}

pub async fn negotiate(relay: &Relay, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut all = vec![("content-length", "0")];
    all.extend(headers);
    request(relay.address, &format!("POST {path}"), &all).await
}

pub async fn token(relay: &Relay, space: &str) -> String {
    let answer = negotiate(
        relay,
        &format!("{space}/hub/negotiate?negotiateVersion=1"),
        &[],
    )
    .await;
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    answer["connectionToken"].as_str().unwrap().to_owned()
}

pub trait SendBinary {
    async fn send_binary(&mut self, bytes: &str);
}

impl<S: futures_util::Sink<Message, Error = Error> + Unpin> SendBinary for S {
    async fn send_binary(&mut self, bytes: &str) {
        use futures_util::SinkExt;
        self.send(Message::binary(bytes.as_bytes().to_vec()))
            .await
            .unwrap();
    }
}
