//! Connections that are lost, and whose an id is then.

use std::time::Duration;

use serde_json::json;
use signal_relay::Config;

use super::page::Page;
use super::support::{Relay, config};

#[tokio::test]
async fn who_was_cut_off_continues_with_its_room() {
    let relay = Relay::start(config()).await;
    let (mut a, mut b) = (Page::open(&relay, "a").await, Page::open(&relay, "b").await);
    a.open_room("r").await;
    b.join_room("r", "").await;
    let secret = a.secret.clone().unwrap();
    drop(a);
    relay.until(|stats| stats.members == 1).await;
    b.say("a", json!("meanwhile")).await;
    assert_eq!(b.event().await, json!(["user-connected", "a"]));
    let shown = json!({"pid": secret, "offset": "x"});
    let mut again = Page::open_with(&relay, "/", "a", "", shown).await;
    assert_ne!(again.secret, Some(secret));
    assert_eq!(again.event().await, json!(["user-connected", "b"]));
    assert_eq!(again.event().await[1]["message"], "meanwhile");
    assert_eq!(
        again.ask(json!(["set-password", "x"])).await,
        json!([true, "r", null])
    );
    b.has_heard_nothing().await;
}

#[tokio::test]
async fn whose_old_connection_is_still_there_continues_too() {
    let relay = Relay::start(config()).await;
    let mut a = Page::open(&relay, "a").await;
    a.open_room("r").await;
    let shown = json!({"pid": a.secret});
    let mut again = Page::open_with(&relay, "/", "a", "", shown).await;
    assert_eq!(a.client.closed().await.0, 4009);
    assert_eq!(
        again.ask(json!(["set-password", "x"])).await,
        json!([true, "r", null])
    );
}

#[tokio::test]
async fn nobody_takes_the_id_of_a_page_that_is_alive() {
    let relay = Relay::start(config()).await;
    let mut a = Page::open(&relay, "a").await;
    a.open_room("r").await;
    let answering = async {
        // It answers pings meanwhile.
        let asked = a.packet().await;
        panic!("{asked}");
    };
    let thief = async {
        let mut thief = Page::open_with(&relay, "/", "a", "", json!({"pid": "guessed"})).await;
        assert_eq!(
            thief.event().await,
            json!(["userid-already-taken", "a", "a-2"])
        );
        // It is no user.
        thief.client.send("421[\"set-password\",\"x\"]").await;
        assert!(thief.packet().await.starts_with("431[\"Only the event"));
    };
    tokio::select! {
        () = answering => {}
        () = thief => {}
    }
}

#[tokio::test]
async fn a_page_that_is_dead_loses_its_id() {
    let relay = Relay::start(config()).await;
    let mut a = Page::open(&relay, "a").await;
    let mut b = Page::open(&relay, "b").await;
    a.open_room("r").await;
    b.join_room("r", "").await;
    // It doesn't answer.
    let (mut next, ()) = tokio::join!(Page::open(&relay, "a"), async {
        assert_eq!(b.event().await, json!(["set-isInitiator-true", "r"]));
    });
    assert_eq!(next.join_room("r", "").await, json!([true]));
    assert_eq!(a.client.closed().await.0, 4009);
}

#[tokio::test]
async fn a_vanished_owner_is_noticed() {
    let relay = Relay::start(Config {
        ping_interval: Duration::from_millis(100),
        ping_timeout: Duration::from_millis(1500),
        ..config()
    })
    .await;
    let mut a = Page::open(&relay, "a").await;
    let mut b = Page::open(&relay, "b").await;
    a.open_room("r").await;
    b.join_room("r", "").await;
    assert_eq!(b.event().await, json!(["set-isInitiator-true", "r"]));
    assert_eq!(a.client.closed().await.0, 4012);
}

#[tokio::test]
async fn a_page_that_is_closed_leaves_at_once() {
    let relay = Relay::start(config()).await;
    let (mut a, mut b) = (Page::open(&relay, "a").await, Page::open(&relay, "b").await);
    a.open_room("r").await;
    b.join_room("r", "").await;
    use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
    let away = CloseFrame {
        code: CloseCode::Away,
        reason: "".into(),
    };
    a.client.0.close(Some(away)).await.unwrap();
    assert_eq!(b.event().await, json!(["set-isInitiator-true", "r"]));
    let secret = json!({"pid": a.secret});
    let mut again = Page::open_with(&relay, "/", "a", "", secret).await;
    assert_eq!(
        again.ask(json!(["set-password", "x"])).await[2],
        "Did not join any room yet"
    );
}
