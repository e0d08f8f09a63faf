//! Users whose connection was lost, and other ids.

use std::time::Duration;

use serde_json::json;

use super::{Entry, Space};
use crate::rooms::state::AWAY;

#[test]
fn a_user_who_was_lost_and_comes_back_is_the_same() {
    let mut space = Space::new();
    let (a, b) = (space.user("a"), space.user("b"));
    space.open(a, "r");
    space.join(b, "r", "");
    space.rooms.gone(a, false, space.now);
    space.say(b, "b", "a", json!("while you were away"));
    space.drain();
    space.rooms.expire(space.now + AWAY / 2);
    assert_eq!(space.drain(), []);
    let (again, entry) = space.enter("a", "", Some("s1"));
    assert_eq!(entry, Entry::Entered(None));
    let heard = space.heard(again);
    assert_eq!(heard[0], json!(["user-connected", "b"]));
    assert_eq!(heard[1][1]["message"], "while you were away");
    // It owns its room as before.
    let set = space.ask(again, "set-password", &[json!("x")]).unwrap();
    assert_eq!(set[0], json!(true));
    // The secret of before is none any more; the old connection is nobody.
    assert!(matches!(space.enter("a", "", Some("s1")).1, Entry::Taken));
    space.rooms.gone(a, true, space.now);
    assert_eq!(space.rooms.counts(), (2, 1));
    // Its connection may still be there when the next comes.
    let secret = format!("s{}", again.0);
    assert_eq!(
        space.enter("a", "", Some(&secret)).1,
        Entry::Entered(Some(again))
    );
}

#[test]
fn who_cant_prove_to_be_a_user_isnt_that_user() {
    let mut space = Space::new();
    let (a, b) = (space.user("a"), space.user("b"));
    space.open(a, "r");
    space.join(b, "r", "");
    for shown in [None, Some("s9"), Some("")] {
        assert_eq!(space.enter("a", "", shown).1, Entry::Taken, "{shown:?}");
    }
    space.rooms.gone(a, false, space.now);
    let (again, entry) = space.enter("a", "", None);
    assert_eq!(entry, Entry::Entered(None));
    assert_eq!(space.drain(), [(b, json!(["set-isInitiator-true", "r"]))]);
    assert_eq!(space.rooms.user_of(again).map(|id| &**id), Some("a"));
    assert_eq!(space.join(again, "r", ""), json!([true]));
}

#[test]
fn who_doesnt_come_back_has_left() {
    let mut space = Space::new();
    let (a, b) = (space.user("a"), space.user("b"));
    space.open(a, "r");
    space.join(b, "r", "");
    space.rooms.gone(a, false, space.now);
    space
        .rooms
        .expire(space.now + AWAY - Duration::from_millis(1));
    assert_eq!(space.drain(), []);
    space.rooms.expire(space.now + AWAY);
    assert_eq!(space.drain(), [(b, json!(["set-isInitiator-true", "r"]))]);
    // One for whom too much waits has left too.
    space.rooms.gone(b, false, space.now);
    let c = space.user("c");
    space.join(c, "r", "");
    for _ in 0..300 {
        space.say(c, "c", "b", json!("x".repeat(1000)));
    }
    space.rooms.expire(space.now);
    assert_eq!(space.rooms.counts().0, 1);
}

#[test]
fn a_renamed_user_is_found_under_the_new_id_and_comes_back_under_the_old() {
    let mut space = Space::new();
    let (a, b) = (space.user("a"), space.user("b"));
    space.open(a, "r");
    space.join(b, "r", "");
    space.say(a, "a", "b", json!(1));
    space.drain();
    assert_eq!(space.ask(a, "changed-uuid", &[json!("z")]), Some(json!([])));
    space.say(b, "b", "z", json!(2));
    assert_eq!(space.heard(a).len(), 1);
    assert_eq!(space.ask(b, "changed-uuid", &[json!("z")]), None);
    assert_eq!(
        space.heard(b),
        [json!(["userid-already-taken", "z", "z-2"])]
    );
    space.rooms.gone(a, false, space.now);
    let (again, _) = space.enter("a", "", Some("s1"));
    assert_eq!(space.rooms.user_of(again).map(|id| &**id), Some("z"));
    space.rooms.gone(again, true, space.now);
    assert_eq!(
        space.drain(),
        [
            (b, json!(["user-disconnected", "z"])),
            (b, json!(["set-isInitiator-true", "r"]))
        ]
    );
}
