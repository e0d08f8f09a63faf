//! Pages with the adapter in the rooms of their space, beside pages with Socket.IO.

use std::time::Duration;

use serde_json::json;
use signal_relay::Config;

use super::page::{MESSAGE, Page, query};
use super::private::Private;
use super::support::{Client, Relay, config};

#[tokio::test]
async fn pages_of_both_kinds_are_in_one_room() {
    let relay = Relay::start(config()).await;
    let mut old = Page::open(&relay, "old").await;
    let mut new = Private::open(&relay, "new").await;
    assert_eq!(new.open_room("r", "secret").await, json!([true]));
    assert_eq!(
        old.open_room("r").await,
        json!([false, "Room not available"])
    );
    assert_eq!(
        old.join_room("r", "guessed").await,
        json!([false, "Invalid password"])
    );
    assert_eq!(old.join_room("r", "secret").await, json!([true]));
    old.say("new", json!("from old")).await;
    assert_eq!(new.event().await, json!(["user-connected", "old"]));
    let heard = new.event().await;
    assert_eq!(heard[0], MESSAGE);
    assert_eq!(heard[1]["message"], "from old");
    assert_eq!(heard[1]["extra"], json!({"name": "old"}));
    new.say("old", json!("from new")).await;
    assert_eq!(old.event().await, json!(["user-connected", "new"]));
    assert_eq!(old.event().await[1]["message"], "from new");
    // The owner leaves for good.
    new.publish(&json!({"life": new.life, "event": ["disconnect"]}))
        .await;
    assert_eq!(old.event().await, json!(["user-disconnected", "new"]));
    assert_eq!(old.event().await, json!(["set-isInitiator-true", "r"]));
    let mut third = Private::open(&relay, "third").await;
    assert_eq!(third.join_room("r", "secret").await, json!([true]));
    drop(old);
    assert_eq!(third.event().await, json!(["set-isInitiator-true", "r"]));
}

#[tokio::test]
async fn of_two_kinds_that_open_one_room_one_has_it() {
    let relay = Relay::start(config()).await;
    let mut old = Page::open(&relay, "old").await;
    let mut new = Private::open(&relay, "new").await;
    for round in 0..50 {
        let room = format!("r{round}");
        let (one, other) = tokio::join!(old.open_room(&room), new.open_room(&room, ""));
        assert_ne!(one[0], other[0], "{one} {other}");
    }
}

#[tokio::test]
async fn what_is_on_a_private_channel_is_for_the_relay_alone() {
    let relay = Relay::start(config()).await;
    let mut plain = relay.join("/").await;
    let mut subscribed = relay.join("/").await;
    let mut old = Page::open(&relay, "old").await;
    let mut new = Private::connect(&relay, "/", "new").await;
    let open = json!({"open": [new.channel]}).to_string();
    subscribed.send(&open).await;
    assert!(subscribed.text().await.starts_with("{\"ack\":0"));
    new.enter(json!({})).await;
    plain.heard().await;
    subscribed.heard().await;
    old.has_heard_nothing().await;
    // Who comes later gets nothing of it either, and who hasn't subscribed publishes nothing there.
    let mut late = relay.join("/").await;
    let after = json!({"open": [new.channel], "after": {&new.channel: "0"}}).to_string();
    late.send(&after).await;
    assert!(late.text().await.starts_with("{\"ack\":0"));
    let frame = json!({"sender": 5, "channel": new.channel, "message": {"query": "userid=x"}});
    plain.send(&frame.to_string()).await;
    plain.heard().await;
    for client in [&mut subscribed, &mut late] {
        client.heard().await;
    }
    old.has_heard_nothing().await;
}

#[tokio::test]
async fn an_answer_comes_before_the_acknowledgement() {
    let relay = Relay::start(config()).await;
    let mut new = Private::connect(&relay, "/", "new").await;
    for _ in 0..20 {
        new.acknowledged = 0;
        let answer = new.enter(json!({})).await;
        assert_eq!(answer["user"], "new");
        assert!(new.acknowledged < new.reference);
        new.life = answer["life"].as_str().unwrap().into();
    }
}

#[tokio::test]
async fn who_may_not_enter_learns_why() {
    let relay = Relay::start(config()).await;
    let mut first = Private::open(&relay, "a").await;
    let mut page = Private::connect(&relay, "/", "b").await;
    let answer = page.enter(json!({"query": "userid=&msgEvent=m"})).await;
    assert!(answer["refused"].as_str().unwrap().contains("userid"));
    let long = query("b", &format!("&group={}", "g".repeat(257)));
    assert!(page.enter(json!({"query": long})).await["refused"].is_string());
    page.channel = "rtcmulticonnection-relay/short".into();
    assert!(page.enter(json!({})).await["refused"].is_string());
    // Another page's id, while that one is alive.
    page.channel = "rtcmulticonnection-relay/0123456789abcdef x".into();
    let thief = page.enter(json!({"query": "userid=a&msgEvent=m"}));
    let alive = async {
        let message = first.message().await;
        panic!("{message}");
    };
    let answer = tokio::select! {
        answer = thief => answer,
        () = alive => unreachable!(),
    };
    assert_eq!(answer["taken"], json!(["userid-already-taken", "a", "a-2"]));
    // So many sockets have one connection.
    let mut page = Private::open(&relay, "c").await;
    for number in 1..32 {
        page.channel = format!("rtcmulticonnection-relay/0123456789abcdef {number}");
        let query = format!("userid=c{number}&msgEvent=m");
        assert!(page.enter(json!({"query": query})).await["user"].is_string());
    }
    page.channel = "rtcmulticonnection-relay/0123456789abcdef 32".into();
    let answer = page.enter(json!({"query": "userid=d&msgEvent=m"})).await;
    assert!(answer["refused"].as_str().unwrap().contains("32"));
}

#[tokio::test]
async fn sockets_of_one_connection_are_users_of_their_own() {
    let relay = Relay::start(config()).await;
    let mut page = Private::open(&relay, "a").await;
    let (first, life) = (page.channel.clone(), page.life.clone());
    assert_eq!(page.open_room("r", "").await, json!([true]));
    page.channel = "rtcmulticonnection-relay/0123456789abcdef second".into();
    // The same id is taken, and the relay needs no sign of life to know it.
    assert!(page.enter(json!({})).await["taken"].is_array());
    page.user = "b".into();
    page.channel = "rtcmulticonnection-relay/0123456789abcdef third".into();
    page.life = page.enter(json!({})).await["life"].as_str().unwrap().into();
    (page.asked, page.seen) = (0, 0);
    assert_eq!(page.join_room("r", "").await, json!([true]));
    page.publish(&json!({"life": page.life, "event": ["disconnect"]}))
        .await;
    (page.channel, page.life, page.asked, page.seen) = (first, life, 1, 1);
    page.user = "a".into();
    let presence = page.ask(json!(["check-presence", "r"])).await;
    assert_eq!(presence[0], true);
}

#[tokio::test]
async fn a_connection_that_was_cut_loses_and_repeats_nothing() {
    let relay = Relay::start(config()).await;
    let mut old = Page::open(&relay, "old").await;
    let mut new = Private::open(&relay, "new").await;
    old.open_room("r").await;
    new.join_room("r", "").await;
    old.say("new", json!(1)).await;
    assert_eq!(new.event().await, json!(["user-connected", "old"]));
    old.event().await;
    // The page hasn't read this, nor the acknowledgement of its own message.
    old.say("new", json!(2)).await;
    let (reference, message) = new
        .emit(json!([MESSAGE, {"remoteUserId": "old", "message": 3, "sender": "new"}]))
        .await;
    assert_eq!(old.event().await[1]["message"], 3);
    new.reconnect(&relay, "/").await;
    assert_eq!(new.acknowledged, reference);
    old.say("new", json!(4)).await;
    // It sends again what it doesn't know to have come, also in a session that the relay has
    // forgotten.
    let life = new.life.clone();
    assert_eq!(new.enter(json!({})).await["life"], *life);
    for expected in [1, 2, 4] {
        assert_eq!(new.event().await[1]["message"], expected);
    }
    new.publish(&message).await;
    old.has_heard_nothing().await;
    new.has_heard_nothing().await;
    new.client = Client::open(relay.address, "/").await.unwrap();
    new.begin(None).await;
    new.reference = 0;
    new.publish(&message).await;
    new.hello(json!({})).await;
    assert_eq!(new.message().await["life"], *life);
    new.has_heard_nothing().await;
    old.has_heard_nothing().await;
    new.say("old", json!(5)).await;
    assert_eq!(old.event().await[1]["message"], 5);
}

#[tokio::test]
async fn a_request_may_come_first_on_a_connection_but_only_in_its_life() {
    let relay = Relay::start(config()).await;
    let mut new = Private::open(&relay, "new").await;
    new.reconnect(&relay, "/").await;
    let (query, life) = (query("new", ""), new.life.clone());
    let room = json!({"sessionid": "r"});
    let message =
        json!({"query": query, "life": life, "seen": 0, "ask": 1, "event": ["open-room", room]});
    new.publish(&message).await;
    assert_eq!(new.message().await["life"], *life);
    new.asked = 1;
    assert_eq!(new.answer().await, json!([true]));
    // Another relay knows nothing of that life.
    let relay = Relay::start(config()).await;
    new.client = Client::open(relay.address, "/").await.unwrap();
    new.begin(None).await;
    (new.reference, new.seen) = (0, 0);
    new.publish(&message).await;
    let answer = new.message().await;
    assert_ne!(answer["life"], *life);
    new.life = answer["life"].as_str().unwrap().into();
    new.asked = 0;
    assert_eq!(new.ask(json!(["check-presence", "r"])).await[0], false);
}

#[tokio::test]
async fn groups_and_spaces_are_apart() {
    let relay = Relay::start(config()).await;
    let mut one = Private::open(&relay, "one").await;
    let mut other = Private::open_with(&relay, "/other", "one", json!({})).await;
    let mut group = Private::open_with(
        &relay,
        "/",
        "one",
        json!({"query": query("one", "&group=games")}),
    )
    .await;
    for page in [&mut one, &mut other, &mut group] {
        assert_eq!(page.open_room("r", "").await, json!([true]));
    }
    let mut friend = Private::open_with(
        &relay,
        "/",
        "two",
        json!({"query": query("two", "&group=games")}),
    )
    .await;
    assert_eq!(friend.join_room("r", "").await, json!([true]));
    friend.say("one", json!("hello")).await;
    assert_eq!(group.event().await, json!(["user-connected", "two"]));
    one.has_heard_nothing().await;
    other.has_heard_nothing().await;
}

#[tokio::test]
async fn a_vanished_owner_is_noticed() {
    let relay = Relay::start(Config {
        ping_timeout: Duration::from_millis(1500),
        ..config()
    })
    .await;
    let mut new = Private::open(&relay, "new").await;
    new.open_room("r", "").await;
    let mut old = Page::open(&relay, "old").await;
    old.join_room("r", "").await;
    // It reads nothing, and so doesn't answer the pings that the rooms need.
    assert_eq!(old.event().await, json!(["set-isInitiator-true", "r"]));
    assert_eq!(new.client.closed().await.0, 4012);
}

#[tokio::test]
async fn who_reads_but_sees_nothing_is_removed() {
    let relay = Relay::start(config()).await;
    let mut new = Private::open(&relay, "new").await;
    new.open_room("r", "").await;
    let mut old = Page::open(&relay, "old").await;
    old.join_room("r", "").await;
    let long = "x".repeat(100_000);
    for _ in 0..12 {
        old.say("new", json!(long)).await;
    }
    assert_eq!(old.event().await, json!(["user-connected", "new"]));
    assert_eq!(old.event().await, json!(["user-disconnected", "new"]));
    assert_eq!(new.client.closed().await.0, 4009);
}

#[tokio::test]
async fn a_page_learns_whom_to_ask_for_connections() {
    let relay = Relay::start(config()).await;
    let mut old = Page::open(&relay, "old").await;
    let mut one = Private::open(&relay, "one").await;
    let mut two = Private::open(&relay, "two").await;
    let asked = || json!(["participants"]);
    assert_eq!(one.ask(asked()).await, json!([[]]));
    old.open_room("r").await;
    one.join_room("r", "").await;
    two.join_room("r", "").await;
    assert_eq!(one.ask(asked()).await, json!([["old"]]));
    assert_eq!(two.ask(asked()).await, json!([["old", "one"]]));
    let request = json!({"sessionid": "way", "session": {"oneway": true}});
    assert_eq!(one.ask(json!(["open-room", request])).await, json!([true]));
    two.join_room("way", "").await;
    assert_eq!(one.ask(asked()).await, json!([[]]));
    assert_eq!(two.ask(asked()).await, json!([["one"]]));
}
