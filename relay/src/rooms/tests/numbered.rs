//! Pages on private channels: what they are sent is numbered, and kept until they have seen it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Space;
use crate::rooms::entrant::{Entrant, Entry, Numbered, RoomConnectionId};
use crate::rooms::profile::Profile;
use crate::rooms::state::AWAY;

impl Space {
    /// A connection of the page with this secret. It has seen all up to a number of a life.
    fn numbered(
        &mut self,
        user: &str,
        secret: &str,
        seen: Option<(&str, u64)>,
    ) -> (RoomConnectionId, Entry) {
        self.connections += 1;
        let connection = RoomConnectionId(self.connections);
        let profile = Profile::read(&format!("userid={user}&msgEvent=msg")).unwrap();
        self.profiles.insert(connection, profile.clone());
        let entrant = Entrant {
            profile,
            shown: Some(secret.into()),
            secret: secret.into(),
            token_user: None,
            numbered: Some(Numbered {
                life: format!("life {connection:?}").into(),
                seen: seen.map(|(life, seen)| (life.into(), seen)),
            }),
        };
        (connection, self.rooms.enter(connection, entrant))
    }

    fn life(&self, connection: RoomConnectionId) -> Arc<str> {
        self.rooms.numbered(connection).unwrap().0
    }
}

fn numbers(heard: &[Value]) -> Vec<u64> {
    let number = |delivery: &Value| delivery["number"].as_u64().unwrap();
    heard.iter().map(number).collect()
}

#[test]
fn what_was_not_seen_comes_again_in_order_and_once() {
    let mut space = Space::new();
    let (a, entry) = space.numbered("a", "secret", None);
    assert_eq!(entry, Entry::Entered(None));
    let life = space.life(a);
    let b = space.user("b");
    for number in 0..5 {
        space.say(b, "b", "a", json!(number));
    }
    let heard = space.heard(a);
    assert_eq!(numbers(&heard), [1, 2, 3, 4, 5, 6]);
    assert_eq!(heard[0]["event"], json!(["user-connected", "b"]));
    assert_eq!(heard[5]["event"][1]["message"], json!(4));
    space.rooms.see(a, &life, 2);
    space.rooms.gone(a, false, space.now);
    space.say(b, "b", "a", json!("meanwhile"));
    assert_eq!(space.heard(a), Vec::<Value>::new());
    let (again, entry) = space.numbered("a", "secret", Some((&*life, 3)));
    assert_eq!(entry, Entry::Entered(None));
    assert_eq!(space.life(again), life);
    let heard = space.heard(again);
    assert_eq!(numbers(&heard), [4, 5, 6, 7]);
    assert_eq!(heard[3]["event"][1]["message"], "meanwhile");
    // Also if the relay doesn't know yet that the connection is lost.
    let (third, entry) = space.numbered("a", "secret", Some((&*life, 6)));
    assert_eq!(entry, Entry::Entered(Some(again)));
    assert_eq!(numbers(&space.heard(third)), [7]);
    space.rooms.see(third, &life, 7);
    let (fourth, _) = space.numbered("a", "secret", Some((&*life, 7)));
    assert_eq!(space.heard(fourth), Vec::<Value>::new());
}

#[test]
fn what_was_seen_in_another_life_counts_for_nothing() {
    let mut space = Space::new();
    let (a, _) = space.numbered("a", "secret", Some(("another", 100)));
    let b = space.user("b");
    space.say(b, "b", "a", json!(1));
    space.rooms.see(a, "another", 100);
    let (again, _) = space.numbered("a", "secret", None);
    assert_eq!(numbers(&space.heard(again)), [1, 2]);
    // A user who didn't come back in time begins another life.
    let life = space.life(again);
    space.rooms.gone(again, false, space.now);
    space.rooms.expire(space.now + AWAY);
    let (late, _) = space.numbered("a", "secret", Some((&*life, 2)));
    assert_ne!(space.life(late), life);
}

#[test]
fn a_request_is_done_once_and_in_its_life() {
    let mut space = Space::new();
    let (a, _) = space.numbered("a", "secret", None);
    let life = space.life(a);
    assert!(!space.rooms.accepts(a, "another", 1));
    assert!(space.rooms.accepts(a, &life, 1));
    assert!(!space.rooms.accepts(a, &life, 1));
    assert!(space.rooms.accepts(a, &life, 3));
    assert!(!space.rooms.accepts(a, &life, 2));
    let (again, _) = space.numbered("a", "secret", None);
    assert!(!space.rooms.accepts(again, &life, 3));
    assert!(space.rooms.accepts(again, &life, 4));
    assert!(!space.rooms.accepts(a, &life, 5));
    let b = space.user("b");
    assert!(!space.rooms.accepts(b, "", 1));
    space.rooms.answer(again, 4, &String::from("true"));
    assert_eq!(
        space.heard(again),
        [json!({"number": 1, "answer": 4, "values": [true]})]
    );
    // An answer too is kept.
    let (third, _) = space.numbered("a", "secret", None);
    assert_eq!(numbers(&space.heard(third)), [1]);
}

#[test]
fn who_sees_nothing_has_to_go() {
    for (count, length) in [(1030, 1), (60, 20_000)] {
        let mut space = Space::new();
        let (a, _) = space.numbered("a", "secret", None);
        let b = space.user("b");
        for _ in 0..count {
            space.say(b, "b", "a", json!("x".repeat(length)));
        }
        assert!(space.rooms.cost(a) < 64 * 1024);
        assert_eq!(space.rooms.expire(space.now), [a]);
        assert_eq!(space.rooms.counts().0, 1);
    }
    let mut space = Space::new();
    let (a, _) = space.numbered("a", "secret", None);
    let (life, b) = (space.life(a), space.user("b"));
    for number in 0..3000 {
        space.say(b, "b", "a", json!("x".repeat(1000)));
        space.rooms.see(a, &life, number);
    }
    assert_eq!(space.rooms.expire(space.now), []);
    assert_eq!(space.rooms.counts().0, 2);
}

#[test]
fn a_secret_belongs_to_one_kind_of_page() {
    let mut space = Space::new();
    let (_, entry) = space.numbered("a", "s9", None);
    assert_eq!(entry, Entry::Entered(None));
    assert_eq!(space.enter("a", "", Some("s9")).1, Entry::Taken);
    let b = space.user("b");
    let secret = format!("s{}", b.0);
    assert_eq!(space.numbered("b", &secret, None).1, Entry::Taken);
}

#[test]
fn an_event_of_which_many_pages_have_a_text_of_their_own_is_shorter() {
    let mut space = Space::new();
    let mut pages = Vec::new();
    for number in 0..1024 {
        let (page, _) = space.numbered(&format!("p{number}"), &format!("s{number}"), None);
        pages.push(page);
    }
    let sender = space.user_with("sender", "&socketCustomEvent=chat");
    let value = |length: usize| json!("x".repeat(length - 2));
    space.ask(sender, "chat", &[value(32 * 1024)]);
    assert_eq!(space.drain().len(), pages.len());
    space.ask(sender, "chat", &[value(32 * 1024 + 1)]);
    let heard = space.drain();
    let why = json!([
        "error",
        "Not delivered: such a message has at most 32768 bytes."
    ]);
    assert_eq!(heard, [(sender, why)]);
}
