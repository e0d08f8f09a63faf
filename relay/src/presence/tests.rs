//! Pages here and elsewhere, while time passes.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::AtomicBool;

use super::*;
use crate::address::ClientAddress;
use crate::hub::budget::{Budget, Purpose};
use crate::hub::queue::{Limits, Receiver, queue};

const SECOND: Duration = Duration::from_secs(1);

/// A way to the other relays that leads nowhere.
#[derive(Default)]
struct Nowhere(AtomicBool);

impl Notices for Nowhere {
    fn post(&self, _space: &Arc<str>, _text: String) {}

    fn listen(&self, _listener: Box<dyn Fn(Notice<'_>) + Send + Sync>) {}

    fn is_connected(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn has_room(&self) -> bool {
        true
    }
}

fn presence(others: &Arc<Nowhere>) -> Arc<Presence> {
    Arc::new(Presence {
        channels: Mutex::default(),
        next_seat: AtomicU64::new(0),
        relay: 1,
        name: "1".into(),
        others: Some(Arc::clone(others) as _),
    })
}

fn enter(presence: &Arc<Presence>, id: &str) -> (Seat, Receiver) {
    let address = ClientAddress::new([127, 0, 0, 1].into());
    let account = Budget::new(usize::MAX).account(None, address);
    let charge = account.charge(Purpose::Sessions, 0);
    let limits = Limits {
        frames: 100,
        bytes: 10_000,
    };
    let (sender, receiver) = queue(limits, account);
    let entrant = Entrant {
        space: "/".into(),
        channel: "room".into(),
        id: id.into(),
        secret: format!("secret of {id}").into(),
        is_shown: true,
        sender,
        encode: |_, message| message.into(),
        charge,
    };
    let seat = presence.enter(entrant, |_, _| "welcome".into()).unwrap();
    (seat, receiver)
}

fn heard(receiver: &mut Receiver) -> Vec<String> {
    let frames = std::iter::from_fn(|| receiver.pop());
    frames.map(|frame| frame.as_str().to_owned()).collect()
}

async fn passes(presence: &Presence, seconds: u64, is_draining: bool) {
    for _ in 0..seconds {
        tokio::time::advance(SECOND).await;
        presence.expire(is_draining);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_heard_of_others_holds_while_nothing_can_be_heard_and_a_while_longer() {
    let others = Arc::new(Nowhere::default());
    let presence = presence(&others);
    let (_seat, mut page) = enter(&presence, "a");
    let came = Said::Came("room".into(), Named("b".into(), "key".into(), 5));
    presence.take(&"/".into(), 2, came);
    assert_eq!(heard(&mut page), ["welcome", "{\"came\":\"b\"}"]);
    passes(&presence, 60, false).await;
    others.0.store(true, Ordering::Relaxed);
    passes(&presence, SILENT.as_secs() - 1, false).await;
    assert!(heard(&mut page).is_empty());
    passes(&presence, 2, false).await;
    assert_eq!(heard(&mut page), ["{\"gone\":\"b\"}"]);
}

#[tokio::test(start_paused = true)]
async fn a_page_without_a_connection_is_gone_also_while_the_relay_drains() {
    for (is_draining, time) in [(false, AWAY), (true, AWAY + SILENT)] {
        let presence = presence(&Arc::default());
        let (_seat, mut page) = enter(&presence, "a");
        let (seat, _) = enter(&presence, "b");
        drop(seat);
        passes(&presence, time.as_secs() - 1, is_draining).await;
        assert_eq!(heard(&mut page), ["welcome", "{\"came\":\"b\"}"]);
        passes(&presence, 2, is_draining).await;
        assert_eq!(heard(&mut page), ["{\"gone\":\"b\"}"]);
    }
}
