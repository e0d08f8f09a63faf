//! Spaces and their members: who gets what is published.
//!
//! A *space* is all that is connected under one path of the relay. It comes into being with its first member and is gone with its last, so
//! there are never more spaces than connections. A *member* is one connection, of whatever kind, seen from here as a send queue.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use crate::frame::Frame;
use crate::queue::{self, Bounds, Head, Level, Signals, Tail};
use crate::store::{Memory, Publication, Store, StoreError};

/// Names a member among those of all relays that share a store.
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
    members: Mutex<HashMap<MemberId, Tail>>,
}

impl Space {
    fn members(&self) -> MutexGuard<'_, HashMap<MemberId, Tail>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Gives a publication to every member of its space but the one who sent it, and tells how full the fullest of their queues is.
    /// Waits for nobody: a queue that can't take the frame overflows.
    pub fn deliver(&self, publication: &Publication) -> Level {
        let space = self
            .spaces
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&publication.space)
            .cloned();
        let Some(space) = space else {
            return Level::Low;
        };
        let members = space.members();
        let others = members.iter().filter(|(id, _)| **id != publication.from);
        others
            .map(|(_, tail)| tail.push(publication.frame.clone()))
            .max()
            .unwrap_or(Level::Low)
    }

    /// How many there are.
    #[must_use]
    pub fn census(&self) -> Census {
        let spaces = self.spaces.read().unwrap_or_else(PoisonError::into_inner);
        Census {
            spaces: spaces.len(),
            members: spaces.values().map(|space| space.members().len()).sum(),
            joined: self.joined.load(Ordering::Relaxed),
        }
    }

    fn join(&self, name: &str, signals: Signals) -> (Arc<Space>, MemberId, Head) {
        let (tail, head) = queue::queue_with(self.bounds, signals);
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
                members: Mutex::default(),
            });
            spaces.insert(name, Arc::clone(&space));
            space
        };
        space.members().insert(id, tail);
        (space, id, head)
    }

    fn leave(&self, space: &Space, id: MemberId) {
        let mut spaces = self.spaces.write().unwrap_or_else(PoisonError::into_inner);
        let mut members = space.members();
        members.remove(&id);
        if members.is_empty() {
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
}

/// Where connections come together: the members of this relay, and the store that it may share with others.
#[derive(Debug)]
pub struct Hub {
    members: Arc<Members>,
    store: Arc<dyn Store>,
}

impl Hub {
    /// A hub by itself, with the in-memory store.
    #[must_use]
    pub fn in_memory(bounds: Bounds) -> Self {
        let members = Arc::new(Members::new(bounds));
        let store = Arc::new(Memory::new(Arc::clone(&members)));
        Self { members, store }
    }

    /// A hub whose publications go through `store`, which is to deliver them to `members`.
    #[must_use]
    pub fn new(members: Arc<Members>, store: Arc<dyn Store>) -> Self {
        Self { members, store }
    }

    /// Adds a member to a space. It gets what others publish there from now on, through the queue, until the membership is dropped.
    #[must_use]
    pub fn join(&self, space: &str) -> (Membership, Head) {
        self.join_with(space, Signals::default())
    }

    /// The same for a connection that may be in several spaces, and has the same signals for all of them.
    #[must_use]
    pub fn join_with(&self, space: &str, signals: Signals) -> (Membership, Head) {
        let (space, id, head) = self.members.join(space, signals);
        (
            Membership {
                members: Arc::clone(&self.members),
                store: Arc::clone(&self.store),
                space,
                id,
            },
            head,
        )
    }

    /// How many spaces and members this relay has.
    #[must_use]
    pub fn census(&self) -> Census {
        self.members.census()
    }
}

/// A member's place in its space, which it leaves when this is dropped.
#[derive(Debug)]
pub struct Membership {
    members: Arc<Members>,
    store: Arc<dyn Store>,
    space: Arc<Space>,
    id: MemberId,
}

impl Membership {
    /// Publishes a frame to the others in the space.
    ///
    /// # Errors
    /// The store didn't take it.
    pub async fn publish(&self, frame: Frame) -> Result<(), StoreError> {
        self.store
            .publish(Publication {
                space: Arc::clone(&self.space.name),
                from: self.id,
                frame,
            })
            .await
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.members.leave(&self.space, self.id);
    }
}
