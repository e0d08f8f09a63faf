//! Sessions of plain WebSockets: they let a client that lost its connection resume without losing
//! or repeating messages.
//!
//! A session has a secret name, the `ref` of the last accepted message, and the channels that the
//! client has open, each with the position at which it was opened. It starts when a connection
//! opens its first channel. When the connection is gone, the session is kept for a while if there
//! is anything to resume. A connection that names the secret takes the session over, also from a
//! connection that still seems to be alive.
//!
//! Everything in a session happens in *turns*, one at a time. A turn checks that its connection
//! still has the session and that the message wasn't accepted before, publishes it, and records its
//! `ref`. So a client that sends a message again, or two connections of one session, can't publish
//! a message twice or out of order. A turn that has started must be finished: a message that was
//! published and not recorded would be published again.
//!
//! `sharing`: where several relays share a store, they share sessions too.

mod channels;
mod eviction;
mod sharing;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signal_wire::Open;
use tokio::sync::SetOnce;
use tokio::time::Instant;

use self::channels::Channels;
use self::sharing::SharedAs;
use super::frame::PendingMessage;
use super::ids::PublisherId;
use super::kept::{Kept, Place};
use super::membership::Membership;
use super::queue::Ack;
use super::store::{Content, OpenChannel, Store};
use crate::changeable::Changeable;

/// How many sessions are kept, and how much each may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a session is kept after its connection is lost.
    pub age: Duration,
    /// How many such sessions are kept. Beyond that, those are dropped of the space or the address
    /// that has most, the session disconnected longest first.
    pub kept: usize,
    /// How many channels a session may have open.
    pub channels: usize,
    /// Whether a session may ask for what was published before it began.
    pub late_history: bool,
}

/// How many sessions there are at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Sessions with a connection.
    pub attached: usize,
    /// Sessions that are kept for a client that may come back.
    pub kept: usize,
    /// Channels that sessions have open, each counted once for each session.
    pub channels: usize,
}

/// Why something can't be done in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionError {
    /// Another connection has taken the session over.
    ResumedElsewhere,
    /// The store didn't accept it.
    StoreUnavailable,
    /// The session would have more channels open than this, or their names are too long in all.
    TooManyChannels(usize),
}

/// The sessions of one relay.
#[derive(Debug)]
pub struct Sessions {
    limits: Changeable<Limits>,
    store: Arc<dyn Store>,
    registry: Mutex<Registry>,
}

#[derive(Debug)]
struct Registry {
    sessions: HashMap<Name, Arc<Session>>,
    /// Sessions without a connection.
    kept: Kept<Name>,
}

impl Registry {
    /// Drops sessions of whoever has most, if more are kept than may be.
    fn drop_excess(&mut self) -> Vec<Arc<Session>> {
        let excess = self.kept.evict_excess();
        excess
            .iter()
            .filter_map(|name| self.sessions.remove(name))
            .collect()
    }
}

/// A session belongs to a space. Its secret means nothing in another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name {
    space: Arc<str>,
    secret: Arc<str>,
}

#[derive(Debug)]
struct Session {
    name: Name,
    publisher: PublisherId,
    holder: Mutex<Holder>,
    /// The `ref` of the last accepted message. Locked for the length of a turn.
    accepted: tokio::sync::Mutex<u64>,
    channels: Mutex<Channels>,
    /// What other relays can know of it.
    shared: Mutex<SharedAs>,
}

/// Which connection has a session.
#[derive(Debug)]
struct Holder {
    /// Counts the connections that have had it. The last one has it.
    generation: u64,
    /// Ends that connection.
    ends: Ends,
    /// Its place in [`Registry::kept`], if it has no connection.
    kept: Option<Place>,
}

/// How a connection learns that it no longer has its session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends(Arc<SetOnce<End>>);

/// Why a connection no longer has its session.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// Another connection has it.
    Resumed,
    /// It was dropped to free memory.
    Evicted,
}

impl Ends {
    /// The connection has lost its session. The first reason counts.
    fn end(&self, end: End) {
        self.0.set(end).ok();
    }

    /// Resolves when the connection has lost its session.
    pub(crate) async fn ended(&self) -> End {
        *self.0.wait().await
    }
}

impl Session {
    fn holder(&self) -> MutexGuard<'_, Holder> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn channels(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shared(&self) -> MutexGuard<'_, SharedAs> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new(name: Name, publisher: PublisherId, channels: Channels) -> Self {
        Self {
            name,
            publisher,
            holder: Mutex::new(Holder {
                generation: 0,
                ends: Ends::default(),
                kept: None,
            }),
            accepted: tokio::sync::Mutex::default(),
            channels: Mutex::new(channels),
            shared: Mutex::new(SharedAs::unknown()),
        }
    }
}

impl Sessions {
    /// No sessions yet. When a session is dropped, its channels are closed in the store.
    #[must_use]
    pub fn new(limits: Limits, store: Arc<dyn Store>) -> Self {
        Self {
            limits: Changeable::new(limits),
            store,
            registry: Mutex::new(Registry {
                sessions: HashMap::new(),
                kept: Kept::new(limits.kept),
            }),
        }
    }

    /// Keeps no more than this from now on. Open channels stay open.
    pub fn set_limits(&self, limits: Limits) {
        self.limits.set(limits);
        let mut registry = self.registry();
        registry.kept.set_limit(limits.kept);
        let dropped = registry.drop_excess();
        drop(registry);
        self.close(dropped);
        self.evict_expired();
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Attaches a connection to the session with this secret, which is created if it doesn't exist.
    /// Another connection that has the session loses it: its `ends` say so.
    ///
    /// A connection that doesn't resume brings the secret of its own hello. If that session exists,
    /// a newer connection has resumed it, and these are late frames of a connection that is gone.
    pub(crate) fn attach(
        self: &Arc<Self>,
        secret: &str,
        resumes: bool,
        membership: &Membership,
        ends: Ends,
    ) -> Result<Attached, SessionError> {
        let name = Name {
            space: Arc::clone(membership.space()),
            secret: secret.into(),
        };
        let mut registry = self.registry();
        let known = registry.sessions.get(&name).cloned();
        let found = known.is_some();
        if found && !resumes {
            return Err(SessionError::ResumedElsewhere);
        }
        let session = known.unwrap_or_else(|| {
            let channels = Channels::new(membership.account());
            let session = Session::new(name.clone(), membership.publisher(), channels);
            let session = Arc::new(session);
            registry.sessions.insert(name, Arc::clone(&session));
            session
        });
        let mut holder = session.holder();
        std::mem::replace(&mut holder.ends, ends).end(End::Resumed);
        if found {
            if let Some(place) = holder.kept.take() {
                registry.kept.remove(place);
            }
            session.channels().move_to(membership.account());
        }
        holder.generation += 1;
        let generation = holder.generation;
        drop(holder);
        Ok(Attached {
            sessions: Arc::clone(self),
            session,
            generation,
        })
    }

    /// Drops sessions that have been kept for [`Limits::age`]. To be called regularly.
    pub fn evict_expired(&self) {
        let (mut dropped, now) = (Vec::new(), Instant::now());
        let age = self.limits.get().age;
        let mut registry = self.registry();
        while let Some(name) = registry.kept.evict_expired(age, now) {
            dropped.extend(registry.sessions.remove(&name));
        }
        drop(registry);
        self.close(dropped);
    }

    /// How many there are.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let registry = self.registry();
        let kept = registry.kept.len();
        Stats {
            attached: registry.sessions.len() - kept,
            kept,
            channels: registry
                .sessions
                .values()
                .map(|session| session.channels().open.len())
                .sum(),
        }
    }

    fn detach(&self, session: &Arc<Session>, generation: u64, keep: bool) {
        let mut dropped = Vec::new();
        let mut registry = self.registry();
        let mut holder = session.holder();
        if holder.generation != generation {
            return;
        }
        let registered = registry.sessions.get(&session.name);
        let evicted = !registered.is_some_and(|registered| Arc::ptr_eq(registered, session));
        if evicted {
            drop(holder);
            dropped.push(Arc::clone(session));
        } else if keep {
            let owner = session.channels().charge.account().owner().clone();
            let place = registry
                .kept
                .insert(owner, session.name.clone(), Instant::now());
            holder.kept = Some(place);
            drop(holder);
            dropped = registry.drop_excess();
        } else {
            drop(holder);
            dropped.extend(registry.sessions.remove(&session.name));
        }
        drop(registry);
        self.close(dropped);
    }

    fn close(&self, sessions: Vec<Arc<Session>>) {
        for session in sessions {
            let mut channels = session.channels();
            let open = std::mem::take(&mut channels.open);
            channels.name_bytes = 0;
            channels.charge.set(0);
            drop(channels);
            self.store.close(&session.name.space, &mut open.into_keys());
        }
    }
}

/// A connection's hold on its session.
#[derive(Debug)]
pub(crate) struct Attached {
    sessions: Arc<Sessions>,
    session: Arc<Session>,
    generation: u64,
}

impl Attached {
    /// Whether this is the session with that secret.
    pub(crate) fn is(&self, secret: &str) -> bool {
        *self.session.name.secret == *secret
    }

    /// Waits for a turn.
    async fn turn(&self) -> Result<tokio::sync::MutexGuard<'_, u64>, SessionError> {
        let accepted = self.session.accepted.lock().await;
        if self.session.holder().generation == self.generation {
            Ok(accepted)
        } else {
            Err(SessionError::ResumedElsewhere)
        }
    }

    /// Publishes a message, records its `ref` and acknowledges it. A message that was accepted
    /// before isn't published again.
    pub(crate) async fn publish(
        &self,
        membership: &Membership,
        message: PendingMessage,
        reference: Option<u64>,
    ) -> Result<(), SessionError> {
        let mut accepted = self.turn().await?;
        if reference.is_none_or(|reference| reference > *accepted) {
            membership
                .publish_as(
                    self.session.publisher,
                    Content::Envelope(message),
                    reference,
                )
                .await
                .map_err(|_| SessionError::StoreUnavailable)?;
        }
        if let Some(reference) = reference {
            *accepted = reference.max(*accepted);
            membership.sender().acknowledge(*accepted);
        }
        Ok(())
    }

    /// Records the `ref` of a message that isn't published, and acknowledges it: it needn't be sent
    /// again.
    pub(crate) async fn skip(
        &self,
        membership: &Membership,
        reference: u64,
    ) -> Result<(), SessionError> {
        self.take(membership, Some(reference), async {}).await
    }

    /// Does what a message asks for that isn't published, unless it was accepted before. Records
    /// its `ref` and acknowledges it.
    pub(crate) async fn take(
        &self,
        membership: &Membership,
        reference: Option<u64>,
        doing: impl Future<Output = ()> + Send,
    ) -> Result<(), SessionError> {
        let mut accepted = self.turn().await?;
        if reference.is_none_or(|reference| reference > *accepted) {
            doing.await;
        }
        if let Some(reference) = reference {
            *accepted = reference.max(*accepted);
            membership.sender().acknowledge(*accepted);
        }
        Ok(())
    }

    /// Opens channels.
    pub(crate) async fn open(
        &self,
        membership: &Membership,
        open: &Open<'_>,
    ) -> Result<(), SessionError> {
        let accepted = self.turn().await?;
        let ack = Ack {
            accepted: *accepted,
            session: None,
        };
        self.open_in_turn(membership, open, false, ack).await
    }

    /// Opens the first channels of a connection. Channels of the session that it doesn't list were
    /// closed while it had no connection. `resumes`: it named the session. The client may have missed
    /// messages on channels that the session doesn't have, because it was no longer there or their
    /// `open` was lost.
    pub(crate) async fn open_first(
        &self,
        membership: &Membership,
        open: &Open<'_>,
        resumes: bool,
    ) -> Result<(), SessionError> {
        let accepted = self.turn().await?;
        self.close_unlisted(open);
        let ack = Ack {
            accepted: *accepted,
            session: Some(Arc::clone(&self.session.name.secret)),
        };
        self.open_in_turn(membership, open, resumes, ack).await
    }

    fn close_unlisted(&self, open: &Open<'_>) {
        let listed: HashSet<_> = open.channels.iter().map(|open| &*open.channel).collect();
        let mut channels = self.session.channels();
        let closed: Vec<_> = channels
            .open
            .keys()
            .filter(|name| !listed.contains(&***name))
            .cloned()
            .collect();
        for channel in &closed {
            channels.remove(channel);
        }
        channels.keep_elsewhere(&listed);
        drop(channels);
        self.close_in_store(closed);
    }

    fn close_in_store(&self, closed: Vec<Arc<str>>) {
        self.sessions
            .store
            .close(&self.session.name.space, &mut closed.into_iter());
    }

    async fn open_in_turn(
        &self,
        membership: &Membership,
        open: &Open<'_>,
        lost: bool,
        ack: Ack,
    ) -> Result<(), SessionError> {
        let requested = self.request(membership, open, lost)?;
        // Before the client learns that it has them: it may ask another relay for them next.
        self.share(ack.accepted, &requested).await?;
        let opened = membership
            .open(self.session.publisher, requested.clone(), ack)
            .await
            .map_err(|_| SessionError::StoreUnavailable)?;
        let mut channels = self.session.channels();
        channels.add(requested, opened.position);
        drop(channels);
        membership.relieve();
        Ok(())
    }

    /// What to request from the store.
    fn request(
        &self,
        membership: &Membership,
        open: &Open<'_>,
        lost: bool,
    ) -> Result<Vec<OpenChannel>, SessionError> {
        let limits = self.sessions.limits.get();
        let receives = |name: &str| membership.has_open(name);
        let channels = self.session.channels();
        let requested = channels.requested(open, lost, limits.late_history, receives);
        if !channels.have_room(&requested, limits.channels) {
            return Err(SessionError::TooManyChannels(limits.channels));
        }
        Ok(requested)
    }

    /// Closes channels.
    pub(crate) async fn close(
        &self,
        membership: &Membership,
        names: Vec<Arc<str>>,
    ) -> Result<(), SessionError> {
        let accepted = self.turn().await?;
        membership.close(&names);
        let closed = self.session.channels().remove_all(names);
        if closed.is_empty() {
            return Ok(());
        }
        self.close_in_store(closed);
        self.share(*accepted, &[]).await
    }

    /// Gives the session up. It is kept if there is anything to resume.
    pub(crate) async fn leave(self) {
        let accepted = self.session.accepted.lock().await;
        let keep = *accepted > 0 || !self.session.channels().open.is_empty();
        let is_held = self.session.holder().generation == self.generation;
        if keep && is_held {
            self.share_departure(*accepted).await;
        }
        self.sessions.detach(&self.session, self.generation, keep);
    }
}
