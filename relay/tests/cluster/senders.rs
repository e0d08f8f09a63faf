//! Which user a `sender` belongs to, on all relays.

use super::support::nats::Nats;
use super::support::sse::post;
use super::support::tokens::{KeyFile, SECRET, settings, token};
use super::support::{Client, Relay};

async fn join(relay: &Relay, user: &str) -> Client {
    let path = format!("/?token={}", token(user, &["/"]));
    let mut client = Client::open(relay.address, &path).await.unwrap();
    client.greeted().await;
    client
}

/// A relay of which the pages hear what is published anywhere.
async fn relay(nats: &Nats, key: &KeyFile) -> Relay {
    let relay = nats.relay_with(settings(key)).await;
    let (mut one, mut other) = (join(&relay, "test").await, join(&relay, "test").await);
    one.send(&envelope(1, 0)).await;
    assert_eq!(other.envelope().await, from("test", 1, 0));
    relay
}

fn envelope(sender: u32, message: u32) -> String {
    format!(r#"{{"sender":{sender},"channel":"a","message":{message}}}"#)
}

fn from(user: &str, sender: u32, message: u32) -> String {
    let envelope = envelope(sender, message);
    envelope.replace('}', &format!(r#","user":"{user}"}}"#))
}

async fn is_refused(client: &mut Client) -> bool {
    let text = client.text().await;
    text.starts_with(r#"{"refused":"a","why":"The sender"#)
}

#[tokio::test]
async fn nobody_uses_the_sender_that_another_user_has_on_another_relay() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let key = KeyFile::new(SECRET);
    let (first, second) = (relay(&nats, &key).await, relay(&nats, &key).await);
    let mut alice = join(&first, "alice").await;
    let mut mallory = join(&second, "mallory").await;
    mallory.send(&envelope(6, 0)).await;
    assert_eq!(alice.envelope().await, from("mallory", 6, 0));
    alice.send(&envelope(5, 1)).await;
    assert_eq!(mallory.envelope().await, from("alice", 5, 1));
    mallory.send(&envelope(5, 2)).await;
    assert!(is_refused(&mut mallory).await);
    mallory.send(&envelope(6, 3)).await;
    assert_eq!(alice.envelope().await, from("mallory", 6, 3));
    // A relay that comes later learns it from what is kept.
    let third = nats.relay_with(settings(&key)).await;
    let mut mallory = join(&third, "mallory").await;
    mallory.send(&envelope(6, 4)).await;
    assert_eq!(alice.envelope().await, from("mallory", 6, 4));
    mallory.send(&envelope(5, 5)).await;
    assert!(is_refused(&mut mallory).await);
    // The user itself may be anywhere.
    let mut alice = join(&second, "alice").await;
    alice.send(&envelope(5, 6)).await;
    assert_eq!(mallory.envelope().await, from("alice", 5, 6));
}

#[tokio::test]
async fn of_users_who_use_one_sender_at_once_one_is_heard() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let key = KeyFile::new(SECRET);
    let (first, second) = (relay(&nats, &key).await, relay(&nats, &key).await);
    let (mut alice, mut bob) = (join(&first, "alice").await, join(&second, "bob").await);
    let mut others = [join(&first, "carol").await, join(&second, "carol").await];
    for sender in 10..40 {
        let (one, other) = (envelope(sender, 1), envelope(sender, 2));
        tokio::join!(alice.send(&one), bob.send(&other));
    }
    let mut heard = [Vec::new(), Vec::new()];
    for (carol, heard) in others.iter_mut().zip(&mut heard) {
        for _ in 10..40 {
            heard.push(carol.envelope().await);
        }
        for sender in 10..40 {
            let is_alices = heard.contains(&from("alice", sender, 1));
            assert_ne!(is_alices, heard.contains(&from("bob", sender, 2)));
        }
    }
    assert_eq!(heard[0], heard[1]);
    // The one who has a sender may use it on the other relay too.
    let [alices, bobs] = ["alice", "bob"].map(|user| {
        let has =
            |sender: &u32| (1..3).any(|number| heard[0].contains(&from(user, *sender, number)));
        (10..40).find(has)
    });
    for (user, relay, sender) in [("alice", &second, alices), ("bob", &first, bobs)] {
        let Some(sender) = sender else {
            continue;
        };
        let mut again = join(relay, user).await;
        again.send(&envelope(sender, 3)).await;
        for carol in &mut others {
            assert_eq!(carol.envelope().await, from(user, sender, 3));
        }
    }
    // Nothing else comes.
    alice.send(&envelope(5, 0)).await;
    bob.send(&envelope(6, 0)).await;
    for carol in &mut others {
        let mut last = [carol.envelope().await, carol.envelope().await];
        last.sort();
        assert_eq!(last, [from("alice", 5, 0), from("bob", 6, 0)]);
    }
}

/// Such a relay doesn't receive what is said in the space.
#[tokio::test]
async fn nobody_takes_a_sender_on_a_relay_without_pages_in_the_space() {
    let Some(nats) = Nats::start().await else {
        return;
    };
    let key = KeyFile::new(SECRET);
    let (first, second) = (
        relay(&nats, &key).await,
        nats.relay_with(settings(&key)).await,
    );
    let (mut alice, mut carol) = (join(&first, "alice").await, join(&first, "carol").await);
    alice.send(&envelope(5, 1)).await;
    assert_eq!(carol.envelope().await, from("alice", 5, 1));
    let path = format!("/sse?access_token={}", token("mallory", &["/"]));
    for number in 2..5 {
        let answer = post(&second, &path, &envelope(5, number)).await;
        assert_eq!(answer.status, 403, "{}", answer.body);
    }
    let answer = post(&second, &path, &envelope(6, 5)).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
    assert_eq!(carol.envelope().await, from("mallory", 6, 5));
}
