//! The rooms of one space, by hand and by chance.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod broadcasts;
mod chance;
mod entering;
mod returning;
mod telling;

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::profile::Profile;
use super::state::{Entrant, Entry, Link, Rooms};

/// One space with its pages; the page with link 1 has the secret `s1`, and so on.
struct Space {
    rooms: Rooms,
    now: Instant,
    links: u64,
}

impl Space {
    fn new() -> Self {
        Self {
            rooms: Rooms::default(),
            now: Instant::now(),
            links: 0,
        }
    }

    fn enter(&mut self, user: &str, more: &str, shown: Option<&str>) -> (Link, Entry) {
        self.links += 1;
        let link = Link(self.links);
        let query = format!("userid={user}&sessionid=x&msgEvent=msg{more}");
        let entry = self.rooms.enter(
            link,
            Entrant {
                profile: Profile::read(&query).unwrap(),
                shown: shown.map(Arc::from),
                secret: format!("s{}", self.links).into(),
                token_user: None,
            },
        );
        (link, entry)
    }

    fn user(&mut self, user: &str) -> Link {
        self.user_with(user, "")
    }

    fn user_with(&mut self, user: &str, more: &str) -> Link {
        let (link, entry) = self.enter(user, more, None);
        assert_eq!(entry, Entry::Entered(None));
        link
    }

    /// What an event is acknowledged with.
    fn ask(&mut self, link: Link, event: &str, arguments: &[Value]) -> Option<Value> {
        let arguments: Vec<_> = arguments.iter().map(Value::to_string).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let request = self.rooms.read(link, event, &arguments)?;
        let values = self.rooms.take(link, request)?;
        Some(serde_json::from_str(&format!("[{values}]")).unwrap())
    }

    fn open(&mut self, link: Link, room: &str) -> Value {
        self.ask(
            link,
            "open-room",
            &[json!({"sessionid": room, "session": {"data": true}, "extra": {}})],
        )
        .unwrap()
    }

    fn join(&mut self, link: Link, room: &str, password: &str) -> Value {
        let door = json!({"sessionid": room, "session": {}, "extra": {"of": link.0}, "password": password});
        self.ask(link, "join-room", &[door]).unwrap()
    }

    fn say(&mut self, link: Link, from: &str, to: &str, message: Value) {
        let message = json!({"remoteUserId": to, "message": message, "sender": from});
        assert_eq!(self.ask(link, "msg", &[message]), None);
    }

    /// What came for a connection since the last time; what came for others is dropped.
    fn heard(&mut self, link: Link) -> Vec<Value> {
        let all = self.rooms.take_deliveries().into_iter();
        let own = all.filter(|delivery| delivery.to == link);
        own.map(|delivery| serde_json::from_str(&delivery.list).unwrap())
            .collect()
    }

    fn drain(&mut self) -> Vec<(Link, Value)> {
        let all = self.rooms.take_deliveries().into_iter();
        all.map(|delivery| (delivery.to, serde_json::from_str(&delivery.list).unwrap()))
            .collect()
    }
}
