//! Rooms of RTCMultiConnection whose pages are on several relays.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use serde_json::json;
use signal_relay::Config;
use signal_relay::auth::Settings;

use super::page::{MESSAGE, Page};
use super::private::Private;
use super::support::nats::Nats;
use super::support::tokens::{KeyFile, SECRET, token};
use super::support::{Relay, config, within};

#[tokio::test]
async fn of_pages_that_open_one_room_at_once_one_has_it() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let relays = [nats.relay().await, nats.relay().await, nats.relay().await];
    let (mut a, mut b, mut c) = tokio::join!(
        Page::open(&relays[0], "a"),
        Page::open(&relays[1], "b"),
        Private::open(&relays[2], "c")
    );
    for round in 0..50 {
        let room = format!("r{round}");
        let (one, two, three) = tokio::join!(
            a.open_room(&room),
            b.open_room(&room),
            c.open_room(&room, "")
        );
        let winners = [&one, &two, &three]
            .iter()
            .filter(|answer| answer[0] == true)
            .count();
        assert_eq!(winners, 1, "{one} {two} {three}");
        // All know the same room.
        let asked = || json!(["check-presence", room]);
        assert_eq!(a.ask(asked()).await[0], true);
        assert_eq!(b.ask(asked()).await[0], true);
        assert_eq!(c.ask(asked()).await[0], true);
    }
}

#[tokio::test]
async fn in_new_spaces_too_one_page_has_the_room() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let open = async |relay: &Relay, space: &str, user: &str| {
        let mut page = Page::open_with(relay, space, user, "", json!({})).await;
        (page.open_room("r").await, page)
    };
    for round in 0..20 {
        let space = format!("/s{round}");
        let ((one, _a), (two, _b)) =
            tokio::join!(open(&first, &space, "a"), open(&second, &space, "b"));
        assert_ne!(one[0], two[0], "{one} {two}");
    }
}

/// Opens a page, and says whether it has its id. One that has it answers pings for a while.
async fn claims(relay: &Relay, space: &str, id: &str) -> bool {
    let mut page = Page::open_with(relay, space, id, "", json!({})).await;
    page.client
        .send(&format!("42{space},7[\"check-presence\",\"x\"]"))
        .await;
    let packet = page.packet().await;
    let has_it = packet.starts_with(&format!("43{space},7[false"));
    assert!(
        has_it || packet.contains("userid-already-taken"),
        "{packet}"
    );
    if has_it {
        let _ = tokio::time::timeout(Duration::from_secs(2), page.packet()).await;
    }
    has_it
}

#[tokio::test]
async fn an_id_that_two_pages_take_at_once_has_one() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    for round in 0..10 {
        let space = format!("/s{}", round % 3);
        let id = format!("id{round}");
        let (one, two) = tokio::join!(claims(&first, &space, &id), claims(&second, &space, &id));
        assert_ne!(one, two, "{round}");
    }
}

#[tokio::test]
async fn pages_of_two_relays_are_in_one_room() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let mut a = Page::open(&first, "a").await;
    let mut b = Page::open(&second, "b").await;
    assert_eq!(a.open_room("r").await, json!([true]));
    assert_eq!(b.open_room("r").await, json!([false, "Room not available"]));
    assert_eq!(
        a.ask(json!(["set-password", "secret"])).await,
        json!([true, "r", null])
    );
    assert_eq!(
        b.join_room("r", "guessed").await,
        json!([false, "Invalid password"])
    );
    assert_eq!(b.join_room("r", "secret").await, json!([true]));
    b.say("a", json!("from b")).await;
    assert_eq!(b.event().await, json!(["user-connected", "a"]));
    assert_eq!(a.event().await, json!(["user-connected", "b"]));
    let heard = a.event().await;
    assert_eq!(
        (&heard[0], &heard[1]["message"]),
        (&json!(MESSAGE), &json!("from b"))
    );
    assert_eq!(heard[1]["extra"], json!({"name": "b"}));
    // In order, however many.
    for number in 0..100 {
        a.say("b", json!(number)).await;
    }
    for number in 0..100 {
        assert_eq!(b.event().await[1]["message"], number);
    }
    a.emit(json!(["extra-data-updated", {"new": 1}])).await;
    assert_eq!(
        b.event().await,
        json!(["extra-data-updated", "a", {"new": 1}])
    );
    let extra = b.ask(json!(["get-remote-user-extra-data", "a"])).await;
    assert_eq!(extra, json!([{"new": 1}, "a", null]));
    // An event that isn't the rooms' is refused as on one relay.
    b.client.send("425[\"never\",1]").await;
    assert!(b.packet().await.starts_with("435[\"Only the event"));
    // Each relay counts what it keeps.
    let counts = |relay: &Relay| {
        let text = relay.stats.metrics().unwrap();
        let value = |name: &str| -> u64 {
            let line = text
                .lines()
                .find(|line| line.starts_with(&format!("{name} ")));
            line.unwrap_or_else(|| panic!("{text}"))
                .rsplit(' ')
                .next()
                .unwrap()
                .parse()
                .unwrap()
        };
        (
            value("signal_relay_room_users"),
            value("signal_relay_rooms"),
        )
    };
    let (one, two) = (counts(&first), counts(&second));
    assert_eq!((one.0 + two.0, one.1 + two.1), (2, 1));
    // The owner leaves for good, and then nobody is in the room.
    a.client.send("41").await;
    assert_eq!(b.event().await, json!(["user-disconnected", "a"]));
    assert_eq!(b.event().await, json!(["set-isInitiator-true", "r"]));
    drop(b);
    let mut c = Page::open(&first, "c").await;
    within("the end of the room", async {
        while c.ask(json!(["check-presence", "r"])).await[0] == true {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_that_is_lost_comes_back_on_another_relay() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let relays = [nats.relay().await, nats.relay().await];
    let mut b = Page::open(&relays[0], "b").await;
    let mut a = Page::open(&relays[1], "a").await;
    a.open_room("r").await;
    b.join_room("r", "").await;
    for round in 0..4_usize {
        let shown = json!({"pid": a.secret});
        // Once the old connection is gone, once it isn't.
        let old = (round % 2 == 0).then_some(a);
        a = Page::open_with(&relays[round % 2], "/", "a", "", shown).await;
        assert_eq!(
            a.ask(json!(["set-password", "x"])).await,
            json!([true, "r", null])
        );
        if let Some(mut old) = old {
            assert_eq!(old.client.closed().await.0, 4009);
        }
    }
    b.has_heard_nothing().await;
    // What came meanwhile waits for it.
    let shown = json!({"pid": a.secret});
    drop(a);
    relays[1].until(|stats| stats.members == 0).await;
    // What this page does is done after that.
    Page::open(&relays[1], "c").await.has_heard_nothing().await;
    b.say("a", json!("meanwhile")).await;
    assert_eq!(b.event().await, json!(["user-connected", "a"]));
    let mut a = Page::open_with(&relays[0], "/", "a", "", shown).await;
    assert_eq!(a.event().await, json!(["user-connected", "b"]));
    assert_eq!(a.event().await[1]["message"], "meanwhile");
    drop(a);
    assert_eq!(b.event().await, json!(["user-disconnected", "a"]));
    assert_eq!(b.event().await, json!(["set-isInitiator-true", "r"]));
}

#[tokio::test]
async fn nobody_takes_the_id_of_a_page_that_is_alive_on_another_relay() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    for (home, other) in [(&first, &second), (&second, &first)] {
        let mut a = Page::open(home, "a").await;
        a.open_room("r").await;
        let answering = async {
            let asked = a.packet().await;
            panic!("{asked}");
        };
        let thief = async {
            let mut thief = Page::open(other, "a").await;
            assert_eq!(
                thief.event().await,
                json!(["userid-already-taken", "a", "a-2"])
            );
            thief.client.send("421[\"set-password\",\"x\"]").await;
            assert!(thief.packet().await.starts_with("431[\"Only the event"));
        };
        tokio::select! {
            () = answering => {}
            () = thief => {}
        }
        // One that is dead loses it.
        let mut next = Page::open(other, "a").await;
        assert_eq!(next.open_room("r").await, json!([true]));
        assert_eq!(a.client.closed().await.0, 4009);
        next.client.send("41").await;
        let _ = next.client.closed().await;
    }
}

#[tokio::test]
async fn pages_on_private_channels_are_in_rooms_of_other_relays() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let mut old = Page::open(&first, "old").await;
    let mut new = Private::open(&second, "new").await;
    let mut also = Private::open(&first, "also").await;
    assert_eq!(new.open_room("r", "secret").await, json!([true]));
    assert_eq!(old.join_room("r", "secret").await, json!([true]));
    assert_eq!(also.join_room("r", "secret").await, json!([true]));
    assert_eq!(
        also.ask(json!(["participants"])).await,
        json!([["new", "old"]])
    );
    for (from, to) in [("old", "new"), ("also", "new")] {
        if from == "old" {
            old.say(to, json!("from old")).await;
            assert_eq!(old.event().await, json!(["user-connected", "new"]));
        } else {
            also.say(to, json!("from also")).await;
            assert_eq!(also.event().await, json!(["user-connected", "new"]));
        }
        assert_eq!(new.event().await, json!(["user-connected", from]));
        assert_eq!(new.event().await[1]["message"], format!("from {from}"));
    }
    // It loses its connection, and what it has not seen comes on another relay.
    let seen = new.seen;
    old.say("new", json!("unseen")).await;
    assert_eq!(new.event().await[1]["message"], "unseen");
    new.seen = seen;
    new.reconnect(&first, "/").await;
    let answer = new.enter(json!({"asked": new.asked})).await;
    assert_eq!(
        (&answer["user"], &answer["life"]),
        (&json!("new"), &json!(new.life))
    );
    assert_eq!(new.event().await[1]["message"], "unseen");
    old.say("new", json!("more")).await;
    assert_eq!(new.event().await[1]["message"], "more");
    // It leaves for good.
    new.publish(&json!({"life": new.life, "event": ["disconnect"]}))
        .await;
    assert_eq!(old.event().await, json!(["user-disconnected", "new"]));
    assert_eq!(old.event().await, json!(["set-isInitiator-true", "r"]));
}

#[tokio::test]
async fn broadcasts_and_custom_events_reach_pages_of_all_relays() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let more = "&enableScalableBroadcast=true&maxRelayLimitPerUser=2";
    let mut a = Page::open_with(&first, "/", "a", more, json!({})).await;
    let mut b = Page::open_with(&second, "/", "b", more, json!({})).await;
    let mut c = Page::open_with(&second, "/", "c", more, json!({})).await;
    // They are in the rooms when they are answered.
    for page in [&mut a, &mut b, &mut c] {
        page.has_heard_nothing().await;
    }
    a.emit(json!(["Custom", 2])).await;
    assert_eq!(b.event().await, json!(["Custom", 2]));
    assert_eq!(c.event().await, json!(["Custom", 2]));
    b.emit(json!(["Custom", 3])).await;
    assert_eq!(a.event().await, json!(["Custom", 3]));
    assert_eq!(c.event().await, json!(["Custom", 3]));
    let wish = |user: &str| json!(["join-broadcast", {"broadcastId": "show", "userid": user, "typeOfStreams": {"audio": true}}]);
    a.emit(wish("show")).await;
    assert_eq!(a.event().await[0], "number-of-broadcast-viewers-updated");
    assert_eq!(
        a.event().await,
        json!(["start-broadcasting", {"audio": true}])
    );
    assert_eq!(
        b.ask(json!(["check-broadcast-presence", "show"])).await,
        json!([true])
    );
    b.emit(wish("b")).await;
    let hint = json!({"typeOfStreams": {"audio": true}, "userid": "show", "broadcastId": "show"});
    assert_eq!(b.event().await, json!(["join-broadcaster", hint]));
    assert_eq!(b.event().await[0], "logs");
    let asked = json!(["get-number-of-users-in-specific-broadcast", "show"]);
    assert_eq!(c.ask(asked).await, json!([1]));
    drop(a);
    assert_eq!(b.event().await, json!(["broadcast-stopped", "show"]));
}

/// One link carries what all pages of a relay say in all spaces that another one keeps.
#[tokio::test]
async fn a_room_in_which_all_ask_all_at_once_breaks_no_link() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let other = async |relay, user| Page::open_with(relay, "/other", user, "", json!({})).await;
    let _keepers = (Page::open(&first, "k").await, other(&first, "k").await);
    let mut other = other(&second, "o").await;
    let mut pages = Vec::new();
    for number in 0..72 {
        let mut page = Page::open(&second, &format!("p{number}")).await;
        let entered = match number {
            0 => page.open_room("r").await,
            _ => page.join_room("r", "").await,
        };
        assert_eq!(entered, json!([true]));
        pages.push(page);
    }
    // Who has joined asks those who were there before. From then on its requests go to all.
    let asked = json!({"newParticipationRequest": true});
    let request = json!({"newParticipationRequest": true, "more": "x".repeat(16_000)});
    for page in pages.iter_mut().skip(1) {
        page.say("r", asked.clone()).await;
    }
    for page in &mut pages {
        page.say("r", request.clone()).await;
    }
    other.has_heard_nothing().await;
    let others = pages.len() - 1;
    let hear = pages.iter_mut().enumerate().map(async |(before, page)| {
        let mut heard = (0, 0);
        while heard != (others - before, others) {
            let event = page.event().await;
            let message = &event[1]["message"];
            if *message == asked {
                heard.0 += 1;
            } else {
                assert_eq!(*message, request);
                heard.1 += 1;
            }
        }
    });
    join_all(hear).await;
}

#[tokio::test]
async fn tokens_hold_on_all_relays() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let key = KeyFile::new(SECRET);
    let with_tokens = || Config {
        auth: Some(Settings::Jwt(key.path())),
        ..config()
    };
    let relays = [
        nats.relay_with(with_tokens()).await,
        nats.relay_with(with_tokens()).await,
    ];
    let credentials = |user: &str| json!({"token": token(user, &["/"])});
    let limited = |user: &str, channel: &str| {
        let claims = signal_relay::auth::claims::Claims {
            publish: Some(vec![channel.into()]),
            subscribe: Some(vec![channel.into()]),
            ..super::support::tokens::claims(user, &["/"])
        };
        json!({"token": super::support::tokens::sign(claims, Duration::from_secs(3600))})
    };
    let mut a = Page::open_with(&relays[0], "/", "a", "", credentials("alice")).await;
    assert_eq!(a.open_room("room-1").await, json!([true]));
    let mut b = Page::open_with(&relays[1], "/", "b", "", limited("bob", "room-1")).await;
    let denied = json!([false, "Room permission denied"]);
    assert_eq!(b.join_room("room-2", "").await, denied);
    assert_eq!(b.open_room("room-2").await, denied);
    assert_eq!(b.join_room("room-1", "").await, json!([true]));
    // A custom event is a channel too.
    a.emit(json!(["Custom", 1])).await;
    a.has_heard_nothing().await;
    b.has_heard_nothing().await;
    b.emit(json!(["Custom", 1])).await;
    b.has_heard_nothing().await;
    a.has_heard_nothing().await;
    // Another user gets neither the id nor what its secret opens.
    for relay in &relays {
        let mut shown = credentials("mallory");
        shown["pid"] = json!(a.secret);
        let mut mallory = Page::open_with(relay, "/", "a", "", shown).await;
        assert_eq!(mallory.event().await[0], "userid-already-taken");
    }
    let mut shown = credentials("alice");
    shown["pid"] = json!(a.secret);
    let mut again = Page::open_with(&relays[1], "/", "a", "", shown).await;
    assert_eq!(
        again.ask(json!(["set-password", "x"])).await,
        json!([true, "room-1", null])
    );
    // An id that it had is a user's for a while, and another one is free.
    assert_eq!(again.ask(json!(["changed-uuid", "a2"])).await, json!([]));
    again.client.send("41").await;
    let mut mallory = Page::open_with(&relays[1], "/", "a2", "", credentials("mallory")).await;
    assert_eq!(mallory.event().await[0], "userid-already-taken");
}

#[tokio::test]
async fn long_messages_go_through() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let mut a = Page::open(&first, "a").await;
    let mut b = Page::open(&second, "b").await;
    a.open_room("r").await;
    b.join_room("r", "").await;
    let long = "\"ä".repeat(40_000);
    a.say("b", json!(long)).await;
    assert_eq!(b.event().await, json!(["user-connected", "a"]));
    assert_eq!(b.event().await[1]["message"], long);
    b.say("a", json!(long)).await;
    assert_eq!(a.event().await, json!(["user-connected", "b"]));
    assert_eq!(a.event().await[1]["message"], long);
    b.say("a", json!("x".repeat(300_000))).await;
    assert_eq!(b.event().await[0], "error");
}

#[tokio::test]
async fn strangers_in_nats_break_no_rooms() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let mut a = Page::open(&first, "a").await;
    let mut b = Page::open(&second, "b").await;
    a.open_room("r").await;
    let stranger = async_nats::connect(nats.settings().servers.to_string())
        .await
        .unwrap();
    let mut letters = stranger.subscribe("signal-relay.relay.*").await.unwrap();
    stranger.flush().await.unwrap();
    b.join_room("r", "").await;
    let mut passed = Vec::new();
    for _ in 0..200 {
        b.ask(json!(["check-presence", "r"])).await;
        passed.push(letters.next().await.unwrap());
    }
    // The same, cut and changed, and of another link.
    let mut chance = 12345_u32;
    for letter in passed {
        let mut bytes = letter.payload.to_vec();
        bytes[18] ^= 1;
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let place = (chance >> 8) as usize % bytes.len();
        match chance >> 4 & 3 {
            0 => bytes.truncate(place),
            1 if !(3..19).contains(&place) => bytes[place] ^= 1 << (chance >> 24 & 7),
            _ => bytes.extend([0xff; 9]),
        }
        // The first one of a link, too.
        if chance >> 20 & 1 == 0 && bytes.len() > 27 {
            bytes[19..27].copy_from_slice(&1_u64.to_be_bytes());
        }
        stranger
            .publish(letter.subject, bytes.into())
            .await
            .unwrap();
    }
    stranger.flush().await.unwrap();
    a.say("b", json!("well")).await;
    assert_eq!(b.event().await, json!(["user-connected", "a"]));
    assert_eq!(b.event().await[1]["message"], "well");
}
