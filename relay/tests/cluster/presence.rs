//! Pages on several relays that want to know of each other.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::{Value, json};

use super::support::nats::Nats;
use super::support::present::{Page, present};
use super::support::{LIMIT, within};

/// The page learns that these others are there: by its answer, or after that.
async fn learns_of(page: &mut Page, answer: &Value, others: &[&str]) {
    let mut known: Vec<_> = present(answer).as_array().unwrap().clone();
    while known.len() < others.len() {
        known.push(page.hears().await["came"].clone());
    }
    known.sort_by_key(Value::to_string);
    assert_eq!(known, others);
}

#[tokio::test]
async fn pages_on_all_relays_hear_of_each_other() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let (mut a, answer) = Page::come(&first, "a").await;
    assert_eq!(present(&answer), &json!([]));
    let (mut b, answer) = Page::come(&second, "b").await;
    // Such a page mustn't take those for gone that aren't in the answer.
    assert_eq!(answer.get("relay"), None);
    learns_of(&mut b, &answer, &["a"]).await;
    assert_eq!(a.hears().await, json!({"came": "b"}));
    let (mut c, answer) = Page::come(&first, "c").await;
    assert!(answer["relay"].is_string());
    learns_of(&mut c, &answer, &["a", "b"]).await;
    for page in [&mut a, &mut b] {
        assert_eq!(page.hears().await, json!({"came": "c"}));
    }
    // One leaves, and one vanishes.
    c.tell(json!({"absent": true})).await;
    for page in [&mut a, &mut b] {
        assert_eq!(page.hears().await, json!({"gone": "c"}));
    }
    drop(a);
    assert_eq!(b.hears().await, json!({"gone": "a"}));
}

#[tokio::test]
async fn a_page_that_goes_to_another_relay_stays_present() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let mut killed = nats.program(&[]).await;
    let (mut b, _) = Page::come(&second, "b").await;
    let (mut a, answer) = Page::come_to(killed.address, "a").await;
    learns_of(&mut a, &answer, &["b"]).await;
    assert_eq!(b.hears().await, json!({"came": "a"}));
    // By its own decision, and because its relay ends without a word.
    a.reconnect(&first).await;
    a.reconnect_to(killed.address).await;
    killed.child.kill().unwrap();
    let answer = a.reconnect(&second).await;
    assert_eq!(present(&answer), &json!(["b"]));
    let (_c, answer) = Page::come(&second, "c").await;
    assert_eq!(present(&answer), &json!(["a", "b"]));
    assert_eq!(b.hears().await, json!({"came": "c"}));
    a.tell(json!({"absent": true})).await;
    assert_eq!(b.hears().await, json!({"gone": "a"}));
}

#[tokio::test]
async fn a_page_that_is_lost_with_its_relay_is_gone() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (mut first, second) = (nats.program(&[]).await, nats.relay().await);
    let (a, _) = Page::come_to(first.address, "a").await;
    let (mut b, answer) = Page::come(&second, "b").await;
    learns_of(&mut b, &answer, &["a"]).await;
    first.child.kill().unwrap();
    drop(a);
    assert_eq!(b.hears().await, json!({"gone": "a"}));
}

#[tokio::test]
async fn an_id_belongs_to_one_page_on_all_relays() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let (mut watcher, _) = Page::come(&first, "watcher").await;
    let (mut other, answer) = Page::come(&second, "other").await;
    learns_of(&mut other, &answer, &["watcher"]).await;
    assert_eq!(watcher.hears().await, json!({"came": "other"}));
    let refused = json!({"refused": "Another page on this channel has this id."});
    // One after the other.
    let mut stranger = Page::connect(&second, "/", "watcher").await;
    stranger.secret = "signal-wasm-presence/another secret than its".into();
    let answer = stranger
        .say(json!({"present": "watcher", "on": "room"}))
        .await;
    assert_eq!(answer, refused);
    // The same where its relay has no page on the channel yet, so it knows of none.
    for number in 10..20 {
        let id = number.to_string();
        let (here, there) = match number % 2 {
            0 => (&first, nats.relay().await),
            _ => (&second, nats.relay().await),
        };
        let (mut page, _) = Page::come(here, &id).await;
        let mut stranger = Page::connect(&there, "/", &id).await;
        stranger.secret = format!("signal-wasm-presence/another secret {id}");
        let present = json!({"present": id, "on": "room"});
        stranger.tell(present).await;
        within("the stranger is refused", hears(&mut stranger, &refused)).await;
        // The page still hears of others.
        let last = format!("after {id}");
        let (_last, _) = Page::come(&there, &last).await;
        within("another one", hears(&mut page, &json!({"came": last}))).await;
    }
    // At once.
    for number in 0..10 {
        let id = number.to_string();
        let mut one = Page::connect(&first, "/", &id).await;
        let mut two = Page::connect(&second, "/", &id).await;
        two.secret = format!("signal-wasm-presence/another secret {id}");
        let present = json!({"present": id, "on": "room"});
        tokio::join!(one.tell(present.clone()), two.tell(present));
        within("one that is refused", async {
            tokio::select! {
                () = hears(&mut one, &refused) => {}
                () = hears(&mut two, &refused) => {}
            }
        })
        .await;
        drop((one, two));
    }
}

async fn hears(page: &mut Page, message: &Value) {
    while page.hears().await != *message {}
}

#[tokio::test]
async fn nothing_is_wrong_when_nats_comes_back() {
    let Some(mut nats) = Nats::start().await else {
        return;
    };
    let (first, second) = (nats.relay().await, nats.relay().await);
    let (mut a, _) = Page::come(&first, "a").await;
    let (mut b, answer) = Page::come(&second, "b").await;
    learns_of(&mut b, &answer, &["a"]).await;
    assert_eq!(a.hears().await, json!({"came": "b"}));
    let mut c = Page::connect(&second, "/", "c").await;
    nats.kill();
    // The other relay can't hear of these.
    let answer = c.say(json!({"present": "c", "on": "room"})).await;
    assert_eq!(present(&answer), &json!(["a", "b"]));
    assert_eq!(b.hears().await, json!({"came": "c"}));
    b.tell(json!({"absent": true})).await;
    nats.restart().await;
    let (one, two) = (a.hears().await, a.hears().await);
    let heard = [json!({"came": "c"}), json!({"gone": "b"})];
    assert!(
        heard.contains(&one) && heard.contains(&two) && one != two,
        "{one} {two}"
    );
}

/// Each answer names all pages.
#[tokio::test]
async fn who_asks_all_the_time_is_answered_now_and_then() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let relay = nats.relay().await;
    let (_page, _) = Page::come(&relay, "a").await;
    let stranger = async_nats::connect(nats.settings().servers.to_string());
    let stranger = stranger.await.unwrap();
    let subject = "signal-relay.heard.8a5edab282632443219e051e4ade2d1d5bbc671c";
    let mut heard = stranger.subscribe(subject).await.unwrap();
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Signal-Relay", "00000000000000ff");
    let (mut asked, mut answers) = (0, 0);
    let began = Instant::now();
    while asked < 300 || answers < 2 {
        let ask = r#"{"asks":"room"}"#.into();
        let sent = stranger.publish_with_headers(subject, headers.clone(), ask);
        sent.await.unwrap();
        asked += 1;
        let mut next = tokio::time::timeout(Duration::from_millis(5), heard.next()).await;
        while let Ok(Some(message)) = next {
            answers += u64::from(message.payload.starts_with(br#"{"here""#));
            next = tokio::time::timeout(Duration::from_millis(1), heard.next()).await;
        }
        assert!(began.elapsed() < LIMIT, "{answers} answers");
    }
    // It also says so every five seconds by itself.
    let most = 2 + 2 * began.elapsed().as_secs();
    assert!(answers <= most, "{answers} answers to {asked}");
}
