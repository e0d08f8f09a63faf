//! Clients of Socket.IO, written by hand, of both versions of Engine.IO.

use std::time::Duration;

use serde_json::Value;
use signal_relay::Config;

use super::{Answer, Client, Relay, config, get, request_with};

pub const ENVELOPE: &str = r#"{"sender":12,"channel":"a","message":"hi"}"#;

pub fn path(version: u8, transport: &str) -> String {
    format!("/socket.io/?EIO={version}&transport={transport}&t=abc")
}

pub fn event(envelope: &str) -> String {
    format!("42[\"message\",{envelope}]")
}

/// A client of Socket.IO over a WebSocket that is in the space `/`.
pub async fn join(relay: &Relay, version: u8) -> Client {
    let mut client = Client::open(relay.address, &path(version, "websocket"))
        .await
        .unwrap();
    assert!(client.text().await.starts_with("0{\"sid\":\""));
    if version == 4 {
        client.send("40").await;
    }
    assert!(client.text().await.starts_with("40"));
    client
}

/// A client of Socket.IO by long-polling.
pub struct Poller<'a> {
    pub relay: &'a Relay,
    pub version: u8,
    pub id: String,
}

impl<'a> Poller<'a> {
    pub async fn open(relay: &'a Relay, version: u8) -> Self {
        Self::open_with(relay, version, "").await
    }

    /// One with more in the query of its first request.
    pub async fn open_with(relay: &'a Relay, version: u8, more: &str) -> Self {
        let path = path(version, "polling") + more;
        let answer = get(relay.address, &path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let id = answer.body.split('"').nth(3).unwrap().to_owned();
        let mut packets = packets(version, &answer);
        let open: Value =
            serde_json::from_str(packets.remove(0).strip_prefix('0').unwrap()).unwrap();
        assert_eq!(open["upgrades"], serde_json::json!(["websocket"]));
        assert_eq!(open.get("maxPayload").is_some(), version == 4);
        assert_eq!(
            packets.len(),
            if version == 4 { 0 } else { 1 },
            "{packets:?}"
        );
        Self { relay, version, id }
    }

    /// One that is in the space `/`.
    pub async fn join(relay: &'a Relay, version: u8) -> Self {
        let poller = Self::open(relay, version).await;
        if version == 4 {
            assert_eq!(poller.post("40").await.body, "ok");
            assert!(poller.poll().await[0].starts_with("40{\"sid\":\""));
        }
        poller
    }

    pub fn path(&self, transport: &str) -> String {
        format!("{}&sid={}", path(self.version, transport), self.id)
    }

    pub async fn get(&self) -> Answer {
        get(self.relay.address, &self.path("polling")).await
    }

    pub async fn poll(&self) -> Vec<String> {
        let answer = self.get().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        packets(self.version, &answer)
    }

    pub async fn post(&self, packet: &str) -> Answer {
        let body = if self.version < 4 {
            format!("{}:{packet}", packet.encode_utf16().count())
        } else {
            packet.to_owned()
        };
        self.post_body(body.as_bytes()).await
    }

    pub async fn post_body(&self, body: &[u8]) -> Answer {
        let line = format!("POST {}", self.path("polling"));
        let headers = [("content-type", "text/plain;charset=UTF-8")];
        request_with(self.relay.address, &line, &headers, body).await
    }
}

/// The packets of a payload of the relay's, which is always right.
pub fn packets(version: u8, answer: &Answer) -> Vec<String> {
    match (version, answer.header("content-type")) {
        (4, Some("text/plain; charset=UTF-8")) => {
            answer.body.split('\u{1e}').map(str::to_owned).collect()
        }
        (2 | 3, Some("text/plain; charset=UTF-8")) => counted(&answer.body),
        (2 | 3, Some("application/octet-stream")) => binary(&answer.bytes),
        form => panic!("{form:?}"),
    }
}

fn binary(mut payload: &[u8]) -> Vec<String> {
    let mut packets = Vec::new();
    while let Some((0, rest)) = payload.split_first() {
        let end = rest.iter().position(|byte| *byte == 0xff).unwrap();
        let length = rest[..end]
            .iter()
            .fold(0, |length, digit| length * 10 + usize::from(*digit));
        let (packet, rest) = rest[end + 1..].split_at(length);
        packets.push(String::from_utf8(packet.to_vec()).unwrap());
        payload = rest;
    }
    assert!(payload.is_empty());
    packets
}

fn counted(payload: &str) -> Vec<String> {
    let mut units: Vec<u16> = payload.encode_utf16().collect();
    let mut packets = Vec::new();
    while !units.is_empty() {
        let colon = units
            .iter()
            .position(|unit| *unit == u16::from(b':'))
            .unwrap();
        let length: usize = String::from_utf16(&units[..colon])
            .unwrap()
            .parse()
            .unwrap();
        let rest = units.split_off(colon + 1);
        packets.push(String::from_utf16(&rest[..length]).unwrap());
        units = rest[length..].to_vec();
    }
    packets
}

pub fn code(answer: &Answer) -> (u16, i64) {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    (answer.status, body["code"].as_i64().unwrap_or(-1))
}

/// Settings under which silence is short, but longer than a busy machine is.
pub fn impatient() -> Config {
    Config {
        ping_interval: Duration::from_millis(200),
        ping_timeout: Duration::from_millis(1500),
        ..config()
    }
}
