//! What happens by chance.

use proptest::prelude::*;
use serde_json::json;

use super::{RoomConnectionId, Space};
use crate::rooms::state::AWAY;

/// What may happen.
#[derive(Clone, Debug)]
enum Step {
    Enter(u8, Option<u8>),
    Gone(u8, bool),
    Expire,
    Open(u8, u8),
    Join(u8, u8, bool),
    Say(u8, u8, u8),
    Request(u8, u8),
    Rename(u8, u8),
    Close(u8),
    Broadcast(u8, u8, u8),
    Relay(u8, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let user = || 0_u8..6;
    let connection = || 1_u8..16;
    prop_oneof![
        3 => (user(), prop::option::of(connection()))
            .prop_map(|(user, shown)| Step::Enter(user, shown)),
        1 => (connection(), any::<bool>()).prop_map(|(by, good)| Step::Gone(by, good)),
        1 => Just(Step::Expire),
        1 => (connection(), 0_u8..3).prop_map(|(by, room)| Step::Open(by, room)),
        1 => (connection(), 0_u8..3, any::<bool>())
            .prop_map(|(by, room, right)| Step::Join(by, room, right)),
        1 => (connection(), user(), user()).prop_map(|(by, from, to)| Step::Say(by, from, to)),
        1 => (connection(), 0_u8..3).prop_map(|(by, room)| Step::Request(by, room)),
        1 => (connection(), user()).prop_map(|(by, user)| Step::Rename(by, user)),
        1 => connection().prop_map(Step::Close),
        4 => (connection(), 2_u8..4, user())
            .prop_map(|(by, broadcast, user)| Step::Broadcast(by, broadcast, user)),
        2 => (connection(), any::<bool>()).prop_map(|(by, can)| Step::Relay(by, can)),
    ]
}

impl Space {
    fn step(&mut self, step: &Step) {
        let connection = |number: &u8| RoomConnectionId(u64::from(*number));
        match step {
            Step::Enter(user, shown) => {
                // Two of three users have pages of scalable broadcasts.
                let scalable = *user >= 2;
                let more = format!(
                    "&maxParticipantsAllowed=3&enableScalableBroadcast={scalable}&maxRelayLimitPerUser=1"
                );
                let shown = shown.map(|number| format!("s{number}"));
                self.enter(&format!("u{user}"), &more, shown.as_deref());
            }
            Step::Gone(number, for_good) => {
                self.rooms.gone(connection(number), *for_good, self.now)
            }
            Step::Expire => drop(self.rooms.expire(self.now + AWAY)),
            Step::Open(number, room) => {
                let request =
                    json!({"sessionid": format!("r{room}"), "password": format!("p{room}")});
                self.ask(connection(number), "open-room", &[request]);
            }
            Step::Join(number, room, right) => {
                let password = if *right {
                    format!("p{room}")
                } else {
                    "x".into()
                };
                let request = json!({"sessionid": format!("r{room}"), "password": password});
                self.ask(connection(number), "join-room", &[request]);
            }
            Step::Say(number, from, to) => {
                let message = json!({"sender": format!("u{from}"), "remoteUserId": format!("u{to}"), "message": "m"});
                self.ask(connection(number), "msg", &[message]);
            }
            Step::Request(number, room) => {
                let Some(own) = self.rooms.user_of(connection(number)).cloned() else {
                    return;
                };
                let message = json!({"sender": &*own, "remoteUserId": format!("r{room}"), "message": {"newParticipationRequest": true}});
                self.ask(connection(number), "msg", &[message]);
            }
            Step::Rename(number, user) => {
                self.ask(
                    connection(number),
                    "changed-uuid",
                    &[json!(format!("u{user}"))],
                );
            }
            Step::Close(number) => {
                self.ask(connection(number), "close-entire-session", &[]);
            }
            Step::Broadcast(number, broadcast, user) => {
                let wish =
                    json!({"broadcastId": format!("u{broadcast}"), "userid": format!("u{user}")});
                self.ask(connection(number), "join-broadcast", &[wish]);
            }
            Step::Relay(number, can) => {
                let event = if *can {
                    "can-relay-broadcast"
                } else {
                    "can-not-relay-broadcast"
                };
                self.ask(connection(number), event, &[]);
            }
        }
    }

    /// What holds at all times.
    fn check(&self) {
        let rooms = &self.rooms;
        for (name, room) in &rooms.rooms {
            assert!(room.participants.contains(&room.owner), "{name} {room:?}");
            assert!(room.participants.len() <= room.most, "{name} {room:?}");
            for id in &room.participants {
                assert_eq!(rooms.users[id].room.as_ref(), Some(name));
                assert_eq!(
                    room.participants
                        .iter()
                        .filter(|other| *other == id)
                        .count(),
                    1
                );
            }
        }
        for (id, user) in &rooms.users {
            if let Some(room) = &user.room {
                assert!(rooms.rooms[room].participants.contains(id));
            }
            for tied in &user.ties {
                assert!(rooms.users[tied].ties.contains(id), "{id} {tied}");
            }
        }
        self.check_broadcasts();
    }

    /// Each viewer is in one audience. Sources and receivers name each other, and nobody receives
    /// from itself, not even through others.
    fn check_broadcasts(&self) {
        let rooms = &self.rooms;
        for (id, viewer) in &rooms.viewers {
            assert!(rooms.users.contains_key(id), "{id}");
            for (broadcast, audience) in &rooms.audiences {
                let is_in = *broadcast == viewer.broadcast;
                assert_eq!(audience.contains(id), is_in, "{id} {broadcast}");
            }
            assert!(rooms.audiences.contains_key(&viewer.broadcast), "{id}");
            for receiver in &viewer.receivers {
                let receiving = &rooms.viewers[receiver];
                assert_eq!(receiving.source.as_ref(), Some(id), "{id} {receiver}");
                assert_eq!(receiving.broadcast, viewer.broadcast, "{id} {receiver}");
            }
            let mut next = viewer.source.as_ref();
            if let Some(source) = next {
                assert!(!viewer.is_initiator, "{id}");
                let receivers = rooms.viewers[source].receivers.iter();
                let times = receivers.filter(|receiver| *receiver == id).count();
                assert_eq!(times, 1, "{id} {source}");
            }
            let mut steps = 0;
            while let Some(source) = next {
                steps += 1;
                assert!(steps < rooms.viewers.len(), "{id}: a circle");
                next = rooms.viewers[source].source.as_ref();
            }
        }
        for (broadcast, audience) in &rooms.audiences {
            assert!(!audience.is_empty(), "{broadcast}");
            for id in audience {
                assert!(rooms.viewers.contains_key(id), "{broadcast} {id}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_happens_by_chance_keeps_rooms_whole(steps in prop::collection::vec(step(), 1..120)) {
        let mut space = Space::new();
        for step in &steps {
            space.step(step);
            space.check();
            // A message stays in its room.
            for (connection, event) in space.drain() {
                if event[0] != "msg" || !matches!(step, Step::Say(..) | Step::Request(..)) {
                    continue;
                }
                let room = |id: &str| space.rooms.users.get(id).and_then(|user| user.room.clone());
                let sender = event[1]["sender"].as_str().unwrap();
                let to = space.rooms.user_of(connection).cloned();
                let to = to.expect("a delivery for nobody");
                let (from, to) = (room(sender), room(&to));
                prop_assert!(to.is_none() || from == to, "{step:?} {event}");
            }
        }
    }
}
