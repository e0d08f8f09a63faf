//! Rooms of a relay that asks for tokens.

use std::time::Duration;

use serde_json::json;
use signal_relay::auth::claims::Claims;

use super::page::{Page, query};
use super::private::Private;
use super::support::Client;
use super::support::tokens::{claims, sign, start, token};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_room_is_a_channel() {
    let relay = start().await;
    let limited = |publish: &str, subscribe: &str| {
        let claims = Claims {
            publish: Some(vec![publish.into()]),
            subscribe: Some(vec![subscribe.into()]),
            ..claims("bob", &["/"])
        };
        json!({"token": sign(claims, HOUR)})
    };
    let alice = json!({"token": token("alice", &["/"])});
    let mut a = Page::open_with(&relay, "/", "a", "", alice).await;
    assert_eq!(a.open_room("room-1").await, json!([true]));
    let mut b = Page::open_with(&relay, "/", "b", "", limited("room-1", "room-1")).await;
    assert_eq!(
        b.join_room("room-2", "").await,
        json!([false, "Room permission denied"])
    );
    assert_eq!(
        b.open_room("room-2").await,
        json!([false, "Room permission denied"])
    );
    assert_eq!(b.join_room("room-1", "").await, json!([true]));
    // A custom event is a channel too.
    b.emit(json!(["Custom", 1])).await;
    b.has_heard_nothing().await;
    a.has_heard_nothing().await;
    a.emit(json!(["Custom", 1])).await;
    a.has_heard_nothing().await;
    b.has_heard_nothing().await;
    let mut c = Page::open_with(&relay, "/", "c", "", limited("room-1", "other")).await;
    assert_eq!(
        c.join_room("room-1", "").await,
        json!([false, "Room permission denied"])
    );
}

#[tokio::test]
async fn an_id_belongs_to_the_user_of_a_token() {
    let relay = start().await;
    let credentials = |user: &str| json!({"token": token(user, &["/"])});
    let mut a = Page::open_with(&relay, "/", "a", "", credentials("alice")).await;
    assert_eq!(a.open_room("r").await, json!([true]));
    let secret = a.secret.clone();
    a.client.send("41").await;
    drop(a);
    // The id is free, but alice's.
    let mut mallory = Page::open_with(&relay, "/", "a", "", credentials("mallory")).await;
    assert_eq!(mallory.event().await[0], "userid-already-taken");
    drop(mallory);
    let mut shown = credentials("mallory");
    shown["pid"] = json!(secret);
    let mut mallory = Page::open_with(&relay, "/", "m", "", shown).await;
    assert_eq!(mallory.open_room("r").await, json!([true]));
}

#[tokio::test]
async fn a_user_who_is_away_keeps_its_id_and_room() {
    let relay = start().await;
    let credentials = |user: &str| json!({"token": token(user, &["/"])});
    let mut a = Page::open_with(&relay, "/", "a", "", credentials("alice")).await;
    assert_eq!(a.open_room("r").await, json!([true]));
    let mut shown = credentials("alice");
    shown["pid"] = json!(a.secret);
    // Its connection is lost.
    drop(a);
    let mut mallory = Page::open_with(&relay, "/", "a", "", credentials("mallory")).await;
    assert_eq!(mallory.event().await[0], "userid-already-taken");
    let mut a = Page::open_with(&relay, "/", "a", "", shown).await;
    mallory.say("a", json!({"sdp": "x"})).await;
    a.has_heard_nothing().await;
    // It is still the owner.
    assert_eq!(
        a.ask(json!(["set-password", "pw"])).await,
        json!([true, "r", null])
    );
}

#[tokio::test]
async fn nobody_claims_the_id_of_a_user_who_is_there() {
    let relay = start().await;
    let credentials = |user: &str| json!({"token": token(user, &["/"])});
    let mut a = Page::open_with(&relay, "/", "a", "", credentials("alice")).await;
    let mut mallory = Page::open_with(&relay, "/", "m", "", credentials("mallory")).await;
    mallory.emit(json!(["changed-uuid", "a"])).await;
    assert_eq!(mallory.event().await[0], "userid-already-taken");
    mallory
        .emit(json!(["message", {"sender": "a", "channel": "c", "message": 1}]))
        .await;
    mallory.has_heard_nothing().await;
    assert_eq!(a.open_room("r").await, json!([true]));
}

#[tokio::test]
async fn who_has_no_token_ends_no_connection() {
    let relay = start().await;
    let alice = json!({"token": token("alice", &["/"])});
    let mut a = Page::open_with(&relay, "/", "a", "", alice).await;
    assert_eq!(a.open_room("r").await, json!([true]));
    let path = format!("/socket.io/?EIO=4&transport=websocket{}", query("a", ""));
    let mut stranger = Client::open(relay.address, &path).await.unwrap();
    assert!(stranger.text().await.starts_with("0{\"sid\":\""));
    // The stranger is refused before alice's page has answered a ping, or was even sent one.
    stranger.send("40").await;
    assert_eq!(
        stranger.text().await,
        r#"44{"message":"a token is needed here"}"#
    );
    assert_eq!(
        a.ask(json!(["set-password", "pw"])).await,
        json!([true, "r", null])
    );
}

#[tokio::test]
async fn a_private_channel_needs_no_permission_but_a_room_does() {
    let relay = start().await;
    let space = |claims| format!("/?token={}", sign(claims, HOUR));
    let limited = Claims {
        publish: Some(vec!["room-1".into()]),
        subscribe: Some(vec!["room-1".into()]),
        ..claims("bob", &["/"])
    };
    let alice = json!({"token": token("alice", &["/"])});
    let mut a = Page::open_with(&relay, "/", "a", "", alice).await;
    assert_eq!(a.open_room("room-1").await, json!([true]));
    let mut b = Private::open_with(&relay, &space(limited.clone()), "b", json!({})).await;
    for refused in [
        b.join_room("room-2", "").await,
        b.open_room("room-2", "").await,
    ] {
        assert_eq!(refused, json!([false, "Room permission denied"]));
    }
    assert_eq!(b.join_room("room-1", "").await, json!([true]));
    // A custom event is a channel too, of which it hears nothing, also when it comes back.
    a.emit(json!(["Custom", 1])).await;
    a.has_heard_nothing().await;
    b.emit(json!(["Custom", 1])).await;
    b.has_heard_nothing().await;
    b.reconnect(&relay, &space(limited)).await;
    assert_eq!(b.enter(json!({})).await["life"], *b.life);
    b.has_heard_nothing().await;
    a.has_heard_nothing().await;
    // The ids of others are taken, whoever they are connected with.
    for (user, more) in [("a", ""), ("b", " 2")] {
        let mut page = Private::connect(&relay, &space(claims("mallory", &["/"])), user).await;
        page.channel += more;
        assert_eq!(page.enter(json!({})).await["taken"][1], user);
    }
}
