//! A store for those who agree by notes, with all its troubles, in virtual time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::hub::store::{BoxFuture, Note, Peers, StoreError};

/// How long a note is kept.
const KEPT: Duration = Duration::from_secs(60);

/// By chain and number, the text and when it was written.
type Written = BTreeMap<(String, u64), (String, Instant)>;

/// A store like three servers of NATS on a bad day: calls take a while or fail, what has failed may
/// be done later, and who reads may see what was there some time ago.
pub(in crate::rooms) struct Notes {
    notes: Arc<Mutex<Written>>,
    trouble: Mutex<Trouble>,
}

/// What happens to calls.
pub(in crate::rooms) struct Trouble {
    /// State of a generator of pseudo-random numbers.
    random: u64,
    /// The most milliseconds before a call has its effect, and then until its answer.
    slowness: u64,
    /// Of a hundred calls, so many have no answer.
    pub(in crate::rooms) lost: u64,
    /// Who reads may see what was there so many milliseconds ago.
    lag: u64,
    /// Writing into this chain has its effect so much later.
    pub(in crate::rooms) held_up: Option<(String, Duration)>,
}

impl Notes {
    /// `seed` chooses what happens to each call; the rest is as in [`Trouble`].
    pub(in crate::rooms) fn new(seed: u64, slowness: u64, lost: u64, lag: u64) -> Arc<Self> {
        Arc::new(Self {
            notes: Arc::default(),
            trouble: Mutex::new(Trouble {
                random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
                slowness,
                lost,
                lag,
                held_up: None,
            }),
        })
    }

    pub(in crate::rooms) fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap()
    }

    /// Does something after a while. Its answer comes after another while, or never.
    fn call<T: Send + 'static>(
        &self,
        held_up: Duration,
        act: impl FnOnce(&mut Written, Duration) -> T + Send + 'static,
    ) -> BoxFuture<'static, T> {
        let (before, after, is_lost, lag) = {
            let mut trouble = self.trouble();
            let (slowness, lag) = (trouble.slowness, trouble.lag);
            let before = held_up + Duration::from_millis(trouble.below(slowness));
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
            let result = {
                let mut notes = notes.lock().unwrap();
                notes.retain(|_, (_, written)| written.elapsed() < KEPT);
                act(&mut notes, lag)
            };
            sleep(after).await;
            if !is_lost {
                answer.send(result).ok();
            }
        });
        Box::pin(async {
            answered
                .await
                .map_err(|_| StoreError::Unavailable("no answer".into()))
        })
    }
}

impl Trouble {
    /// A number below this one, or zero.
    pub(in crate::rooms) fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % end.max(1)
    }
}

impl Peers for Notes {
    fn write<'a>(&'a self, chain: &'a str, number: u64, text: String) -> BoxFuture<'a, bool> {
        let name = (chain.to_owned(), number);
        let held_up = self.trouble().held_up.clone();
        let held_up = held_up.filter(|(held_up, _)| held_up == chain);
        let held_up = held_up.map(|(_, time)| time).unwrap_or_default();
        self.call(held_up, move |notes, _| {
            let is_free = !notes.contains_key(&name);
            if is_free {
                notes.insert(name, (text, Instant::now()));
            }
            is_free
        })
    }

    fn read<'a>(&'a self, chain: &'a str, number: u64) -> BoxFuture<'a, Option<Note>> {
        let name = (chain.to_owned(), number);
        self.call(Duration::ZERO, move |notes, lag| {
            let (text, written) = notes.get(&name)?;
            (written.elapsed() >= lag).then(|| note(number, text))
        })
    }

    fn last<'a>(&'a self, chain: &'a str) -> BoxFuture<'a, Option<Note>> {
        let chain = chain.to_owned();
        self.call(Duration::ZERO, move |notes, lag| {
            let mut of_chain = notes
                .iter()
                .filter(|((name, _), (_, written))| *name == chain && written.elapsed() >= lag);
            let ((_, number), (text, _)) = of_chain.next_back()?;
            Some(note(*number, text))
        })
    }

    fn kept(&self) -> Duration {
        KEPT
    }

    fn send(&self, _: u64, _: Bytes) {}

    fn longest(&self) -> usize {
        1024
    }

    fn listen(&self, _: Box<dyn Fn(Bytes) + Send + Sync>) {}
}

fn note(number: u64, text: &str) -> Note {
    Note {
        number,
        text: text.to_owned(),
    }
}
