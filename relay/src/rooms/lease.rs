//! A relay's right to keep rooms: a *term*, which it renews, and which others can end.
//!
//! A term is a chain of notes in the store. The relay whose term it is writes the next note every
//! [`RENEW`], and keeps rooms for [`LEASE`] after the moment at which it began to write the last
//! one. Whoever would end the term writes the next note instead, and waits for longer than that.
//! One of both succeeds, so the relay has stopped when the other one begins, whatever the network
//! did to either.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::hub::ids::random_bits;
use crate::hub::store::{Peers, StoreError};

/// How often a term is renewed.
pub(super) const RENEW: Duration = Duration::from_secs(1);
/// How long a relay keeps rooms without another note.
const LEASE: Duration = Duration::from_secs(4);
/// How long a relay waits that has ended the term of another one. Their clocks may differ a little.
/// Clients of Socket.IO give up after 10 s in which they hear nothing.
const WAIT: Duration = Duration::from_secs(5);
/// A term that wasn't renewed for so long is over. This is less than notes are kept.
const OVER: Duration = Duration::from_secs(30);
/// How long the store may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often is looked whether a term was renewed.
const LOOK: Duration = Duration::from_millis(50);
/// What is written by whoever ends another relay's term.
const ENDED: &str = "ended";
/// What is written by a relay that ends its own.
const RESIGNED: &str = "resigned";
/// How many terms of others that are over are remembered.
const MOST_ENDED: usize = 4096;

/// A relay's own term, and what it knows of those of others.
pub(super) struct Lease {
    peers: Arc<dyn Peers>,
    relay: u64,
    state: Mutex<State>,
    turn: tokio::sync::Mutex<()>,
    /// The terms of others that are over, and from when on that is sure.
    ended: Mutex<HashMap<u64, Instant>>,
    ending: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    term: u64,
    next: u64,
    /// When the last note was begun.
    held: Option<Moment>,
    /// When the next one was begun for the first time.
    begun: Option<Moment>,
    has_resigned: bool,
}

/// A moment by two clocks: one may stand still while a machine is suspended, the other may be set.
#[derive(Clone, Copy, Debug)]
struct Moment {
    clock: Instant,
    wall: SystemTime,
}

impl Moment {
    fn now() -> Self {
        Self {
            clock: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// How long ago it is, by the clock that says more.
    fn elapsed(self) -> Duration {
        let wall = self.wall.elapsed().unwrap_or_default();
        self.clock.elapsed().max(wall)
    }
}

/// What came of renewing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewed {
    /// The relay may keep rooms.
    Held,
    /// It isn't known.
    Unknown,
    /// The term is over, and the next one not begun.
    Over,
}

fn chain(term: u64) -> String {
    format!("term.{term:016x}")
}

fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(why.into())
}

impl Lease {
    pub(super) fn new(peers: Arc<dyn Peers>, relay: u64) -> Self {
        Self {
            peers,
            relay,
            state: Mutex::new(State::new()),
            turn: tokio::sync::Mutex::default(),
            ended: Mutex::default(),
            ending: tokio::sync::Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self) -> MutexGuard<'_, HashMap<u64, Instant>> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The term, if the relay may keep rooms now.
    pub(super) fn term(&self) -> Option<u64> {
        let state = self.state();
        let held = state.held.filter(|held| held.elapsed() < LEASE);
        held.filter(|_| !state.has_resigned).map(|_| state.term)
    }

    /// Whether others may know of its term.
    pub(super) fn has_begun(&self) -> bool {
        self.state().held.is_some()
    }

    pub(super) fn has_resigned(&self) -> bool {
        self.state().has_resigned
    }

    /// Resolves when the relay may keep rooms in this term. `false`: it can't in time, or the term is
    /// over.
    pub(super) async fn holds(&self, term: u64, deadline: Instant) -> bool {
        loop {
            if self.term() == Some(term) {
                return true;
            }
            if self.state().term != term || self.has_resigned() || Instant::now() >= deadline {
                return false;
            }
            sleep(LOOK).await;
        }
    }

    /// Writes the next note.
    pub(super) async fn renew(&self) -> Renewed {
        let _turn = self.turn.lock().await;
        let begun = Moment::now();
        let (term, number, begun) = {
            let mut state = self.state();
            if state.has_resigned {
                return Renewed::Unknown;
            }
            // The wall clock may have been set by as much.
            if state.held.is_some_and(|held| held.clock.elapsed() > OVER) {
                state.end();
                return Renewed::Over;
            }
            let begun = *state.begun.get_or_insert(begun);
            (state.term, state.next, begun)
        };
        let text = format!("{:016x}", self.relay);
        let chain = chain(term);
        let written = async {
            if !self.peers.write(&chain, number, text.clone()).await? {
                // Its own, of which the answer was lost?
                match self.peers.read(&chain, number).await? {
                    Some(note) if note.text == text => {}
                    Some(_) => return Ok(Renewed::Over),
                    None => return Ok(Renewed::Unknown),
                }
            }
            // If the note before was dropped, as while a machine is suspended, so may have been one
            // that ended the term.
            if number > 1 && self.peers.read(&chain, number - 1).await?.is_none() {
                return Ok(Renewed::Unknown);
            }
            Ok(Renewed::Held)
        };
        let written: Result<_, StoreError> = timeout(PATIENCE, written)
            .await
            .unwrap_or_else(|_| Err(unavailable("NATS doesn't answer")));
        let mut state = self.state();
        match written {
            Ok(Renewed::Held) => {
                state.held = Some(begun);
                state.begun = None;
                state.next += 1;
                Renewed::Held
            }
            Ok(Renewed::Over) => {
                tracing::warn!("another relay keeps this one's rooms now");
                state.end();
                Renewed::Over
            }
            Ok(Renewed::Unknown) => Renewed::Unknown,
            Err(error) => {
                tracing::debug!("a term wasn't renewed: {error}");
                Renewed::Unknown
            }
        }
    }

    /// Ends the own term for good: others may begin at once.
    pub(super) async fn resign(&self) {
        let (term, next) = {
            let mut state = self.state();
            state.has_resigned = true;
            if state.held.is_none() {
                return;
            }
            (state.term, state.next)
        };
        let _turn = self.turn.lock().await;
        let next = next.max(self.state().next);
        let chain = chain(term);
        let resigned = self.peers.write(&chain, next, RESIGNED.into());
        if !matches!(timeout(PATIENCE, resigned).await, Ok(Ok(true))) {
            tracing::debug!("the other relays aren't told that this one keeps no rooms any more");
        }
    }

    /// Whether another relay has ended its own term, or that is known to be over.
    pub(super) async fn is_over(&self, term: u64) -> bool {
        if let Some(sure) = self.ended().get(&term) {
            return *sure <= Instant::now();
        }
        let last = self.peers.last(&chain(term)).await;
        let is_over = matches!(last, Ok(Some(note)) if note.text == RESIGNED);
        if is_over {
            self.note_end(term, Instant::now());
        }
        is_over
    }

    /// The number of the last note of another relay's term, which rises as long as that is alive.
    pub(super) async fn progress(&self, term: u64) -> Option<u64> {
        let last = self.peers.last(&chain(term)).await;
        last.ok().flatten().map(|note| note.number)
    }

    /// Ends the term of another relay, and waits until it keeps no rooms any more.
    pub(super) async fn end(&self, term: u64) -> Result<(), StoreError> {
        let known = self.ended().get(&term).copied();
        let sure = match known {
            Some(sure) => sure,
            None => {
                let _turn = self.ending.lock().await;
                let known = self.ended().get(&term).copied();
                match known {
                    Some(sure) => sure,
                    None => self.write_end(term).await?,
                }
            }
        };
        sleep_until(sure).await;
        Ok(())
    }

    async fn write_end(&self, term: u64) -> Result<Instant, StoreError> {
        let chain = chain(term);
        let last = self.peers.last(&chain).await?;
        let mut number = last.as_ref().map_or(1, |note| note.number + 1);
        let mut text = last.map(|note| note.text).unwrap_or_default();
        let wait = loop {
            match &*text {
                RESIGNED => break Duration::ZERO,
                ENDED => break WAIT,
                _ => {}
            }
            if self.peers.write(&chain, number, ENDED.into()).await? {
                tracing::info!("a relay keeps no rooms any more: it doesn't answer");
                break WAIT;
            }
            let note = self.peers.read(&chain, number).await?;
            text = note.map(|note| note.text).unwrap_or_default();
            number += 1;
        };
        let sure = Instant::now() + wait;
        self.note_end(term, sure);
        Ok(sure)
    }

    fn note_end(&self, term: u64, sure: Instant) {
        let mut ended = self.ended();
        if ended.len() >= MOST_ENDED {
            ended.clear();
        }
        ended.insert(term, sure);
    }
}

impl State {
    fn new() -> Self {
        // Without random numbers a relay doesn't start.
        Self {
            term: random_bits().unwrap_or_default(),
            next: 1,
            held: None,
            begun: None,
            has_resigned: false,
        }
    }

    /// The next term.
    fn end(&mut self) {
        *self = Self {
            has_resigned: self.has_resigned,
            ..Self::new()
        };
    }
}

#[cfg(test)]
mod tests;
