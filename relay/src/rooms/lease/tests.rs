//! A term, by a store with all its troubles, in virtual time.

use super::*;
use crate::rooms::tests::notes::Notes;

/// Two relays that share a store.
fn relays(notes: &Arc<Notes>) -> (Arc<Lease>, Lease) {
    let peers = || Arc::clone(notes) as Arc<dyn Peers>;
    (Arc::new(Lease::new(peers(), 1)), Lease::new(peers(), 2))
}

#[tokio::test(start_paused = true)]
async fn a_term_holds_until_it_was_not_renewed_for_a_lease() {
    let notes = Notes::new(1, 0, 0, 0);
    let (keeper, _) = relays(&notes);
    assert_eq!(keeper.term(), None);
    assert_eq!(keeper.renew().await, Renewed::Held);
    let term = keeper.term().unwrap();
    sleep(LEASE - RENEW).await;
    assert_eq!(keeper.renew().await, Renewed::Held);
    sleep(LEASE - LOOK).await;
    assert_eq!(keeper.term(), Some(term));
    sleep(LOOK).await;
    assert_eq!(keeper.term(), None);
    // Nobody has ended it.
    assert_eq!(keeper.renew().await, Renewed::Held);
    assert_eq!(keeper.term(), Some(term));
}

#[tokio::test(start_paused = true)]
async fn a_lease_begins_when_its_note_was_begun_and_not_when_the_answer_comes() {
    let notes = Notes::new(1, 0, 100, 0);
    let (keeper, _) = relays(&notes);
    assert_eq!(keeper.renew().await, Renewed::Unknown);
    sleep(LEASE - RENEW).await;
    notes.trouble().lost = 0;
    // The note is there, and was its own.
    assert_eq!(keeper.renew().await, Renewed::Held);
    assert!(keeper.term().is_some());
    sleep(RENEW).await;
    assert_eq!(keeper.term(), None);
}

#[tokio::test(start_paused = true)]
async fn a_relay_whose_term_was_ended_begins_another_one() {
    let notes = Notes::new(1, 0, 0, 0);
    let (keeper, other) = relays(&notes);
    keeper.renew().await;
    let term = keeper.term().unwrap();
    other.end(term).await.unwrap();
    assert_eq!(keeper.term(), None);
    assert!(other.is_over(term).await);
    assert_eq!(keeper.renew().await, Renewed::Over);
    assert_eq!(keeper.renew().await, Renewed::Held);
    assert_ne!(keeper.term(), Some(term));
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_was_suspended_does_not_go_on_beside_its_successor() {
    let notes = Notes::new(1, 0, 0, 0);
    let (keeper, other) = relays(&notes);
    keeper.renew().await;
    keeper.renew().await;
    let term = keeper.term().unwrap();
    other.end(term).await.unwrap();
    sleep(notes.kept()).await;
    // Its own clocks haven't moved.
    keeper.state().held = Some(Moment::now());
    assert_eq!(keeper.renew().await, Renewed::Unknown);
    for _ in 0..LEASE.as_secs() {
        sleep(RENEW).await;
        assert_eq!(keeper.renew().await, Renewed::Unknown);
    }
    assert_eq!(keeper.term(), None);
    sleep(OVER).await;
    assert_eq!(keeper.renew().await, Renewed::Over);
    assert_eq!(keeper.renew().await, Renewed::Held);
    assert_ne!(keeper.term(), Some(term));
}

#[tokio::test(start_paused = true)]
async fn a_term_is_in_doubt_as_soon_as_one_of_the_clocks_says_so() {
    let notes = Notes::new(1, 0, 0, 0);
    let (keeper, _) = relays(&notes);
    keeper.renew().await;
    assert!(keeper.term().is_some());
    let set = |elapsed| {
        let mut state = keeper.state();
        let held = state.held.as_mut().unwrap();
        held.wall = SystemTime::now() - elapsed;
    };
    set(LEASE);
    assert_eq!(keeper.term(), None);
    assert_eq!(keeper.renew().await, Renewed::Held);
    assert!(keeper.term().is_some());
    // It may have been set.
    let term = keeper.term();
    set(10 * OVER);
    assert_eq!(keeper.term(), None);
    assert_eq!(keeper.renew().await, Renewed::Held);
    assert_eq!(keeper.term(), term);
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_resigns_begins_no_other_term() {
    let notes = Notes::new(1, 300, 0, 0);
    let (keeper, other) = relays(&notes);
    keeper.renew().await;
    other.end(keeper.term().unwrap()).await.unwrap();
    let (renewed, ()) = tokio::join!(keeper.renew(), keeper.resign());
    assert_eq!(renewed, Renewed::Over);
    assert_eq!(keeper.renew().await, Renewed::Unknown);
    assert_eq!(keeper.term(), None);
}

#[tokio::test(start_paused = true)]
async fn a_term_that_was_resigned_is_over_at_once() {
    let notes = Notes::new(1, 0, 0, 0);
    let (keeper, other) = relays(&notes);
    keeper.renew().await;
    let term = keeper.term().unwrap();
    assert!(!other.is_over(term).await);
    keeper.resign().await;
    assert_eq!(keeper.term(), None);
    let before = Instant::now();
    other.end(term).await.unwrap();
    assert!(other.is_over(term).await);
    assert_eq!(before.elapsed(), Duration::ZERO);
    assert_eq!(keeper.renew().await, Renewed::Unknown);
}

/// One relay renews its term all the time, another one ends it at some moment. When the latter
/// begins to keep rooms, the former must have stopped.
#[tokio::test(start_paused = true)]
async fn two_relays_never_keep_rooms_at_one_time() {
    let mut kept = 0;
    for seed in 0..300 {
        let slowness = [10, 300, 3_000][seed as usize % 3];
        let notes = Notes::new(seed, slowness, 20, 2_000);
        let (keeper, other) = relays(&notes);
        let renewing = tokio::spawn({
            let keeper = Arc::clone(&keeper);
            async move {
                loop {
                    keeper.renew().await;
                    sleep(RENEW).await;
                }
            }
        });
        let term = keeper.state().term;
        let moment = notes.trouble().below(10_000);
        sleep(Duration::from_millis(moment)).await;
        kept += u32::from(keeper.term() == Some(term));
        while other.end(term).await.is_err() {}
        for _ in 0..3_000 {
            assert_ne!(keeper.term(), Some(term), "seed {seed}");
            sleep(Duration::from_millis(10)).await;
        }
        renewing.abort();
    }
    assert!(kept > 100, "mostly there was nothing to end: {kept}");
}
