//! The store of a relay by itself: publications are ordered as they come, delivered at once, and
//! kept in memory.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::history::{self, History};
use super::ids::{MessageId, NoRandomness, random_bits};
use super::queue::Level;
use super::spaces::Spaces;
use super::store::{
    BoxFuture, Content, Delivery, OpenRequest, Opened, Publication, Read, ReadRequest, Store,
};

/// Each space is ordered by one of so many locks: spaces hardly ever wait for each other, and no
/// lock has to be created and removed with its space.
const STRIPES: usize = 64;

/// The in-memory store.
#[derive(Debug)]
pub struct MemoryStore {
    spaces: Arc<Spaces>,
    epoch: String,
    last_id: AtomicU64,
    stripes: [Mutex<()>; STRIPES],
    /// Spreads spaces over the stripes.
    hasher: RandomState,
    history: Mutex<History>,
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
            stripes: [const { Mutex::new(()) }; STRIPES],
            hasher: RandomState::new(),
            history: Mutex::new(History::new(limits)),
        })
    }

    /// While the guard is held, nobody else numbers or delivers messages in the space.
    fn lock_order(&self, space: &str) -> Option<MutexGuard<'_, ()>> {
        let stripe = self.hasher.hash_one(space) as usize % STRIPES;
        let stripe = self.stripes.get(stripe)?;
        Some(stripe.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn position(&self) -> MessageId {
        MessageId(self.last_id.load(Ordering::Relaxed))
    }

    fn deliver(&self, publication: &Publication) -> Level {
        let Publication {
            space,
            from,
            content,
        } = publication;
        let _order = self.lock_order(space);
        let (channel, frame) = match content {
            Content::Text(frame) => (None, frame.clone()),
            Content::Envelope(message) => {
                let id = MessageId(self.last_id.fetch_add(1, Ordering::Relaxed) + 1);
                let frame = message.with_id(id);
                let (channel, kept) = (message.channel(), frame.clone());
                self.history()
                    .keep(space, channel, id, *from, kept, Instant::now());
                (Some(&**channel), frame)
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

impl Store for MemoryStore {
    fn epoch(&self) -> &str {
        &self.epoch
    }

    fn publish(&self, publication: Publication) -> BoxFuture<'_> {
        Box::pin(async move {
            // Lets connections with a full queue write before more is added to it. It waits for
            // nobody.
            if self.deliver(&publication) > Level::Low {
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
            let _order = self.lock_order(&space);
            let position = self.position();
            let mut history = self.history();
            let replays = channels
                .iter()
                .map(|open| {
                    let (channel, since) = (&open.channel, open.since);
                    history.open(&space, channel, since, reader, open.hold, position)
                })
                .collect();
            drop(history);
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
            let _order = self.lock_order(&space);
            let position = self.position();
            let replay = self.history().read(&space, since, reader, position);
            on_read(Read {
                position: Some(position),
                replay,
            });
            Ok(())
        })
    }

    fn close(&self, space: &Arc<str>, channels: &mut dyn Iterator<Item = Arc<str>>) {
        let mut history = self.history();
        channels.for_each(|channel| history.close(space, &channel));
    }

    fn evict_expired(&self) {
        self.history().evict_expired(Instant::now());
    }

    fn stats(&self) -> history::Stats {
        self.history().stats()
    }
}
