//! The seam of the hub: what a relay does for the connections it holds stays on one side, what several relays can share goes to the other.
//!
//! A message is *published* by one member and *delivered* to others. Between the two stands a [`Store`]: it brings the publications of a
//! space into one order, gives each a number, keeps them for those who come back, and hands each to [`Members::deliver`], here and on every
//! relay that shares the store. Members, their queues and their sessions are always local, whoever does the ordering; so they are no part of the
//! trait, and no store has to write them again.
//!
//! The cut is here, and not around the whole hub, for these reasons:
//!
//! * *Ids and history.* Whoever orders publications is the one who can number them, keep them, and replay them to a client that comes back.
//!   The store delivers, and not the hub, so that number and delivery are one step: members see the ids of a channel in rising order.
//! * *Opening is a step in the same order.* Between what is replayed to somebody and what is delivered from then on nothing may be lost, and
//!   nothing come twice. Only the store knows of a moment at which it delivers nothing; so it's the store that calls back, then, with what is to be
//!   replayed (see [`Opening::begin`]).
//! * *Several relays, one hub.* A store in front of a log on the network appends in `publish`, and delivers from its own subscription, to
//!   the publisher's relay as to all others; its ids are the log's sequence numbers. Hence `publish` and `open` may take their time and may fail, and
//!   `publish` says nothing about when it delivers. Hence also a [`MemberId`] is unique among all relays: a message must not come back to its
//!   sender by way of another one.
//! * *Other kinds of connection.* Socket.IO and SignalR clients join the same spaces through [`crate::hub::Hub::join`]. What is published is
//!   an envelope of the plain protocol; each kind of connection translates to and from it.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::frame::Frame;
use crate::history::{self, History, Replay};
use crate::hub::{MemberId, Members};
use crate::queue::Level;
use crate::translate::Draft;

/// The number of a message: higher than those of all before it in its space, and never given twice within an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub u64);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Id {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// An envelope. It gets an id, is kept, and goes to those who have its channel open and to all who can't say what they have open.
    Envelope(Draft),
    /// Any other text. It goes to all who can't say what they have open, as it is.
    Text(Frame),
}

/// One publication, with what any relay needs to deliver it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The space it was published in.
    pub space: Arc<str>,
    /// Who published it, and so the one who doesn't get it.
    pub from: MemberId,
    /// What was published.
    pub content: Content,
}

/// One publication that has its place in the order.
#[derive(Clone, Debug)]
pub struct Delivery<'a> {
    /// The space it was published in.
    pub space: &'a str,
    /// Who doesn't get it.
    pub from: MemberId,
    /// The channel, of an envelope.
    pub channel: Option<&'a str>,
    /// What the members get.
    pub frame: Frame,
}

/// How far somebody has seen a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// Nothing that was published so far is of interest.
    Now,
    /// Up to the message of this id.
    After(Id),
    /// To a point that nobody knows any more.
    Unknown,
}

/// A channel that is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub channel: Arc<str>,
    /// What is to be replayed.
    pub since: Since,
    /// Whether this is a session more that has it open; [`Store::close`] is called for it some day.
    pub hold: bool,
}

/// What an opening comes to.
#[derive(Clone, Debug)]
pub struct Opened {
    /// An id that isn't higher than that of anything that will be delivered, nor lower than that of anything that was.
    pub position: Id,
    /// For each channel that was wanted, in the same order.
    pub replays: Vec<Replay>,
}

/// Channels that somebody opens.
pub struct Opening {
    /// The space they are in.
    pub space: Arc<str>,
    /// Whose own messages aren't replayed.
    pub reader: MemberId,
    /// The channels.
    pub wanted: Vec<Wanted>,
    /// To be called while nothing is delivered in the space: what was delivered before is in the replays, what comes after comes by delivery.
    pub begin: Box<dyn FnOnce(Opened) + Send>,
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening")
            .field("space", &self.space)
            .field("reader", &self.reader)
            .field("wanted", &self.wanted)
            .finish_non_exhaustive()
    }
}

/// The future of [`Store::publish`] and [`Store::open`].
pub type Doing<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// Brings publications into an order, keeps them for a while, and has each delivered once. See the [module](self) for why there is such a thing.
pub trait Store: Send + Sync + fmt::Debug {
    /// What the ids belong to: another word means that they begin anew and that nothing is known of earlier ones.
    fn epoch(&self) -> &str;

    /// Takes a publication. Resolves when it has its place in the order, so that its publisher can be told that it was taken.
    fn publish(&self, publication: Publication) -> Doing<'_>;

    /// Finds what is kept of the channels, and calls [`Opening::begin`].
    fn open(&self, opening: Opening) -> Doing<'_>;

    /// For each of the channels, a session less has it open.
    fn close(&self, space: &Arc<str>, channels: &mut dyn Iterator<Item = Arc<str>>);

    /// Lets go of what has been kept long enough. Called every now and then.
    fn sweep(&self) {}

    /// How much is kept here.
    fn census(&self) -> history::Census {
        history::Census::default()
    }
}

/// Why the store didn't do something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The store can't be reached, or is full, with its own words about it. A later attempt may go through.
    Unavailable(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(why) => write!(f, "the store takes no frames now: {why}"),
        }
    }
}

impl std::error::Error for StoreError {}

/// Spaces whose order is kept by the same lock: many spaces hardly ever wait for each other, and no lock has to come and go with its space.
const STRIPES: usize = 64;

/// The store of a relay that is alone: the order is that of the calls, delivery is at once, and the history is in memory.
#[derive(Debug)]
pub struct Memory {
    members: Arc<Members>,
    epoch: String,
    last: AtomicU64,
    stripes: [Mutex<()>; STRIPES],
    hasher: RandomState,
    history: Mutex<History>,
}

impl Memory {
    /// A store that delivers to these members.
    #[must_use]
    pub fn new(members: Arc<Members>, bounds: history::Bounds) -> Self {
        // The standard library seeds its hashers from the system.
        let hasher = RandomState::new();
        Self {
            members,
            epoch: format!("{:016x}", hasher.hash_one("epoch")),
            last: AtomicU64::new(0),
            stripes: [const { Mutex::new(()) }; STRIPES],
            hasher,
            history: Mutex::new(History::new(bounds)),
        }
    }

    /// As long as this is held, nothing is numbered or delivered in the space by anybody else.
    fn turn(&self, space: &str) -> Option<MutexGuard<'_, ()>> {
        let stripe = self.hasher.hash_one(space) as usize % STRIPES;
        let stripe = self.stripes.get(stripe)?;
        Some(stripe.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliver(&self, publication: &Publication) -> Level {
        let Publication {
            space,
            from,
            content,
        } = publication;
        let _turn = self.turn(space);
        let (channel, frame) = match content {
            Content::Text(frame) => (None, frame.clone()),
            Content::Envelope(draft) => {
                let id = Id(self.last.fetch_add(1, Ordering::Relaxed) + 1);
                let frame = draft.numbered(id);
                self.history().keep(
                    space,
                    draft.channel(),
                    id,
                    *from,
                    frame.clone(),
                    Instant::now(),
                );
                (Some(&**draft.channel()), frame)
            }
        };
        self.members.deliver(&Delivery {
            space,
            from: *from,
            channel,
            frame,
        })
    }

    fn begin(&self, opening: Opening) {
        let Opening {
            space,
            reader,
            wanted,
            begin,
        } = opening;
        let _turn = self.turn(&space);
        let position = Id(self.last.load(Ordering::Relaxed));
        let mut history = self.history();
        let replays = wanted
            .iter()
            .map(|wanted| {
                let Wanted {
                    channel,
                    since,
                    hold,
                } = wanted;
                history.open(&space, channel, since, reader, *hold, position)
            })
            .collect();
        drop(history);
        begin(Opened { position, replays });
    }
}

impl Store for Memory {
    fn epoch(&self) -> &str {
        &self.epoch
    }

    fn publish(&self, publication: Publication) -> Doing<'_> {
        Box::pin(async move {
            // Lets the connections with a full queue write before more is added to it. It waits for nobody.
            if self.deliver(&publication) > Level::Low {
                tokio::task::yield_now().await;
            }
            Ok(())
        })
    }

    fn open(&self, opening: Opening) -> Doing<'_> {
        Box::pin(async move {
            self.begin(opening);
            Ok(())
        })
    }

    fn close(&self, space: &Arc<str>, channels: &mut dyn Iterator<Item = Arc<str>>) {
        let mut history = self.history();
        channels.for_each(|channel| history.close(space, &channel));
    }

    fn sweep(&self) {
        self.history().sweep(Instant::now());
    }

    fn census(&self) -> history::Census {
        self.history().census()
    }
}
