//! Pages that want to know who is on a channel.

use std::time::Duration;

use serde_json::json;
use signal_relay::Config;
use signal_relay::auth::claims::Claims;
use tokio::task::JoinSet;

use super::protocols::{ALL, Speaker};
use super::support::present::{Page, present};
use super::support::tokens::{claims, sign, start};
use super::support::{Client, Relay, config, within};

/// Longer than a page may be without a connection.
const AWAY: Duration = Duration::from_secs(7);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn pages_hear_who_is_there_who_comes_and_who_goes() {
    let relay = Relay::start(Config {
        metrics: Some(([127, 0, 0, 1], 0).into()),
        ..config()
    })
    .await;
    let mut outside = relay.join("/").await;
    let (mut a, answer) = Page::come(&relay, "a").await;
    assert_eq!(present(&answer), &json!([]));
    let (mut b, answer) = Page::come(&relay, "b").await;
    assert_eq!(present(&answer), &json!(["a"]));
    assert_eq!(a.hears().await, json!({"came": "b"}));
    let (c, answer) = Page::come(&relay, "c").await;
    assert_eq!(present(&answer), &json!(["a", "b"]));
    assert!(
        relay
            .metrics()
            .await
            .contains("\nsignal_relay_present_pages 3\n")
    );
    for page in [&mut a, &mut b] {
        assert_eq!(page.hears().await, json!({"came": "c"}));
    }
    // One leaves, and one vanishes.
    b.tell(json!({"absent": true})).await;
    assert_eq!(a.hears().await, json!({"gone": "b"}));
    drop(c);
    assert_eq!(a.hears().await, json!({"gone": "c"}));
    drop(a);
    // Nothing of it is for the others in the space.
    outside.heard().await;
    within("an empty channel", async {
        while !relay
            .metrics()
            .await
            .contains("\nsignal_relay_present_pages 0\n")
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_that_comes_back_in_time_wasnt_away() {
    let relay = Relay::start(config()).await;
    let (mut a, _) = Page::come(&relay, "a").await;
    let (mut b, _) = Page::come(&relay, "b").await;
    assert_eq!(a.hears().await, json!({"came": "b"}));
    // First with the earlier connection still open, as one that the network has forgotten.
    let mut stale = Page::connect(&relay, "/", "b").await;
    std::mem::swap(&mut stale.client, &mut b.client);
    let answer = b.say(json!({"present": "b", "on": "room"})).await;
    assert_eq!(present(&answer), &json!(["a"]));
    drop(stale);
    let answer = b.reconnect(&relay).await;
    assert_eq!(present(&answer), &json!(["a"]));
    // A page that came would have been told of; so would one that is gone now.
    tokio::time::sleep(AWAY).await;
    let (_c, answer) = Page::come(&relay, "c").await;
    assert_eq!(present(&answer), &json!(["a", "b"]));
    assert_eq!(a.hears().await, json!({"came": "c"}));
}

#[tokio::test]
async fn a_page_is_on_one_channel_under_one_id() {
    let relay = Relay::start(config()).await;
    let (mut a, first) = Page::come(&relay, "a").await;
    let (mut b, _) = Page::come(&relay, "b").await;
    assert_eq!(a.hears().await, json!({"came": "b"}));
    let answer = b.say(json!({"present": "c", "on": "room"})).await;
    assert_eq!(present(&answer), &json!(["a"]));
    assert_eq!(a.hears().await, json!({"gone": "b"}));
    assert_eq!(a.hears().await, json!({"came": "c"}));
    let answer = b.say(json!({"present": "c", "on": "another"})).await;
    assert_eq!(present(&answer), &json!([]));
    assert_eq!(a.hears().await, json!({"gone": "c"}));
    // Again the same: nothing has happened.
    let again = a.say(json!({"present": "a", "on": "room"})).await;
    assert_eq!(again, first);
}

/// Else a stranger who repeats an id could make a page seem to be there that is gone.
#[tokio::test]
async fn an_id_belongs_to_the_page_that_came_with_it() {
    let relay = Relay::start(config()).await;
    let (mut a, _) = Page::come(&relay, "a").await;
    let (b, _) = Page::come(&relay, "b").await;
    assert_eq!(a.hears().await, json!({"came": "b"}));
    let mut stranger = Page::connect(&relay, "/", "b").await;
    stranger.secret = "signal-wasm-presence/another secret than b's".into();
    let taken = json!({"refused": "Another page on this channel has this id."});
    let asked = json!({"present": "b", "on": "room"});
    assert_eq!(stranger.say(asked.clone()).await, taken);
    // Nor by a page that is there under another id, which it keeps.
    let answer = stranger.say(json!({"present": "c", "on": "room"})).await;
    assert_eq!(present(&answer), &json!(["a", "b"]));
    assert_eq!(stranger.say(asked.clone()).await, taken);
    assert_eq!(a.hears().await, json!({"came": "c"}));
    drop(b);
    // It may still come back.
    assert_eq!(stranger.say(asked).await, taken);
    assert_eq!(a.hears().await, json!({"gone": "b"}));
}

#[tokio::test]
async fn spaces_are_apart() {
    let relay = Relay::start(config()).await;
    let (mut a, _) = Page::come(&relay, "a").await;
    let mut b = Page::connect(&relay, "/another", "b").await;
    let answer = b.say(json!({"present": "b", "on": "room"})).await;
    assert_eq!(present(&answer), &json!([]));
    a.client.heard().await;
}

#[tokio::test]
async fn what_isnt_allowed_is_refused_with_the_reason() {
    let relay = Relay::start(config()).await;
    let (mut a, _) = Page::come(&relay, "a").await;
    let mut b = Page::connect(&relay, "/", "b").await;
    let (long_id, long_channel) = ("x".repeat(65), "x".repeat(257));
    for (id, on, why) in [
        ("", "room", "The id of a page has 1 to 64 bytes."),
        (&*long_id, "room", "The id of a page has 1 to 64 bytes."),
        (
            "b",
            &*long_channel,
            "The channel of a page has at most 256 bytes.",
        ),
    ] {
        let answer = b.say(json!({"present": id, "on": on})).await;
        assert_eq!(answer, json!({"refused": why}));
    }
    let secret = std::mem::replace(&mut b.secret, "signal-wasm-presence/short".into());
    let answer = b.say(json!({"present": "b", "on": "room"})).await;
    assert_eq!(
        answer["refused"],
        "The token of a private channel has 16 to 128 bytes."
    );
    for said in [
        json!(5),
        json!({"present": 5, "on": []}),
        json!({"absent": 1}),
        json!(null),
    ] {
        b.tell(said).await;
    }
    // On one connection there are 32 at most.
    for number in 0..32 {
        b.secret = format!("{secret} {number}");
        let answer = b
            .say(json!({"present": "b", "on": format!("another {number}")}))
            .await;
        assert_eq!(present(&answer), &json!([]));
    }
    b.secret = secret;
    let answer = b.say(json!({"present": "b", "on": "another"})).await;
    assert_eq!(
        answer["refused"],
        "One connection has at most 32 pages on channels."
    );
    a.client.heard().await;
}

#[tokio::test]
async fn a_channel_has_1024_pages_at_most() {
    let relay = Relay::start(config()).await;
    let mut pages = Vec::new();
    for connection in 0..32 {
        let mut page = Page::connect(&relay, "/", &format!("{connection}")).await;
        let secret = page.secret.clone();
        for number in 0..32 {
            // Those of this connection hear of it too.
            page.secret = format!("{secret} {number}");
            page.tell(json!({"present": format!("{connection}-{number}"), "on": "room"}))
                .await;
            page.client
                .until_text(|text| text.contains("\"shown\":true"))
                .await;
        }
        pages.push(page);
    }
    let mut one_more = Page::connect(&relay, "/", "one more").await;
    let answer = one_more
        .say(json!({"present": "one more", "on": "room"}))
        .await;
    assert_eq!(answer["refused"], "There are 1024 pages on this channel.");
}

#[tokio::test]
async fn a_token_must_allow_the_channel() {
    let relay = start().await;
    for (publish, subscribe, is_allowed) in [
        ("room", "room", true),
        ("room", "other", false),
        ("other", "room", false),
    ] {
        let claims = Claims {
            publish: Some(vec![publish.into()]),
            subscribe: Some(vec![subscribe.into()]),
            ..claims("bob", &["/"])
        };
        let path = format!("/?access_token={}", sign(claims, HOUR));
        let mut client = Client::open(relay.address, &path).await.unwrap();
        client.greeted().await;
        client.send("{\"open\":[]}").await;
        client
            .until_text(|text| text.starts_with("{\"ack\":0"))
            .await;
        let mut page = Page {
            client,
            id: "b".into(),
            secret: "signal-wasm-presence/0123456789abcdef".into(),
        };
        let answer = page.say(json!({"present": "b", "on": "room"})).await;
        assert_eq!(answer.get("present").is_some(), is_allowed, "{answer}");
    }
}

#[tokio::test]
async fn pages_of_all_protocols_hear_of_each_other() {
    let mut tests = JoinSet::new();
    for protocol in ALL {
        tests.spawn(hears_of_others(protocol));
    }
    tests.join_all().await;
}

async fn hears_of_others(protocol: &str) {
    let relay = Relay::start(config()).await;
    let (mut a, _) = Page::come(&relay, "a").await;
    let mut speaker = Speaker::open(&relay, protocol, "b").await;
    let channel = "signal-wasm-presence/0123456789abcdef b";
    let message = json!({"present": "b", "on": "room"});
    let envelope = json!({"sender": 12, "channel": channel, "message": message});
    speaker.send(&relay, &envelope.to_string()).await;
    let answer = speaker.next().await;
    assert_eq!(answer["channel"], channel, "{protocol}");
    assert_eq!(answer["message"]["present"], json!(["a"]), "{protocol}");
    // It isn't noticed soon when the reader of a stream vanishes.
    let is_shown = protocol != "server-sent events";
    assert_eq!(answer["message"]["shown"], is_shown, "{protocol}");
    let (c, answer) = Page::come(&relay, "c").await;
    let there = if is_shown {
        json!(["a", "b"])
    } else {
        json!(["a"])
    };
    assert_eq!(present(&answer), &there, "{protocol}");
    assert_eq!(speaker.next().await["message"], json!({"came": "c"}));
    drop(c);
    assert_eq!(speaker.next().await["message"], json!({"gone": "c"}));
    if is_shown {
        assert_eq!(a.hears().await, json!({"came": "b"}));
    }
    assert_eq!(a.hears().await, json!({"came": "c"}));
    assert_eq!(a.hears().await, json!({"gone": "c"}));
    drop(speaker);
    // A client of classic SignalR may come back for longer.
    if is_shown && protocol != "classic SignalR" {
        assert_eq!(a.hears().await, json!({"gone": "b"}), "{protocol}");
    }
}
