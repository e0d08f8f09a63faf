//! Pages that mean harm.

use serde_json::{Value, json};

use super::page::{MESSAGE, Page};
use super::private::Private;
use super::support::{Relay, config};

#[tokio::test]
async fn of_two_who_open_a_room_at_one_time_one_has_it() {
    let relay = Relay::start(config()).await;
    for round in 0..100 {
        let room = format!("r{round}");
        let (mut a, mut b) = (
            Page::open(&relay, &format!("a{round}")).await,
            Page::open(&relay, &format!("b{round}")).await,
        );
        let (one, other) = tokio::join!(a.open_room(&room), b.open_room(&room));
        let refused = json!([false, "Room not available"]);
        let (winner, loser) = if one == json!([true]) {
            (one, other)
        } else {
            (other, one)
        };
        assert_eq!((winner, loser), (json!([true]), refused));
    }
}

#[tokio::test]
async fn a_forged_sender_reaches_nobody() {
    let relay = Relay::start(config()).await;
    let (mut a, mut b) = (Page::open(&relay, "a").await, Page::open(&relay, "b").await);
    let mut mallory = Page::open(&relay, "m").await;
    a.open_room("r").await;
    b.join_room("r", "").await;
    mallory.join_room("r", "").await;
    for to in ["b", "r"] {
        for message in [
            json!("x"),
            json!({"userLeft": true}),
            json!({"newParticipationRequest": true}),
        ] {
            let forged = json!({"remoteUserId": to, "message": message, "sender": "a"});
            mallory.emit(json!([MESSAGE, forged])).await;
        }
    }
    mallory
        .emit(json!(["set-custom-socket-event-listener", MESSAGE]))
        .await;
    mallory.emit(json!(["user-disconnected", "a"])).await;
    mallory.emit(json!(["changed-uuid", "a"])).await;
    assert_eq!(mallory.event().await[0], "userid-already-taken");
    b.has_heard_nothing().await;
    a.has_heard_nothing().await;
}

#[tokio::test]
async fn a_password_cant_be_skipped() {
    let relay = Relay::start(config()).await;
    let (mut a, mut m) = (Page::open(&relay, "a").await, Page::open(&relay, "m").await);
    let request = json!({"sessionid": "r", "password": "pw"});
    assert_eq!(a.ask(json!(["open-room", request])).await, json!([true]));
    for request in [
        json!({"sessionid": "r"}),
        json!({"sessionid": "r", "password": ""}),
        json!({"sessionid": "r", "password": null}),
        json!({"sessionid": "r", "password": ["pw"]}),
        json!({"sessionid": "r", "password": {"toString": "pw"}}),
    ] {
        assert_eq!(
            m.ask(json!(["join-room", request])).await[0],
            false,
            "{request}"
        );
    }
    for to in ["r", "a"] {
        m.say(to, json!({"newParticipationRequest": true})).await;
        m.say(to, json!({"sdp": "x"})).await;
    }
    m.has_heard_nothing().await;
    a.has_heard_nothing().await;
}

#[tokio::test]
async fn nobody_makes_the_relay_hold_much() {
    let relay = Relay::start(config()).await;
    let mut m = Page::open(&relay, "m").await;
    let before = relay.stats.get().memory.total();
    for round in 0..1000 {
        for number in 0..100 {
            let room = format!("{round}-{number}");
            m.emit(json!(["open-room", {"sessionid": room, "identifier": "i"}]))
                .await;
        }
        // It isn't over its queue or its rate.
        m.has_heard_nothing().await;
    }
    let rooms = m.ask(json!(["get-public-rooms", "i"])).await;
    assert_eq!(rooms[0].as_array().unwrap().len(), 1);
    let giant = "x".repeat(500_000);
    assert_eq!(
        m.ask(json!(["open-room", {"sessionid": "r", "extra": {"a": giant}}]))
            .await[0],
        false
    );
    assert_eq!(
        m.ask(json!(["open-room", {"sessionid": giant}])).await[0],
        false
    );
    assert_eq!(
        m.ask(json!(["open-room", {"sessionid": "r", "password": giant}]))
            .await[0],
        false
    );
    assert_eq!(
        m.ask(json!(["open-room", {"sessionid": "r", "session": giant}]))
            .await[0],
        false
    );
    m.emit(json!(["extra-data-updated", giant])).await;
    m.emit(json!(["changed-uuid", giant])).await;
    for number in 0..1000 {
        m.emit(json!([
            "set-custom-socket-event-listener",
            format!("e{number}")
        ]))
        .await;
        m.say(&format!("nobody {number}"), json!(1)).await;
    }
    m.has_heard_nothing().await;
    let held = relay.stats.get().memory.total().saturating_sub(before);
    assert!(held < 2_000_000, "{held}");
    m.client.send("41").await;
    drop(m);
    relay.until_empty().await;
}

#[tokio::test]
async fn nonsense_is_survived() {
    let relay = Relay::start(config()).await;
    let mut m = Page::open(&relay, "m").await;
    for event in [
        "open-room",
        "join-room",
        "check-presence",
        "set-password",
        "is-valid-password",
        "get-public-rooms",
        "extra-data-updated",
        "get-remote-user-extra-data",
        "disconnect-with",
        "changed-uuid",
        "set-custom-socket-event-listener",
        "join-broadcast",
        "can-relay-broadcast",
        "check-broadcast-presence",
        "get-number-of-users-in-specific-broadcast",
        MESSAGE,
        "Custom",
    ] {
        for argument in [
            json!(null),
            json!([]),
            json!({}),
            json!(-1.5e300),
            json!(true),
            json!({"message": null, "remoteUserId": [], "sender": {}}),
        ] {
            m.emit(json!([event, argument])).await;
        }
        m.emit(json!([event])).await;
    }
    let mut other = Page::open(&relay, "n").await;
    assert_eq!(other.open_room("r").await, json!([true]));
}

#[tokio::test]
async fn a_message_cant_name_who_sent_it() {
    let relay = Relay::start(config()).await;
    let (mut a, mut m) = (Page::open(&relay, "a").await, Page::open(&relay, "m").await);
    let forged = json!({"remoteUserId": "a", "message": 1, "user": "alice"});
    m.emit(json!([MESSAGE, forged])).await;
    assert_eq!(a.event().await, json!(["user-connected", "m"]));
    let heard = a.event().await;
    assert_eq!(heard[1]["sender"], "m");
    assert_eq!(heard[1].get("user"), None);
}

/// `message` is the event of envelopes: a custom event of that name isn't the rooms'.
#[tokio::test]
async fn a_custom_event_cant_be_an_envelope() {
    let relay = Relay::start(config()).await;
    let (mut a, mut m) = (Page::open(&relay, "a").await, Page::open(&relay, "m").await);
    m.emit(json!(["set-custom-socket-event-listener", "message"]))
        .await;
    let mut plain = relay.join("/").await;
    m.emit(json!(["message", {"sender": "x", "channel": "c", "message": 1}]))
        .await;
    let expected = json!({"sender": "x", "channel": "c", "message": 1});
    assert_eq!(a.event().await, json!(["message", expected]));
    let heard: Value = serde_json::from_str(&plain.envelope().await).unwrap();
    assert_eq!(heard, expected);
    a.has_heard_nothing().await;
}

#[tokio::test]
async fn what_goes_to_many_is_short_and_its_page_learns_when_it_is_not() {
    let relay = Relay::start(config()).await;
    let (mut a, mut m) = (Page::open(&relay, "a").await, Page::open(&relay, "m").await);
    a.open_room("r").await;
    m.join_room("r", "").await;
    let long = |bytes: usize| "x".repeat(bytes);
    m.emit(json!(["Custom", long(65_536)])).await;
    let request = json!({"newParticipationRequest": true, "more": long(16_384)});
    m.say("r", request).await;
    m.say("a", json!(long(262_144))).await;
    for most in [65_536, 16_384, 262_144] {
        let sentence = format!("Not delivered: such a message has at most {most} bytes.");
        assert_eq!(m.event().await, json!(["error", sentence]));
    }
    a.has_heard_nothing().await;
    m.emit(json!(["Custom", long(60_000)])).await;
    m.say("a", json!(long(200_000))).await;
    assert_eq!(a.event().await[0], "Custom");
    assert_eq!(a.event().await, json!(["user-connected", "m"]));
    assert_eq!(a.event().await[0], MESSAGE);
}

#[tokio::test]
async fn nonsense_on_a_private_channel_is_survived() {
    let relay = Relay::start(config()).await;
    let mut page = Private::connect(&relay, "/", "a").await;
    let life = "x".repeat(1000);
    for message in [
        json!(null),
        json!("text"),
        json!([]),
        json!({}),
        json!({"life": life, "ask": 1, "event": ["open-room", {"sessionid": "r"}]}),
        json!({"seen": -1, "ask": "1", "event": "open-room"}),
        json!({"event": ["disconnect"]}),
    ] {
        page.publish(&message).await;
    }
    let answer = page.enter(json!({})).await;
    page.life = answer["life"].as_str().unwrap().into();
    for message in [
        json!({"life": page.life, "seen": u64::MAX, "ask": 1, "event": []}),
        json!({"life": page.life, "ask": 2, "event": [17]}),
        json!({"life": page.life, "ask": 3, "event": ["open-room"]}),
        json!({"life": page.life, "ask": 4, "event": ["no such event", 1]}),
        json!({"life": page.life, "ask": 5, "event": ["connect", 1]}),
    ] {
        page.publish(&message).await;
    }
    page.asked = 3;
    assert_eq!(page.answer().await[0], false);
    page.asked = 5;
    page.has_heard_nothing().await;
}
