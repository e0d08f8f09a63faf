//! Closing, extra data, custom events.

use serde_json::json;

use super::{RoomConnectionId, Space};

#[test]
fn the_owner_closes_a_room_for_all() {
    let mut space = Space::new();
    let (a, b) = (space.user("a"), space.user("b"));
    let none = space.ask(a, "close-entire-session", &[]).unwrap();
    assert_eq!(none, json!([false, "Room not available"]));
    space.open(a, "r");
    space.join(b, "r", "");
    space.say(a, "a", "b", json!(1));
    space.drain();
    let denied = space.ask(b, "close-entire-session", &[]).unwrap();
    assert_eq!(denied, json!([false, "Room permission denied"]));
    assert_eq!(
        space.ask(a, "close-entire-session", &[]),
        Some(json!([true]))
    );
    assert_eq!(
        space.drain(),
        [(b, json!(["closed-entire-session", "r", {}]))]
    );
    // The others may say goodbye.
    space.say(b, "b", "a", json!({"userLeft": true}));
    assert_eq!(space.heard(a).len(), 1);
    assert_eq!(space.rooms.counts(), (2, 0));
    // It closes by itself if its owner wants it so.
    let c = space.user_with("c", "&autoCloseEntireSession=true");
    space.open(c, "r");
    space.join(b, "r", "");
    space.rooms.gone(c, true, space.now);
    assert_eq!(
        space.drain(),
        [(b, json!(["closed-entire-session", "r", {}]))]
    );
}

#[test]
fn extra_data_reaches_who_knows_the_user() {
    let mut space = Space::new();
    let (a, b, c) = (space.user("a"), space.user("b"), space.user("c"));
    space.open(a, "r");
    space.join(b, "r", "");
    space.ask(a, "extra-data-updated", &[json!({"n": 1})]);
    assert_eq!(
        space.drain(),
        [(b, json!(["extra-data-updated", "a", {"n": 1}]))]
    );
    let there = space.ask(c, "check-presence", &[json!("r")]).unwrap();
    assert_eq!(there[2]["n"], 1);
    let extra = space
        .ask(c, "get-remote-user-extra-data", &[json!("a")])
        .unwrap();
    assert_eq!(extra, json!([{"n": 1}, "a", null]));
    let extra = space
        .ask(c, "get-remote-user-extra-data", &[json!("x")])
        .unwrap();
    assert_eq!(extra[2], "User ID does not exist");
    space.ask(a, "extra-data-updated", &[json!("x".repeat(20_000))]);
    assert_eq!(space.drain(), []);
    let request = json!({"sessionid": "q", "extra": "x".repeat(20_000)});
    assert_eq!(
        space.ask(c, "open-room", &[request]).unwrap()[0],
        json!(false)
    );
    assert!(space.rooms.cost(a) < 4096);
}

#[test]
fn one_disconnects_another() {
    let mut space = Space::new();
    let (a, b) = (space.user("a"), space.user("b"));
    space.say(a, "a", "b", json!(1));
    space.drain();
    assert_eq!(
        space.ask(a, "disconnect-with", &[json!("b")]),
        Some(json!([]))
    );
    assert_eq!(
        space.drain(),
        [
            (a, json!(["user-disconnected", "b"])),
            (b, json!(["user-disconnected", "a"]))
        ]
    );
    assert_eq!(
        space.ask(a, "disconnect-with", &[json!("nobody")]),
        Some(json!([]))
    );
}

#[test]
fn a_one_way_room_connects_with_its_owner_only() {
    let mut space = Space::new();
    let (a, b, c) = (space.user("a"), space.user("b"), space.user("c"));
    space.ask(
        a,
        "open-room",
        &[json!({"sessionid": "r", "session": {"oneway": true}})],
    );
    space.join(b, "r", "");
    space.join(c, "r", "");
    space.say(c, "c", "r", json!({"newParticipationRequest": true}));
    let asked: Vec<_> = space
        .drain()
        .into_iter()
        .map(|(connection, _)| connection)
        .collect();
    assert_eq!(asked, [a]);
}

/// Who is asked for connections by a page.
fn asked_by(space: &mut Space, connection: RoomConnectionId, user: &str) -> Vec<RoomConnectionId> {
    space.drain();
    space.say(
        connection,
        user,
        "r",
        json!({"newParticipationRequest": true}),
    );
    let asked = space.drain().into_iter();
    asked.map(|(connection, _)| connection).collect()
}

#[test]
fn of_two_who_join_at_one_moment_one_asks_the_other() {
    let mut space = Space::new();
    let (a, b, c) = (space.user("a"), space.user("b"), space.user("c"));
    space.open(a, "r");
    space.join(b, "r", "");
    space.join(c, "r", "");
    assert_eq!(asked_by(&mut space, c, "c"), [a, b]);
    assert_eq!(asked_by(&mut space, b, "b"), [a]);
    // Once more: a page that would have new connections.
    assert_eq!(asked_by(&mut space, b, "b"), [a, c]);
    assert_eq!(asked_by(&mut space, a, "a"), [b, c]);
    // Who is in the room already isn't new, by whatever name.
    space.join(b, "r", "");
    assert_eq!(asked_by(&mut space, b, "b"), [a, c]);
    space.ask(c, "changed-uuid", &[json!("d")]);
    assert_eq!(asked_by(&mut space, c, "d"), [a, b]);
    // Who has left and joins again is.
    space.open(b, "another");
    space.join(b, "r", "");
    let e = space.user("e");
    space.join(e, "r", "");
    assert_eq!(asked_by(&mut space, b, "b"), [a, c]);
    assert_eq!(asked_by(&mut space, e, "e"), [a, c, b]);
}

#[test]
fn custom_events_reach_everybody_else() {
    let mut space = Space::new();
    let a = space.user_with("a", "&socketCustomEvent=chat");
    let (b, c) = (space.user("b"), space.user("c"));
    space.ask(a, "chat", &[json!({"text": 1})]);
    assert_eq!(space.drain().len(), 2);
    space.ask(b, "chat", &[json!(2)]);
    assert_eq!(space.drain(), []);
    space.ask(b, "set-custom-socket-event-listener", &[json!("chat")]);
    space.ask(b, "chat", &[json!(2)]);
    assert_eq!(space.heard(c), [json!(["chat", 2])]);
}

#[test]
fn one_page_has_one_room_however_many_it_opens() {
    let mut space = Space::new();
    let a = space.user("a");
    for number in 0..20_000 {
        space.rooms.take_deliveries();
        let room = format!("{number}");
        let text = format!(r#"{{"sessionid":"{room}"}}"#);
        let request = space.read(a, "open-room", &[&text]).unwrap();
        assert_eq!(space.rooms.take(a, request).as_deref(), Some("true"));
    }
    assert_eq!(space.rooms.counts(), (1, 1));
    assert!(space.rooms.cost(a) < 4096);
}
