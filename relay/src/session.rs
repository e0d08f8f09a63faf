//! Sessions of plain WebSockets: what lets a client that lost its connection go on as if nothing had been.
//!
//! A session has a secret name, the reference of the last message that was taken, and the channels that the client has open, each with the id
//! at which it was opened. It begins with the first channel that a connection opens. When the connection is gone it's kept for a while, if there is
//! anything to keep; a connection that says its name takes it over, also from a connection that only looks as if it were still there.
//!
//! Whatever is done in a session is done in *turns*, one at a time: a turn looks whether its connection still has the session, and whether the
//! message was taken before, publishes it, and notes that it was. So neither a client that sends a message again nor two connections of one
//! session can have a message published twice, or two in the wrong order. A turn that has begun must be finished: to publish and not note
//! it would be to publish it again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::close::Ending;
use crate::control::Open;
use crate::hub::{MemberId, Membership};
use crate::store::{Content, Id, Since, Store, Wanted};
use crate::translate::Draft;

/// How many bytes the channels' names of a session may have, for each channel that it may have.
const NAMES: usize = 256;

/// How many sessions are kept and how much each may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How long a session is kept whose connection is gone.
    pub age: Duration,
    /// How many such sessions are kept; beyond that the one goes first whose connection has been gone longest.
    pub kept: usize,
    /// How many channels a session may have open.
    pub channels: usize,
}

/// A count of sessions at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Sessions that a connection has.
    pub attached: usize,
    /// Sessions that are kept for a connection that may come.
    pub kept: usize,
    /// Channels that they have open, each counted for each session.
    pub channels: usize,
}

/// The sessions of one relay.
#[derive(Debug)]
pub struct Sessions {
    bounds: Bounds,
    store: Arc<dyn Store>,
    registry: Mutex<Registry>,
}

#[derive(Debug, Default)]
struct Registry {
    sessions: HashMap<Name, Arc<Session>>,
    /// Those whose connection is gone, in the order in which that was seen.
    kept: BTreeMap<u64, (Instant, Name)>,
    detached: u64,
}

/// A session belongs to a space, and its secret means nothing in another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name {
    space: Arc<str>,
    secret: Box<str>,
}

#[derive(Debug)]
struct Session {
    name: Name,
    member: MemberId,
    holder: Mutex<Holder>,
    /// Locked for the length of a turn. The reference of the last message that was taken.
    taken: tokio::sync::Mutex<u64>,
    channels: Mutex<Channels>,
}

#[derive(Debug)]
struct Holder {
    /// How many connections have had it, and so which one has it.
    turnover: u64,
    /// Ends that connection.
    resumed: CancellationToken,
    /// Where it stands among those that are kept.
    kept: Option<u64>,
}

#[derive(Debug, Default)]
struct Channels {
    /// The id at which each was opened.
    open: HashMap<Arc<str>, Id>,
    /// Bytes of all their names.
    names: usize,
}

impl Channels {
    fn remove(&mut self, channel: &str) -> bool {
        let there = self.open.remove(channel).is_some();
        if there {
            self.names -= channel.len();
        }
        there
    }
}

impl Session {
    fn holder(&self) -> MutexGuard<'_, Holder> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn channels(&self) -> MutexGuard<'_, Channels> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions {
    /// None yet. The store is told of the channels that are closed because a session is gone.
    #[must_use]
    pub fn new(bounds: Bounds, store: Arc<dyn Store>) -> Self {
        Self {
            bounds,
            store,
            registry: Mutex::default(),
        }
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a connection the session of this name, which is made if it isn't there. A connection that has it already loses it: then its
    /// `resumed` is cancelled.
    pub(crate) fn attach(
        self: &Arc<Self>,
        secret: &str,
        membership: &Membership,
        resumed: CancellationToken,
    ) -> Attached {
        let name = Name {
            space: Arc::clone(membership.space()),
            secret: secret.into(),
        };
        let mut registry = self.registry();
        let known = registry.sessions.get(&name).cloned();
        let found = known.is_some();
        let session = known.unwrap_or_else(|| {
            let session = Arc::new(Session {
                name: name.clone(),
                member: membership.id(),
                holder: Mutex::new(Holder {
                    turnover: 0,
                    resumed: resumed.clone(),
                    kept: None,
                }),
                taken: tokio::sync::Mutex::default(),
                channels: Mutex::default(),
            });
            registry.sessions.insert(name, Arc::clone(&session));
            session
        });
        let mut holder = session.holder();
        if found {
            std::mem::replace(&mut holder.resumed, resumed).cancel();
            if let Some(place) = holder.kept.take() {
                registry.kept.remove(&place);
            }
        }
        holder.turnover += 1;
        let turnover = holder.turnover;
        drop(holder);
        Attached {
            sessions: Arc::clone(self),
            session,
            turnover,
            found,
        }
    }

    /// Lets go of sessions that have been kept long enough. To be called every now and then.
    pub fn sweep(&self) {
        let mut gone = Vec::new();
        let mut registry = self.registry();
        while let Some((_, (since, _))) = registry.kept.first_key_value()
            && since.elapsed() >= self.bounds.age
        {
            gone.extend(registry.forget_oldest());
        }
        drop(registry);
        self.close(gone);
    }

    /// How many there are.
    #[must_use]
    pub fn census(&self) -> Census {
        let registry = self.registry();
        let kept = registry.kept.len();
        Census {
            attached: registry.sessions.len() - kept,
            kept,
            channels: registry
                .sessions
                .values()
                .map(|session| session.channels().open.len())
                .sum(),
        }
    }

    fn detach(&self, session: &Arc<Session>, turnover: u64, worth_keeping: bool) {
        let mut gone = Vec::new();
        let mut registry = self.registry();
        let mut holder = session.holder();
        if holder.turnover != turnover {
            return;
        }
        if worth_keeping {
            registry.detached += 1;
            let place = registry.detached;
            holder.kept = Some(place);
            drop(holder);
            registry
                .kept
                .insert(place, (Instant::now(), session.name.clone()));
            while registry.kept.len() > self.bounds.kept {
                gone.extend(registry.forget_oldest());
            }
        } else {
            drop(holder);
            gone.extend(registry.sessions.remove(&session.name));
        }
        drop(registry);
        self.close(gone);
    }

    fn close(&self, sessions: Vec<Arc<Session>>) {
        for session in sessions {
            let channels = std::mem::take(&mut *session.channels());
            self.store
                .close(&session.name.space, &mut channels.open.into_keys());
        }
    }
}

impl Registry {
    fn forget_oldest(&mut self) -> Option<Arc<Session>> {
        let (_, (_, name)) = self.kept.pop_first()?;
        self.sessions.remove(&name)
    }
}

/// A connection's hold on its session.
#[derive(Debug)]
pub(crate) struct Attached {
    sessions: Arc<Sessions>,
    session: Arc<Session>,
    turnover: u64,
    found: bool,
}

impl Attached {
    /// Whether this is the session of that secret.
    pub(crate) fn is(&self, secret: &str) -> bool {
        *self.session.name.secret == *secret
    }

    /// Waits for a turn.
    async fn turn(&self) -> Result<tokio::sync::MutexGuard<'_, u64>, Ending> {
        let taken = self.session.taken.lock().await;
        if self.session.holder().turnover == self.turnover {
            Ok(taken)
        } else {
            Err(Ending::Resumed)
        }
    }

    /// Publishes a message and notes that it was taken; one that was taken before isn't published again. Has the client told which was the last.
    pub(crate) async fn publish(
        &self,
        membership: &Membership,
        draft: Draft,
        reference: Option<u64>,
    ) -> Result<(), Ending> {
        let mut taken = self.turn().await?;
        if reference.is_none_or(|reference| reference > *taken) {
            let content = Content::Envelope(draft);
            let published = membership.publish_as(self.session.member, content).await;
            published.map_err(|_| Ending::NoStore)?;
        }
        if let Some(reference) = reference {
            *taken = reference.max(*taken);
            membership.tail().acknowledge(*taken);
        }
        Ok(())
    }

    /// Opens channels.
    pub(crate) async fn open(&self, membership: &Membership, open: Open) -> Result<(), Ending> {
        let taken = self.turn().await?;
        self.open_in_turn(membership, open, false, *taken).await
    }

    /// Opens the first channels of a connection. Those of the session that it doesn't say it has closed while it had no connection. `named`: it has named
    /// the session; if that wasn't there any more, what the client doesn't say of itself nobody knows.
    pub(crate) async fn open_first(
        &self,
        membership: &Membership,
        open: Open,
        named: bool,
    ) -> Result<(), Ending> {
        let taken = self.turn().await?;
        self.forget_unsaid(&open);
        let lost = named && !self.found;
        self.open_in_turn(membership, open, lost, *taken).await
    }

    fn forget_unsaid(&self, open: &Open) {
        let said: HashSet<_> = open.channels.iter().map(|(name, _)| name).collect();
        let mut channels = self.session.channels();
        let closed: Vec<_> = channels
            .open
            .keys()
            .filter(|name| !said.contains(name))
            .cloned()
            .collect();
        for channel in &closed {
            channels.remove(channel);
        }
        drop(channels);
        self.sessions
            .store
            .close(&self.session.name.space, &mut closed.into_iter());
    }

    async fn open_in_turn(
        &self,
        membership: &Membership,
        open: Open,
        lost: bool,
        taken: u64,
    ) -> Result<(), Ending> {
        let wanted = self.wanted(membership, open, lost)?;
        let opened = membership
            .open(self.session.member, wanted.clone(), taken)
            .await
            .map_err(|_| Ending::NoStore)?;
        let mut channels = self.session.channels();
        for wanted in wanted.into_iter().filter(|wanted| wanted.hold) {
            channels.names += wanted.channel.len();
            channels.open.insert(wanted.channel, opened.position);
        }
        Ok(())
    }

    /// What the store is to be asked for.
    fn wanted(
        &self,
        membership: &Membership,
        open: Open,
        lost: bool,
    ) -> Result<Vec<Wanted>, Ending> {
        let channels = self.session.channels();
        let mut seen = HashSet::new();
        let mut wanted = Vec::new();
        for (channel, after) in open.channels {
            let opened = channels.open.get(&channel).copied();
            let since = match after {
                // The last message that the client saw may be one of another channel, and older than this one's opening.
                Some(after) => after.parse().map_or(Since::Unknown, |after: Id| {
                    Since::After(opened.map_or(after, |opened| opened.max(after)))
                }),
                None if membership.has_open(&channel) => continue,
                None => match opened {
                    Some(opened) => Since::After(opened),
                    None if lost => Since::Unknown,
                    None => Since::Now,
                },
            };
            if seen.insert(Arc::clone(&channel)) {
                wanted.push(Wanted {
                    channel,
                    since,
                    hold: opened.is_none(),
                });
            }
        }
        let most = self.sessions.bounds.channels;
        let added = || wanted.iter().filter(|wanted| wanted.hold);
        let (number, names) = (
            added().count(),
            added().map(|wanted| wanted.channel.len()).sum::<usize>(),
        );
        if channels.open.len() + number > most
            || channels.names + names > most.saturating_mul(NAMES)
        {
            return Err(Ending::TooManyChannels(most));
        }
        Ok(wanted)
    }

    /// Closes channels.
    pub(crate) async fn close(
        &self,
        membership: &Membership,
        names: Vec<Arc<str>>,
    ) -> Result<(), Ending> {
        let _turn = self.turn().await?;
        membership.close(&names);
        let mut channels = self.session.channels();
        let closed: Vec<_> = names
            .into_iter()
            .filter(|name| channels.remove(name))
            .collect();
        drop(channels);
        self.sessions
            .store
            .close(&self.session.name.space, &mut closed.into_iter());
        Ok(())
    }

    /// Lets go of the session, which is kept if it has anything to keep.
    pub(crate) async fn leave(self) {
        let taken = self.session.taken.lock().await;
        let worth_keeping = *taken > 0 || !self.session.channels().open.is_empty();
        self.sessions
            .detach(&self.session, self.turnover, worth_keeping);
    }
}
