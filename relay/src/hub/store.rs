//! The seam of the hub: connections, their queues and their sessions belong to one relay; what
//! several relays can share is behind [`Store`].
//!
//! A message is *published* by one connection and *delivered* to others. In between, a [`Store`]
//! brings the publications of a space into one order, gives each an id, keeps them for replay, and
//! hands each to [`Spaces::deliver`](super::spaces::Spaces::deliver), here and on every relay that
//! shares the store.
//!
//! Why the cut is here and not around the whole hub:
//!
//! * *Ids and history.* Whoever orders publications can number them, keep them and replay them. The
//!   store also delivers, so that numbering and delivery are one step: connections see the ids of a
//!   channel in rising order.
//! * *Subscribing is a step in the same order.* Between the replay and the deliveries that follow,
//!   nothing may be lost and nothing may come twice. Only the store knows a moment at which it
//!   delivers nothing, so the store calls back at that moment (see [`OpenRequest::on_open`]).
//! * *Several relays, one hub.* A store in front of a log on the network appends in `publish` and
//!   delivers from its own subscription, to the publisher's relay as to all others; its ids are the
//!   log's sequence numbers. Hence `publish` and `open` are asynchronous and may fail, and
//!   `publish` doesn't say when it delivers. Hence also a [`PublisherId`] is unique among all
//!   relays: a message must not return to its publisher through another relay.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use tokio::time::Instant;

use super::budget::{Account, Budget};
use super::frame::{Frame, PendingMessage};
pub use super::history::OpenChannel;
use super::history::{self, Replay, Since};
use super::ids::{MessageId, PublisherId};
use super::shares::Owner;

/// What is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// An envelope. It gets an id and is kept. It goes to connections that have its channel open
    /// and to all connections without subscriptions.
    Envelope(PendingMessage),
    /// Any other text. It goes unchanged to all connections without subscriptions.
    Text(Frame),
}

impl Content {
    /// The length in bytes of its text.
    #[must_use]
    pub fn text_len(&self) -> usize {
        match self {
            Self::Envelope(message) => message.len(),
            Self::Text(frame) => frame.len(),
        }
    }
}

/// One publication, with what any relay needs to deliver it.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The space it was published in.
    pub space: Arc<str>,
    /// Its publisher, which doesn't receive it.
    pub from: PublisherId,
    /// Who pays for it on this relay.
    pub account: Arc<Account>,
    /// What was published.
    pub content: Content,
    /// The publisher's number for it, if it gave one. The publisher's session takes each number
    /// once. A store that several relays share does so too, because what a relay has published
    /// may be unknown to the one on which its client resumes.
    pub reference: Option<u64>,
}

/// One publication that has its place in the order.
#[derive(Clone, Debug)]
pub struct Delivery<'a> {
    /// The space it was published in.
    pub space: &'a str,
    /// Its publisher, which doesn't receive it.
    pub from: PublisherId,
    /// An envelope's channel.
    pub channel: Option<&'a str>,
    /// What connections receive.
    pub frame: Frame,
}

/// The result of [`Store::open`].
#[derive(Clone, Debug)]
pub struct Opened {
    /// An id that is at most that of any later delivery and at least that of any earlier one.
    pub position: MessageId,
    /// One replay for each requested channel, in the same order.
    pub replays: Vec<Replay>,
}

/// A request to open channels.
pub struct OpenRequest {
    /// The space they are in.
    pub space: Arc<str>,
    /// Who reads: its own messages aren't replayed.
    pub reader: PublisherId,
    /// The channels.
    pub channels: Vec<OpenChannel>,
    /// Called while nothing is delivered in the space: earlier messages are in the replays, later
    /// ones are delivered.
    pub on_open: Box<dyn FnOnce(Opened) + Send>,
}

impl fmt::Debug for OpenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenRequest")
            .field("space", &self.space)
            .field("reader", &self.reader)
            .field("channels", &self.channels)
            .finish_non_exhaustive()
    }
}

/// The result of [`Store::read`].
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// As [`Opened::position`]; `None`: the store doesn't say.
    pub position: Option<MessageId>,
    /// What is kept of the space.
    pub replay: Replay,
}

/// A request to read a whole space.
pub struct ReadRequest {
    /// The space.
    pub space: Arc<str>,
    /// Who reads: its own messages aren't replayed.
    pub reader: PublisherId,
    /// What is to be replayed.
    pub since: Since,
    /// Called while nothing is delivered in the space, as [`OpenRequest::on_open`].
    pub on_read: Box<dyn FnOnce(Read) + Send>,
}

impl fmt::Debug for ReadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadRequest")
            .field("space", &self.space)
            .field("reader", &self.reader)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

/// The future that the methods of [`Store`] return.
pub type BoxFuture<'a, T = ()> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A session, as far as another relay needs it to continue it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Who its client publishes as.
    pub publisher: PublisherId,
    /// The reference of the last message that was accepted, as far as it is known.
    pub accepted: u64,
    /// The position at which the session began.
    pub began: Option<MessageId>,
    /// The channels that it has open, each with the position from which on it is owed its messages.
    pub open: Vec<(Arc<str>, MessageId)>,
    /// As [`OpenChannel::seen`].
    pub seen: MessageId,
}

/// A version of a session's record. Each that is kept has another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// Keeps the records of sessions for all relays that share a store. A session's name is its space
/// and its secret.
pub trait SharedSessions: Send + Sync {
    /// A position in a space: what is published from now on has a higher id.
    fn position<'a>(&'a self, space: &'a Arc<str>) -> BoxFuture<'a, MessageId>;

    /// How far all clients have seen that are connected to this relay.
    fn seen(&self) -> MessageId;

    /// How long a record is kept that isn't written again.
    fn kept(&self) -> Duration;

    /// The record of a session, if it is kept.
    fn find<'a>(
        &'a self,
        space: &'a str,
        secret: &'a str,
    ) -> BoxFuture<'a, Option<(SessionRecord, Revision)>>;

    /// Keeps a record in place of the version that this relay knows; the default version: of none.
    /// `is_connected`: its client is connected to this relay.
    ///
    /// [`StoreError::Taken`]: another relay has kept a record since then.
    fn keep<'a>(
        &'a self,
        space: &'a str,
        secret: &'a str,
        record: SessionRecord,
        is_connected: bool,
        known: Revision,
    ) -> BoxFuture<'a, Revision>;
}

/// Decides whose messages are published and delivered, if several relays share the store. It must not
/// wait.
pub trait SenderCheck: Send + Sync {
    /// Whether a message may be published in a space, as far as is known there.
    fn allows(&self, space: &str, message: &PendingMessage) -> bool;

    /// Whether a message is delivered that the store has since then. It is asked in the order of the
    /// messages of a space.
    fn admits(&self, space: &str, message: &PendingMessage, since: Instant) -> bool;
}

/// Brings publications into an order, keeps them for a while, and delivers each once. The
/// [module](self) says why it exists.
pub trait Store: Send + Sync + fmt::Debug {
    /// What the ids belong to. Another epoch means that ids start again and earlier ones are
    /// unknown.
    fn epoch(&self) -> Arc<str>;

    /// Accepts a publication. Resolves when it has its place in the order, so that it can be
    /// acknowledged.
    fn publish(&self, publication: Publication) -> BoxFuture<'_>;

    /// Resolves when a client that joins a space next receives all that is published from then on, or
    /// after a second. Members that joined too early are sent away, and come back.
    fn settle<'a>(&'a self, _space: &'a str) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(std::future::ready(()))
    }

    /// Finds what is kept of the channels, and calls [`OpenRequest::on_open`].
    fn open(&self, request: OpenRequest) -> BoxFuture<'_>;

    /// Finds what is kept of a space, and calls [`ReadRequest::on_read`]. A store that can't replay
    /// a whole space says that messages may be missing.
    fn read(&self, request: ReadRequest) -> BoxFuture<'_> {
        (request.on_read)(Read {
            position: None,
            replay: Replay {
                gap: request.since != Since::Now,
                frames: Vec::new(),
            },
        });
        Box::pin(async { Ok(()) })
    }

    /// One session fewer holds each of these channels open.
    fn close(&self, space: &Arc<str>, channels: &mut dyn Iterator<Item = Arc<str>>);

    /// Where sessions are kept for other relays, if several share the store.
    fn sessions(&self) -> Option<&dyn SharedSessions> {
        None
    }

    /// A secret that the relays which share the store have, and nobody else. `None`: it isn't shared.
    fn secret(&self) -> Option<Arc<str>> {
        None
    }

    /// How the relay talks with the others, if several share the store.
    fn notices(&self) -> Option<Arc<dyn Notices>> {
        None
    }

    /// How the relay agrees with the others on who does what, if several share the store.
    fn peers(&self) -> Option<Arc<dyn Peers>> {
        None
    }

    /// From now on, this decides about messages, if several relays share the store. Only the first
    /// call has an effect.
    fn check_senders(&self, _check: Arc<dyn SenderCheck>) {}

    /// From now on, memory is paid from this budget.
    fn use_budget(&self, _budget: &Arc<Budget>) {}

    /// Whether it takes messages now.
    fn is_ready(&self) -> bool {
        true
    }

    /// The most bytes that a message may have, if the store has a limit.
    fn longest_message(&self) -> Option<usize> {
        None
    }

    /// Resolves when the store has lost what it kept, and its ids with it. Then a relay has to
    /// start again: its clients hold ids that mean nothing any more.
    fn lost(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::pending())
    }

    /// Keeps no more than this from now on. A store that others share may have limits of its own.
    fn set_limits(&self, _limits: history::Limits) {}

    /// Evicts expired messages. Called regularly.
    fn evict_expired(&self) {}

    /// Drops the oldest messages of an owner until so many bytes are free. Returns how many are.
    fn evict(&self, _owner: &Owner, _bytes: usize) -> usize {
        0
    }

    /// How much is kept here.
    fn stats(&self) -> history::Stats {
        history::Stats::default()
    }
}

/// What relays that share a store say to each other besides. A notice goes to the relays with
/// members in its space. It isn't kept, and may be lost.
pub trait Notices: Send + Sync {
    /// Sends a notice to the other relays. Those of one space arrive in this order.
    fn post(&self, space: &Arc<str>, text: String);

    /// Calls this with what other relays send. Only the first call has an effect. It must not wait.
    fn listen(&self, listener: Box<dyn Fn(Notice<'_>) + Send + Sync>);

    /// Whether notices arrive now.
    fn is_connected(&self) -> bool;

    /// Whether many more notices can wait. Those that can't are lost.
    fn has_room(&self) -> bool;
}

/// What a relay hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice<'a> {
    /// From now on it hears what is said of a space. It may have missed something before.
    Begun {
        /// The space.
        space: &'a Arc<str>,
    },
    /// Another relay has sent this.
    Heard {
        /// The space.
        space: &'a Arc<str>,
        /// The relay.
        from: u64,
        /// What it has sent.
        text: &'a str,
    },
}

/// What relays that share a store agree on, and what one of them says to another alone.
///
/// A *chain* is a list of notes with the numbers 1, 2, and so on. Of several relays that write the
/// same number at one time, one succeeds. What is written never changes, and is dropped when it is
/// as old as [`Peers::kept`].
pub trait Peers: Send + Sync {
    /// Writes a note. `false`: the chain has one with this number. After an error it may be written
    /// or not, also later.
    fn write<'a>(&'a self, chain: &'a str, number: u64, text: String) -> BoxFuture<'a, bool>;

    /// A note of a chain.
    fn read<'a>(&'a self, chain: &'a str, number: u64) -> BoxFuture<'a, Option<Note>>;

    /// The note of a chain that was written last.
    fn last<'a>(&'a self, chain: &'a str) -> BoxFuture<'a, Option<Note>>;

    /// How long a note is kept.
    fn kept(&self) -> Duration;

    /// Sends something to another relay. It isn't kept, and may be lost.
    fn send(&self, relay: u64, message: Bytes);

    /// The most bytes of what is sent.
    fn longest(&self) -> usize;

    /// Calls this with what other relays send, in the order of each. Only the first call has an
    /// effect. It must not wait.
    fn listen(&self, listener: Box<dyn Fn(Bytes) + Send + Sync>);
}

/// What a relay has written into a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its number.
    pub number: u64,
    /// The text.
    pub text: String,
}

/// Why the store failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The store can't be reached or is full; the text says more. A later attempt may succeed.
    Unavailable(String),
    /// Another relay has the session.
    Taken,
    /// A message isn't taken: its sender is another user's.
    Foreign,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the store takes no messages now: {why}"),
            Self::Taken => f.write_str("another relay has the session"),
            Self::Foreign => f.write_str("the sender of the message is another user's"),
        }
    }
}

impl std::error::Error for StoreError {}
