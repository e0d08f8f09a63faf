//! Who keeps the rooms of a space, in virtual time.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::rooms::tests::notes::Notes;

#[test]
fn what_a_keeper_writes_is_read() {
    let text = Written::text(7, u64::MAX);
    let (relay, term) = (7, u64::MAX);
    assert_eq!(Written::read(&text), Some(Written { relay, term }));
    for other in ["", "7", "x 8 9", "7 -8 9"] {
        assert!(Written::read(other).is_none(), "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_space_that_a_relay_begins_to_keep_when_its_term_ends_is_kept_in_the_next_one() {
    let store = Notes::new(1, 0, 0, 0);
    let keepers = Keepers::new(Arc::clone(&store) as Arc<dyn Peers>, 1, Weak::new());
    let is_here = async |space: &str| {
        let found = keepers.locate(&Arc::from(space)).await;
        matches!(found, Ok(Where::Here))
    };
    assert!(is_here("/first").await);
    let term = keepers.term().unwrap();
    store.trouble().held_up = Some((chain("/second"), Duration::from_secs(2)));
    let ending = async {
        sleep(Duration::from_secs(1)).await;
        // Another relay ends its term meanwhile, and it learns that.
        let chain = format!("term.{term:016x}");
        assert_eq!(store.write(&chain, 2, "ended".into()).await, Ok(true));
        keepers.renew_term().await;
    };
    let (is_second_here, ()) = tokio::join!(is_here("/second"), ending);
    assert!(is_second_here);
    assert_ne!(keepers.term(), Some(term));
}

#[tokio::test(start_paused = true)]
async fn a_note_that_takes_long_keeps_no_term_from_being_renewed() {
    let store = Notes::new(1, 0, 0, 0);
    let keepers = Keepers::new(Arc::clone(&store) as Arc<dyn Peers>, 1, Weak::new());
    let keep = async |space: &str| {
        let found = keepers.locate(&Arc::from(space)).await;
        assert!(matches!(found, Ok(Where::Here)), "{space}");
    };
    keep("/quick").await;
    keep("/slow").await;
    let term = keepers.term();
    store.trouble().held_up = Some((chain("/slow"), Duration::from_secs(8)));
    let observing = async {
        for _ in 0..120 {
            sleep(Duration::from_millis(500)).await;
            assert_eq!(keepers.term(), term);
        }
    };
    tokio::select! {
        () = keepers.run() => {}
        () = observing => {}
    }
    assert!(keepers.offices().contains_key("/quick"));
    // Its notes were written all the time, too late for one of them by a few seconds.
    assert!(keepers.offices().contains_key("/slow"));
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_keeps_no_rooms_any_more_renews_its_term() {
    let store = Notes::new(1, 0, 0, 0);
    let keepers = Keepers::new(Arc::clone(&store) as Arc<dyn Peers>, 1, Weak::new());
    let found = keepers.locate(&Arc::from("/")).await;
    assert!(matches!(found, Ok(Where::Here)));
    let term = keepers.term();
    keepers.offices().clear();
    // Others take it for the keeper, and ask it, until they know better.
    for _ in 0..60 {
        sleep(RENEW).await;
        keepers.renew_term().await;
        assert_eq!(keepers.term(), term);
    }
}

#[tokio::test(start_paused = true)]
async fn a_keeper_whose_note_was_dropped_is_none_any_more() {
    let store = Notes::new(1, 0, 0, 0);
    let keepers = Keepers::new(Arc::clone(&store) as Arc<dyn Peers>, 1, Weak::new());
    let found = keepers.locate(&Arc::from("/")).await;
    assert!(matches!(found, Ok(Where::Here)));
    let term = keepers.term();
    for _ in 0..=store.kept().as_secs() {
        sleep(RENEW).await;
        assert_eq!(keepers.lease.renew().await, Renewed::Held);
    }
    keepers.renew_notes().await;
    assert_eq!(keepers.term(), term);
    assert_eq!(keepers.office("/"), None);
}
