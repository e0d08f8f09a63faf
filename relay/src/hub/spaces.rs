//! Spaces and their subscribers: who receives what is published.
//!
//! A *space* is a group of connections that receive each other's messages: all that are connected
//! under one path of the relay. It exists from its first connection to its last, so there are never
//! more spaces than connections. Most connections can't say which channels they have open, and
//! receive everything. A connection that has subscribed to channels receives only those.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::audience::Audience;
use super::budget::Account;
use super::frame::Frame;
use super::ids::{ConnectionId, NoRandomness, PublisherId, random_bits};
use super::meter::Meter;
use super::queue::{self, Level, Receiver, Sender, Signals};
use super::relief::{Debt, Holder};
use super::store::Delivery;
use crate::changeable::Changeable;

/// A queue that holds no more than so many bytes isn't closed to free memory.
const SPARED: usize = 64 * 1024;

/// The spaces of this relay, with the connections in them.
#[derive(Debug)]
pub struct Spaces {
    relay: u64,
    next_publisher: AtomicU64,
    next_connection: AtomicU64,
    limits: Changeable<queue::Limits>,
    pub(super) meter: Arc<Meter>,
    spaces: RwLock<HashMap<Arc<str>, Arc<Space>>>,
    /// Who is interested in spaces that come to be.
    begun: OnceLock<UnboundedSender<Arc<str>>>,
}

/// One space.
#[derive(Debug)]
pub(super) struct Space {
    name: Arc<str>,
    subscribers: Mutex<Subscribers>,
}

#[derive(Debug, Default)]
struct Subscribers {
    /// Connections that receive everything.
    everything: HashMap<ConnectionId, Subscriber>,
    /// What each of the other connections has open.
    open: HashMap<ConnectionId, HashSet<Arc<str>>>,
    channels: HashMap<Arc<str>, HashMap<ConnectionId, Subscriber>>,
}

/// Where frames for one connection go.
#[derive(Clone, Debug)]
struct Subscriber {
    /// Whose messages it doesn't receive: its own.
    publisher: PublisherId,
    queue: Sender,
}

impl Subscribers {
    fn len(&self) -> usize {
        self.everything.len() + self.open.len()
    }

    fn deliver(&self, from: PublisherId, channel: Option<&str>, frame: &Frame) -> Level {
        let subscribed = channel.and_then(|channel| self.channels.get(channel));
        self.everything
            .values()
            .chain(subscribed.into_iter().flat_map(HashMap::values))
            .filter(|subscriber| subscriber.publisher != from)
            .filter(|subscriber| subscriber.queue.receives(channel))
            .map(|subscriber| subscriber.queue.push(frame.clone()))
            .max()
            .unwrap_or(Level::Low)
    }

    /// All queues, with what each holds.
    fn queues(&self) -> Vec<(usize, Sender)> {
        let mut seen = HashSet::new();
        let subscribed = self.channels.values().flatten();
        self.everything
            .iter()
            .chain(subscribed)
            .filter(|(connection, _)| seen.insert(**connection))
            .map(|(_, subscriber)| (subscriber.queue.held(), subscriber.queue.clone()))
            .collect()
    }

    fn close(&mut self, connection: ConnectionId, channel: &str) {
        if let Some(subscribers) = self.channels.get_mut(channel) {
            subscribers.remove(&connection);
            if subscribers.is_empty() {
                self.channels.remove(channel);
            }
        }
    }

    fn leave(&mut self, connection: ConnectionId) {
        self.everything.remove(&connection);
        for channel in self.open.remove(&connection).into_iter().flatten() {
            self.close(connection, &channel);
        }
    }
}

impl Space {
    fn subscribers(&self) -> MutexGuard<'_, Subscribers> {
        self.subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether this connection has subscribed to a channel.
    pub(super) fn has_open(&self, connection: ConnectionId, channel: &str) -> bool {
        let subscribers = self.subscribers();
        let open = subscribers.open.get(&connection);
        open.is_some_and(|open| open.contains(channel))
    }

    /// Whether any connection has subscribed to a channel.
    pub(super) fn is_open(&self, channel: &str) -> bool {
        self.subscribers().channels.contains_key(channel)
    }

    /// Runs `write` while nothing is delivered in the space. It gets the connection's queue and
    /// whether the connection received everything so far. Then subscribes the connection to these
    /// channels.
    pub(super) fn subscribe(
        &self,
        connection: ConnectionId,
        publisher: PublisherId,
        queue: &Sender,
        channels: &[Arc<str>],
        write: impl FnOnce(&Sender, bool),
    ) {
        let mut subscribers = self.subscribers();
        let received_everything = subscribers.everything.remove(&connection).is_some();
        write(queue, received_everything);
        subscribers
            .open
            .entry(connection)
            .or_default()
            .extend(channels.iter().cloned());
        for channel in channels {
            let subscriber = Subscriber {
                publisher,
                queue: queue.clone(),
            };
            subscribers
                .channels
                .entry(Arc::clone(channel))
                .or_default()
                .insert(connection, subscriber);
        }
    }

    /// Lets a connection receive everything.
    pub(super) fn receive_everything(
        &self,
        connection: ConnectionId,
        publisher: PublisherId,
        queue: Sender,
    ) {
        let subscriber = Subscriber { publisher, queue };
        let mut subscribers = self.subscribers();
        subscribers.open.remove(&connection);
        subscribers.everything.insert(connection, subscriber);
    }

    /// Unsubscribes a connection from channels.
    pub(super) fn unsubscribe(&self, connection: ConnectionId, channels: &[Arc<str>]) {
        let mut subscribers = self.subscribers();
        for channel in channels {
            subscribers.close(connection, channel);
            if let Some(open) = subscribers.open.get_mut(&connection) {
                open.remove(channel);
            }
        }
    }
}

/// A connection that has just joined a space.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) space: Arc<Space>,
    pub(super) connection: ConnectionId,
    pub(super) sender: Sender,
    pub(super) receiver: Receiver,
}

/// How a connection joins a space.
#[derive(Debug)]
pub(super) struct Join {
    /// Who pays for its queue.
    pub(super) account: Arc<Account>,
    /// Wakes the connection.
    pub(super) signals: Signals,
    /// The first frame that it is sent.
    pub(super) greeting: Option<Frame>,
    /// What it may receive.
    pub(super) audience: Audience,
    /// Whether it receives nothing until [`Space::receive_everything`] or [`Space::subscribe`].
    pub(super) silent: bool,
}

/// How much waits in the queues of all members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueDepths {
    /// Frames.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The bytes in the longest queue.
    pub longest: u64,
}

/// How many there are at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stats {
    pub(super) spaces: usize,
    pub(super) members: usize,
    pub(super) joined: u64,
    pub(super) channels: usize,
}

impl Spaces {
    /// No spaces yet. Each connection gets a send queue with these limits.
    ///
    /// # Errors
    /// The system has no random numbers, which make publishers unique among relays.
    pub fn new(limits: queue::Limits) -> Result<Self, NoRandomness> {
        Ok(Self {
            relay: random_bits()?,
            next_publisher: AtomicU64::new(0),
            next_connection: AtomicU64::new(0),
            limits: Changeable::new(limits),
            meter: Arc::default(),
            spaces: RwLock::default(),
            begun: OnceLock::new(),
        })
    }

    /// New connections get a send queue with these limits.
    pub(super) fn set_limits(&self, limits: queue::Limits) {
        self.limits.set(limits);
    }

    /// Delivers a publication to the subscribers of its space, and returns how full the fullest of
    /// their queues is. Waits for nobody: a queue that can't take the frame overflows.
    pub fn deliver(&self, delivery: &Delivery<'_>) -> Level {
        let space = self
            .spaces
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(delivery.space)
            .cloned();
        space.map_or(Level::Low, |space| {
            space
                .subscribers()
                .deliver(delivery.from, delivery.channel, &delivery.frame)
        })
    }

    /// The names of spaces that get their first member from now on. Only the first call receives
    /// any.
    pub(super) fn begun(&self) -> UnboundedReceiver<Arc<str>> {
        let (sender, receiver) = unbounded_channel();
        // Fails if there was a call before.
        let _ = self.begun.set(sender);
        receiver
    }

    /// Whether a space has members.
    pub(super) fn has(&self, name: &str) -> bool {
        let spaces = self.spaces.read().unwrap_or_else(PoisonError::into_inner);
        spaces.contains_key(name)
    }

    /// Closes the connections in a space, which may have missed messages: they come back and ask for
    /// them.
    pub(super) fn give_up(&self, name: &str) {
        for (_, queue) in self.queues(name) {
            queue.give_up();
        }
    }

    /// Names this relay among all, until it is started again.
    pub(super) fn relay(&self) -> u64 {
        self.relay
    }

    /// A publisher id that nobody else has.
    pub(super) fn new_publisher(&self) -> PublisherId {
        PublisherId {
            relay: self.relay,
            number: self.next_publisher.fetch_add(1, Ordering::Relaxed),
        }
    }

    pub(super) fn join(&self, name: &str, publisher: PublisherId, join: Join) -> Joined {
        let (sender, receiver) = queue::metered_queue(
            self.limits.get(),
            join.account,
            join.signals,
            join.audience,
            Arc::clone(&self.meter),
        );
        if let Some(greeting) = join.greeting {
            sender.greet(greeting);
        }
        // The map stays locked until the connection is in, so that `leave` doesn't remove the space
        // in between and the stats always add up.
        let mut spaces = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        let connection = ConnectionId(self.next_connection.fetch_add(1, Ordering::Relaxed));
        let space = if let Some(space) = spaces.get(name) {
            Arc::clone(space)
        } else {
            let name: Arc<str> = Arc::from(name);
            let space = Arc::new(Space {
                name: Arc::clone(&name),
                subscribers: Mutex::default(),
            });
            spaces.insert(Arc::clone(&name), Arc::clone(&space));
            if let Some(begun) = self.begun.get() {
                // Nobody listens any more if the store is gone.
                let _ = begun.send(name);
            }
            space
        };
        if join.silent {
            let open = HashSet::new();
            space.subscribers().open.insert(connection, open);
        } else {
            space.receive_everything(connection, publisher, sender.clone());
        }
        Joined {
            space,
            connection,
            sender,
            receiver,
        }
    }

    fn queues(&self, space: &str) -> Vec<(usize, Sender)> {
        let spaces = self.spaces.read().unwrap_or_else(PoisonError::into_inner);
        let space = spaces.get(space).cloned();
        drop(spaces);
        space.map_or_else(Vec::new, |space| space.subscribers().queues())
    }

    pub(super) fn leave(&self, space: &Space, connection: ConnectionId) {
        let mut spaces = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        let mut subscribers = space.subscribers();
        subscribers.leave(connection);
        if subscribers.len() == 0 {
            spaces.remove(&space.name);
        }
    }

    /// How much waits in the queues of all members.
    pub(super) fn queue_depths(&self) -> QueueDepths {
        let spaces = self.spaces.read().unwrap_or_else(PoisonError::into_inner);
        let spaces: Vec<_> = spaces.values().cloned().collect();
        let mut all = QueueDepths::default();
        for space in spaces {
            for (_, queue) in space.subscribers().queues() {
                let (frames, bytes) = queue.depth();
                all.frames += frames as u64;
                all.bytes += bytes as u64;
                all.longest = all.longest.max(bytes as u64);
            }
        }
        all
    }

    pub(super) fn stats(&self) -> Stats {
        let spaces = self.spaces.read().unwrap_or_else(PoisonError::into_inner);
        let (mut members, mut channels) = (0, 0);
        for space in spaces.values() {
            let subscribers = space.subscribers();
            members += subscribers.len();
            channels += subscribers.channels.len();
        }
        Stats {
            spaces: spaces.len(),
            members,
            joined: self.next_connection.load(Ordering::Relaxed),
            channels,
        }
    }
}

impl Holder for Spaces {
    /// Lets queues overflow, in each space those first that hold most. A message that is no longer
    /// kept and still costs memory waits in such a queue, whoever published it.
    fn give_back(&self, debts: &[Debt]) {
        let owes = |debt: &Debt| debt.left_of(|uses| uses.messages) > 0;
        let mut by_space: HashMap<&str, Vec<&Debt>> = HashMap::new();
        for debt in debts.iter().filter(|debt| owes(debt)) {
            if let Some(space) = &debt.account.owner().space {
                by_space.entry(space).or_default().push(debt);
            }
        }
        for (space, debts) in by_space {
            let mut queues = self.queues(space);
            queues.retain(|(held, _)| *held > SPARED);
            queues.sort_unstable_by_key(|(held, _)| std::cmp::Reverse(*held));
            for (_, queue) in queues {
                if !debts.iter().any(|debt| owes(debt)) {
                    break;
                }
                queue.give_up();
            }
        }
    }
}
