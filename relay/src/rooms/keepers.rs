//! Which relay keeps the rooms of a space, where several share a store.
//!
//! The rooms of one space are kept by one relay, its *keeper*, as if there were no others. The other
//! relays hand on what their pages ask for (see [`visit`](super::visit)), and the keeper answers and
//! delivers (see [`host`](super::host)).
//!
//! * *Who it is* is written in a chain of notes for the space: the last one names the keeper and its
//!   term (see [`lease`](super::lease)). A keeper writes another one before the last is dropped.
//! * *Another keeper*: whoever finds that a keeper doesn't answer ends its term, waits until it has
//!   surely stopped, and writes the next note. Of several who do so one succeeds.
//! * *Before it answers*, a keeper looks whether its term lasts. If it doesn't know, it waits; if it
//!   is over, it drops the rooms and ends their connections: the pages come back.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use futures_util::StreamExt;
use tokio::time::{Instant, interval, sleep, timeout};

use super::connection::Greet;
use super::host::Hosts;
use super::lease::{Lease, RENEW, Renewed};
use super::link::SILENT;
use super::place::Place;
use super::registry::{Entry, Registry};
use super::segment::Segment;
use super::visit::{Visit, Visits};
use crate::hub::ids::fingerprint;
use crate::hub::store::{Peers, StoreError};

/// How long a page waits until it is known who keeps its rooms: longer than it takes until another
/// relay does.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a page waits for its keeper when that doesn't know whether it still is.
const DOUBT: Duration = Duration::from_secs(15);
/// How long is waited before the store is asked again.
const AGAIN: Duration = Duration::from_millis(200);
/// How often links are looked after.
const TICK: Duration = Duration::from_millis(200);
/// How many notes are renewed at one time.
const NOTES: usize = 32;
/// How long a keeper stays one without anybody in the rooms.
const IDLE: Duration = Duration::from_secs(60);
/// The same where this relay keeps the rooms of many spaces, so that nobody fills it with empty ones.
const IDLE_OF_MANY: Duration = Duration::from_secs(2);
const MANY: usize = 16_384;
/// Of how many spaces this relay keeps the rooms. Pages of others can't enter rooms for now.
const MOST_OFFICES: usize = 65_536;
/// How many spaces are remembered of which others keep the rooms.
const MOST_KNOWN: usize = 65_536;

/// Where the rooms of a space are kept.
pub(super) enum Where {
    /// By this relay.
    Here,
    /// By the relay that is visited so.
    There(Arc<Visit>),
}

/// This relay keeps the rooms of a space.
#[derive(Debug)]
struct Office {
    term: u64,
    /// The number of its last note.
    number: u64,
    /// When that was begun.
    renewed: Instant,
    /// The name of the keeping.
    name: Arc<str>,
    /// When there was somebody in the rooms last.
    used: Instant,
}

/// Who keeps which rooms.
pub(super) struct Keepers {
    peers: Arc<dyn Peers>,
    relay: u64,
    registry: Weak<Registry>,
    lease: Lease,
    offices: Mutex<HashMap<Arc<str>, Office>>,
    /// The relays, and their terms, that keep the rooms of other spaces, as far as that is known.
    known: Mutex<HashMap<Arc<str>, (u64, u64)>>,
    /// Those who look for the keeper of a space do so one after the other.
    turns: Vec<tokio::sync::Mutex<()>>,
    visits: Visits,
    hosts: Hosts,
}

impl fmt::Debug for Keepers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keepers").finish_non_exhaustive()
    }
}

fn chain(space: &str) -> String {
    format!("keeper.{}", fingerprint(space))
}

fn unavailable(why: &str) -> StoreError {
    StoreError::Unavailable(why.into())
}

/// What a keeper writes. A note that comes late, because it waited for a connection, is as good as any
/// other: that relay begins to keep the rooms when it is asked, or another one ends its term.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    relay: u64,
    term: u64,
}

impl Written {
    /// The time is for people who look into NATS.
    fn text(relay: u64, term: u64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_millis();
        format!("{relay:016x} {term:016x} {now}")
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let mut number = || u64::from_str_radix(words.next()?, 16).ok();
        let (relay, term) = (number()?, number()?);
        Some(Self { relay, term })
    }
}

impl Keepers {
    pub(super) fn new(peers: Arc<dyn Peers>, relay: u64, registry: Weak<Registry>) -> Arc<Self> {
        let keepers = Arc::new(Self {
            lease: Lease::new(Arc::clone(&peers), relay),
            offices: Mutex::default(),
            known: Mutex::default(),
            turns: std::iter::repeat_with(tokio::sync::Mutex::default)
                .take(64)
                .collect(),
            visits: Visits::new(Arc::clone(&peers), relay),
            hosts: Hosts::new(Arc::clone(&peers), relay),
            peers,
            relay,
            registry,
        });
        let hearing = Arc::downgrade(&keepers);
        keepers.peers.listen(Box::new(move |bytes| {
            if let Some(keepers) = hearing.upgrade() {
                keepers.hear(&bytes);
            }
        }));
        keepers
    }

    fn offices(&self) -> MutexGuard<'_, HashMap<Arc<str>, Office>> {
        self.offices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Arc<str>, (u64, u64)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another relay has sent something.
    fn hear(self: &Arc<Self>, bytes: &Bytes) {
        let Some(segment) = Segment::decode(bytes) else {
            return;
        };
        if segment.is_keepers {
            self.visits.take(&segment);
        } else {
            self.hosts.take(&segment, self);
        }
    }

    /// Whether the relay may act for rooms now.
    pub(super) fn may_keep(&self) -> bool {
        self.lease.term().is_some()
    }

    /// The term in which the relay may keep rooms now.
    pub(super) fn term(&self) -> Option<u64> {
        self.lease.term()
    }

    /// Resolves when the relay may act for rooms that it keeps in this term. `false`: it may not any
    /// more.
    pub(super) async fn is_kept(&self, term: u64) -> bool {
        self.lease.holds(term, Instant::now() + DOUBT).await
    }

    pub(super) fn registry(&self) -> Option<Arc<Registry>> {
        self.registry.upgrade()
    }

    /// Forgets who keeps the rooms of a space.
    pub(super) fn forget(&self, space: &str) {
        self.known().remove(space);
    }

    /// Remembers who keeps the rooms of a space.
    fn note(&self, space: &Arc<str>, relay: u64, term: u64) {
        let mut known = self.known();
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(Arc::clone(space), (relay, term));
    }

    /// Finds who keeps the rooms of a space, or has this relay keep them.
    pub(super) async fn locate(&self, space: &Arc<str>) -> Result<Where, StoreError> {
        if let Some(term) = self.office(space)
            && self.is_kept(term).await
        {
            return Ok(Where::Here);
        }
        let known = self.known().get(space).copied();
        if let Some((relay, term)) = known
            && let Some(visit) = self.visits.find(relay, term)
            && visit.is_heard().await
        {
            return Ok(Where::There(visit));
        }
        let finding = self.find(space, true);
        let found = timeout(PATIENCE, finding).await;
        found.map_err(|_| unavailable("NATS doesn't answer"))?
    }

    /// Whether this relay keeps the rooms of a space that another one takes it for the keeper of.
    pub(super) async fn keeps(&self, space: &Arc<str>) -> bool {
        if let Some(term) = self.office(space) {
            return self.is_kept(term).await;
        }
        let found = timeout(PATIENCE, self.find(space, false)).await;
        matches!(found, Ok(Ok(Where::Here)))
    }

    /// The term in which this relay keeps the rooms of a space, if it does.
    fn office(&self, space: &str) -> Option<u64> {
        self.offices().get(space).map(|office| office.term)
    }

    /// `elsewhere`: whether it may be another relay.
    async fn find(&self, space: &Arc<str>, elsewhere: bool) -> Result<Where, StoreError> {
        let chain = chain(space);
        let turn = space.bytes().fold(0_usize, |sum, byte| {
            sum.wrapping_mul(31).wrapping_add(usize::from(byte))
        });
        let turn = turn.checked_rem(self.turns.len()).unwrap_or_default();
        let _turn = match self.turns.get(turn) {
            Some(turn) => Some(turn.lock().await),
            None => None,
        };
        // Since when a keeper is asked.
        let mut asked: Option<(u64, Instant)> = None;
        loop {
            // Whoever had the turn before may have found it.
            if let Some(term) = self.office(space) {
                if self.is_kept(term).await {
                    return Ok(Where::Here);
                }
                sleep(AGAIN).await;
                continue;
            }
            let last = match self.peers.last(&chain).await {
                Ok(last) => last,
                Err(error) => {
                    tracing::debug!(%space, "who keeps its rooms? {error}");
                    sleep(AGAIN).await;
                    continue;
                }
            };
            let number = last.as_ref().map_or(1, |note| note.number + 1);
            let written = last.and_then(|note| Written::read(&note.text));
            if let Some(Written { relay, term }) = written
                && relay != self.relay
            {
                if !elsewhere {
                    return Err(unavailable("another relay keeps them"));
                }
                if !self.lease.is_over(term).await {
                    let (_, since) = *asked
                        .take_if(|(of, _)| *of == term)
                        .get_or_insert((term, Instant::now()));
                    asked = Some((term, since));
                    let before = self.lease.progress(term).await;
                    if let Some(visit) = self.visits.open(relay, term).await {
                        self.note(space, relay, term);
                        return Ok(Where::There(visit));
                    }
                    // It lives, and may only be hard to reach for a moment.
                    if since.elapsed() < SILENT && self.lease.progress(term).await > before {
                        continue;
                    }
                }
                if self.lease.has_resigned() {
                    return Err(unavailable("the relay is shutting down"));
                }
                if let Err(error) = self.lease.end(term).await {
                    tracing::debug!(%space, "its keeper can't be replaced: {error}");
                    sleep(AGAIN).await;
                    continue;
                }
            }
            if self.lease.has_resigned() {
                return Err(unavailable("the relay is shutting down"));
            }
            if self.offices().len() >= MOST_OFFICES {
                return Err(unavailable("this relay keeps the rooms of too many spaces"));
            }
            if !self.begin(space, &chain, number).await {
                sleep(AGAIN / 4).await;
            }
        }
    }

    /// Tries to become the keeper of a space.
    async fn begin(&self, space: &Arc<str>, chain: &str, number: u64) -> bool {
        if self.lease.term().is_none() {
            match self.lease.renew().await {
                Renewed::Held => {}
                Renewed::Unknown => return false,
                Renewed::Over => {
                    self.drop_all();
                    return false;
                }
            }
        }
        let (Some(term), renewed) = (self.lease.term(), Instant::now()) else {
            return false;
        };
        let text = Written::text(self.relay, term);
        match self.peers.write(chain, number, text).await {
            Ok(true) => {}
            Ok(false) => return false,
            Err(error) => {
                tracing::debug!(%space, "its rooms can't be kept yet: {error}");
                return false;
            }
        }
        let office = Office {
            term,
            number,
            renewed,
            name: format!("{term:016x}-{number}").into(),
            used: renewed,
        };
        let mut offices = self.offices();
        // The term may have ended meanwhile, and what the relay kept in it is dropped already.
        if self.lease.term() != Some(term) {
            return false;
        }
        offices.insert(Arc::clone(space), office);
        drop(offices);
        tracing::debug!(%space, "this relay keeps its rooms now");
        true
    }

    /// A page enters rooms that this relay keeps. An error: it doesn't, after all.
    pub(super) fn enter_here(
        &self,
        registry: &Arc<Registry>,
        space: &Arc<str>,
        entry: Entry,
        greet: Greet,
    ) -> Result<Place, Box<(Entry, Greet)>> {
        let mut offices = self.offices();
        let term = self.lease.term();
        let office = offices.get_mut(space);
        let Some(office) = office.filter(|office| Some(office.term) == term) else {
            return Err(Box::new((entry, greet)));
        };
        office.used = Instant::now();
        let (keeping, term) = (Arc::clone(&office.name), office.term);
        let name = Arc::clone(space);
        let greet = |standing| greet(standing, &keeping);
        Ok(registry.enter_here(name, entry, &keeping, Some(term), greet))
    }

    /// This relay keeps no rooms any more.
    fn drop_all(&self) {
        let mut offices = self.offices();
        if let Some(registry) = self.registry() {
            for space in offices.keys() {
                registry.give_up(space);
            }
        }
        offices.clear();
        drop(offices);
        self.hosts.end_all();
    }

    /// Does what has to be done all the time. Never ends.
    pub(super) async fn run(&self) {
        let ticking = async {
            let mut ticks = interval(TICK);
            loop {
                ticks.tick().await;
                self.visits.tick();
                self.hosts.tick();
            }
        };
        // Notes that take long don't keep the term from being renewed.
        let renewing_term = async {
            loop {
                sleep(RENEW).await;
                self.renew_term().await;
            }
        };
        let renewing_notes = async {
            loop {
                sleep(RENEW).await;
                self.renew_notes().await;
            }
        };
        tokio::join!(ticking, renewing_term, renewing_notes);
    }

    async fn renew_term(&self) {
        self.leave_unused();
        self.leave_overdue();
        // Also while it keeps no rooms: the others take its word for a space for some time.
        if self.lease.has_begun() && self.lease.renew().await == Renewed::Over {
            self.drop_all();
        }
    }

    /// Renews the notes that name this relay, before they are dropped.
    async fn renew_notes(&self) {
        let kept = self.peers.kept();
        let due: Vec<_> = {
            let offices = self.offices();
            let due = offices
                .iter()
                .filter(|(_, office)| office.renewed.elapsed() > kept / 3);
            due.map(|(space, office)| (Arc::clone(space), office.number, office.term))
                .collect()
        };
        let due = futures_util::stream::iter(due);
        due.for_each_concurrent(NOTES, async |(space, number, term)| {
            if self.lease.term() == Some(term) {
                self.renew_office(&space, number + 1, term).await;
            }
        })
        .await;
    }

    /// Keeps no rooms any more of which the notes are dropped soon: NATS takes new ones too slowly. A
    /// NATS that takes none ends the term.
    fn leave_overdue(&self) {
        if self.lease.term().is_none() {
            return;
        }
        let kept = self.peers.kept();
        let mut offices = self.offices();
        let overdue: Vec<_> = offices
            .iter()
            .filter(|(_, office)| office.renewed.elapsed() > kept / 6 * 5)
            .map(|(space, _)| Arc::clone(space))
            .collect();
        for space in overdue {
            tracing::warn!(%space, "this relay keeps its rooms no more: its note wasn't renewed");
            self.leave(&mut offices, &space);
        }
    }

    async fn renew_office(&self, space: &Arc<str>, number: u64, term: u64) {
        let begun = Instant::now();
        let chain = chain(space);
        // If the note before was dropped, as while a machine is suspended, another relay may have
        // begun since then, and with the first number again.
        let is_there = async || {
            let before = self.peers.read(&chain, number - 1).await;
            before.map(|before| before.is_some())
        };
        let leave = || {
            tracing::warn!(%space, "another relay keeps its rooms now, or may");
            self.leave(&mut self.offices(), space);
        };
        match is_there().await {
            Ok(true) => {}
            Ok(false) => return leave(),
            Err(_) => return,
        }
        let text = Written::text(self.relay, term);
        let written = self.peers.write(&chain, number, text).await;
        let is_own = match written {
            Ok(true) => true,
            Ok(false) => match self.peers.read(&chain, number).await {
                // Its own, of which the answer was lost?
                Ok(Some(note)) => Written::read(&note.text)
                    .is_some_and(|written| (written.relay, written.term) == (self.relay, term)),
                _ => return,
            },
            Err(error) => {
                return tracing::debug!(%space, "keeping its rooms wasn't renewed: {error}");
            }
        };
        match is_there().await {
            Ok(true) if is_own => {}
            Ok(_) => return leave(),
            Err(_) => return,
        }
        let mut offices = self.offices();
        if let Some(office) = offices.get_mut(space) {
            office.number = number;
            if written == Ok(true) {
                office.renewed = begun;
            }
        }
    }

    fn leave(&self, offices: &mut HashMap<Arc<str>, Office>, space: &Arc<str>) {
        offices.remove(space);
        if let Some(registry) = self.registry() {
            registry.give_up(space);
        }
    }

    /// Keeps no more rooms where nobody was for a while.
    fn leave_unused(&self) {
        let Some(registry) = self.registry() else {
            return;
        };
        let mut offices = self.offices();
        let idle = if offices.len() > MANY {
            IDLE_OF_MANY
        } else {
            IDLE
        };
        offices.retain(|space, office| {
            if registry.has(space) {
                office.used = Instant::now();
            }
            office.used.elapsed() < idle
        });
    }

    /// Pages leave from now on because the relay stops.
    pub(super) fn stop(&self) {
        self.visits.stop();
    }

    /// Keeps no rooms any more, for good. The pages come back to other relays.
    pub(super) async fn resign(&self) {
        self.lease.resign().await;
        self.drop_all();
    }
}

#[cfg(test)]
mod tests;
