//! Published messages, kept per channel for replay, within bounds.
//!
//! A *record* holds what is known of one channel: the messages that are kept, how many sessions
//! have it open, and the highest id that was dropped. From that id it follows whether anything is
//! missing after a given id, however old that is. A publisher never misses its own messages, so a
//! record also knows who published the last dropped message, and the last dropped one of anybody
//! else.
//!
//! A record exists while a session has its channel open or a message is kept. All records that are
//! gone leave one common floor: for a channel without a record, an id below the floor means that
//! messages may be missing.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::frame::{Frame, OVERHEAD};
use super::ids::{MessageId, PublisherId};

/// How much is kept. Beyond a bound, the oldest messages are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages of one channel.
    pub messages: usize,
    /// Bytes of text of one channel's messages.
    pub bytes: usize,
    /// How long a message is kept.
    pub age: Duration,
    /// Bytes of all messages of all channels, each with [`OVERHEAD`] added.
    pub total: usize,
}

/// How far a reader has seen a channel or a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// It wants nothing of what was published so far.
    Now,
    /// Up to the message with this id.
    After(MessageId),
    /// Up to a message that is no longer known.
    Unknown,
}

/// What a reader receives before anything new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// Whether messages may be missing before these frames.
    pub gap: bool,
    /// What is kept of the requested messages, in order.
    pub frames: Vec<Frame>,
}

/// How much is kept at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Channels that have a record.
    pub channels: usize,
    /// Messages of all channels.
    pub messages: usize,
    /// Their bytes, counted as for [`Limits::total`].
    pub bytes: usize,
}

/// The records of all channels.
#[derive(Debug)]
pub struct History {
    limits: Limits,
    spaces: HashMap<Arc<str>, HashMap<Arc<str>, Record>>,
    /// All kept messages, the oldest first.
    by_age: BTreeMap<MessageId, Place>,
    bytes: usize,
    /// The highest id that was dropped on a channel whose record is gone.
    floor: MessageId,
}

/// Where a kept message is, and since when.
#[derive(Debug)]
struct Place {
    space: Arc<str>,
    channel: Arc<str>,
    since: Instant,
}

#[derive(Debug)]
struct Record {
    /// Sessions that have the channel open.
    open: usize,
    messages: VecDeque<Message>,
    bytes: usize,
    /// Up to this id it isn't known what was dropped: there was no record.
    unknown: MessageId,
    /// The last dropped message, and its publisher.
    dropped: Option<(MessageId, PublisherId)>,
    /// The highest dropped id that isn't of the publisher in `dropped`.
    dropped_of_others: MessageId,
}

#[derive(Debug)]
struct Message {
    id: MessageId,
    from: PublisherId,
    frame: Frame,
}

impl Record {
    fn new(unknown: MessageId) -> Self {
        Self {
            open: 0,
            messages: VecDeque::new(),
            bytes: 0,
            unknown,
            dropped: None,
            dropped_of_others: MessageId::default(),
        }
    }

    /// Drops the oldest message. Returns its id and what it cost.
    fn drop_first(&mut self) -> Option<(MessageId, usize)> {
        let Message { id, from, frame } = self.messages.pop_front()?;
        self.bytes -= frame.len();
        match self.dropped {
            Some((_, last)) if last == from => {}
            Some((before, _)) => self.dropped_of_others = before,
            None => {}
        }
        self.dropped = Some((id, from));
        Some((id, frame.len() + OVERHEAD))
    }

    /// The highest id that `reader` may have missed.
    fn floor(&self, reader: PublisherId) -> MessageId {
        let dropped = match self.dropped {
            Some((_, from)) if from == reader => self.dropped_of_others,
            Some((id, _)) => id,
            None => MessageId::default(),
        };
        dropped.max(self.unknown)
    }

    /// The kept messages of others after an id.
    fn after(&self, id: MessageId, reader: PublisherId) -> impl Iterator<Item = &Message> {
        let (older, newer) = self.messages.as_slices();
        [older, newer]
            .into_iter()
            .flat_map(move |part| {
                let start = part.partition_point(|message| message.id <= id);
                part.get(start..).unwrap_or_default()
            })
            .filter(move |message| message.from != reader)
    }

    fn is_idle(&self) -> bool {
        self.open == 0 && self.messages.is_empty()
    }

    /// The highest dropped id that counts once the record is gone.
    fn last_dropped(&self) -> MessageId {
        self.dropped
            .map_or(self.unknown, |(id, _)| id.max(self.unknown))
    }
}

/// The id after which to replay. An error is the replay where there is nothing to look up.
fn replay_from(since: Since, last: MessageId) -> Result<MessageId, Replay> {
    match since {
        Since::Now => Err(Replay::default()),
        // An id that was never given says nothing about what was seen.
        Since::After(id) if id <= last => Ok(id),
        Since::After(_) | Since::Unknown => Err(Replay {
            gap: true,
            frames: Vec::new(),
        }),
    }
}

impl History {
    /// An empty history.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            spaces: HashMap::new(),
            by_age: BTreeMap::new(),
            bytes: 0,
            floor: MessageId::default(),
        }
    }

    /// Keeps a message. Its id must be higher than all earlier ones in its space.
    pub fn keep(
        &mut self,
        space: &Arc<str>,
        channel: &Arc<str>,
        id: MessageId,
        from: PublisherId,
        frame: Frame,
        now: Instant,
    ) {
        let Limits {
            messages,
            bytes,
            total,
            ..
        } = self.limits;
        self.by_age.insert(
            id,
            Place {
                space: Arc::clone(space),
                channel: Arc::clone(channel),
                since: now,
            },
        );
        self.bytes += frame.len() + OVERHEAD;
        let record = self.record(space, channel);
        record.bytes += frame.len();
        record.messages.push_back(Message { id, from, frame });
        let mut dropped = Vec::new();
        while record.messages.len() > messages || record.bytes > bytes {
            let Some(oldest) = record.drop_first() else {
                break;
            };
            dropped.push(oldest);
        }
        for (id, cost) in dropped {
            self.by_age.remove(&id);
            self.bytes -= cost;
        }
        self.remove_if_idle(space, channel);
        while self.bytes > total {
            self.drop_oldest();
        }
        self.evict_expired(now);
    }

    /// Drops messages that are older than [`Limits::age`].
    pub fn evict_expired(&mut self, now: Instant) {
        while let Some((_, place)) = self.by_age.first_key_value()
            && now.saturating_duration_since(place.since) >= self.limits.age
        {
            self.drop_oldest();
        }
    }

    /// The replay of one channel for `reader`. `hold`: one more session has the channel open from
    /// now on. `last` is the highest id that was given.
    pub fn open(
        &mut self,
        space: &Arc<str>,
        channel: &Arc<str>,
        since: Since,
        reader: PublisherId,
        hold: bool,
        last: MessageId,
    ) -> Replay {
        let floor = self.floor;
        if hold {
            self.record(space, channel).open += 1;
        }
        let after = match replay_from(since, last) {
            Ok(after) => after,
            Err(replay) => return replay,
        };
        let records = self.spaces.get(space);
        match records.and_then(|channels| channels.get(channel)) {
            None => Replay {
                gap: floor > after,
                frames: Vec::new(),
            },
            Some(record) => Replay {
                gap: record.floor(reader) > after,
                frames: record
                    .after(after, reader)
                    .map(|message| message.frame.clone())
                    .collect(),
            },
        }
    }

    /// The replay of all channels of a space for `reader`, in the order of ids. `last` is the
    /// highest id that was given.
    #[must_use]
    pub fn read(
        &self,
        space: &Arc<str>,
        since: Since,
        reader: PublisherId,
        last: MessageId,
    ) -> Replay {
        let after = match replay_from(since, last) {
            Ok(after) => after,
            Err(replay) => return replay,
        };
        let records = || self.spaces.get(space).into_iter().flat_map(HashMap::values);
        let mut messages: Vec<_> = records()
            .flat_map(|record| record.after(after, reader))
            .collect();
        messages.sort_unstable_by_key(|message| message.id);
        Replay {
            // A channel without a record may have been one of this space.
            gap: self.floor > after || records().any(|record| record.floor(reader) > after),
            frames: messages
                .into_iter()
                .map(|message| message.frame.clone())
                .collect(),
        }
    }

    /// One session fewer has the channel open.
    pub fn close(&mut self, space: &Arc<str>, channel: &Arc<str>) {
        if let Some(record) = self
            .spaces
            .get_mut(space)
            .and_then(|channels| channels.get_mut(channel))
        {
            record.open = record.open.saturating_sub(1);
            self.remove_if_idle(space, channel);
        }
    }

    /// How much is kept.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            channels: self.spaces.values().map(HashMap::len).sum(),
            messages: self.by_age.len(),
            bytes: self.bytes,
        }
    }

    fn record(&mut self, space: &Arc<str>, channel: &Arc<str>) -> &mut Record {
        self.spaces
            .entry(Arc::clone(space))
            .or_default()
            .entry(Arc::clone(channel))
            .or_insert_with(|| Record::new(self.floor))
    }

    fn drop_oldest(&mut self) {
        let Some((_, Place { space, channel, .. })) = self.by_age.pop_first() else {
            return;
        };
        // A channel's messages are in the order of their ids, so this is its first.
        let dropped = self
            .spaces
            .get_mut(&space)
            .and_then(|channels| channels.get_mut(&channel))
            .and_then(Record::drop_first);
        if let Some((_, cost)) = dropped {
            self.bytes -= cost;
        }
        self.remove_if_idle(&space, &channel);
    }

    fn remove_if_idle(&mut self, space: &Arc<str>, channel: &Arc<str>) {
        let Some(channels) = self.spaces.get_mut(space) else {
            return;
        };
        let Some(record) = channels.get(channel).filter(|record| record.is_idle()) else {
            return;
        };
        self.floor = self.floor.max(record.last_dropped());
        channels.remove(channel);
        if channels.is_empty() {
            self.spaces.remove(space);
        }
    }
}
