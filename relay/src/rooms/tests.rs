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
pub(super) mod notes;
mod numbered;
mod returning;
mod telling;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::entrant::{Entrant, Entry, RoomConnectionId};
use super::profile::Profile;
use super::request::Request;
use super::state::Rooms;

/// One space with its pages; the page with connection 1 has the secret `s1`, and so on.
struct Space {
    rooms: Rooms,
    now: Instant,
    connections: u64,
    profiles: HashMap<RoomConnectionId, Profile>,
}

impl Space {
    fn new() -> Self {
        Self {
            rooms: Rooms::default(),
            now: Instant::now(),
            connections: 0,
            profiles: HashMap::new(),
        }
    }

    fn enter(&mut self, user: &str, more: &str, shown: Option<&str>) -> (RoomConnectionId, Entry) {
        self.connections += 1;
        let connection = RoomConnectionId(self.connections);
        let query = format!("userid={user}&sessionid=x&msgEvent=msg{more}");
        let profile = Profile::read(&query).unwrap();
        self.profiles.insert(connection, profile.clone());
        let entry = self.rooms.enter(
            connection,
            Entrant {
                profile,
                shown: shown.map(Arc::from),
                secret: format!("s{}", self.connections).into(),
                token_user: None,
                numbered: None,
            },
        );
        (connection, entry)
    }

    fn user(&mut self, user: &str) -> RoomConnectionId {
        self.user_with(user, "")
    }

    fn user_with(&mut self, user: &str, more: &str) -> RoomConnectionId {
        let (connection, entry) = self.enter(user, more, None);
        assert_eq!(entry, Entry::Entered(None));
        connection
    }

    /// What an event is acknowledged with.
    fn ask(
        &mut self,
        connection: RoomConnectionId,
        event: &str,
        arguments: &[Value],
    ) -> Option<Value> {
        let arguments: Vec<_> = arguments.iter().map(Value::to_string).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let request = self.read(connection, event, &arguments)?;
        let values = self.rooms.take(connection, request)?;
        Some(serde_json::from_str(&format!("[{values}]")).unwrap())
    }

    /// What an event asks for, if anything.
    fn read<'a>(
        &self,
        connection: RoomConnectionId,
        event: &str,
        arguments: &[&'a str],
    ) -> Option<Request<'a>> {
        let request = Request::read(event, arguments, self.profiles.get(&connection)?)?;
        self.rooms.knows(connection, &request).then_some(request)
    }

    fn open(&mut self, connection: RoomConnectionId, room: &str) -> Value {
        self.ask(
            connection,
            "open-room",
            &[json!({"sessionid": room, "session": {"data": true}, "extra": {}})],
        )
        .unwrap()
    }

    fn join(&mut self, connection: RoomConnectionId, room: &str, password: &str) -> Value {
        let request = json!({"sessionid": room, "session": {}, "extra": {"of": connection.0}, "password": password});
        self.ask(connection, "join-room", &[request]).unwrap()
    }

    fn say(&mut self, connection: RoomConnectionId, from: &str, to: &str, message: Value) {
        let message = json!({"remoteUserId": to, "message": message, "sender": from});
        assert_eq!(self.ask(connection, "msg", &[message]), None);
    }

    /// What came for a connection since the last time; what came for others is dropped.
    fn heard(&mut self, connection: RoomConnectionId) -> Vec<Value> {
        let all = self.rooms.take_deliveries().into_iter();
        let own = all.filter(|delivery| delivery.to == connection);
        own.map(|delivery| serde_json::from_str(&delivery.list).unwrap())
            .collect()
    }

    fn drain(&mut self) -> Vec<(RoomConnectionId, Value)> {
        let all = self.rooms.take_deliveries().into_iter();
        all.map(|delivery| (delivery.to, serde_json::from_str(&delivery.list).unwrap()))
            .collect()
    }
}
