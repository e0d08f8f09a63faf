//! What is kept of all spaces on this relay, spread over several histories, within one bound.

use std::hash::{BuildHasher, RandomState};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::history::{self, History};
use super::shares::{Owner, plan};

/// Each space is ordered by one of so many locks, which also guards what is kept of it: spaces
/// hardly ever wait for each other, and no lock has to be created and removed with its space.
const STRIPES: usize = 64;

/// What is kept of all spaces.
#[derive(Debug)]
pub(super) struct Archive {
    stripes: [Mutex<History>; STRIPES],
    /// Spreads spaces over the stripes.
    hasher: RandomState,
    /// How many bytes the history may have.
    total: AtomicUsize,
    /// How many it has.
    kept: AtomicUsize,
    /// Held while room is made in the history.
    making_room: Mutex<()>,
}

impl Archive {
    pub(super) fn new(limits: history::Limits) -> Self {
        Self {
            stripes: std::array::from_fn(|_| Mutex::new(History::new(limits))),
            hasher: RandomState::new(),
            total: AtomicUsize::new(limits.total),
            kept: AtomicUsize::new(0),
            making_room: Mutex::default(),
        }
    }

    /// While the guard is held, nobody else numbers or delivers messages in the space.
    pub(super) fn lock(&self, space: &str) -> Option<Locked<'_>> {
        let stripe = self.hasher.hash_one(space) as usize % STRIPES;
        self.stripes.get(stripe).map(|stripe| self.locked(stripe))
    }

    fn locked<'a>(&'a self, stripe: &'a Mutex<History>) -> Locked<'a> {
        let history = stripe.lock().unwrap_or_else(PoisonError::into_inner);
        Locked {
            before: history.bytes(),
            history,
            kept: &self.kept,
        }
    }

    fn all(&self) -> impl Iterator<Item = Locked<'_>> {
        self.stripes.iter().map(|stripe| self.locked(stripe))
    }

    /// Drops messages of whoever uses most, if more is kept than may be. A sixteenth more becomes
    /// free, because finding out who uses most takes longer than dropping.
    pub(super) fn make_room(&self) {
        let total = self.total.load(Ordering::Relaxed);
        if self.kept.load(Ordering::Relaxed) <= total {
            return;
        }
        let turn = self.making_room.lock();
        let _turn = turn.unwrap_or_else(PoisonError::into_inner);
        let excess = self.kept.load(Ordering::Relaxed).saturating_sub(total);
        if excess == 0 {
            return;
        }
        let uses: Vec<_> = self.all().flat_map(|history| history.uses()).collect();
        for (owner, bytes) in plan(uses, excess + total / 16) {
            self.evict(&owner, bytes);
        }
    }

    pub(super) fn set_limits(&self, limits: history::Limits) {
        let now = Instant::now();
        self.all()
            .for_each(|mut history| history.set_limits(limits, now));
        self.total.store(limits.total, Ordering::Relaxed);
        self.make_room();
    }

    pub(super) fn evict_expired(&self) {
        let now = Instant::now();
        self.all()
            .for_each(|mut history| history.evict_expired(now));
    }

    /// Drops the oldest messages of an owner until so many bytes are free. Returns how many are.
    pub(super) fn evict(&self, owner: &Owner, bytes: usize) -> usize {
        let history = owner.space.as_ref().and_then(|space| self.lock(space));
        history.map_or(0, |mut history| history.evict(owner, bytes))
    }

    pub(super) fn stats(&self) -> history::Stats {
        self.all()
            .map(|history| history.stats())
            .fold(history::Stats::default(), |all, some| history::Stats {
                channels: all.channels + some.channels,
                messages: all.messages + some.messages,
                bytes: all.bytes + some.bytes,
            })
    }
}

/// The history of some spaces, of which nobody else may number or deliver messages.
pub(super) struct Locked<'a> {
    history: MutexGuard<'a, History>,
    before: usize,
    kept: &'a AtomicUsize,
}

impl Deref for Locked<'_> {
    type Target = History;

    fn deref(&self) -> &History {
        &self.history
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut History {
        &mut self.history
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let (before, after) = (self.before, self.history.bytes());
        if after >= before {
            self.kept.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.kept.fetch_sub(before - after, Ordering::Relaxed);
        }
    }
}
