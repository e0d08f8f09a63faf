//! Scalable broadcasts.

use serde_json::{Value, json};

use super::{RoomConnectionId, Space};

/// Pages of scalable broadcasts in which each viewer relays to one other.
fn pages<const COUNT: usize>(space: &mut Space, users: [&str; COUNT]) -> [RoomConnectionId; COUNT] {
    let more = "&enableScalableBroadcast=true&maxRelayLimitPerUser=1";
    users.map(|user| space.user_with(user, more))
}

/// A page joins the broadcast `show`. Gives what it is to do.
fn join(space: &mut Space, connection: RoomConnectionId, user: &str) -> Value {
    join_in(space, connection, user, "show")
}

fn join_in(space: &mut Space, connection: RoomConnectionId, user: &str, broadcast: &str) -> Value {
    let wish = json!({"broadcastId": broadcast, "userid": user, "typeOfStreams": {"video": true}});
    assert_eq!(space.ask(connection, "join-broadcast", &[wish]), None);
    let mut heard = space.heard(connection).into_iter();
    let todo =
        heard.find(|event| event[0] != "logs" && event[0] != "number-of-broadcast-viewers-updated");
    todo.unwrap()
}

#[test]
fn a_scalable_broadcast_is_a_tree() {
    let mut space = Space::new();
    let [a, b, c] = pages(&mut space, ["a", "b", "c"]);
    // The broadcaster takes the broadcast's id.
    assert_eq!(
        join(&mut space, a, "show"),
        json!(["start-broadcasting", {"video": true}])
    );
    let presence = space.ask(b, "check-broadcast-presence", &[json!("show")]);
    assert_eq!(presence, Some(json!([true])));
    assert_eq!(join(&mut space, b, "b")[1]["userid"], "show");
    space.ask(b, "can-relay-broadcast", &[]);
    assert_eq!(join(&mut space, c, "c")[1]["userid"], "b");
    let number = space.ask(
        c,
        "get-number-of-users-in-specific-broadcast",
        &[json!("show")],
    );
    assert_eq!(number, Some(json!([2])));
    space.drain();
    space.rooms.gone(b, true, space.now);
    let heard = space.drain();
    assert!(
        heard.contains(&(c, json!(["rejoin-broadcast", "show"]))),
        "{heard:?}"
    );
    assert_eq!(join(&mut space, c, "c")[1]["userid"], "show");
    space.drain();
    space.rooms.gone(a, true, space.now);
    assert_eq!(space.heard(c), [json!(["broadcast-stopped", "show"])]);
    space.rooms.gone(c, true, space.now);
    assert!(space.rooms.viewers.is_empty() && space.rooms.audiences.is_empty());
}

#[test]
fn nobody_receives_from_its_own_receivers() {
    let mut space = Space::new();
    let [a, b, c, d] = pages(&mut space, ["show", "b", "c", "d"]);
    join(&mut space, a, "show");
    join(&mut space, b, "b");
    space.ask(b, "can-relay-broadcast", &[]);
    assert_eq!(join(&mut space, c, "c")[1]["userid"], "b");
    // Nobody has a free place, so the initiator takes one more.
    assert_eq!(join(&mut space, d, "d")[1]["userid"], "show");
    space.ask(c, "can-relay-broadcast", &[]);
    assert_eq!(join(&mut space, b, "b")[1]["userid"], "show");
}

#[test]
fn a_viewer_of_another_broadcast_is_no_source() {
    let mut space = Space::new();
    let [a, b] = pages(&mut space, ["a", "b"]);
    assert_eq!(join(&mut space, a, "a")[0], "start-broadcasting");
    // `a` is a user, but its broadcast is `show`.
    assert_eq!(
        join_in(&mut space, b, "b", "a")[0],
        json!("start-broadcasting")
    );
    let number = space.ask(
        b,
        "get-number-of-users-in-specific-broadcast",
        &[json!("a")],
    );
    assert_eq!(number, Some(json!([0])));
}

#[test]
fn an_initiator_that_becomes_a_viewer_ends_nothing_when_it_leaves() {
    let mut space = Space::new();
    let [a, b, c] = pages(&mut space, ["a", "b", "c"]);
    // It comes before the broadcaster.
    assert_eq!(join(&mut space, a, "a")[0], "start-broadcasting");
    assert_eq!(join(&mut space, b, "show")[0], "start-broadcasting");
    assert_eq!(join(&mut space, a, "a")[1]["userid"], "show");
    space.ask(a, "can-relay-broadcast", &[]);
    assert_eq!(join(&mut space, c, "c")[1]["userid"], "a");
    space.rooms.gone(a, true, space.now);
    assert_eq!(space.heard(c), [json!(["rejoin-broadcast", "show"])]);
}
