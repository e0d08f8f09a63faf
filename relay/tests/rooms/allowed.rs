//! Rooms of a relay that asks for tokens.

use std::time::Duration;

use serde_json::json;
use signal_relay::auth::claims::Claims;

use super::page::Page;
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
    assert_eq!(
        mallory.open_room("r").await,
        json!([false, "Room permission denied"])
    );
    drop(mallory);
    let mut shown = credentials("mallory");
    shown["pid"] = json!(secret);
    let mut mallory = Page::open_with(&relay, "/", "m", "", shown).await;
    assert_eq!(mallory.open_room("r").await, json!([true]));
}
