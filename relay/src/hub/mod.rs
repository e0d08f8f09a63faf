//! The hub: everything that connections of all protocols share.
//!
//! | module | |
//! | --- | --- |
//! | [`ids`] | ids and secrets |
//! | [`shares`] | who gives memory back first |
//! | [`budget`] | how much memory is used, by whom and for what |
//! | [`audience`] | which channels a connection may receive |
//! | [`frame`] | one text frame, and an envelope that has no id yet |
//! | [`meter`] | counts what goes through it |
//! | [`queue`] | what waits for one connection, within bounds |
//! | `record`, [`history`] | what is kept for replay, within bounds: of a channel, and of all |
//! | [`kept`] | what is kept for those who may come back, within bounds |
//! | [`store`] | the seam: what several relays can share |
//! | `relief` | frees memory when too much is used |
//! | [`buffers`] | what connections hold of messages that aren't complete |
//! | [`spaces`] | who receives what |
//! | `archive` | what is kept of all spaces on this relay |
//! | [`memory`] | the store of a relay by itself |
//! | [`jetstream`] | the store that several relays share |
//! | [`membership`] | one connection in one space |
//! | [`sessions`] | what lets a client resume after a lost connection |

mod archive;
pub mod audience;
pub mod budget;
pub mod buffers;
pub mod frame;
pub mod history;
pub mod ids;
pub mod jetstream;
pub mod kept;
pub mod membership;
pub mod memory;
pub mod meter;
pub mod queue;
mod record;
mod relief;
pub mod sessions;
pub mod shares;
pub mod spaces;
pub mod store;

use std::sync::Arc;

use self::audience::Audience;
use self::budget::{Account, Budget, Uses};
use self::buffers::{Buffer, Buffers};
use self::frame::Frame;
use self::history::Since;
use self::ids::{NoRandomness, PublisherId};
use self::membership::{Membership, Start};
use self::memory::MemoryStore;
use self::meter::Meter;
use self::queue::{Receiver, Signals};
use self::relief::Relief;
use self::sessions::Sessions;
use self::spaces::{Join, QueueDepths, Spaces};
use self::store::{Notices, Peers, Publication, SenderCheck, Store, StoreError};
use crate::address::ClientAddress;
use crate::changeable::Changeable;

/// The bounds of a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What may wait for one connection.
    pub queue: queue::Limits,
    /// What is kept for clients that lost their connection.
    pub sessions: sessions::Limits,
    /// What is kept of what was published.
    pub history: history::Limits,
    /// Bytes of everything that is held for clients.
    pub memory: usize,
}

impl Limits {
    /// How many bytes of a replay may wait for one connection: everything that may be kept, and a
    /// `gap` for each channel.
    fn longest_replay(&self) -> usize {
        self.history.total.saturating_add(self.queue.bytes)
    }
}

/// How many of each there are at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stats {
    /// Spaces that have a member.
    pub spaces: usize,
    /// Members of all spaces.
    pub members: usize,
    /// Members since the relay started, those included that have left.
    pub joined: u64,
    /// Channels that a connection has subscribed to, each counted once for each space.
    pub channels: usize,
    /// Sessions with a connection, and sessions kept for one that may come back.
    pub sessions: sessions::Stats,
    /// What is kept of what was published.
    pub history: history::Stats,
    /// How many of its bytes are kept at most.
    pub history_limit: usize,
    /// How many bytes of memory are used for what.
    pub memory: Uses,
    /// How many there are.
    pub memory_limit: usize,
}

/// Where connections meet: the spaces of this relay, their sessions, and the store that it may
/// share with others.
#[derive(Debug)]
pub struct Hub {
    spaces: Arc<Spaces>,
    store: Arc<dyn Store>,
    sessions: Arc<Sessions>,
    relief: Arc<Relief>,
    buffers: Arc<Buffers>,
    limits: Changeable<Limits>,
}

impl Hub {
    /// A hub with the in-memory store.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn in_memory(limits: Limits) -> Result<Self, NoRandomness> {
        let spaces = Arc::new(Spaces::new(limits.queue)?);
        let store = Arc::new(MemoryStore::new(Arc::clone(&spaces), limits.history)?);
        Ok(Self::new(limits, spaces, store))
    }

    /// A hub whose publications go through `store`, which must deliver them to `spaces`.
    #[must_use]
    pub fn new(limits: Limits, spaces: Arc<Spaces>, store: Arc<dyn Store>) -> Self {
        let sessions = Arc::new(Sessions::new(limits.sessions, Arc::clone(&store)));
        let buffers = Arc::new(Buffers::default());
        let budget = Budget::new(limits.memory);
        store.use_budget(&budget);
        let relief = Relief::new(
            budget,
            Arc::clone(&store),
            vec![
                Arc::<Sessions>::clone(&sessions),
                Arc::<Spaces>::clone(&spaces),
                Arc::<Buffers>::clone(&buffers),
            ],
        );
        Self {
            sessions,
            spaces,
            store,
            relief: Arc::new(relief),
            buffers,
            limits: Changeable::new(limits),
        }
    }

    /// The limits that hold now.
    pub(crate) fn limits(&self) -> Limits {
        self.limits.get()
    }

    /// Other limits hold from now on. Connections keep the queue that they have, and sessions the
    /// channels.
    pub(crate) fn set_limits(&self, limits: Limits) {
        self.limits.set(limits);
        self.spaces.set_limits(limits.queue);
        self.store.set_limits(limits.history);
        self.sessions.set_limits(limits.sessions);
        self.budget().set_limit(limits.memory);
        self.relief.relieve();
    }

    /// Adds a connection to a space. It receives what others publish there from now on, as far as
    /// it belongs to the audience, through the queue, until the membership is dropped.
    #[must_use]
    pub fn join(
        &self,
        space: &str,
        address: ClientAddress,
        audience: Audience,
    ) -> (Membership, Receiver) {
        self.join_with(space, address, audience, Signals::default())
    }

    /// The same for a connection that may be in several spaces, with the same signals for all of
    /// them.
    #[must_use]
    pub fn join_with(
        &self,
        space: &str,
        address: ClientAddress,
        audience: Audience,
        signals: Signals,
    ) -> (Membership, Receiver) {
        let join = Join {
            signals,
            ..self.joining(space, address, audience)
        };
        self.add(space, self.new_publisher(), join)
    }

    /// The same for a connection that is sent a greeting before everything else, if there is one.
    #[must_use]
    pub fn join_greeted(
        &self,
        space: &str,
        address: ClientAddress,
        audience: Audience,
        greeting: Option<Frame>,
    ) -> (Membership, Receiver) {
        let join = Join {
            greeting,
            ..self.joining(space, address, audience)
        };
        self.add(space, self.new_publisher(), join)
    }

    /// Adds a reader of a whole space as `publisher`. It first receives what is kept since then, if
    /// anything is.
    ///
    /// # Errors
    /// The store can't be reached.
    pub async fn join_since(
        &self,
        space: &str,
        address: ClientAddress,
        audience: Audience,
        publisher: PublisherId,
        since: Since,
    ) -> Result<(Membership, Receiver, Start), StoreError> {
        let join = Join {
            silent: true,
            ..self.joining(space, address, audience)
        };
        let (membership, receiver) = self.add(space, publisher, join);
        let start = membership.read_everything(since).await?;
        self.relief.relieve();
        Ok((membership, receiver, start))
    }

    fn joining(&self, space: &str, address: ClientAddress, audience: Audience) -> Join {
        Join {
            account: self.account(space, address),
            audience,
            signals: Signals::default(),
            greeting: None,
            silent: false,
        }
    }

    fn add(&self, space: &str, publisher: PublisherId, join: Join) -> (Membership, Receiver) {
        let account = Arc::clone(&join.account);
        let joined = self.spaces.join(space, publisher, join);
        Membership::new(
            Arc::clone(&self.spaces),
            Arc::clone(&self.relief),
            self.limits.get().longest_replay(),
            account,
            publisher,
            joined,
        )
    }

    /// Waits until the store delivers to this relay what is published in a space, for a while at
    /// most. Call it before a client joins: as soon as it knows that it has, others may publish for
    /// it on any relay.
    pub async fn settle(&self, space: &str) {
        self.store.settle(space).await;
    }

    /// The account of an address in a space: who pays for what it makes the relay hold.
    #[must_use]
    pub fn account(&self, space: &str, address: ClientAddress) -> Arc<Account> {
        self.budget().account(Some(&Arc::from(space)), address)
    }

    /// The buffer of a connection from an address, which costs `least` bytes in any case.
    #[must_use]
    pub fn buffer(&self, address: ClientAddress, least: usize) -> Buffer {
        let account = self.budget().account(None, address);
        self.buffers.add(&account, least, &self.relief)
    }

    /// The memory of this relay.
    #[must_use]
    pub fn budget(&self) -> &Arc<Budget> {
        self.relief.budget()
    }

    /// A publisher id that nobody else has.
    #[must_use]
    pub fn new_publisher(&self) -> PublisherId {
        self.spaces.new_publisher()
    }

    /// Publishes without a membership.
    ///
    /// # Errors
    /// The store didn't accept it.
    pub async fn publish(&self, publication: Publication) -> Result<(), StoreError> {
        self.spaces
            .meter
            .published
            .add(publication.content.text_len());
        self.relief.publish(publication).await
    }

    /// The sessions of this relay.
    #[must_use]
    pub fn sessions(&self) -> &Arc<Sessions> {
        &self.sessions
    }

    /// Names this relay among all, until it is started again.
    #[must_use]
    pub fn relay(&self) -> String {
        format!("{:016x}", self.number())
    }

    /// The same as a number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.spaces.relay()
    }

    /// A secret of the relays that share its store, if it shares one.
    #[must_use]
    pub fn secret(&self) -> Option<Arc<str>> {
        self.store.secret()
    }

    /// How the relay talks with those that share its store, if it shares one.
    #[must_use]
    pub fn notices(&self) -> Option<Arc<dyn Notices>> {
        self.store.notices()
    }

    /// How the relay agrees with those that share its store, if it shares one.
    #[must_use]
    pub fn peers(&self) -> Option<Arc<dyn Peers>> {
        self.store.peers()
    }

    /// From now on, this decides about messages, if other relays share its store.
    pub fn check_senders(&self, check: Arc<dyn SenderCheck>) {
        self.store.check_senders(check);
    }

    /// Whether the store takes messages now.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.store.is_ready()
    }

    /// The most bytes that a message may have, if the store has a limit.
    #[must_use]
    pub fn longest_message(&self) -> Option<usize> {
        self.store.longest_message()
    }

    /// Resolves when the store has lost what it kept.
    pub async fn lost(&self) {
        self.store.lost().await;
    }

    /// What message ids belong to.
    #[must_use]
    pub fn epoch(&self) -> Arc<str> {
        self.store.epoch()
    }

    /// Evicts expired messages and sessions. To be called regularly.
    pub fn evict_expired(&self) {
        self.store.evict_expired();
        self.sessions.evict_expired();
        self.relief.relieve();
    }

    /// Counts what goes through it.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.spaces.meter
    }

    /// How much waits in the queues of all members.
    #[must_use]
    pub fn queue_depths(&self) -> QueueDepths {
        self.spaces.queue_depths()
    }

    /// How many spaces, members and so on this relay has.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let spaces::Stats {
            spaces,
            members,
            joined,
            channels,
        } = self.spaces.stats();
        Stats {
            spaces,
            members,
            joined,
            channels,
            sessions: self.sessions.stats(),
            history: self.store.stats(),
            history_limit: self.limits.get().history.total,
            memory: self.budget().used(),
            memory_limit: self.budget().limit(),
        }
    }
}
