//! Servers that hand each message to every other member and remember nothing, one for each protocol besides our relay's.

use crate::relay::{Conn, Out};
use serde_json::{Value as Json, json};
use signal_wasm::protocol::Protocol;
use std::collections::BTreeMap;

/// How often it says that it is there.
const BEAT: f64 = 10_000.0;

#[derive(Debug)]
pub struct Broker {
    protocol: Protocol,
    /// The members, and whether each was let in.
    members: BTreeMap<Conn, bool>,
}

impl Broker {
    pub fn new(protocol: Protocol) -> Broker {
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
            Protocol::SignalR => json!({"connectionToken": "t"}),
            _ if url.contains("/negotiate") => {
                json!({"ConnectionToken": "t", "KeepAliveTimeout": 20, "DisconnectTimeout": 30})
            }
            _ => json!({"Response": "started"}),
        };
        answer.to_string()
    }

    pub fn join(&mut self, conn: Conn) -> Vec<Out> {
        let lets_in =
            self.protocol == Protocol::WebSocket || self.protocol == Protocol::SignalRClassic;
        self.members.insert(conn, lets_in);
        let frame = match self.protocol {
            Protocol::SocketIo => {
                r#"0{"sid":"a","pingInterval":10000,"pingTimeout":8000,"maxPayload":1000000}"#
            }
            Protocol::SignalRClassic => r#"{"C":"d-0","S":1,"M":[]}"#,
            _ => return Vec::new(),
        };
        vec![Out::Frame(conn, frame.into())]
    }

    pub fn tick(&self, conn: Conn) -> (f64, Vec<Out>) {
        let frame = match self.protocol {
            Protocol::SocketIo => "2",
            Protocol::SignalR => "{\"type\":6}\u{1e}",
            Protocol::SignalRClassic => "{}",
            _ => return (BEAT, Vec::new()),
        };
        let is_in = self.members.get(&conn) == Some(&true);
        let frames = is_in.then(|| Out::Frame(conn, frame.into()));
        (BEAT, frames.into_iter().collect())
    }

    pub fn frame(&mut self, conn: Conn, text: &str) -> Vec<Out> {
        let Some(is_in) = self.members.get_mut(&conn) else {
            return Vec::new();
        };
        let envelope: Json = match self.protocol {
            Protocol::SocketIo => {
                if text.starts_with("40") {
                    *is_in = true;
                    return vec![Out::Frame(conn, r#"40{"sid":"b"}"#.into())];
                }
                let Some(list) = text.strip_prefix("42") else {
                    assert!(matches!(text, "2" | "3"), "{text}");
                    return Vec::new();
                };
                serde_json::from_str::<Json>(list).unwrap()[1].take()
            }
            Protocol::SignalR => {
                let record: Json =
                    serde_json::from_str(text.strip_suffix('\u{1e}').unwrap()).unwrap();
                if record["protocol"] == "json" {
                    *is_in = true;
                    return vec![Out::Frame(conn, "{}\u{1e}".into())];
                }
                let Some(text) = record["arguments"][0].as_str() else {
                    assert_eq!(record["type"], 6);
                    return Vec::new();
                };
                serde_json::from_str(text).unwrap()
            }
            Protocol::SignalRClassic => {
                let call: Json = serde_json::from_str(text).unwrap();
                serde_json::from_str(call["A"][0].as_str().unwrap()).unwrap()
            }
            _ => serde_json::from_str(text).unwrap(),
        };
        assert!(*is_in, "said before it was let in: {text}");
        let mut outs: Vec<_> = self
            .members
            .iter()
            .filter(|(other, is_in)| **other != conn && **is_in)
            .map(|(other, _)| Out::Frame(*other, self.call(&envelope)))
            .collect();
        let number = envelope["message"][0].as_u64().unwrap() as usize;
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
            Protocol::SocketIo => format!("42[\"message\",{text}]"),
            Protocol::SignalR => {
                format!(
                    "{{\"type\":1,\"target\":\"onMessageReceived\",\"arguments\":[{quoted}]}}\u{1e}"
                )
            }
            Protocol::SignalRClassic => format!(
                "{{\"C\":\"d-1\",\"M\":[{{\"H\":\"webRtcHub3\",\"M\":\"onMessageReceived\",\"A\":[{quoted}]}}]}}"
            ),
            _ => text,
        }
    }
}
