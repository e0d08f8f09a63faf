//! The rooms of all spaces, and the queues of their pages.
//!
//! What happens in the rooms of a space happens one after the other: of two pages that open a room at
//! one time one is the first. Where relays share a store, one of them keeps the rooms of a space (see
//! [`keepers`](super::keepers)); else nothing here waits.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::time::Instant;

use super::connection::Permission;
pub(crate) use super::connection::{
    Answered, Greet, Liveness, NumberedRequest, PING, RoomConnection, Standing,
};
use super::entrant::{Entrant, RoomConnectionId};
use super::keepers::{Keepers, Where};
use super::place::Place;
use super::seat::Seat;
use super::space::{Peer, Space};
use crate::hub::Hub;
use crate::hub::budget::{Budget, Charge};

/// The rooms of all spaces. Each space has a lock of its own; whoever needs both locks takes that of
/// the registry first.
pub(crate) struct Registry {
    spaces: Mutex<HashMap<Arc<str>, Arc<Mutex<Space>>>>,
    next_id: AtomicU64,
    /// What the relay calls itself until it is started again.
    relay: Arc<str>,
    pub(super) budget: Arc<Budget>,
    /// Where relays share a store: who keeps which rooms.
    keepers: Option<Arc<Keepers>>,
    /// Pages leave because the relay stops, and come back to another one.
    is_stopping: AtomicBool,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

/// A connection's place in the rooms of a space, which it leaves when this is dropped.
#[derive(Debug)]
pub(crate) enum RoomMembership {
    /// This relay keeps the rooms.
    Here(Place),
    /// Another one does.
    There(Seat),
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who enters, and how.
pub(super) struct Entry {
    pub(super) entrant: Entrant,
    pub(super) peer: Peer,
    pub(super) charge: Charge,
    pub(super) permission: Permission,
}

impl Registry {
    /// No rooms yet.
    pub(crate) fn new(hub: &Hub) -> Arc<Self> {
        Arc::new_cyclic(|registry: &Weak<Self>| Self {
            spaces: Mutex::default(),
            next_id: AtomicU64::new(0),
            relay: hub.relay().into(),
            budget: Arc::clone(hub.budget()),
            keepers: hub
                .peers()
                .map(|peers| Keepers::new(peers, hub.number(), Weak::clone(registry))),
            is_stopping: AtomicBool::new(false),
        })
    }

    fn space(&self, name: &str) -> Option<Arc<Mutex<Space>>> {
        lock(&self.spaces).get(name).cloned()
    }

    /// Waits until it is known who keeps the rooms of a space. A client that isn't told before that it
    /// is connected asks for nothing that is lost if it gives up. `false`: nobody does now. `own` is
    /// its connection.
    pub(crate) async fn is_ready(&self, space: &str, own: &Liveness) -> bool {
        let Some(keepers) = &self.keepers else {
            return true;
        };
        let _waiting = own.wait();
        keepers.locate(&Arc::from(space)).await.is_ok()
    }

    /// Waits until the id of an entrant is free, or its user has given a sign of life. `own` is the
    /// entrant's connection. Where another relay keeps the rooms, it does so when the page enters.
    pub(crate) async fn wait_for_user_id(&self, space: &str, entrant: &Entrant, own: &Liveness) {
        let is_own = |peer: &Peer| peer.is_of(own);
        self.wait_for_id(space, entrant, is_own).await;
    }

    pub(super) async fn wait_for_id(
        &self,
        space: &str,
        entrant: &Entrant,
        is_own: impl Fn(&Peer) -> bool,
    ) {
        loop {
            let Some(shared) = self.space(space) else {
                return;
            };
            let holder = lock(&shared).holder(entrant);
            let Some((id, peer)) = holder else {
                return;
            };
            if is_own(&peer) || peer.is_alive().await {
                return;
            }
            lock(&shared).drop_user(id);
        }
    }

    /// A connection enters the rooms of a space. If its id is taken, it stays without being a user.
    /// `greet` is called with what it is, before something is delivered to it. `waits`: another relay
    /// waits for its id. `None`: it can't enter now, and is ended.
    pub(crate) async fn enter(
        self: &Arc<Self>,
        entrant: Entrant,
        connection: RoomConnection,
        charge: Charge,
        waits: bool,
        greet: Greet,
    ) -> Option<RoomMembership> {
        let name = Arc::clone(&connection.space);
        let Some(keepers) = &self.keepers else {
            let entry = Entry {
                entrant,
                peer: Peer::Here(connection),
                charge,
                permission: Permission::Token,
            };
            let place = self.enter_here(name, entry, &self.relay, None, |standing| {
                greet(standing, &self.relay);
            });
            return Some(RoomMembership::Here(place));
        };
        let liveness = Arc::clone(&connection.liveness);
        let _waiting = liveness.wait();
        let mut entering = Some((entrant, connection, charge, greet));
        // Who keeps them may change meanwhile.
        for _ in 0..4 {
            let Ok(place) = keepers.locate(&name).await else {
                break;
            };
            let (entrant, connection, charge, greet) = entering.take()?;
            match place {
                Where::Here => {
                    let entry = Entry {
                        entrant: entrant.clone(),
                        peer: Peer::Here(connection.clone()),
                        charge,
                        permission: Permission::Token,
                    };
                    let entered = keepers.enter_here(self, &name, entry, greet);
                    match entered {
                        Ok(place) => return Some(RoomMembership::Here(place)),
                        Err(back) => {
                            let (entry, greet) = *back;
                            entering = Some((entry.entrant, connection, entry.charge, greet));
                        }
                    }
                }
                Where::There(visit) => {
                    match Seat::take(&visit, &entrant, connection, charge, waits, greet).await {
                        Ok(seat) => return Some(RoomMembership::There(seat)),
                        Err(Some((connection, charge, greet))) => {
                            keepers.forget(&name);
                            entering = Some((entrant, connection, charge, greet));
                        }
                        Err(None) => break,
                    }
                }
            }
        }
        tracing::debug!(space = %name, "nobody keeps its rooms now");
        liveness.replaced.cancel();
        None
    }

    /// Enters rooms that this relay keeps.
    pub(super) fn enter_here(
        self: &Arc<Self>,
        name: Arc<str>,
        entry: Entry,
        keeping: &Arc<str>,
        term: Option<u64>,
        greet: impl FnOnce(Standing),
    ) -> Place {
        let Entry {
            entrant,
            peer,
            charge,
            permission,
        } = entry;
        let id = RoomConnectionId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let profile = entrant.profile.clone();
        let mut spaces = lock(&self.spaces);
        let shared = Arc::clone(spaces.entry(Arc::clone(&name)).or_default());
        lock(&shared).enter(id, entrant, peer, charge, permission, greet);
        drop(spaces);
        Place {
            registry: Arc::clone(self),
            name,
            space: shared,
            profile,
            id,
            is_left: AtomicBool::new(false),
            keeping: Arc::clone(keeping),
            term,
        }
    }

    /// A connection has left.
    pub(super) fn left(
        &self,
        name: &Arc<str>,
        shared: &Arc<Mutex<Space>>,
        id: RoomConnectionId,
        for_good: bool,
    ) {
        let mut spaces = lock(&self.spaces);
        let mut space = lock(shared);
        space.gone(id, for_good);
        let is_registered = |space: &Arc<_>| Arc::ptr_eq(space, shared);
        if space.is_empty() && spaces.get(name).is_some_and(is_registered) {
            spaces.remove(name);
        }
    }

    /// Whether there is anybody in the rooms of a space that this relay keeps.
    pub(super) fn has(&self, name: &str) -> bool {
        lock(&self.spaces).contains_key(name)
    }

    /// Drops the rooms of a space: another relay keeps them now, or may.
    pub(super) fn give_up(&self, name: &str) {
        let space = lock(&self.spaces).remove(name);
        if let Some(space) = space {
            lock(&space).give_up();
        }
    }

    /// Removes the users who didn't come back in time. To be called regularly.
    pub(crate) fn expire(&self) {
        if self
            .keepers
            .as_ref()
            .is_some_and(|keepers| !keepers.may_keep())
        {
            return;
        }
        let now = Instant::now();
        lock(&self.spaces).retain(|_, space| {
            let mut space = lock(space);
            space.expire(now);
            !space.is_empty()
        });
    }

    /// Does what relays that share a store have to do all the time. Never ends.
    pub(crate) async fn run(&self) {
        match &self.keepers {
            Some(keepers) => keepers.run().await,
            None => std::future::pending().await,
        }
    }

    /// Pages leave from now on because the relay stops. Where relays share a store, they come back to
    /// another one, and the others don't hear of it.
    pub(crate) fn stop(&self) {
        if let Some(keepers) = &self.keepers {
            self.is_stopping.store(true, Ordering::Relaxed);
            keepers.stop();
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    /// Keeps no rooms any more that others can keep: this relay is about to stop.
    pub(crate) async fn resign(&self) {
        if let Some(keepers) = &self.keepers {
            keepers.resign().await;
        }
    }

    /// How many users and rooms this relay keeps.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let spaces = lock(&self.spaces);
        let counts = spaces.values().map(|space| lock(space).rooms.counts());
        counts.fold((0, 0), |(users, rooms), (more_users, more_rooms)| {
            (users + more_users, rooms + more_rooms)
        })
    }

    /// Resolves when the relay may act for rooms that it keeps in this term. `false`: it may not any
    /// more.
    pub(super) async fn is_kept(&self, term: Option<u64>) -> bool {
        match (&self.keepers, term) {
            (Some(keepers), Some(term)) => keepers.is_kept(term).await,
            _ => true,
        }
    }
}

impl RoomMembership {
    /// Notes that the page doesn't come back.
    pub(crate) fn leave(&self) {
        match self {
            Self::Here(place) => place.leave(),
            Self::There(seat) => seat.leave(),
        }
    }

    /// Takes an event of the page. The next one is to be taken only when this has resolved.
    pub(crate) async fn take(&self, event: &str, arguments: &[&str]) -> Answered {
        match self {
            Self::Here(place) if place.takes().await => {
                place.take(event, arguments, Permission::Token).0
            }
            Self::Here(_) => Answered::Known(None),
            Self::There(seat) => seat.take_event(event, arguments).await,
        }
    }

    /// Takes what a page on a private channel asks for. The answer is delivered. The next one is to be
    /// taken only when this has resolved.
    pub(crate) async fn take_numbered(&self, asked: NumberedRequest<'_>) {
        match self {
            Self::Here(place) => {
                let may_take = match asked.event {
                    Some(_) => place.takes().await,
                    None => place.is_kept().await,
                };
                if may_take {
                    place.take_numbered(asked, Permission::Token);
                }
            }
            Self::There(seat) => seat.take_numbered(asked).await,
        }
    }

    /// What it is in the rooms, and the name of their keeping. `None`: it isn't known any more.
    pub(crate) async fn standing(&self) -> Option<(Standing, Arc<str>)> {
        match self {
            Self::Here(place) => {
                let is_kept = place.is_kept().await;
                is_kept.then(|| (place.standing(), Arc::clone(&place.keeping)))
            }
            Self::There(seat) => seat.standing().await,
        }
    }
}
