//! Servers that hand each message to every other member and remember nothing, one for each protocol
//! besides our relay's.

use crate::relay::{Conn, Out};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// How often it sends a sign of life.
const HEARTBEAT: f64 = 10_000.0;

#[derive(Debug)]
pub struct Broker {
    protocol: &'static str,
    /// The members, and whether each has done its handshake.
    members: BTreeMap<Conn, bool>,
}

impl Broker {
    pub fn new(protocol: &'static str) -> Broker {
        Broker {
            protocol,
            members: BTreeMap::new(),
        }
    }

    pub fn die(&mut self) {
        self.members.clear();
    }

    pub fn has(&self, conn: Conn) -> bool {
        self.members.contains_key(&conn)
    }

    pub fn leave(&mut self, conn: Conn) {
        self.members.remove(&conn);
    }

    /// What a request is answered with.
    pub fn answer(&self, url: &str) -> String {
        let answer = match self.protocol {
            "signalr" => json!({"connectionToken": "t"}),
            _ if url.contains("/negotiate") => {
                json!({"ConnectionToken": "t", "KeepAliveTimeout": 20, "DisconnectTimeout": 30})
            }
            _ => json!({"Response": "started"}),
        };
        answer.to_string()
    }

    pub fn join(&mut self, conn: Conn) -> Vec<Out> {
        let admits = self.protocol == "websocket" || self.protocol == "signalr-classic";
        self.members.insert(conn, admits);
        let frame = match self.protocol {
            "socket.io" => {
                r#"0{"sid":"a","pingInterval":10000,"pingTimeout":8000,"maxPayload":1000000}"#
            }
            "signalr-classic" => r#"{"C":"d-0","S":1,"M":[]}"#,
            _ => return Vec::new(),
        };
        vec![Out::Frame(conn, frame.into())]
    }

    pub fn tick(&self, conn: Conn) -> (f64, Vec<Out>) {
        let frame = match self.protocol {
            "socket.io" => "2",
            "signalr" => "{\"type\":6}\u{1e}",
            "signalr-classic" => "{}",
            _ => return (HEARTBEAT, Vec::new()),
        };
        let is_admitted = self.members.get(&conn) == Some(&true);
        let frames = is_admitted.then(|| Out::Frame(conn, frame.into()));
        (HEARTBEAT, frames.into_iter().collect())
    }

    pub fn frame(&mut self, conn: Conn, text: &str) -> Vec<Out> {
        let Some(is_admitted) = self.members.get_mut(&conn) else {
            return Vec::new();
        };
        let envelope: Json = match self.protocol {
            "socket.io" => {
                if text.starts_with("40") {
                    *is_admitted = true;
                    return vec![Out::Frame(conn, r#"40{"sid":"b"}"#.into())];
                }
                let Some(list) = text.strip_prefix("42") else {
                    assert!(matches!(text, "2" | "3"), "{text}");
                    return Vec::new();
                };
                serde_json::from_str::<Json>(list).unwrap()[1].take()
            }
            "signalr" => {
                let record: Json =
                    serde_json::from_str(text.strip_suffix('\u{1e}').unwrap()).unwrap();
                if record["protocol"] == "json" {
                    *is_admitted = true;
                    return vec![Out::Frame(conn, "{}\u{1e}".into())];
                }
                let Some(text) = record["arguments"][0].as_str() else {
                    assert_eq!(record["type"], 6);
                    return Vec::new();
                };
                serde_json::from_str(text).unwrap()
            }
            "signalr-classic" => {
                let call: Json = serde_json::from_str(text).unwrap();
                serde_json::from_str(call["A"][0].as_str().unwrap()).unwrap()
            }
            _ => serde_json::from_str(text).unwrap(),
        };
        assert!(*is_admitted, "sent before its handshake was done: {text}");
        let mut outs: Vec<_> = self
            .members
            .iter()
            .filter(|(other, is_admitted)| **other != conn && **is_admitted)
            .map(|(other, _)| Out::Frame(*other, self.call(&envelope)))
            .collect();
        let number = envelope["message"][1].as_u64().unwrap() as usize;
        let channel = envelope["channel"].as_str().unwrap().into();
        outs.push(Out::Published(
            envelope["sender"].as_u64().unwrap(),
            number,
            channel,
        ));
        outs
    }

    fn call(&self, envelope: &Json) -> String {
        let text = format!(
            "{{\"sender\":{},\"channel\":{},\"message\":{}}}",
            envelope["sender"], envelope["channel"], envelope["message"]
        );
        let quoted = Json::from(&*text);
        match self.protocol {
            "socket.io" => format!("42[\"message\",{text}]"),
            "signalr" => {
                format!(
                    "{{\"type\":1,\"target\":\"onMessageReceived\",\"arguments\":[{quoted}]}}\u{1e}"
                )
            }
            "signalr-classic" => format!(
                "{{\"C\":\"d-1\",\"M\":[{{\"H\":\"webRtcHub3\",\"M\":\"onMessageReceived\",\"A\":[{quoted}]}}]}}"
            ),
            _ => text,
        }
    }
}
