//! A page with the adapter, by hand: it is in the rooms by a private channel of a plain WebSocket.

use serde_json::{Value, json};

use super::page::query;
use super::support::{Client, Relay, within};

/// A page on a private channel.
pub struct Private {
    pub client: Client,
    pub user: String,
    pub channel: String,
    /// The secret of its session.
    pub session: String,
    pub life: String,
    /// The number of the last delivery.
    pub seen: u64,
    /// The `ref` of its last message.
    pub reference: u64,
    /// The number of its last request.
    pub asked: u64,
    /// The last `ref` that was acknowledged.
    pub acknowledged: u64,
}

impl Private {
    /// A page that is a user.
    pub async fn open(relay: &Relay, user: &str) -> Self {
        Self::open_with(relay, "/", user, json!({})).await
    }

    /// The same in a space, with more in its first message.
    pub async fn open_with(relay: &Relay, space: &str, user: &str, more: Value) -> Self {
        let mut page = Self::connect(relay, space, user).await;
        let answer = page.enter(more).await;
        assert_eq!(answer["user"], user, "{answer}");
        page.life = answer["life"].as_str().unwrap().into();
        page
    }

    /// A page that hasn't entered the rooms yet.
    pub async fn connect(relay: &Relay, space: &str, user: &str) -> Self {
        let mut page = Self {
            client: Client::open(relay.address, space).await.unwrap(),
            user: user.into(),
            channel: format!("rtcmulticonnection-relay/0123456789abcdef {user}"),
            session: String::new(),
            life: String::new(),
            seen: 0,
            reference: 0,
            asked: 0,
            acknowledged: 0,
        };
        page.begin(None).await;
        page
    }

    /// Begins with a connection that was just opened, and resumes this session.
    pub async fn begin(&mut self, session: Option<&str>) {
        let hello: Value = serde_json::from_str(&self.client.text().await).unwrap();
        let mut open = json!({"open": [self.channel]});
        if let Some(session) = session {
            open["session"] = session.into();
        }
        self.client.send(&open.to_string()).await;
        let answer: Value = serde_json::from_str(&self.client.text().await).unwrap();
        self.session = answer["session"].as_str().unwrap().into();
        assert_eq!(session.is_none(), hello["session"] == *self.session);
        self.acknowledged = answer["ack"].as_u64().unwrap();
    }

    /// Comes back on another connection.
    pub async fn reconnect(&mut self, relay: &Relay, space: &str) {
        self.client = Client::open(relay.address, space).await.unwrap();
        let session = self.session.clone();
        self.begin(Some(&session)).await;
    }

    /// Says that it is here, and returns the answer.
    pub async fn enter(&mut self, more: Value) -> Value {
        self.hello(more).await;
        self.message().await
    }

    /// Says that it is here.
    pub async fn hello(&mut self, more: Value) {
        let mut message = json!({"query": query(&self.user, ""), "seen": self.seen});
        if !self.life.is_empty() {
            message["life"] = json!(self.life);
        }
        for (name, value) in more.as_object().unwrap() {
            message[name] = value.clone();
        }
        self.publish(&message).await;
    }

    pub async fn publish(&mut self, message: &Value) {
        self.reference += 1;
        self.publish_as(self.reference, message).await;
    }

    pub async fn publish_as(&mut self, reference: u64, message: &Value) {
        let frame =
            json!({"sender": 12, "channel": self.channel, "ref": reference, "message": message});
        self.client.send(&frame.to_string()).await;
    }

    /// Emits an event. Returns the message and its `ref`.
    pub async fn emit(&mut self, event: Value) -> (u64, Value) {
        self.asked += 1;
        let message =
            json!({"life": self.life, "seen": self.seen, "ask": self.asked, "event": event});
        self.publish(&message).await;
        (self.reference, message)
    }

    /// The next message on its channel.
    pub async fn message(&mut self) -> Value {
        within("a message", async {
            loop {
                let frame: Value = serde_json::from_str(&self.client.text().await).unwrap();
                if let Some(accepted) = frame["ack"].as_u64() {
                    self.acknowledged = accepted;
                } else if frame.get("expires").is_some() {
                } else if frame.get("ping").is_some() {
                    let pong = json!({"pong": frame["ping"]});
                    self.client.send(&pong.to_string()).await;
                } else {
                    assert_eq!(frame["channel"], *self.channel, "{frame}");
                    assert_eq!(frame["sender"], "relay");
                    let message = frame["message"].clone();
                    if let Some(number) = message["number"].as_u64() {
                        assert!(number > self.seen, "{message} was there before");
                        self.seen = number;
                    }
                    return message;
                }
            }
        })
        .await
    }

    /// The next event.
    pub async fn event(&mut self) -> Value {
        let message = self.message().await;
        assert!(message.get("event").is_some(), "{message}");
        message["event"].clone()
    }

    /// What an event is acknowledged with; no event may come before.
    pub async fn ask(&mut self, event: Value) -> Value {
        self.emit(event).await;
        self.answer().await
    }

    /// The answer to the last request.
    pub async fn answer(&mut self) -> Value {
        let message = self.message().await;
        assert_eq!(message["answer"], self.asked, "{message}");
        message["values"].clone()
    }

    /// Nothing has come so far. The relay has handled everything that this page has sent.
    pub async fn has_heard_nothing(&mut self) {
        let asked = json!(["check-presence", "no such room"]);
        assert_eq!(self.ask(asked).await[0], false);
    }

    pub async fn open_room(&mut self, room: &str, password: &str) -> Value {
        let request = json!({"sessionid": room, "session": {"data": true}, "extra": {"name": self.user}, "identifier": "", "password": password});
        self.ask(json!(["open-room", request])).await
    }

    pub async fn join_room(&mut self, room: &str, password: &str) -> Value {
        let request = json!({"sessionid": room, "session": {"data": true}, "extra": {"name": self.user}, "password": password});
        self.ask(json!(["join-room", request])).await
    }

    pub async fn say(&mut self, to: &str, message: Value) {
        let message = json!({"remoteUserId": to, "message": message, "sender": self.user});
        self.emit(json!([super::page::MESSAGE, message])).await;
    }
}
