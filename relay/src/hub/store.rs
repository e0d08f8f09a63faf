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

use super::budget::Account;
use super::frame::{Frame, PendingMessage};
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

/// A channel that is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenChannel {
    /// Its name.
    pub channel: Arc<str>,
    /// What is to be replayed.
    pub since: Since,
    /// Whether one more session holds the channel open; [`Store::close`] is called for it later.
    pub hold: bool,
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
pub type BoxFuture<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// Brings publications into an order, keeps them for a while, and delivers each once. The
/// [module](self) says why it exists.
pub trait Store: Send + Sync + fmt::Debug {
    /// What the ids belong to. Another epoch means that ids start again and earlier ones are
    /// unknown.
    fn epoch(&self) -> &str;

    /// Accepts a publication. Resolves when it has its place in the order, so that it can be
    /// acknowledged.
    fn publish(&self, publication: Publication) -> BoxFuture<'_>;

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

/// Why the store failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The store can't be reached or is full; the text says more. A later attempt may succeed.
    Unavailable(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the store takes no messages now: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}
