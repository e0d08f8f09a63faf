//! Spaces and their members: who gets what is published.
//!
//! A *space* is all that is connected under one path of the relay. It comes into being with its first member and is gone with its last, so
//! there are never more spaces than connections. A *member* is one connection, of whatever kind, seen from here as a send queue. Most
//! members can't say which channels they have open, and get everything; a *subscriber* has said it, and gets those.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::config::Config;
use crate::control;
use crate::frame::Frame;
use crate::history;
use crate::queue::{self, Bounds, Head, Level, Signals, Tail};
use crate::session::{self, Sessions};
use crate::store::{Content, Delivery, Memory, Opened, Publication, Store, StoreError, Wanted};

/// Names a publisher among those of all relays that share a store: a member, or those that are one after the other in the same session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MemberId {
    relay: u64,
    member: u64,
}

/// The spaces of this relay and the members that are connected to it.
#[derive(Debug)]
pub struct Members {
    relay: u64,
    joined: AtomicU64,
    bounds: Bounds,
    spaces: RwLock<HashMap<Arc<str>, Arc<Space>>>,
}

#[derive(Debug)]
struct Space {
    name: Arc<str>,
    room: Mutex<Room>,
}

/// A member's number here. Unlike its [`MemberId`] it never changes and is never another's.
type Seat = u64;

#[derive(Debug, Default)]
struct Room {
    everyone: HashMap<Seat, Ear>,
    /// What each subscriber has open.
    subscribers: HashMap<Seat, HashSet<Arc<str>>>,
    channels: HashMap<Arc<str>, HashMap<Seat, Ear>>,
}

#[derive(Clone, Debug)]
struct Ear {
    member: MemberId,
    tail: Tail,
}

impl Room {
    fn members(&self) -> usize {
        self.everyone.len() + self.subscribers.len()
    }

    fn deliver(&self, from: MemberId, channel: Option<&str>, frame: &Frame) -> Level {
        let subscribers = channel.and_then(|channel| self.channels.get(channel));
        let ears = self
            .everyone
            .values()
            .chain(subscribers.into_iter().flat_map(HashMap::values));
        ears.filter(|ear| ear.member != from)
            .map(|ear| ear.tail.push(frame.clone()))
            .max()
            .unwrap_or(Level::Low)
    }

    fn close(&mut self, seat: Seat, channel: &str) {
        if let Some(ears) = self.channels.get_mut(channel) {
            ears.remove(&seat);
            if ears.is_empty() {
                self.channels.remove(channel);
            }
        }
    }

    fn leave(&mut self, seat: Seat) {
        self.everyone.remove(&seat);
        for channel in self.subscribers.remove(&seat).into_iter().flatten() {
            self.close(seat, &channel);
        }
    }
}

impl Space {
    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    /// No members yet; each gets a send queue with these bounds.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            // 64 random bits: the standard library seeds its hashers from the system.
            relay: RandomState::new().hash_one(std::process::id()),
            joined: AtomicU64::new(0),
            bounds,
            spaces: RwLock::default(),
        }
    }

    /// Gives what was published to every member of its space that is to get it, and tells how full the fullest of their queues is.
    /// Waits for nobody: a queue that can't take the frame overflows.
    pub fn deliver(&self, delivery: &Delivery<'_>) -> Level {
        let space = self
            .spaces
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(delivery.space)
            .cloned();
        space.map_or(Level::Low, |space| {
            space
                .room()
                .deliver(delivery.from, delivery.channel, &delivery.frame)
        })
    }

    fn join(
        &self,
        name: &str,
        signals: Signals,
        greeting: Option<Frame>,
    ) -> (Arc<Space>, MemberId, Tail, Head) {
        let (tail, head) = queue::queue_with(self.bounds, signals);
        if let Some(greeting) = greeting {
            tail.greet(greeting);
        }
        // The map stays locked until the member is in, so that no `leave` removes the space in between and every census adds up.
        let mut spaces = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        let id = MemberId {
            relay: self.relay,
            member: self.joined.fetch_add(1, Ordering::Relaxed),
        };
        let space = if let Some(space) = spaces.get(name) {
            Arc::clone(space)
        } else {
            let name: Arc<str> = Arc::from(name);
            let space = Arc::new(Space {
                name: Arc::clone(&name),
                room: Mutex::default(),
            });
            spaces.insert(name, Arc::clone(&space));
            space
        };
        let ear = Ear {
            member: id,
            tail: tail.clone(),
        };
        space.room().everyone.insert(id.member, ear);
        (space, id, tail, head)
    }

    fn leave(&self, space: &Space, seat: Seat) {
        let mut spaces = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        let mut room = space.room();
        room.leave(seat);
        if room.members() == 0 {
            spaces.remove(&space.name);
        }
    }
}

/// A count of what is there at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// Spaces that have a member.
    pub spaces: usize,
    /// Members of all spaces.
    pub members: usize,
    /// Members that ever were.
    pub joined: u64,
    /// Channels that a subscriber who is connected has open, each counted once for each space.
    pub channels: usize,
    /// Sessions that a connection has, and sessions that are kept for one that may come.
    pub sessions: session::Census,
    /// What is kept of what was published.
    pub history: history::Census,
}

/// Where connections come together: the members of this relay, their sessions, and the store that it may share with others.
#[derive(Debug)]
pub struct Hub {
    members: Arc<Members>,
    store: Arc<dyn Store>,
    sessions: Arc<Sessions>,
    /// How many bytes of a replay may wait for one member.
    replay: usize,
}

impl Hub {
    /// A hub by itself, with the in-memory store.
    #[must_use]
    pub fn in_memory(config: &Config) -> Self {
        let members = Arc::new(Members::new(config.queue));
        let store = Arc::new(Memory::new(Arc::clone(&members), config.history));
        Self::new(config, members, store)
    }

    /// A hub whose publications go through `store`, which is to deliver them to `members`.
    #[must_use]
    pub fn new(config: &Config, members: Arc<Members>, store: Arc<dyn Store>) -> Self {
        Self {
            sessions: Arc::new(Sessions::new(config.sessions, Arc::clone(&store))),
            members,
            store,
            // Everything that may be kept, and a `gap` for each channel.
            replay: config.history.total.saturating_add(config.queue.bytes),
        }
    }

    /// Adds a member to a space. It gets what others publish there from now on, through the queue, until the membership is dropped.
    #[must_use]
    pub fn join(&self, space: &str) -> (Membership, Head) {
        self.join_with(space, Signals::default())
    }

    /// The same for a connection that may be in several spaces, and has the same signals for all of them.
    #[must_use]
    pub fn join_with(&self, space: &str, signals: Signals) -> (Membership, Head) {
        self.add(space, signals, None)
    }

    /// The same for a connection that is greeted before anything else.
    #[must_use]
    pub fn join_greeted(&self, space: &str, greeting: Frame) -> (Membership, Head) {
        self.add(space, Signals::default(), Some(greeting))
    }

    fn add(&self, space: &str, signals: Signals, greeting: Option<Frame>) -> (Membership, Head) {
        let (space, id, tail, head) = self.members.join(space, signals, greeting);
        let membership = Membership {
            members: Arc::clone(&self.members),
            store: Arc::clone(&self.store),
            replay: self.replay,
            place: Place { space, id, tail },
        };
        (membership, head)
    }

    /// The sessions of this relay.
    #[must_use]
    pub fn sessions(&self) -> &Arc<Sessions> {
        &self.sessions
    }

    /// What the ids belong to.
    #[must_use]
    pub fn epoch(&self) -> &str {
        self.store.epoch()
    }

    /// Lets go of what has been kept long enough. To be called every now and then.
    pub fn sweep(&self) {
        self.store.sweep();
        self.sessions.sweep();
    }

    /// How many spaces, members and so on this relay has.
    #[must_use]
    pub fn census(&self) -> Census {
        let spaces = self
            .members
            .spaces
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let (mut members, mut channels) = (0, 0);
        for space in spaces.values() {
            let room = space.room();
            members += room.members();
            channels += room.channels.len();
        }
        Census {
            spaces: spaces.len(),
            members,
            joined: self.members.joined.load(Ordering::Relaxed),
            channels,
            sessions: self.sessions.census(),
            history: self.store.census(),
        }
    }
}

/// A member's place in its space, which it leaves when this is dropped.
#[derive(Debug)]
pub struct Membership {
    members: Arc<Members>,
    store: Arc<dyn Store>,
    replay: usize,
    place: Place,
}

#[derive(Clone, Debug)]
struct Place {
    space: Arc<Space>,
    id: MemberId,
    tail: Tail,
}

impl Membership {
    /// Publishes something to the others in the space.
    ///
    /// # Errors
    /// The store didn't take it.
    pub async fn publish(&self, content: Content) -> Result<(), StoreError> {
        self.publish_as(self.place.id, content).await
    }

    /// The same, in a session.
    pub(crate) async fn publish_as(
        &self,
        from: MemberId,
        content: Content,
    ) -> Result<(), StoreError> {
        self.store
            .publish(Publication {
                space: Arc::clone(&self.place.space.name),
                from,
                content,
            })
            .await
    }

    /// Its name as a publisher, outside of a session.
    #[must_use]
    pub fn id(&self) -> MemberId {
        self.place.id
    }

    /// The name of its space.
    #[must_use]
    pub fn space(&self) -> &Arc<str> {
        &self.place.space.name
    }

    /// The queue's end for what is said to this member alone.
    #[must_use]
    pub fn tail(&self) -> &Tail {
        &self.place.tail
    }

    /// Whether it's a subscriber and has this channel open.
    pub(crate) fn has_open(&self, channel: &str) -> bool {
        let room = self.place.space.room();
        let open = room.subscribers.get(&self.place.id.member);
        open.is_some_and(|open| open.contains(channel))
    }

    /// Makes it a subscriber, if it isn't one, in the name of `reader`, and opens channels: it's sent an acknowledgement of what was `taken`, what is
    /// kept of what it missed, and then what is published. Gives what the store has to say about it.
    pub(crate) async fn open(
        &self,
        reader: MemberId,
        wanted: Vec<Wanted>,
        taken: u64,
    ) -> Result<Opened, StoreError> {
        let (said, told) = std::sync::mpsc::sync_channel(1);
        let (place, bound) = (self.place.clone(), self.replay);
        let names: Vec<_> = wanted
            .iter()
            .map(|wanted| Arc::clone(&wanted.channel))
            .collect();
        let begin = move |opened: Opened| {
            place.begin(reader, &names, &opened, taken, bound);
            // Nobody waits there if the connection is gone.
            let _ = said.try_send(opened);
        };
        self.store
            .open(crate::store::Opening {
                space: Arc::clone(self.space()),
                reader,
                wanted,
                begin: Box::new(begin),
            })
            .await?;
        told.try_recv()
            .map_err(|_| StoreError::Unavailable("it opened nothing".into()))
    }

    /// Closes channels.
    pub(crate) fn close(&self, channels: &[Arc<str>]) {
        let seat = self.place.id.member;
        let mut room = self.place.space.room();
        for channel in channels {
            room.close(seat, channel);
            if let Some(open) = room.subscribers.get_mut(&seat) {
                open.remove(channel);
            }
        }
    }
}

impl Place {
    fn begin(
        &self,
        reader: MemberId,
        channels: &[Arc<str>],
        opened: &Opened,
        taken: u64,
        bound: usize,
    ) {
        let seat = self.id.member;
        let mut room = self.space.room();
        let afresh = room.everyone.remove(&seat).is_some();
        let gaps = channels
            .iter()
            .zip(&opened.replays)
            .filter(|(_, replay)| replay.gap)
            .map(|(channel, _)| control::gap(channel));
        let frames = opened
            .replays
            .iter()
            .flat_map(|replay| replay.frames.iter().cloned());
        self.tail.replay(taken, gaps.chain(frames), bound, afresh);
        room.subscribers
            .entry(seat)
            .or_default()
            .extend(channels.iter().cloned());
        for channel in channels {
            let ear = Ear {
                member: reader,
                tail: self.tail.clone(),
            };
            room.channels
                .entry(Arc::clone(channel))
                .or_default()
                .insert(seat, ear);
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.members.leave(&self.place.space, self.place.id.member);
    }
}
