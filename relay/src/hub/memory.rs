//! The store of a relay by itself: publications are ordered as they come, delivered at once, and
//! kept in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::Instant;

use super::archive::Archive;
use super::history::{self, Message};
use super::ids::{MessageId, NoRandomness, random_bits};
use super::queue::Level;
use super::shares::Owner;
use super::spaces::Spaces;
use super::store::{
    BoxFuture, Content, Delivery, OpenRequest, Opened, Publication, Read, ReadRequest, Store,
};

/// The in-memory store.
#[derive(Debug)]
pub struct MemoryStore {
    spaces: Arc<Spaces>,
    epoch: Arc<str>,
    last_id: AtomicU64,
    archive: Archive,
}

impl MemoryStore {
    /// A store that delivers to these spaces.
    ///
    /// # Errors
    /// The system has no random numbers for the epoch.
    pub fn new(spaces: Arc<Spaces>, limits: history::Limits) -> Result<Self, NoRandomness> {
        Ok(Self {
            spaces,
            epoch: format!("{:016x}", random_bits()?).into(),
            last_id: AtomicU64::new(0),
            archive: Archive::new(limits),
        })
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
            ..
        } = publication;
        let mut history = self.archive.lock(space);
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

impl Store for MemoryStore {
    fn epoch(&self) -> Arc<str> {
        Arc::clone(&self.epoch)
    }

    fn publish(&self, publication: Publication) -> BoxFuture<'_> {
        Box::pin(async move {
            // Lets connections with a full queue write before more is added to it. It waits for
            // nobody.
            let level = self.deliver(&publication);
            self.archive.make_room();
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
            let Some(mut history) = self.archive.lock(&space) else {
                return Ok(());
            };
            let position = self.position();
            let replays = channels
                .iter()
                .map(|open| history.open(&space, open, reader, position))
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
            let Some(history) = self.archive.lock(&space) else {
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
        if let Some(mut history) = self.archive.lock(space) {
            channels.for_each(|channel| history.close(space, &channel));
        }
    }

    fn set_limits(&self, limits: history::Limits) {
        self.archive.set_limits(limits);
    }

    fn evict_expired(&self) {
        self.archive.evict_expired();
    }

    fn evict(&self, owner: &Owner, bytes: usize) -> usize {
        self.archive.evict(owner, bytes)
    }

    fn stats(&self) -> history::Stats {
        self.archive.stats()
    }
}
