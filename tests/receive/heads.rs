//! What the head of a frame decides, and at what cost.

use crate::frames::userids;
use crate::support::cases;
use crate::support::host::{Cost, HostValue};
use crate::support::page::Received;
use crate::{encode, page};
use proptest::prelude::*;
use serde_json::Value as Json;
use signal_wire::UserId;

proptest! {
    #![proptest_config(cases(700))]

    /// What keeps receiving cheap: the shim's frames are judged by their head alone, however long
    /// they are.
    #[test]
    fn the_head_decides_of_canonical_frames(
        own in userids(),
        sender in userids(),
        open in prop::collection::vec("[a-zé😀]{0,30}", 1..4),
        name in "[a-zé😀]{0,100}",
        quoted: bool,
    ) {
        let mut page = page(own, &open);
        let message = Json::from("x".repeat(1000));
        let mut frame = encode(sender, &name, &message);
        if quoted {
            let number = sender.get();
            frame = frame.replacen(&format!(":{number},"), &format!(":\"{number}\","), 1);
        }
        let cost = Cost::now();
        page.receive(&frame);
        prop_assert_eq!(page.by_head, 1);
        let expected = match () {
            () if sender == own => Received::Own,
            () if open.contains(&name) => Received::Message(name, HostValue(Some(message))),
            () => Received::Foreign,
        };
        let is_delivered = matches!(expected, Received::Message(..));
        prop_assert_eq!(Cost::since(cost).parses, usize::from(is_delivered));
        prop_assert_eq!(page.received, [expected]);
    }
}

/// Of a frame for another page only the head is copied, and nothing parsed.
#[test]
fn the_cost_of_a_foreign_frame_does_not_grow_with_it() {
    let mut page = page(UserId::from_bits(7), &["a".into()]);
    let mut costs = [1_000, 100_000].map(|length| {
        let message = Json::from("x".repeat(length));
        let frame = encode(UserId::from_bits(8), "b", &message);
        let cost = Cost::now();
        page.receive(&frame);
        Cost::since(cost)
    });
    assert_eq!(page.received, [Received::Foreign, Received::Foreign]);
    costs.sort_by_key(|cost| cost.copied);
    assert_eq!(costs[0], costs[1]);
    assert!(costs[0].copied < 200 && costs[0].parses == 0, "{costs:?}");
}

/// A sender that is a long token takes so much of the head that even a short name runs past it.
#[test]
fn a_long_sender_does_not_make_a_channel_foreign() {
    let mut page = page(UserId::from_bits(7), &["room".into()]);
    for length in 1..200 {
        page.receive(&format!(
            r#"{{"sender":"{}","channel":"room","message":1}}"#,
            "t".repeat(length)
        ));
        let delivered = Received::Message("room".into(), HostValue(Some(1.into())));
        assert_eq!(page.received.pop(), Some(delivered), "{length}");
    }
}

#[test]
fn names_longer_than_any_open_one_are_foreign_by_the_head() {
    let open = ["a".into(), "日本語".into()];
    let mut page = page(UserId::from_bits(7), &open);
    let cost = Cost::now();
    for (sender, expected) in [(8, Received::Foreign), (7, Received::Own)] {
        let sender = UserId::from_bits(sender);
        page.receive(&encode(sender, &"é".repeat(5000), &Json::Null));
        assert_eq!(page.received.pop(), Some(expected));
    }
    assert_eq!((page.by_head, Cost::since(cost).parses), (2, 0));
}
