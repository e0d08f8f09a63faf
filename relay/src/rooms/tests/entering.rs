//! Opening and joining rooms, passwords, who may reach whom.

use serde_json::json;

use super::Space;

#[test]
fn a_room_is_opened_by_one_and_joined_by_others() {
    let mut space = Space::new();
    let (a, b, c) = (space.user("a"), space.user("b"), space.user("c"));
    assert_eq!(space.join(b, "r", ""), json!([false, "Room not available"]));
    assert_eq!(space.open(a, "r"), json!([true]));
    assert_eq!(space.open(b, "r"), json!([false, "Room not available"]));
    assert_eq!(space.join(b, "r", ""), json!([true]));
    assert_eq!(space.join(c, "r", ""), json!([true]));
    space.say(c, "c", "r", json!({"newParticipationRequest": true}));
    let asked = |to: &str| json!(["msg", {"message": {"newParticipationRequest": true}, "remoteUserId": to, "sender": "c", "extra": {"of": c.0}}]);
    assert_eq!(space.drain(), [(a, asked("a")), (b, asked("b"))]);
    // The first answer makes them known to each other.
    space.say(a, "a", "c", json!("offer"));
    assert_eq!(
        space.drain(),
        [
            (a, json!(["user-connected", "c"])),
            (c, json!(["user-connected", "a"])),
            (
                c,
                json!(["msg", {"message": "offer", "remoteUserId": "c", "sender": "a", "extra": {}}])
            ),
        ]
    );
    let there = space.ask(c, "check-presence", &[json!("r")]).unwrap();
    assert_eq!(
        there,
        json!([true, "r", {"_room": {"isFull": false, "isPasswordProtected": false}}])
    );
    let there = space.ask(c, "check-presence", &[json!("q")]).unwrap();
    assert_eq!(
        there,
        json!([false, "q", {"_room": {"isFull": false, "isPasswordProtected": false}}])
    );
}

#[test]
fn the_owner_hands_over_and_the_last_closes_the_light() {
    let mut space = Space::new();
    let (a, b, c) = (space.user("a"), space.user("b"), space.user("c"));
    space.open(a, "r");
    space.join(b, "r", "");
    space.join(c, "r", "");
    space.say(b, "b", "a", json!("hi"));
    space.drain();
    space.rooms.gone(a, true, space.now);
    assert_eq!(
        space.drain(),
        [
            (b, json!(["user-disconnected", "a"])),
            (b, json!(["set-isInitiator-true", "r"]))
        ]
    );
    space.rooms.gone(b, true, space.now);
    assert_eq!(space.drain(), [(c, json!(["set-isInitiator-true", "r"]))]);
    space.rooms.gone(c, true, space.now);
    assert_eq!(space.rooms.counts(), (0, 0));
}

#[test]
fn nobody_speaks_for_another() {
    let mut space = Space::new();
    let (a, b, m) = (space.user("a"), space.user("b"), space.user("m"));
    space.say(m, "a", "b", json!("forged"));
    assert_eq!(space.drain(), []);
    // Members that JavaScript would read last are the relay's.
    let text = r#"{"remoteUserId":"b","message":1,"sender":"m","sender":"m","\u0073ender":"m","extra":"x"}"#;
    let request = space.read(m, "msg", &[text]).unwrap();
    space.rooms.take(m, request);
    let (_, last) = space.drain().pop().unwrap();
    assert_eq!(last[1]["sender"], "m");
    assert_eq!(last[1]["extra"], json!({}));
    // An id that nobody has may be taken; it has no past.
    space.say(m, "new", "b", json!(2));
    assert_eq!(space.rooms.user_of(m).map(|id| &**id), Some("new"));
    // Custom events can't be the relay's or messages.
    for event in [
        "msg",
        "user-disconnected",
        "set-isInitiator-true",
        "userid-already-taken",
    ] {
        space.ask(m, "set-custom-socket-event-listener", &[json!(event)]);
        space.drain();
        space.ask(
            m,
            event,
            &[json!({"remoteUserId": "b", "sender": "a", "message": 1})],
        );
        assert_eq!(space.drain(), [], "{event}");
    }
    let _ = (a, b);
}

#[test]
fn a_password_cant_be_skipped() {
    let mut space = Space::new();
    let (a, b, m) = (space.user("a"), space.user("b"), space.user("m"));
    let request = json!({"sessionid": "r", "password": "pw", "identifier": "public"});
    assert_eq!(space.ask(a, "open-room", &[request]), Some(json!([true])));
    assert_eq!(space.join(b, "r", "pw"), json!([true]));
    for wrong in ["", "PW", "pw "] {
        assert_eq!(
            space.join(m, "r", wrong),
            json!([false, "Invalid password"])
        );
    }
    space.drain();
    for to in ["r", "a", "b"] {
        space.say(m, "m", to, json!({"newParticipationRequest": true}));
        space.say(m, "m", to, json!({"userLeft": true}));
        space.say(m, "m", to, json!("offer"));
    }
    assert_eq!(space.drain(), []);
    let ask = |space: &mut Space, password: &str, room: &str| {
        let arguments = [json!(password), json!(room)];
        space.ask(m, "is-valid-password", &arguments).unwrap()
    };
    assert_eq!(ask(&mut space, "pw", "r"), json!([true, "r", false]));
    assert_eq!(
        ask(&mut space, "no", "r"),
        json!([false, "r", "Invalid password"])
    );
    assert_eq!(
        ask(&mut space, "pw", "q"),
        json!([false, "q", "Room not available"])
    );
    assert_eq!(ask(&mut space, " ", "r")[0], json!(false));
    let denied = space.ask(b, "set-password", &[json!("x")]).unwrap();
    assert_eq!(denied, json!([false, "r", "Room permission denied"]));
    let none = space.ask(m, "set-password", &[json!("x")]).unwrap();
    assert_eq!(none, json!([null, null, "Did not join any room yet"]));
    let changed = space.ask(a, "set-password", &[json!(5)]).unwrap();
    assert_eq!(changed, json!([true, "r", null]));
    assert_eq!(space.join(m, "r", "5"), json!([true]));
    let rooms = space
        .ask(m, "get-public-rooms", &[json!("public")])
        .unwrap();
    assert_eq!(rooms[0][0]["isPasswordProtected"], json!(true));
    assert_eq!(rooms[0][0]["participants"], json!(["a", "b", "m"]));
    assert!(!rooms.to_string().contains("\"5\""));
}

#[test]
fn a_full_room_takes_nobody() {
    let mut space = Space::new();
    let a = space.user_with("a", "&maxParticipantsAllowed=2");
    let (b, c) = (space.user("b"), space.user("c"));
    space.open(a, "r");
    assert_eq!(space.join(b, "r", ""), json!([true]));
    assert_eq!(space.join(c, "r", ""), json!([false, "Room full"]));
    // Who is in it may ask again.
    assert_eq!(space.join(b, "r", ""), json!([true]));
    assert_eq!(space.open(a, "r"), json!([true]));
    space.rooms.gone(b, true, space.now);
    assert_eq!(space.join(c, "r", ""), json!([true]));
}
