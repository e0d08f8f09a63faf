//! Pages with the adapter over other protocols than the relay's own: they are in the same rooms.

use serde_json::{Value, json};

use super::page::{MESSAGE, Page, query};
use super::support::signalr_classic;
use super::support::signalr_core;
use super::support::socket_io::{event, join};
use super::support::sse::{Reader, post};
use super::support::{Client, Relay, config};

pub const ALL: [&str; 5] = [
    "Socket.IO 4",
    "Socket.IO 2",
    "SignalR",
    "classic SignalR",
    "server-sent events",
];

/// A client of one of the protocols.
pub enum Speaker {
    SocketIo(Client),
    SignalR(signalr_core::Hub),
    Classic(signalr_classic::Hub),
    /// The address of the stream and its reader.
    Events(String, Box<Reader>),
}

impl Speaker {
    pub async fn open(relay: &Relay, protocol: &str, name: &str) -> Self {
        match protocol {
            "Socket.IO 4" => Self::SocketIo(join(relay, 4).await),
            "Socket.IO 2" => Self::SocketIo(join(relay, 3).await),
            "SignalR" => Self::SignalR(signalr_core::Hub::join(relay, "/hub").await),
            "classic SignalR" => Self::Classic(signalr_classic::Hub::join(relay, "/signalr").await),
            _ => {
                let path = format!("/sse?client=secret-of-{name}");
                let reader = Reader::open(relay, &path).await;
                assert_eq!(reader.first.data, "relay");
                Self::Events(path, Box::new(reader))
            }
        }
    }

    pub async fn send(&mut self, relay: &Relay, envelope: &str) {
        match self {
            Self::SocketIo(client) => client.send(&event(envelope)).await,
            Self::SignalR(hub) => hub.publish(envelope).await,
            Self::Classic(hub) => {
                let call = json!({ "H": "webrtchub3", "M": "send", "A": [envelope], "I": 4 });
                hub.client.send(&call.to_string()).await;
            }
            Self::Events(path, _) => assert_eq!(post(relay, path, envelope).await.status, 204),
        }
    }

    /// The next envelope.
    pub async fn next(&mut self) -> Value {
        let text = match self {
            Self::SocketIo(client) => loop {
                let packet = client.text().await;
                if let Some(list) = packet.strip_prefix("42[\"message\",") {
                    break list.strip_suffix(']').unwrap().to_owned();
                }
                assert_eq!(packet, "2");
                client.send("3").await;
            },
            Self::SignalR(hub) => hub.delivered().await,
            Self::Classic(hub) => loop {
                let frame = hub.frame().await;
                if let Some(text) = frame["M"][0]["A"][0].as_str() {
                    break text.to_owned();
                }
                assert_eq!(frame["I"], "4", "{frame}");
            },
            Self::Events(_, reader) => reader.message().await,
        };
        serde_json::from_str(&text).unwrap()
    }
}

/// A page on a private channel.
struct Adapted {
    speaker: Speaker,
    channel: String,
    user: String,
    life: String,
    asked: u64,
    seen: u64,
}

impl Adapted {
    async fn open(relay: &Relay, protocol: &str, user: &str) -> Self {
        let mut page = Self {
            speaker: Speaker::open(relay, protocol, user).await,
            channel: format!("rtcmulticonnection-relay/0123456789abcdef {user}"),
            user: user.into(),
            life: String::new(),
            asked: 0,
            seen: 0,
        };
        let answer = page.enter(relay).await;
        assert_eq!(
            (&answer["user"], &answer["asked"]),
            (&json!(user), &json!(0))
        );
        page.life = answer["life"].as_str().unwrap().into();
        page
    }

    /// The answer to what it is.
    async fn enter(&mut self, relay: &Relay) -> Value {
        let mut message = json!({ "query": query(&self.user, ""), "seen": self.seen });
        if !self.life.is_empty() {
            message["life"] = json!(self.life);
        }
        self.say(relay, message).await;
        self.message().await
    }

    async fn say(&mut self, relay: &Relay, message: Value) {
        let envelope = json!({ "sender": 12, "channel": self.channel, "message": message });
        self.speaker.send(relay, &envelope.to_string()).await;
    }

    async fn message(&mut self) -> Value {
        let envelope = self.speaker.next().await;
        assert_eq!(envelope["channel"], *self.channel, "{envelope}");
        assert_eq!(envelope["sender"], "relay");
        let message = envelope["message"].clone();
        self.seen = message["number"].as_u64().unwrap_or(self.seen);
        message
    }

    async fn emit(&mut self, relay: &Relay, event: Value) {
        self.asked += 1;
        let message =
            json!({ "life": self.life, "seen": self.seen, "ask": self.asked, "event": event });
        self.say(relay, message).await;
    }

    async fn ask(&mut self, relay: &Relay, event: Value) -> Value {
        self.emit(relay, event).await;
        let message = self.message().await;
        assert_eq!(message["answer"], self.asked, "{message}");
        message["values"].clone()
    }
}

fn room(name: &str) -> Value {
    json!({ "sessionid": name, "session": { "data": true }, "extra": {}, "password": "" })
}

#[tokio::test]
async fn pages_of_all_protocols_are_in_one_room_and_nobody_else_hears_them() {
    for protocol in ALL {
        let relay = Relay::start(config()).await;
        let mut outside = relay.join("/").await;
        let mut old = Page::open(&relay, "old").await;
        let mut new = Adapted::open(&relay, protocol, "new").await;
        let opened = new.ask(&relay, json!(["open-room", room("r")])).await;
        assert_eq!(opened, json!([true]), "{protocol}");
        assert_eq!(old.join_room("r", "").await, json!([true]));
        old.say("new", json!("from old")).await;
        assert_eq!(
            new.message().await["event"],
            json!(["user-connected", "old"])
        );
        let heard = new.message().await["event"].clone();
        assert_eq!(
            (&heard[0], &heard[1]["message"]),
            (&json!(MESSAGE), &json!("from old"))
        );
        assert_eq!(old.event().await, json!(["user-connected", "new"]));
        // Nothing of it is for the others in the space.
        outside.heard().await;
        // The page is closed: the other one owns the room.
        drop(new);
        if protocol != "classic SignalR" {
            let mut events = [old.event().await, old.event().await];
            events.sort_by_key(|event| event[0].to_string());
            assert_eq!(
                events[0],
                json!(["set-isInitiator-true", "r"]),
                "{protocol}"
            );
        }
    }
}

#[tokio::test]
async fn a_page_comes_back_on_another_connection_and_learns_what_has_come() {
    for protocol in ALL {
        let relay = Relay::start(config()).await;
        let mut page = Adapted::open(&relay, protocol, "page").await;
        let mut other = Page::open(&relay, "other").await;
        assert_eq!(
            page.ask(&relay, json!(["open-room", room("r")])).await,
            json!([true])
        );
        assert_eq!(other.join_room("r", "").await, json!([true]));
        page.emit(&relay, json!(["extra-data-updated", { "n": 1 }]))
            .await;
        assert_eq!(other.event().await[0], "extra-data-updated");
        // The earlier connection stays open, as one that the network has forgotten.
        let stale = std::mem::replace(
            &mut page.speaker,
            Speaker::open(&relay, protocol, "page").await,
        );
        other.say("page", json!("meanwhile")).await;
        assert_eq!(other.event().await, json!(["user-connected", "page"]));
        // It isn't in the rooms on this connection yet.
        page.emit(&relay, json!(["extra-data-updated", { "n": 2 }]))
            .await;
        let answer = page.enter(&relay).await;
        assert_eq!(
            (&answer["life"], &answer["asked"]),
            (&json!(page.life), &json!(2)),
            "{protocol}"
        );
        let events = [page.message().await, page.message().await];
        assert_eq!(events[0]["event"], json!(["user-connected", "other"]));
        assert_eq!(events[1]["event"][1]["message"], "meanwhile");
        page.asked -= 1;
        page.emit(&relay, json!(["extra-data-updated", { "n": 2 }]))
            .await;
        assert_eq!(other.event().await[2]["n"], 2);
        // Once more: it has come.
        page.asked -= 1;
        page.emit(&relay, json!(["extra-data-updated", { "n": 3 }]))
            .await;
        assert_eq!(
            page.ask(&relay, json!(["check-presence", "none"])).await[0],
            false
        );
        other.has_heard_nothing().await;
        drop(stale);
    }
}

#[tokio::test]
async fn a_page_asks_which_of_its_requests_have_come() {
    let relay = Relay::start(config()).await;
    let mut page = Adapted::open(&relay, "Socket.IO 4", "page").await;
    page.emit(&relay, json!(["extra-data-updated", {}])).await;
    page.say(&relay, json!({ "asked": 1 })).await;
    assert_eq!(page.message().await["asked"], 1);
    // On a connection that isn't in the rooms there is no answer, and it enters none.
    page.speaker = Speaker::open(&relay, "Socket.IO 4", "page").await;
    page.emit(&relay, json!(["extra-data-updated", {}])).await;
    page.say(&relay, json!({ "asked": 2 })).await;
    page.asked = 1;
    assert_eq!(page.enter(&relay).await["asked"], 1);
}

/// A page that is being hidden doesn't wait for the answer to its last request, so that the next
/// one names a client of its own.
#[tokio::test]
async fn a_goodbye_by_an_overlapping_request() {
    let relay = Relay::start(config()).await;
    let mut page = Adapted::open(&relay, "server-sent events", "page").await;
    let mut other = Page::open(&relay, "other").await;
    let opened = page.ask(&relay, json!(["open-room", room("r")])).await;
    assert_eq!(opened, json!([true]));
    assert_eq!(other.join_room("r", "").await, json!([true]));
    other.say("page", json!("hello")).await;
    assert_eq!(other.event().await, json!(["user-connected", "page"]));
    let goodbye = json!({ "sender": 12, "channel": page.channel, "message": { "life": page.life, "event": ["disconnect"] } });
    let path = "/sse?client=secret-of-page.7&ref=7";
    assert_eq!(post(&relay, path, &goodbye.to_string()).await.status, 204);
    // The stream is still open.
    assert_eq!(other.event().await, json!(["user-disconnected", "page"]));
    assert_eq!(other.event().await, json!(["set-isInitiator-true", "r"]));
    // Another client has no such stream.
    let path = "/sse?client=stranger.7&ref=7";
    assert_eq!(post(&relay, path, &goodbye.to_string()).await.status, 204);
}
