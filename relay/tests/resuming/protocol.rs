//! The relay's own protocol beside all others, and what breaks it.

use std::time::Duration;

use signal_relay::Config;
use signal_relay::hub::sessions;

use super::support::resuming::{Page, message, text};
use super::support::{self, Client, Relay, config};

#[tokio::test]
async fn members_of_all_protocols_share_a_space() {
    let relay = Relay::start(config()).await;
    let mut page = Page::open(&relay, "/", &["a"]).await;
    let mut legacy = relay.join("/").await;
    let mut socket_io = Client::open(relay.address, "/socket.io/?EIO=4&transport=websocket")
        .await
        .unwrap();
    socket_io.send("40").await;
    socket_io.until_text(|text| text.starts_with("40")).await;
    let mut signalr = Client::open(relay.address, "/hub").await.unwrap();
    signalr
        .send("{\"protocol\":\"json\",\"version\":1}\u{1e}")
        .await;
    assert_eq!(
        signalr.text().await,
        "{\"minorVersion\":0,\"relay\":true}\u{1e}"
    );
    relay.until(|stats| stats.members == 4).await;
    page.send(1, 1, "a", "[1]").await;
    page.acknowledged(1).await;
    let bare = text(1, "a", "[1]");
    assert_eq!(legacy.envelope().await, bare);
    assert_eq!(socket_io.text().await, format!("42[\"message\",{bare}]"));
    assert!(
        signalr
            .text()
            .await
            .contains(r#""arguments":["{\"sender\":1,\"channel\":\"a\",\"message\":[1]}"]"#)
    );
    for (number, (client, frame)) in [
        (&mut socket_io, format!("42[\"message\",{}]", text(2, "a", "0"))),
        (&mut signalr, "{\"type\":1,\"target\":\"Send\",\"arguments\":[\"{\\\"sender\\\":2,\\\"channel\\\":\\\"a\\\",\\\"message\\\":1}\"]}\u{1e}".to_owned()),
        (&mut legacy, text(2, "a", "2")),
    ]
    .into_iter()
    .enumerate()
    {
        client.send(&frame).await;
        assert_eq!(page.message().await, message(2, "a", &number.to_string()));
    }
    // They are kept for replay, whoever sent them.
    let secret = page.secret.clone();
    drop(page);
    relay.until(|stats| stats.sessions.kept == 1).await;
    let mut page = Page::connect(&relay, "/").await;
    page.resume(&secret, &["a"], &[]).await;
    page.ack(1).await;
    for number in ["0", "1", "2"] {
        assert_eq!(page.message().await, message(2, "a", number));
    }
}

#[tokio::test]
async fn a_page_without_subscriptions_is_served_as_before() {
    let relay = Relay::start(config()).await;
    let (mut one, mut other) = (relay.join("/").await, relay.join("/").await);
    for frame in ["[]", "{}", "text", r#"{"x":{"ack":1}}"#, "1\n2"] {
        one.send(frame).await;
        assert_eq!(other.text().await, frame);
    }
    // A page of websocket-over-nodejs is known by its first frame. Later its open frame is an
    // envelope. A member called ref is like any other.
    one.send(r#"{"open":true,"channel":"c"}"#).await;
    assert_eq!(other.envelope().await, r#"{"channel":"c","open":true}"#);
    one.send(r#"{"open":["a"],"channel":"c"}"#).await;
    assert_eq!(other.envelope().await, r#"{"channel":"c","open":["a"]}"#);
    for _ in 0..2 {
        one.send(r#"{"channel":"c","message":1,"ref":1}"#).await;
        assert_eq!(
            other.envelope().await,
            r#"{"channel":"c","message":1,"ref":1}"#
        );
    }
    assert_eq!(relay.stats.get().sessions, sessions::Stats::default());
}

/// A page that reconnects receives everything until its `open` is handled. It would believe a frame
/// that another page has forged.
#[tokio::test]
async fn control_frames_of_a_client_are_for_the_relay_alone() {
    let relay = Relay::start(config()).await;
    let (mut one, mut other) = (relay.join("/").await, relay.join("/").await);
    for frame in [
        r#"{"ack":1000000000}"#,
        r#"{"token":"t"}"#,
        r#"{"token":1}"#,
        r#"{"expires":1}"#,
        r#"{"refused":"a","why":"no"}"#,
        r#"{"gap":"a"}"#,
        r#"{"signal":1,"session":"s","epoch":"e"}"#,
        r#"{"pong":1}"#,
        r#"{"close":["a"]}"#,
        r#"{"open":"a"}"#,
        r#"{"open":[1]}"#,
        r#"{"open":true}"#,
        r#"{"open":["a"],"after":1}"#,
        r#" {"\u0061ck" : 5} "#,
        r#"{"ack":5,"ack":6,"x":{"channel":"a"}}"#,
        r#"{"sender":1,"message":2,"ack":3}"#,
        "1\n{\"ack\":5}",
        "{\"channel\":\"a\"}\n\n\r{\"ack\":5}\r\n",
    ] {
        one.send(frame).await;
        one.send(&text(1, "a", "1")).await;
        assert_eq!(other.envelope().await, text(1, "a", "1"), "{frame}");
    }
    // It answers pings, which show a page of the plain protocol that its connection works.
    one.send(r#"{"ping":7}"#).await;
    assert_eq!(one.text().await, r#"{"pong":7}"#);
    assert_eq!(relay.stats.get().sessions, sessions::Stats::default());
}

#[tokio::test]
async fn only_the_first_answer_of_a_connection_has_the_secret() {
    let relay = Relay::start(config()).await;
    let mut page = Page::open(&relay, "/", &["a"]).await;
    page.say(r#"{"open":["b"]}"#).await;
    assert_eq!(page.next().await, r#"{"ack":0}"#);
    page.send(1, 1, "a", "1").await;
    assert_eq!(page.next().await, r#"{"ack":1}"#);
    let secret = page.secret.clone();
    drop(page);
    relay.until(|stats| stats.sessions.kept == 1).await;
    let mut page = Page::connect(&relay, "/").await;
    assert_ne!(page.secret, secret);
    page.resume(&secret, &["a"], &[]).await;
    page.ack(1).await;
}

#[tokio::test]
async fn what_breaks_the_protocol_is_closed_with_the_reason_behind_the_acknowledgement() {
    let relay = Relay::start(Config {
        max_frame: 2000,
        sessions: sessions::Limits {
            channels: 4,
            ..config().sessions
        },
        ..config()
    })
    .await;
    let mut other = Page::open(&relay, "/", &["a"]).await;
    let long = format!(r#"{{"open":["{}"]}}"#, "x".repeat(4 * 256));
    let longer = "x".repeat(2001);
    let session = format!(r#"{{"open":["a"],"session":"{}"}}"#, "x".repeat(65));
    let not = "not the relay's protocol: ";
    for (frame, code, reason) in [
        ("hello", 1002, format!("{not}a frame is a JSON object")),
        ("[]", 1002, format!("{not}a frame is a JSON object")),
        (
            "{}",
            1002,
            format!("{not}an object without channel, open, close, token, ping or pong"),
        ),
        (
            r#"{"channel":null,"open":["a"]}"#,
            1002,
            format!("{not}channel is a string or a number"),
        ),
        (
            r#"{"channel":"a","ref":"2"}"#,
            1002,
            format!("{not}ref is a whole number"),
        ),
        (
            r#"{"channel":"a","ref":-2}"#,
            1002,
            format!("{not}ref is a whole number"),
        ),
        (
            r#"{"open":"a"}"#,
            1002,
            format!("{not}open is an array of strings"),
        ),
        (
            r#"{"open":[1]}"#,
            1002,
            format!("{not}open is an array of strings"),
        ),
        (
            r#"{"open":["a"],"after":{"a":1}}"#,
            1002,
            format!("{not}after is an object with a string for each channel"),
        ),
        (
            &session,
            1002,
            format!("{not}session is a string of up to 64 bytes"),
        ),
        (
            r#"{"open":["a"],"session":"other"}"#,
            1002,
            format!("{not}another session than the one that was opened first"),
        ),
        (
            r#"{"close":[null]}"#,
            1002,
            format!("{not}close is an array of strings"),
        ),
        (r#"{"ping":"1"}"#, 1002, format!("{not}ping is a number")),
        (
            r#"{"ping":111111111111111111111111111111111}"#,
            1002,
            format!("{not}ping is a number"),
        ),
        (
            r#"{"open":["1","2","3","4"]}"#,
            4501,
            "over 4 channels, or their names too long".into(),
        ),
        (
            &long,
            4501,
            "over 4 channels, or their names too long".into(),
        ),
        (&longer, 1009, "frame over 2000 bytes".into()),
    ] {
        let mut page = Page::open(&relay, "/", &["a"]).await;
        page.send(1, 1, "a", "1").await;
        page.say(frame).await;
        // A client knows which message was refused only if it knows what was accepted.
        assert_eq!(page.next().await, r#"{"ack":1}"#, "{frame}");
        assert_eq!(page.client.closed().await, (code, reason), "{frame}");
        assert_eq!(other.message().await, message(1, "a", "1"));
    }
    // As many as may be.
    let mut page = Page::open(&relay, "/", &["a", "b", "c", "d"]).await;
    page.say(r#"{"close":["a"]}"#).await;
    page.say(r#"{"open":["e","d"]}"#).await;
    page.ack(0).await;
}

#[tokio::test]
async fn an_idle_subscriber_is_pinged_with_text_frames() {
    let relay = Relay::start(Config {
        ping_interval: Duration::from_millis(20),
        ping_timeout: support::LIMIT,
        ..config()
    })
    .await;
    let mut page = Page::open(&relay, "/", &["a"]).await;
    let mut legacy = relay.join("/").await;
    for number in 1..=3 {
        assert_eq!(page.next().await, format!(r#"{{"ping":{number}}}"#));
        page.say(&format!(r#"{{"pong":{number}}}"#)).await;
    }
    // An old page wouldn't know what that is.
    legacy.send(&text(1, "a", "1")).await;
    legacy.heard_through_pings().await;
}
