//! The seam of the hub: what a relay does for the connections it holds stays on one side, what several relays can share goes to the other.
//!
//! A frame is *published* by one member and *delivered* to the others. Between the two stands a [`Store`]: it brings the publications of a
//! space into one order and hands each of them to [`Members::deliver`], here and on every relay that shares the store. Members, their queues
//! and their connections are always local, whoever does the ordering; so they are no part of the trait, and no store has to write them again.
//!
//! The cut is here, and not around the whole hub, because of what is to come to the right side of it without a change to the left:
//!
//! * *Ids and history.* Whoever orders publications is the one who can number them, keep them, and replay them to a client that comes back.
//!   The store delivers, and not the hub, so that number and delivery are one step: members see ids in rising order.
//! * *Several relays, one hub.* A store in front of a log on the network appends in `publish`, and delivers from its own subscription, to
//!   the publisher's relay as to all others. Hence `publish` may take its time, may fail, and says nothing about when it delivers. Hence also
//!   a [`MemberId`] is unique among all relays: a frame must not come back to its sender by way of another one.
//! * *Other kinds of connection.* Socket.IO and SignalR clients join the same spaces through [`crate::hub::Hub::join`]. What is published is
//!   the frame of the plain protocol; each kind of connection translates to and from it.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::frame::Frame;
use crate::hub::{MemberId, Members};
use crate::queue::Level;

/// One frame, with what any relay needs to deliver it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The space it was published in.
    pub space: Arc<str>,
    /// Who published it, and so the one who doesn't get it.
    pub from: MemberId,
    /// What was published, byte for byte.
    pub frame: Frame,
}

/// The future of [`Store::publish`].
pub type Publishing<'a> = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send + 'a>>;

/// Brings publications into an order and has each delivered once. See the [module](self) for why there is such a thing.
pub trait Store: Send + Sync + fmt::Debug {
    /// Takes a publication. Resolves when the publisher may go on to its next, which must come behind this one.
    fn publish(&self, publication: Publication) -> Publishing<'_>;
}

/// Why a publication wasn't taken.
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

/// The store of a relay that is alone: the order is that of the calls, delivery is at once, and nothing is kept.
#[derive(Debug)]
pub struct Memory {
    members: Arc<Members>,
}

impl Memory {
    /// A store that delivers to these members.
    #[must_use]
    pub fn new(members: Arc<Members>) -> Self {
        Self { members }
    }
}

impl Store for Memory {
    fn publish(&self, publication: Publication) -> Publishing<'_> {
        Box::pin(async move {
            // Lets the connections with a full queue write before more is added to it. It waits for nobody.
            if self.members.deliver(&publication) > Level::Low {
                tokio::task::yield_now().await;
            }
            Ok(())
        })
    }
}
