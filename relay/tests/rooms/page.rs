//! A page of RTCMultiConnection 3, by hand.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::support::{Client, Relay, within};

pub const MESSAGE: &str = "RTCMultiConnection-Message";

/// A page in a namespace.
pub struct Page {
    pub client: Client,
    pub user: String,
    /// What it shows when it connects again.
    pub secret: Option<String>,
    namespace: String,
    asked: u64,
}

/// The query of the library for a user.
pub fn query(user: &str, more: &str) -> String {
    format!(
        "&userid={user}&sessionid=s&msgEvent={MESSAGE}&socketCustomEvent=Custom&autoCloseEntireSession=false&maxParticipantsAllowed=1000&extra=%7B%22name%22:%22{user}%22%7D{more}"
    )
}

impl Page {
    pub async fn open(relay: &Relay, user: &str) -> Self {
        Self::open_with(relay, "/", user, "", json!({})).await
    }

    /// One in a namespace, with more in its query and its credentials.
    pub async fn open_with(
        relay: &Relay,
        namespace: &str,
        user: &str,
        more: &str,
        credentials: Value,
    ) -> Self {
        Self::open_at(relay.address, namespace, user, more, credentials).await
    }

    /// The same on the relay at an address.
    pub async fn open_at(
        address: SocketAddr,
        namespace: &str,
        user: &str,
        more: &str,
        credentials: Value,
    ) -> Self {
        let opened = Self::try_open(address, namespace, user, more, credentials).await;
        opened.expect("refused")
    }

    /// The same; `None`: the relay ends the connection, or refuses it.
    pub async fn try_open(
        address: SocketAddr,
        namespace: &str,
        user: &str,
        more: &str,
        credentials: Value,
    ) -> Option<Self> {
        let path = format!("/socket.io/?EIO=4&transport=websocket{}", query(user, more));
        let mut client = Client::open(address, &path).await.ok()?;
        assert!(client.text().await.starts_with("0{\"sid\":\""));
        let prefix = prefix(namespace);
        client.send(&format!("40{prefix}{credentials}")).await;
        let connected = text(&mut client).await;
        let connected = connected.strip_prefix(&format!("40{prefix}"));
        let connected: Value = serde_json::from_str(connected?).unwrap();
        Some(Self {
            client,
            user: user.into(),
            secret: connected["pid"].as_str().map(str::to_owned),
            namespace: namespace.into(),
            asked: 0,
        })
    }

    /// The next packet.
    pub async fn packet(&mut self) -> String {
        text(&mut self.client).await
    }

    pub async fn emit(&mut self, list: Value) {
        let packet = format!("42{}{list}", prefix(&self.namespace));
        self.client.send(&packet).await;
    }

    /// What an event is acknowledged with; no event may come before.
    pub async fn ask(&mut self, list: Value) -> Value {
        self.asked += 1;
        let (prefix, id) = (prefix(&self.namespace), self.asked);
        self.client.send(&format!("42{prefix}{id}{list}")).await;
        let packet = self.packet().await;
        let values = packet.strip_prefix(&format!("43{prefix}{id}"));
        serde_json::from_str(values.unwrap_or_else(|| panic!("{packet}"))).unwrap()
    }

    /// The next event.
    pub async fn event(&mut self) -> Value {
        let packet = self.packet().await;
        let list = packet.strip_prefix(&format!("42{}", prefix(&self.namespace)));
        serde_json::from_str(list.unwrap_or_else(|| panic!("{packet}"))).unwrap()
    }

    /// Nothing has come so far. The relay has handled everything that this page has sent.
    pub async fn has_heard_nothing(&mut self) {
        let asked = json!(["check-presence", "no such room"]);
        assert_eq!(self.ask(asked).await[0], false);
    }

    pub async fn open_room(&mut self, room: &str) -> Value {
        let request = json!({"sessionid": room, "session": {"data": true}, "extra": {"name": self.user}, "identifier": "", "password": ""});
        self.ask(json!(["open-room", request])).await
    }

    pub async fn join_room(&mut self, room: &str, password: &str) -> Value {
        let request = json!({"sessionid": room, "session": {"data": true}, "extra": {"name": self.user}, "password": password});
        self.ask(json!(["join-room", request])).await
    }

    pub async fn say(&mut self, to: &str, message: Value) {
        let message = json!({"remoteUserId": to, "message": message, "sender": self.user});
        self.emit(json!([MESSAGE, message])).await;
    }
}

fn prefix(namespace: &str) -> String {
    match namespace {
        "/" => String::new(),
        namespace => format!("{namespace},"),
    }
}

/// The next packet that isn't a ping; pings are answered.
async fn text(client: &mut Client) -> String {
    within("a packet", async {
        loop {
            let text = client.text().await;
            if text != "2" {
                return text;
            }
            client.send("3").await;
        }
    })
    .await
}
