//! What was published on each channel and is kept for those who come back, within bounds.
//!
//! A *record* is what is known of one channel: the messages that are kept, how many sessions have it open, and the highest id that was
//! dropped. By that it can be told whether anything is missing behind an id, however long ago it was given. Nobody misses their own messages; so
//! of those that were dropped a record knows who published the last one, and which was the last of anyone else.
//!
//! A record lives as long as a session has its channel open or a message is kept. Of those that are gone one floor remains for all: who names an
//! id below it, on a channel that has no record, is told that something may be missing.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::frame::Frame;
use crate::hub::MemberId;
use crate::store::{Id, Since};

/// What a message is taken to cost besides its text, when everything that is kept is added up.
pub const OVERHEAD: usize = 256;

/// How much is kept. What goes beyond a bound is dropped, the oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Messages of one channel.
    pub messages: usize,
    /// Bytes of text of one channel's messages.
    pub bytes: usize,
    /// How long a message is kept.
    pub age: Duration,
    /// Bytes of all messages of all channels, each with [`OVERHEAD`] more than its text has.
    pub total: usize,
}

/// What somebody who opens a channel is sent before anything new.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// Whether something is missing in front of the frames.
    pub gap: bool,
    /// What is kept of what was asked for, in order.
    pub frames: Vec<Frame>,
}

/// A count of what is kept at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Channels that have a record.
    pub channels: usize,
    /// Messages of all of them.
    pub messages: usize,
    /// Their bytes, as [`Bounds::total`] counts them.
    pub bytes: usize,
}

/// The records of all channels.
#[derive(Debug)]
pub struct History {
    bounds: Bounds,
    spaces: HashMap<Arc<str>, HashMap<Arc<str>, Record>>,
    /// Every message that is kept.
    by_age: BTreeMap<Id, Place>,
    bytes: usize,
    /// The highest id that was dropped on a channel whose record is gone.
    floor: Id,
}

#[derive(Debug)]
struct Place {
    space: Arc<str>,
    channel: Arc<str>,
    since: Instant,
}

#[derive(Debug)]
struct Record {
    open: usize,
    messages: VecDeque<Message>,
    bytes: usize,
    /// What was dropped up to here isn't known: there was no record, or an earlier one.
    unknown: Id,
    dropped: Option<(Id, MemberId)>,
    /// The highest id that was dropped and isn't by the publisher of `dropped`.
    dropped_of_others: Id,
}

#[derive(Debug)]
struct Message {
    id: Id,
    from: MemberId,
    frame: Frame,
}

impl Record {
    fn new(unknown: Id) -> Self {
        Self {
            open: 0,
            messages: VecDeque::new(),
            bytes: 0,
            unknown,
            dropped: None,
            dropped_of_others: Id::default(),
        }
    }

    /// Lets go of the oldest message and tells which it was.
    fn drop_first(&mut self) -> Option<(Id, usize)> {
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
    fn floor(&self, reader: MemberId) -> Id {
        let dropped = match self.dropped {
            Some((_, from)) if from == reader => self.dropped_of_others,
            Some((id, _)) => id,
            None => Id::default(),
        };
        dropped.max(self.unknown)
    }

    fn is_idle(&self) -> bool {
        self.open == 0 && self.messages.is_empty()
    }

    /// What an id has to be above of when the record is gone.
    fn rest(&self) -> Id {
        self.dropped
            .map_or(self.unknown, |(id, _)| id.max(self.unknown))
    }
}

impl History {
    /// Nothing yet.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            spaces: HashMap::new(),
            by_age: BTreeMap::new(),
            bytes: 0,
            floor: Id::default(),
        }
    }

    /// Keeps a message. Its id is to be higher than all before it in its space.
    pub fn keep(
        &mut self,
        space: &Arc<str>,
        channel: &Arc<str>,
        id: Id,
        from: MemberId,
        frame: Frame,
        now: Instant,
    ) {
        let Bounds {
            messages,
            bytes,
            total,
            ..
        } = self.bounds;
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
        for (id, weight) in dropped {
            self.by_age.remove(&id);
            self.bytes -= weight;
        }
        self.forget_idle(space, channel);
        while self.bytes > total {
            self.drop_oldest();
        }
        self.sweep(now);
    }

    /// Lets go of what has been kept long enough.
    pub fn sweep(&mut self, now: Instant) {
        while let Some((_, place)) = self.by_age.first_key_value()
            && now.saturating_duration_since(place.since) >= self.bounds.age
        {
            self.drop_oldest();
        }
    }

    /// What `reader` is to be sent who has seen a channel up to where `since` says. `hold`: a session more has the channel open from now on.
    pub fn open(
        &mut self,
        space: &Arc<str>,
        channel: &Arc<str>,
        since: &Since,
        reader: MemberId,
        hold: bool,
        last: Id,
    ) -> Replay {
        let floor = self.floor;
        let replay = |record: Option<&Record>| {
            let after = match since {
                Since::Now => return Replay::default(),
                // An id that was never given tells nothing.
                Since::After(id) if *id > last => None,
                Since::After(id) => Some(*id),
                Since::Unknown => None,
            };
            let Some(after) = after else {
                return Replay {
                    gap: true,
                    frames: Vec::new(),
                };
            };
            let Some(record) = record else {
                return Replay {
                    gap: floor > after,
                    frames: Vec::new(),
                };
            };
            let (older, newer) = record.messages.as_slices();
            let frames = [older, newer].map(|part| {
                let start = part.partition_point(|message| message.id <= after);
                part.get(start..).unwrap_or_default()
            });
            Replay {
                gap: record.floor(reader) > after,
                frames: frames
                    .into_iter()
                    .flatten()
                    .filter(|message| message.from != reader)
                    .map(|message| message.frame.clone())
                    .collect(),
            }
        };
        if hold {
            let record = self.record(space, channel);
            record.open += 1;
            replay(Some(record))
        } else {
            replay(
                self.spaces
                    .get(space)
                    .and_then(|channels| channels.get(channel)),
            )
        }
    }

    /// A session less has the channel open.
    pub fn close(&mut self, space: &Arc<str>, channel: &Arc<str>) {
        if let Some(record) = self
            .spaces
            .get_mut(space)
            .and_then(|channels| channels.get_mut(channel))
        {
            record.open = record.open.saturating_sub(1);
            self.forget_idle(space, channel);
        }
    }

    /// How much is kept.
    #[must_use]
    pub fn census(&self) -> Census {
        Census {
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
        if let Some((_, weight)) = dropped {
            self.bytes -= weight;
        }
        self.forget_idle(&space, &channel);
    }

    fn forget_idle(&mut self, space: &Arc<str>, channel: &Arc<str>) {
        let Some(channels) = self.spaces.get_mut(space) else {
            return;
        };
        let Some(record) = channels.get(channel).filter(|record| record.is_idle()) else {
            return;
        };
        self.floor = self.floor.max(record.rest());
        channels.remove(channel);
        if channels.is_empty() {
            self.spaces.remove(space);
        }
    }
}
