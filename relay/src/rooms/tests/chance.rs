//! What happens by chance.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::{Link, Space};
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
    Broadcast(u8, u8),
}

fn step() -> impl Strategy<Value = Step> {
    let user = || 0_u8..6;
    prop_oneof![
        (user(), prop::option::of(1_u8..40)).prop_map(|(user, shown)| Step::Enter(user, shown)),
        (1_u8..40, any::<bool>()).prop_map(|(link, good)| Step::Gone(link, good)),
        Just(Step::Expire),
        (1_u8..40, 0_u8..3).prop_map(|(link, room)| Step::Open(link, room)),
        (1_u8..40, 0_u8..3, any::<bool>())
            .prop_map(|(link, room, right)| Step::Join(link, room, right)),
        (1_u8..40, user(), user()).prop_map(|(link, from, to)| Step::Say(link, from, to)),
        (1_u8..40, 0_u8..3).prop_map(|(link, room)| Step::Request(link, room)),
        (1_u8..40, user()).prop_map(|(link, user)| Step::Rename(link, user)),
        (1_u8..40).prop_map(Step::Close),
        (1_u8..40, user()).prop_map(|(link, user)| Step::Broadcast(link, user)),
    ]
}

impl Space {
    fn step(&mut self, step: &Step) {
        let link = |number: &u8| Link(u64::from(*number));
        match step {
            Step::Enter(user, shown) => {
                let more = "&maxParticipantsAllowed=3&enableScalableBroadcast=false";
                let shown = shown.map(|number| format!("s{number}"));
                self.enter(&format!("u{user}"), more, shown.as_deref());
            }
            Step::Gone(number, for_good) => self.rooms.gone(link(number), *for_good, self.now),
            Step::Expire => self.rooms.expire(self.now + AWAY),
            Step::Open(number, room) => {
                let door = json!({"sessionid": format!("r{room}"), "password": format!("p{room}")});
                self.ask(link(number), "open-room", &[door]);
            }
            Step::Join(number, room, right) => {
                let password = if *right {
                    format!("p{room}")
                } else {
                    "x".into()
                };
                let door = json!({"sessionid": format!("r{room}"), "password": password});
                self.ask(link(number), "join-room", &[door]);
            }
            Step::Say(number, from, to) => {
                let message = json!({"sender": format!("u{from}"), "remoteUserId": format!("u{to}"), "message": "m"});
                self.ask(link(number), "msg", &[message]);
            }
            Step::Request(number, room) => {
                let Some(own) = self.rooms.user_of(link(number)).cloned() else {
                    return;
                };
                let message = json!({"sender": &*own, "remoteUserId": format!("r{room}"), "message": {"newParticipationRequest": true}});
                self.ask(link(number), "msg", &[message]);
            }
            Step::Rename(number, user) => {
                self.ask(link(number), "changed-uuid", &[json!(format!("u{user}"))]);
            }
            Step::Close(number) => {
                self.ask(link(number), "close-entire-session", &[]);
            }
            Step::Broadcast(number, user) => {
                let wish = json!({"broadcastId": "u0", "userid": format!("u{user}")});
                self.ask(link(number), "join-broadcast", &[wish]);
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
        for id in rooms.viewers.keys() {
            assert!(rooms.users.contains_key(id));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_happens_by_chance_keeps_rooms_whole(steps in prop::collection::vec(step(), 1..120)) {
        let mut space = Space::new();
        for step in &steps {
            let before: HashMap<_, _> = space
                .rooms
                .users
                .iter()
                .map(|(id, user)| (Arc::clone(id), user.room.clone()))
                .collect();
            space.step(step);
            space.check();
            // A message stays in its room.
            for (link, event) in space.drain() {
                if event[0] != "msg" || !matches!(step, Step::Say(..) | Step::Request(..)) {
                    continue;
                }
                let room = |id: &str| before.get(id).cloned().flatten();
                let sender = event[1]["sender"].as_str().unwrap();
                let to = space.rooms.user_of(link).cloned();
                let to = to.expect("a delivery for nobody");
                let (from, to) = (room(sender), room(&to));
                prop_assert!(to.is_none() || from == to, "{step:?} {event}");
            }
        }
    }
}
