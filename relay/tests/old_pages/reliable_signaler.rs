//! Pages of reliable-signaler.

use super::support::socket_io::{Poller, join, path};
use super::support::{Client, Relay, config};

#[tokio::test]
async fn a_kept_room_is_found_until_its_keeper_leaves() {
    let relay = Relay::start(config()).await;
    let mut owner = join(&relay, 4).await;
    let mut guest = join(&relay, 3).await;
    owner.send(r#"421["keep-in-server","room"]"#).await;
    assert_eq!(owner.text().await, "431[]");
    owner.send(r#"422["keep-in-server","room"]"#).await;
    assert_eq!(owner.text().await, "432[]");
    guest.send(r#"427["get-session-info","room"]"#).await;
    assert_eq!(guest.text().await, r#"437["room"]"#);
    // A second keeper keeps it on.
    guest.send(r#"428["keep-in-server","room"]"#).await;
    assert_eq!(guest.text().await, "438[]");
    drop(owner);
    relay.until(|stats| stats.members == 1).await;
    let poller = Poller::join(&relay, 4).await;
    poller.post(r#"420["get-session-info","room"]"#).await;
    assert_eq!(poller.poll().await, [r#"430["room"]"#]);
    drop(guest);
    relay.until(|stats| stats.members == 1).await;
    poller.post(r#"421["get-session-info","room"]"#).await;
    poller.post(r#"422["keep-in-server","other"]"#).await;
    assert_eq!(poller.poll().await, ["432[]"]);
}

#[tokio::test]
async fn who_asks_first_is_answered_when_the_room_is_kept() {
    let relay = Relay::start(config()).await;
    let mut first = join(&relay, 4).await;
    let mut second = join(&relay, 3).await;
    for guest in [&mut first, &mut second] {
        guest.send(r#"420["get-session-info",5]"#).await;
        guest.send("40/elsewhere,").await;
        assert!(guest.text().await.starts_with("40/elsewhere,"));
    }
    let mut owner = join(&relay, 4).await;
    owner.send("40/elsewhere,").await;
    owner.text().await;
    // Each space has rooms of its own.
    owner.send(r#"42/elsewhere,1["keep-in-server",5]"#).await;
    assert_eq!(owner.text().await, "43/elsewhere,1[]");
    first.send(r#"42/elsewhere,3["get-session-info",5]"#).await;
    assert_eq!(first.text().await, "43/elsewhere,3[5]");
    owner.send(r#"42["keep-in-server",5]"#).await;
    assert_eq!(first.text().await, "430[5]");
    assert_eq!(second.text().await, "430[5]");
}

#[tokio::test]
async fn rooms_are_bounded() {
    let relay = Relay::start(config()).await;
    let mut client = join(&relay, 4).await;
    for number in 0..64 {
        let ask = if number % 2 == 0 {
            "keep-in-server"
        } else {
            "get-session-info"
        };
        client
            .send(&format!("42{number}[\"{ask}\",{number}]"))
            .await;
        if number % 2 == 0 {
            assert_eq!(client.text().await, format!("43{number}[]"));
        }
    }
    for (ask, room) in [
        ("keep-in-server", "64".to_owned()),
        ("get-session-info", "65".to_owned()),
        ("keep-in-server", format!("\"{}\"", "x".repeat(1025))),
    ] {
        client.send(&format!("421[\"{ask}\",{room}]")).await;
        let refused = client.text().await;
        assert!(refused.starts_with("431[\"A client keeps"), "{refused}");
    }
    // A room that it keeps already is no further one, and one that it gets no longer is one.
    client.send("422[\"keep-in-server\",0]").await;
    assert_eq!(client.text().await, "432[]");
    let mut other = join(&relay, 4).await;
    other.send("42[\"keep-in-server\",1]").await;
    assert_eq!(client.text().await, "431[1]");
    client.send("423[\"keep-in-server\",64]").await;
    assert_eq!(client.text().await, "433[]");
    drop((client, other));
    relay.until_empty().await;
}

#[tokio::test]
async fn what_is_no_room_does_no_harm() {
    let relay = Relay::start(config()).await;
    let mut client = Client::open(relay.address, &path(3, "websocket"))
        .await
        .unwrap();
    client.text().await;
    client.text().await;
    for nothing in [
        r#"42["keep-in-server"]"#,
        r#"42["get-session-info"]"#,
        r#"42["get-session-info","x"]"#,
        r#"42["new-channel"]"#,
        r#"42["presence"]"#,
        r#"42["presence",{"a":[]}]"#,
    ] {
        client.send(nothing).await;
    }
    assert_eq!(client.text().await, r#"42["presence",false]"#);
    client.send(r#"421["keep-in-server",{"a":1}]"#).await;
    assert_eq!(client.text().await, "431[]");
}
