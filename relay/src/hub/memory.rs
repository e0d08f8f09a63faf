//! The store of a relay by itself: publications are ordered as they come, delivered at once, and
//! kept in memory.

use std::hash::{BuildHasher, RandomState};
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::history::{self, History, Message};
use super::ids::{MessageId, NoRandomness, random_bits};
use super::queue::Level;
use super::shares::{Owner, plan};
use super::spaces::Spaces;
use super::store::{
    BoxFuture, Content, Delivery, OpenRequest, Opened, Publication, Read, ReadRequest, Store,
};

/// Each space is ordered by one of so many locks, which also guards what is kept of it: spaces
/// hardly ever wait for each other, and no lock has to be created and removed with its space.
const STRIPES: usize = 64;

/// The in-memory store.
#[derive(Debug)]
pub struct MemoryStore {
    spaces: Arc<Spaces>,
    epoch: String,
    last_id: AtomicU64,
    stripes: [Mutex<History>; STRIPES],
    /// Spreads spaces over the stripes.
    hasher: RandomState,
    /// How many bytes the history may have.
    total: AtomicUsize,
    /// How many it has.
    kept: AtomicUsize,
    /// Held while room is made in the history.
    making_room: Mutex<()>,
}

impl MemoryStore {
    /// A store that delivers to these spaces.
    ///
    /// # Errors
    /// The system has no random numbers for the epoch.
    pub fn new(spaces: Arc<Spaces>, limits: history::Limits) -> Result<Self, NoRandomness> {
        Ok(Self {
            spaces,
            epoch: format!("{:016x}", random_bits()?),
            last_id: AtomicU64::new(0),
            stripes: std::array::from_fn(|_| Mutex::new(History::new(limits))),
            hasher: RandomState::new(),
            total: AtomicUsize::new(limits.total),
            kept: AtomicUsize::new(0),
            making_room: Mutex::default(),
        })
    }

    /// While the guard is held, nobody else numbers or delivers messages in the space.
    fn lock(&self, space: &str) -> Option<Locked<'_>> {
        let stripe = self.hasher.hash_one(space) as usize % STRIPES;
        self.stripes.get(stripe).map(|stripe| self.locked(stripe))
    }

    fn locked<'a>(&'a self, stripe: &'a Mutex<History>) -> Locked<'a> {
        let history = stripe.lock().unwrap_or_else(PoisonError::into_inner);
        Locked {
            before: history.bytes(),
            history,
            kept: &self.kept,
        }
    }

    fn all(&self) -> impl Iterator<Item = Locked<'_>> {
        self.stripes.iter().map(|stripe| self.locked(stripe))
    }

    /// Drops messages of whoever uses most, if more is kept than may be. A sixteenth more becomes
    /// free, because finding out who uses most takes longer than dropping.
    fn make_room(&self) {
        let total = self.total.load(Ordering::Relaxed);
        if self.kept.load(Ordering::Relaxed) <= total {
            return;
        }
        let turn = self.making_room.lock();
        let _turn = turn.unwrap_or_else(PoisonError::into_inner);
        let excess = self.kept.load(Ordering::Relaxed).saturating_sub(total);
        if excess == 0 {
            return;
        }
        let uses: Vec<_> = self.all().flat_map(|history| history.uses()).collect();
        for (owner, bytes) in plan(uses, excess + total / 16) {
            self.evict(&owner, bytes);
        }
    }

    fn position(&self) -> MessageId {
        MessageId(self.last_id.load(Ordering::Relaxed))
    }

    fn deliver(&self, publication: &Publication) -> Level {
        let Publication {
            space,
            from,
            account,
            content,
        } = publication;
        let mut history = self.lock(space);
        let (channel, frame) = match content {
            Content::Text(frame) => {
                frame.pay(account);
                (None, frame.clone())
            }
            Content::Envelope(message) => {
                let id = MessageId(self.last_id.fetch_add(1, Ordering::Relaxed) + 1);
                let frame = message.with_id(id);
                let kept = Message {
                    id,
                    from: *from,
                    account: Arc::clone(account),
                    frame: frame.clone(),
                };
                if let Some(history) = &mut history {
                    history.keep(space, message.channel(), kept, Instant::now());
                }
                (Some(&**message.channel()), frame)
            }
        };
        self.spaces.deliver(&Delivery {
            space,
            from: *from,
            channel,
            frame,
        })
    }
}

/// The history of some spaces, of which nobody else may number or deliver messages.
struct Locked<'a> {
    history: MutexGuard<'a, History>,
    before: usize,
    kept: &'a AtomicUsize,
}

impl Deref for Locked<'_> {
    type Target = History;

    fn deref(&self) -> &History {
        &self.history
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut History {
        &mut self.history
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        let (before, after) = (self.before, self.history.bytes());
        if after >= before {
            self.kept.fetch_add(after - before, Ordering::Relaxed);
        } else {
            self.kept.fetch_sub(before - after, Ordering::Relaxed);
        }
    }
}

impl Store for MemoryStore {
    fn epoch(&self) -> &str {
        &self.epoch
    }

    fn publish(&self, publication: Publication) -> BoxFuture<'_> {
        Box::pin(async move {
            // Lets connections with a full queue write before more is added to it. It waits for
            // nobody.
            let level = self.deliver(&publication);
            self.make_room();
            if level > Level::Low {
                tokio::task::yield_now().await;
            }
            Ok(())
        })
    }

    fn open(&self, request: OpenRequest) -> BoxFuture<'_> {
        Box::pin(async move {
            let OpenRequest {
                space,
                reader,
                channels,
                on_open,
            } = request;
            let Some(mut history) = self.lock(&space) else {
                return Ok(());
            };
            let position = self.position();
            let replays = channels
                .iter()
                .map(|open| {
                    let (channel, since) = (&open.channel, open.since);
                    history.open(&space, channel, since, reader, open.hold, position)
                })
                .collect();
            on_open(Opened { position, replays });
            Ok(())
        })
    }

    fn read(&self, request: ReadRequest) -> BoxFuture<'_> {
        Box::pin(async move {
            let ReadRequest {
                space,
                reader,
                since,
                on_read,
            } = request;
            let Some(history) = self.lock(&space) else {
                return Ok(());
            };
            let position = self.position();
            let replay = history.read(&space, since, reader, position);
            on_read(Read {
                position: Some(position),
                replay,
            });
            Ok(())
        })
    }

    fn close(&self, space: &Arc<str>, channels: &mut dyn Iterator<Item = Arc<str>>) {
        if let Some(mut history) = self.lock(space) {
            channels.for_each(|channel| history.close(space, &channel));
        }
    }

    fn set_limits(&self, limits: history::Limits) {
        let now = Instant::now();
        self.all()
            .for_each(|mut history| history.set_limits(limits, now));
        self.total.store(limits.total, Ordering::Relaxed);
        self.make_room();
    }

    fn evict_expired(&self) {
        let now = Instant::now();
        self.all()
            .for_each(|mut history| history.evict_expired(now));
    }

    fn evict(&self, owner: &Owner, bytes: usize) -> usize {
        let history = owner.space.as_ref().and_then(|space| self.lock(space));
        history.map_or(0, |mut history| history.evict(owner, bytes))
    }

    fn stats(&self) -> history::Stats {
        self.all()
            .map(|history| history.stats())
            .fold(history::Stats::default(), |all, some| history::Stats {
                channels: all.channels + some.channels,
                messages: all.messages + some.messages,
                bytes: all.bytes + some.bytes,
            })
    }
}
