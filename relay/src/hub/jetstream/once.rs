//! Each publication once.
//!
//! NATS may have a publication twice: a relay sends it again when it doesn't hear that NATS has it,
//! and so does a client through another relay. The relays skip the second one. All of them decide
//! alike, because they decide by what is in the stream.
//!
//! NATS could do it itself, by `Nats-Msg-Id`. But then the servers of a NATS 2.9 cluster may number
//! messages differently: a server that was away keeps what the others have recognised.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::hub::ids::PublisherId;

/// Who is remembered before the first look for those who can be forgotten.
const FEW: usize = 256;
/// How many are remembered in one space at most.
const MOST: usize = 65_536;

/// Who numbers publications. Its next one is sent when the one before was published, or given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Counter {
    /// A publisher, by the references of its client.
    Publisher(PublisherId),
    /// A [lane](Lanes) of a relay.
    Lane {
        /// The relay.
        relay: u64,
        /// The number of the lane.
        lane: u64,
    },
}

/// Which publication it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) counter: Counter,
    pub(super) number: u64,
}

/// What was taken in a space.
#[derive(Debug)]
pub(super) struct Taken {
    /// The highest number of each counter, and since when NATS has it.
    last: HashMap<Counter, (u64, Instant)>,
    /// For how long a counter is remembered.
    window: Duration,
    /// How many counters there are when it is looked for those that can be forgotten.
    look_at: usize,
}

impl Taken {
    pub(super) fn new(window: Duration) -> Self {
        Self {
            last: HashMap::new(),
            window,
            look_at: FEW,
        }
    }

    /// Whether a publication is new, which NATS has since then.
    pub(super) fn take(&mut self, turn: Turn, since: Instant) -> bool {
        let Turn { counter, number } = turn;
        let known = self.last.get(&counter);
        let is_known = known.is_some_and(|(last, at)| number <= *last && *at + self.window > since);
        if !is_known {
            self.last.insert(counter, (number, since));
            self.forget(since);
        }
        !is_known
    }

    fn forget(&mut self, now: Instant) {
        if self.last.len() < self.look_at {
            return;
        }
        let mut window = self.window;
        loop {
            self.last.retain(|_, (_, at)| *at + window > now);
            if self.last.len() < MOST {
                break;
            }
            window /= 2;
        }
        self.look_at = FEW.max(self.last.len() * 2).min(MOST);
    }
}

/// The lanes of a relay, for publications that have no reference: on each there is one at a time.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    free: Mutex<Vec<u64>>,
    begun: AtomicU64,
    published: AtomicU64,
}

/// A publication on its way.
#[derive(Debug)]
pub(super) struct OnLane<'a> {
    lanes: &'a Lanes,
    pub(super) lane: u64,
    pub(super) number: u64,
}

impl Lanes {
    /// Begins a publication, on a lane that is free.
    pub(super) fn begin(&self) -> OnLane<'_> {
        let free = self.free().pop();
        OnLane {
            lanes: self,
            lane: free.unwrap_or_else(|| self.begun.fetch_add(1, Ordering::Relaxed)),
            number: self.published.fetch_add(1, Ordering::Relaxed),
        }
    }

    fn free(&self) -> MutexGuard<'_, Vec<u64>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OnLane<'_> {
    fn drop(&mut self) {
        self.lanes.free().push(self.lane);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    fn publisher(number: u64) -> Counter {
        Counter::Publisher(format!("1-{number:x}").parse().unwrap())
    }

    #[test]
    fn each_counter_counts_for_itself() {
        let (mut taken, now) = (Taken::new(WINDOW), Instant::now());
        let lane = Counter::Lane { relay: 1, lane: 2 };
        for counter in [publisher(2), publisher(3), lane] {
            let mut take = |number| taken.take(Turn { counter, number }, now);
            let numbers = [0, 0, 1, 4, 3, 4, 5];
            let new = [true, false, true, true, false, false, true];
            assert_eq!(numbers.map(&mut take), new, "{counter:?}");
        }
    }

    #[test]
    fn after_a_while_numbers_may_begin_again() {
        let (mut taken, now) = (Taken::new(WINDOW), Instant::now());
        let counter = publisher(1);
        let mut take = |number, after| taken.take(Turn { counter, number }, now + after);
        assert!(take(7, Duration::ZERO));
        assert!(!take(1, WINDOW / 2));
        assert!(take(1, WINDOW));
        assert!(!take(1, WINDOW));
    }

    #[test]
    fn those_who_published_last_are_remembered() {
        let (mut taken, start) = (Taken::new(WINDOW), Instant::now());
        let number = 1;
        let at = |index: u64| start + Duration::from_micros(100 * index);
        for index in 0..200_000 {
            let counter = publisher(index);
            assert!(taken.take(Turn { counter, number }, at(index)));
            assert!(taken.last.len() <= MOST);
        }
        let counter = publisher(199_000);
        assert!(!taken.take(Turn { counter, number }, at(200_000)));
        // Much later all of them are forgotten, step by step.
        for index in 0..200_000 {
            let counter = publisher(index);
            taken.take(Turn { counter, number }, start + WINDOW * 10);
            if taken.last.len() < FEW * 2 {
                return;
            }
        }
        panic!("{} are remembered", taken.last.len());
    }

    #[test]
    fn a_lane_has_one_publication_at_a_time() {
        let lanes = Lanes::default();
        let (first, second) = (lanes.begin(), lanes.begin());
        assert_ne!(first.lane, second.lane);
        let (lane, number) = (first.lane, second.number);
        drop(first);
        let third = lanes.begin();
        assert_eq!(third.lane, lane);
        assert!(third.number > number);
    }
}
