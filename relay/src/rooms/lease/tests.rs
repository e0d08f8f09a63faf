//! A term, by a store with all its troubles, in virtual time.

use std::collections::BTreeMap;

use axum::body::Bytes;
use tokio::sync::oneshot;

use super::*;
use crate::hub::store::{BoxFuture, Note};

/// By chain and number, the text and when it was written.
type Written = BTreeMap<(String, u64), (String, Instant)>;

/// A store like three servers of NATS on a bad day: calls take a while or fail, what has failed may
/// be done later, and who reads may see what was there some time ago.
struct Notes {
    notes: Arc<Mutex<Written>>,
    trouble: Mutex<Trouble>,
}

/// What happens to calls.
struct Trouble {
    /// State of a generator of pseudo-random numbers.
    random: u64,
    /// The most milliseconds before a call has its effect, and then until its answer.
    slowness: u64,
    /// Of a hundred calls, so many have no answer.
    lost: u64,
    /// Who reads may see what was there so many milliseconds ago.
    lag: u64,
}

impl Notes {
    fn new(seed: u64, slowness: u64, lost: u64, lag: u64) -> Arc<Self> {
        Arc::new(Self {
            notes: Arc::default(),
            trouble: Mutex::new(Trouble {
                random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
                slowness,
                lost,
                lag,
            }),
        })
    }

    fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap()
    }

    /// Does something after a while. Its answer comes after another while, or never.
    fn call<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Written, Duration) -> T + Send + 'static,
    ) -> BoxFuture<'static, T> {
        let (before, after, is_lost, lag) = {
            let mut trouble = self.trouble();
            let (slowness, lag) = (trouble.slowness, trouble.lag);
            let before = Duration::from_millis(trouble.below(slowness));
            let after = Duration::from_millis(trouble.below(slowness));
            let is_lost = trouble.below(100) < trouble.lost;
            (
                before,
                after,
                is_lost,
                Duration::from_millis(trouble.below(lag)),
            )
        };
        let (answer, answered) = oneshot::channel();
        let notes = Arc::clone(&self.notes);
        tokio::spawn(async move {
            sleep(before).await;
            let result = act(&mut notes.lock().unwrap(), lag);
            sleep(after).await;
            if !is_lost {
                answer.send(result).ok();
            }
        });
        Box::pin(async { answered.await.map_err(|_| unavailable("no answer")) })
    }
}

impl Trouble {
    /// A number below this one, or zero.
    fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % end.max(1)
    }
}

impl Peers for Notes {
    fn write<'a>(&'a self, chain: &'a str, number: u64, text: String) -> BoxFuture<'a, bool> {
        let name = (chain.to_owned(), number);
        self.call(move |notes, _| {
            let is_free = !notes.contains_key(&name);
            if is_free {
                notes.insert(name, (text, Instant::now()));
            }
            is_free
        })
    }

    fn read<'a>(&'a self, chain: &'a str, number: u64) -> BoxFuture<'a, Option<Note>> {
        let name = (chain.to_owned(), number);
        self.call(move |notes, lag| {
            let (text, written) = notes.get(&name)?;
            (written.elapsed() >= lag).then(|| note(number, text))
        })
    }

    fn last<'a>(&'a self, chain: &'a str) -> BoxFuture<'a, Option<Note>> {
        let chain = chain.to_owned();
        self.call(move |notes, lag| {
            let mut of_chain = notes
                .iter()
                .filter(|((name, _), (_, written))| *name == chain && written.elapsed() >= lag);
            let ((_, number), (text, _)) = of_chain.next_back()?;
            Some(note(*number, text))
        })
    }

    fn kept(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn send(&self, _: u64, _: Bytes) {}

    fn longest(&self) -> usize {
        0
    }

    fn listen(&self, _: Box<dyn Fn(Bytes) + Send + Sync>) {}
}

fn note(number: u64, text: &str) -> Note {
    Note {
        number,
        text: text.to_owned(),
    }
}

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
