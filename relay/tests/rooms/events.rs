//! Every event of the library, and what it is answered with.

use serde_json::json;

use super::page::{MESSAGE, Page, query};
use super::support::socket_io::{ENVELOPE, Poller, event, join};
use super::support::{Relay, config};

#[tokio::test]
async fn pages_open_and_join_a_room_and_hear_each_other() {
    let relay = Relay::start(config()).await;
    let (mut a, mut b) = (Page::open(&relay, "a").await, Page::open(&relay, "b").await);
    assert_eq!(
        b.join_room("r", "").await,
        json!([false, "Room not available"])
    );
    assert_eq!(a.open_room("r").await, json!([true]));
    assert_eq!(b.open_room("r").await, json!([false, "Room not available"]));
    assert_eq!(
        b.ask(json!(["check-presence", "r"])).await,
        json!([true, "r", {"name": "a", "_room": {"isFull": false, "isPasswordProtected": false}}])
    );
    assert_eq!(b.join_room("r", "").await, json!([true]));
    b.say("r", json!({"newParticipationRequest": true})).await;
    assert_eq!(
        a.event().await,
        json!([MESSAGE, {"message": {"newParticipationRequest": true}, "remoteUserId": "a", "sender": "b", "extra": {"name": "b"}}])
    );
    a.say("b", json!({"readyForOffer": true})).await;
    assert_eq!(a.event().await, json!(["user-connected", "b"]));
    assert_eq!(b.event().await, json!(["user-connected", "a"]));
    assert_eq!(
        b.event().await[1]["message"],
        json!({"readyForOffer": true})
    );
    a.emit(json!(["extra-data-updated", {"name": "A"}])).await;
    assert_eq!(
        b.event().await,
        json!(["extra-data-updated", "a", {"name": "A"}])
    );
    assert_eq!(
        b.ask(json!(["get-remote-user-extra-data", "a"])).await,
        json!([{"name": "A"}, "a", null])
    );
    assert_eq!(
        a.ask(json!(["set-password", "pw"])).await,
        json!([true, "r", null])
    );
    assert_eq!(
        b.ask(json!(["is-valid-password", "pw", "r"])).await,
        json!([true, "r", false])
    );
    assert_eq!(b.ask(json!(["changed-uuid", "b2"])).await, json!([]));
    a.say("b2", json!("found")).await;
    assert_eq!(b.event().await[1]["message"], "found");
    assert_eq!(a.ask(json!(["get-public-rooms", ""])).await[0], json!(null));
    a.client.send("42[\"disconnect-with\",\"b2\"]").await;
    assert_eq!(a.event().await, json!(["user-disconnected", "b2"]));
    assert_eq!(b.event().await, json!(["user-disconnected", "a"]));
    assert_eq!(a.ask(json!(["close-entire-session"])).await, json!([true]));
    assert_eq!(
        b.event().await,
        json!(["closed-entire-session", "r", {"name": "A"}])
    );
}

#[tokio::test]
async fn the_owner_leaves_and_another_has_the_room() {
    let relay = Relay::start(config()).await;
    let (mut a, mut b) = (Page::open(&relay, "a").await, Page::open(&relay, "b").await);
    a.open_room("r").await;
    b.join_room("r", "").await;
    a.client.send("41").await;
    assert_eq!(b.event().await, json!(["set-isInitiator-true", "r"]));
    assert_eq!(
        b.ask(json!(["set-password", "x"])).await,
        json!([true, "r", null])
    );
}

#[tokio::test]
async fn public_rooms_and_full_rooms() {
    let relay = Relay::start(config()).await;
    let more = "&maxParticipantsAllowed=1";
    let mut a = Page::open_with(&relay, "/", "a", more, json!({})).await;
    let mut b = Page::open(&relay, "b").await;
    let request = json!({"sessionid": "r", "session": {"data": true}, "extra": {}, "identifier": "games", "password": "pw"});
    // The first of two members counts in the query, as anywhere.
    assert_eq!(a.ask(json!(["open-room", request])).await, json!([true]));
    let rooms = b.ask(json!(["get-public-rooms", "games"])).await;
    assert_eq!(rooms[0][0]["sessionid"], "r");
    assert_eq!(rooms[0][0]["participants"], json!(["a"]));
    assert_eq!(rooms[0][0]["isRoomFull"], true);
    assert_eq!(rooms[0][0]["isPasswordProtected"], true);
    assert_eq!(
        b.join_room("r", "no").await,
        json!([false, "Invalid password"])
    );
    assert_eq!(b.join_room("r", "pw").await, json!([false, "Room full"]));
    assert_eq!(
        b.ask(json!(["get-public-rooms", "others"])).await,
        json!([[]])
    );
}

#[tokio::test]
async fn custom_events_and_broadcasts() {
    let relay = Relay::start(config()).await;
    let more = "&enableScalableBroadcast=true&maxRelayLimitPerUser=2";
    let mut a = Page::open_with(&relay, "/", "a", more, json!({})).await;
    let mut b = Page::open_with(&relay, "/", "b", more, json!({})).await;
    b.emit(json!(["set-custom-socket-event-listener", "mine"]))
        .await;
    b.emit(json!(["mine", {"x": 1}])).await;
    assert_eq!(a.event().await, json!(["mine", {"x": 1}]));
    a.emit(json!(["Custom", 2])).await;
    assert_eq!(b.event().await, json!(["Custom", 2]));
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
    assert_eq!(
        b.event().await,
        json!(["join-broadcaster", {"typeOfStreams": {"audio": true}, "userid": "show", "broadcastId": "show"}])
    );
    assert_eq!(b.event().await[0], "logs");
    assert_eq!(
        b.ask(json!(["get-number-of-users-in-specific-broadcast", "show"]))
            .await,
        json!([1])
    );
    drop(a);
    assert_eq!(b.event().await, json!(["broadcast-stopped", "show"]));
}

#[tokio::test]
async fn spaces_are_apart() {
    let relay = Relay::start(config()).await;
    let mut a = Page::open(&relay, "a").await;
    let mut other = Page::open_with(&relay, "/other", "a", "", json!({})).await;
    assert_eq!(a.open_room("r").await, json!([true]));
    assert_eq!(other.ask(json!(["check-presence", "r"])).await[0], false);
    assert_eq!(other.open_room("r").await, json!([true]));
    let mut guest = Page::open_with(&relay, "/other", "g", "", json!({})).await;
    guest.join_room("r", "").await;
    guest
        .say("r", json!({"newParticipationRequest": true}))
        .await;
    assert_eq!(other.event().await[1]["sender"], "g");
    guest.emit(json!(["Custom", 1])).await;
    assert_eq!(other.event().await[0], "Custom");
    a.has_heard_nothing().await;
}

#[tokio::test]
async fn other_clients_of_the_space_hear_envelopes_and_nothing_else() {
    let relay = Relay::start(config()).await;
    let (mut a, mut b) = (Page::open(&relay, "a").await, Page::open(&relay, "b").await);
    let mut client = join(&relay, 4).await;
    let mut plain = relay.join("/").await;
    a.open_room("r").await;
    b.join_room("r", "").await;
    b.say("a", json!("only for a")).await;
    assert_eq!(a.event().await[0], "user-connected");
    assert_eq!(a.event().await[1]["message"], "only for a");
    a.client.send(&event(ENVELOPE)).await;
    assert_eq!(client.text().await, event(ENVELOPE));
    assert_eq!(plain.envelope().await, ENVELOPE);
    assert_eq!(b.event().await[0], "user-connected");
    assert_eq!(b.packet().await, event(ENVELOPE));
    client.send(&event(ENVELOPE)).await;
    assert_eq!(a.packet().await, event(ENVELOPE));
    // Without the library's query, the events are none.
    client.send("421[\"check-presence\",\"r\"]").await;
    let answer = client.text().await;
    assert!(answer.starts_with("431[\"Only the event"), "{answer}");
}

#[tokio::test]
async fn rooms_are_counted() {
    let metrics = ([127, 0, 0, 1], 0).into();
    let relay = Relay::start(signal_relay::Config {
        metrics: Some(metrics),
        ..config()
    })
    .await;
    let mut a = Page::open(&relay, "a").await;
    let _b = Page::open(&relay, "b").await;
    a.open_room("r").await;
    let text = relay.metrics().await;
    assert!(text.contains("\nsignal_relay_rooms 1\n"), "{text}");
    assert!(text.contains("\nsignal_relay_room_users 2\n"), "{text}");
    assert!(text.contains("\nsignal_relay_messages_total 1\n"), "{text}");
}

#[tokio::test]
async fn clients_of_version_two_are_such_pages_too() {
    let relay = Relay::start(config()).await;
    let path = format!("/socket.io/?EIO=3&transport=websocket{}", query("a", ""));
    let mut old = super::support::Client::open(relay.address, &path)
        .await
        .unwrap();
    let open = old.text().await;
    assert!(
        open.contains("\"pingInterval\":5000,\"pingTimeout\":5000"),
        "{open}"
    );
    assert_eq!(old.text().await, "40");
    old.send("421[\"open-room\",{\"sessionid\":\"r\"}]").await;
    assert_eq!(old.text().await, "431[true]");
    let mut b = Page::open(&relay, "b").await;
    assert_eq!(b.join_room("r", "").await, json!([true]));
    b.say("r", json!({"newParticipationRequest": true})).await;
    assert!(
        old.text()
            .await
            .starts_with("42[\"RTCMultiConnection-Message\",")
    );
}

#[tokio::test]
async fn clients_that_poll_are_such_pages_too() {
    let relay = Relay::start(config()).await;
    for version in [3, 4] {
        let (a, b, room) = (
            format!("a{version}"),
            format!("b{version}"),
            format!("r{version}"),
        );
        let polling = Poller::open_with(&relay, version, &query(&a, "")).await;
        if version == 4 {
            polling.post("40").await;
            let connected = packet(&polling).await;
            assert!(connected.contains("\"pid\":\""), "{connected}");
        }
        let open = format!("421[\"open-room\",{{\"sessionid\":\"{room}\"}}]");
        polling.post(&open).await;
        assert_eq!(packet(&polling).await, "431[true]");
        let mut page = Page::open(&relay, &b).await;
        assert_eq!(page.join_room(&room, "").await, json!([true]));
        page.say(&room, json!({"newParticipationRequest": true}))
            .await;
        let request = packet(&polling).await;
        assert!(request.starts_with("42[\"RTCMultiConnection-Message\","));
        let answer = json!({"remoteUserId": b, "sender": a, "message": {"readyForOffer": true}});
        polling
            .post(&format!("42{}", json!([MESSAGE, answer])))
            .await;
        assert_eq!(page.event().await, json!(["user-connected", a]));
        assert_eq!(page.event().await[1]["message"]["readyForOffer"], true);
        // It leaves the room for good.
        polling.post("1").await;
        assert_eq!(page.event().await, json!(["user-disconnected", a]));
    }
}

/// The next packet of a page that polls. Pings are answered.
async fn packet(polling: &Poller<'_>) -> String {
    loop {
        let mut packets = polling.poll().await;
        let length = packets.len();
        packets.retain(|packet| packet != "2");
        if packets.len() < length {
            polling.post("3").await;
        }
        if let Some(packet) = packets.pop() {
            assert!(packets.is_empty(), "{packets:?} {packet}");
            return packet;
        }
    }
}
