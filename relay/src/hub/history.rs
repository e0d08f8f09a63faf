//! Published messages, kept for replay, within bounds.
//!
//! A space keeps its messages in one order, and a record of each channel: which of them are
//! its own, how many sessions have it open, and the highest id that was dropped. From that id it
//! follows whether anything is missing after a given id, however old that is. A publisher never
//! misses its own messages, so a record also knows who published the last dropped message, and the
//! last dropped one of anybody else.
//!
//! A record exists while a session has its channel open or a message is kept. All records that are
//! gone leave one common floor in their space: for a channel without a record, an id below the
//! floor means that messages may be missing. Spaces that are gone leave a common floor likewise.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::budget::{Account, Charge, Purpose};
use super::frame::{self, Frame};
use super::ids::{MessageId, PublisherId};
use super::record::{Dropped, Record};
use super::shares::Owner;
use crate::address::ClientAddress;

/// What a kept message costs besides its frame, in bytes: its places in its space and in its
/// channel's record.
const KEPT: usize = 192;
/// What a channel's record costs besides the channel's name, in bytes.
pub const RECORD: usize = 320;
/// What the history of a space costs besides the space's name, which is there twice, in bytes.
pub const SPACE: usize = 2048;

/// What a kept message costs besides its text, in bytes.
pub const OVERHEAD: usize = frame::OVERHEAD + KEPT;

/// How much is kept. Beyond a bound, the oldest messages are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages of one channel.
    pub messages: usize,
    /// Bytes of text of one channel's messages.
    pub bytes: usize,
    /// How long a message is kept.
    pub age: Duration,
    /// Bytes of all messages of all channels, each with [`OVERHEAD`] added, and what their channels
    /// and spaces cost. Beyond it, messages of whoever uses most are dropped.
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

/// A channel that is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenChannel {
    /// Its name.
    pub channel: Arc<str>,
    /// What is to be replayed.
    pub since: Since,
    /// Of the messages up to this one, those that aren't kept any more had reached the reader.
    pub seen: MessageId,
    /// Whether one more session holds the channel open, until it is closed.
    pub hold: bool,
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

/// A message to keep.
#[derive(Debug)]
pub struct Message {
    /// Its id, higher than those of all earlier messages in its space.
    pub id: MessageId,
    /// Who published it.
    pub from: PublisherId,
    /// Who pays for it.
    pub account: Arc<Account>,
    /// What is replayed.
    pub frame: Frame,
}

/// What is kept of some spaces.
#[derive(Debug)]
pub struct History {
    limits: Limits,
    spaces: HashMap<Arc<str>, Space>,
    bytes: usize,
    /// The highest id that was dropped in a space that is gone.
    floor: MessageId,
}

#[derive(Debug)]
struct Space {
    records: HashMap<Arc<str>, Record>,
    /// The kept messages of all channels, the oldest first.
    messages: BTreeMap<MessageId, Kept>,
    /// Paid for the space while messages are kept.
    charge: Option<Charge>,
    /// Bytes that each address has here.
    uses: HashMap<ClientAddress, usize>,
    /// What was dropped on all channels.
    dropped: Dropped,
    /// The highest id that was dropped on a channel whose record is gone.
    floor: MessageId,
}

#[derive(Debug)]
struct Kept {
    channel: Arc<str>,
    from: PublisherId,
    frame: Frame,
    since: Instant,
    /// Paid for its places.
    charge: Charge,
}

impl Space {
    fn new(floor: MessageId) -> Self {
        Self {
            records: HashMap::new(),
            messages: BTreeMap::new(),
            charge: None,
            uses: HashMap::new(),
            dropped: Dropped::default(),
            floor,
        }
    }

    fn pay(&mut self, account: &Arc<Account>, bytes: usize) -> Charge {
        *self.uses.entry(account.owner().address).or_default() += bytes;
        account.charge(Purpose::Messages, bytes)
    }

    /// Takes bytes off what the address of a charge has here. Returns how many.
    fn refund(&mut self, charge: &Charge, more: usize) -> usize {
        let bytes = charge.bytes() + more;
        if let Entry::Occupied(mut used) = self.uses.entry(charge.account().owner().address) {
            *used.get_mut() -= bytes;
            if *used.get() == 0 {
                used.remove();
            }
        }
        bytes
    }

    /// Keeps a message. Returns what it costs.
    fn keep(&mut self, name: &str, channel: &Arc<str>, message: Message, now: Instant) -> usize {
        let Message {
            id,
            from,
            account,
            frame,
        } = message;
        let cost = frame.cost();
        frame.pay(&account);
        *self.uses.entry(account.owner().address).or_default() += cost;
        let mut bytes = cost + KEPT;
        let charge = self.pay(&account, KEPT);
        if self.charge.is_none() {
            let paid = self.pay(&account, SPACE + 2 * name.len());
            bytes += paid.bytes();
            self.charge = Some(paid);
        }
        if self.record(channel).charge.is_none() {
            let paid = self.pay(&account, RECORD + channel.len());
            bytes += paid.bytes();
            self.record(channel).charge = Some(paid);
        }
        self.record(channel).push(id, frame.len());
        self.messages.insert(
            id,
            Kept {
                channel: Arc::clone(channel),
                from,
                frame,
                since: now,
                charge,
            },
        );
        bytes
    }

    /// Drops the oldest messages of a channel until it has no more than may be kept. Returns what
    /// they cost.
    fn limit(&mut self, channel: &Arc<str>, limits: Limits) -> usize {
        let mut bytes = 0;
        while let Some(record) = self.records.get(channel)
            && (record.len() > limits.messages || record.bytes > limits.bytes)
            && let Some(first) = record.first()
        {
            bytes += self.drop_message(first);
        }
        bytes
    }

    /// Drops a message. Returns what it cost.
    fn drop_message(&mut self, id: MessageId) -> usize {
        let Some(kept) = self.messages.remove(&id) else {
            return 0;
        };
        let mut bytes = self.refund(&kept.charge, kept.frame.cost());
        self.dropped.note(id, kept.from);
        if let Some(record) = self.records.get_mut(&kept.channel) {
            record.remove(id, kept.from, kept.frame.len());
            if record.len() == 0
                && let Some(charge) = record.charge.take()
            {
                bytes += self.refund(&charge, 0);
            }
        }
        self.remove_if_idle(&kept.channel);
        if self.messages.is_empty()
            && let Some(charge) = self.charge.take()
        {
            bytes += self.refund(&charge, 0);
        }
        bytes
    }

    fn record(&mut self, channel: &Arc<str>) -> &mut Record {
        self.records
            .entry(Arc::clone(channel))
            .or_insert_with(|| Record::new(self.floor))
    }

    fn remove_if_idle(&mut self, channel: &Arc<str>) {
        if let Some(record) = self.records.get(channel).filter(|record| record.is_idle()) {
            self.floor = self.floor.max(record.last_dropped());
            self.records.remove(channel);
        }
    }

    /// What is kept of a channel after an id.
    fn channel_after(&self, record: &Record, id: MessageId, reader: PublisherId) -> Vec<Frame> {
        record
            .after(id)
            .filter_map(|id| self.messages.get(&id))
            .filter(|kept| kept.from != reader)
            .map(|kept| kept.frame.clone())
            .collect()
    }

    /// What is kept of all channels after an id.
    fn all_after(&self, id: MessageId, reader: PublisherId) -> Vec<Frame> {
        self.messages
            .range((Bound::Excluded(id), Bound::Unbounded))
            .filter(|(_, kept)| kept.from != reader)
            .map(|(_, kept)| kept.frame.clone())
            .collect()
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
            bytes: 0,
            floor: MessageId::default(),
        }
    }

    /// Keeps a message. It doesn't look at [`Limits::total`]: who does may have to look at other
    /// histories too (see [`History::evict`]).
    pub fn keep(&mut self, name: &Arc<str>, channel: &Arc<str>, message: Message, now: Instant) {
        let limits = self.limits;
        let space = self.space(name);
        let added = space.keep(name, channel, message, now);
        let dropped = space.limit(channel, limits);
        self.bytes = self.bytes + added - dropped;
        self.evict_expired_of(name, now);
    }

    /// Notes that what was published in a space up to this id may be missing here.
    pub fn miss(&mut self, name: &Arc<str>, id: MessageId) {
        let Some(space) = self.spaces.get_mut(name) else {
            self.floor = self.floor.max(id);
            return;
        };
        space.floor = space.floor.max(id);
        for record in space.records.values_mut() {
            record.miss(id);
        }
    }

    /// Whether anything is known of a space.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.spaces.contains_key(name)
    }

    /// Keeps what these limits allow from now on.
    pub fn set_limits(&mut self, limits: Limits, now: Instant) {
        self.limits = limits;
        for space in self.spaces.values_mut() {
            let channels: Vec<_> = space.records.keys().cloned().collect();
            for channel in channels {
                self.bytes -= space.limit(&channel, limits);
            }
        }
        self.evict_expired(now);
    }

    /// Drops messages that are older than [`Limits::age`].
    pub fn evict_expired(&mut self, now: Instant) {
        let names: Vec<_> = self.spaces.keys().cloned().collect();
        for name in names {
            self.evict_expired_of(&name, now);
        }
    }

    fn evict_expired_of(&mut self, name: &Arc<str>, now: Instant) {
        let Some(space) = self.spaces.get_mut(name) else {
            return;
        };
        while let Some((id, kept)) = space.messages.first_key_value()
            && now.saturating_duration_since(kept.since) >= self.limits.age
        {
            let id = *id;
            self.bytes -= space.drop_message(id);
        }
        self.remove_if_empty(name);
    }

    /// Drops the oldest messages of an owner until so many bytes are free. Returns how many are.
    pub fn evict(&mut self, owner: &Owner, bytes: usize) -> usize {
        let Some((name, space)) = owner
            .space
            .as_ref()
            .and_then(|name| Some((name, self.spaces.get_mut(name)?)))
        else {
            return 0;
        };
        let mut oldest = Vec::new();
        let mut cost = 0;
        for (id, kept) in &space.messages {
            if cost >= bytes {
                break;
            }
            if kept.charge.account().owner().address == owner.address {
                cost += kept.charge.bytes() + kept.frame.cost();
                oldest.push(*id);
            }
        }
        let freed = oldest.into_iter().map(|id| space.drop_message(id)).sum();
        self.bytes -= freed;
        self.remove_if_empty(name);
        freed
    }

    /// What each owner uses.
    #[must_use]
    pub fn uses(&self) -> Vec<(Owner, usize)> {
        let of_space = |(name, space): (&Arc<str>, &Space)| {
            let name = Arc::clone(name);
            let uses: Vec<_> = space.uses.iter().map(|(key, used)| (*key, *used)).collect();
            uses.into_iter().map(move |(address, used)| {
                let space = Some(Arc::clone(&name));
                (Owner { space, address }, used)
            })
        };
        self.spaces.iter().flat_map(of_space).collect()
    }

    /// Opens a channel for `reader`, and gives its replay. `last` is the highest id that was given.
    pub fn open(
        &mut self,
        name: &Arc<str>,
        open: &OpenChannel,
        reader: PublisherId,
        last: MessageId,
    ) -> Replay {
        let OpenChannel {
            channel,
            since,
            seen,
            hold,
        } = open;
        if *hold {
            self.space(name).record(channel).open += 1;
        }
        let after = match replay_from(*since, last) {
            Ok(after) => after,
            Err(replay) => return replay,
        };
        let seen = after.max(*seen);
        let Some(space) = self.spaces.get(name) else {
            return Replay {
                gap: self.floor > seen,
                frames: Vec::new(),
            };
        };
        match space.records.get(channel) {
            None => Replay {
                gap: space.floor > seen,
                frames: Vec::new(),
            },
            Some(record) => Replay {
                gap: record.floor(reader) > seen,
                frames: space.channel_after(record, after, reader),
            },
        }
    }

    /// The replay of all channels of a space for `reader`, in the order of ids. `last` is the
    /// highest id that was given.
    #[must_use]
    pub fn read(
        &self,
        name: &Arc<str>,
        since: Since,
        reader: PublisherId,
        last: MessageId,
    ) -> Replay {
        let after = match replay_from(since, last) {
            Ok(after) => after,
            Err(replay) => return replay,
        };
        let Some(space) = self.spaces.get(name) else {
            return Replay {
                gap: self.floor > after,
                frames: Vec::new(),
            };
        };
        Replay {
            // The floor: a channel without a record may have been one that the reader missed.
            gap: space.floor.max(space.dropped.floor(reader)) > after,
            frames: space.all_after(after, reader),
        }
    }

    /// One session fewer has the channel open.
    pub fn close(&mut self, name: &Arc<str>, channel: &Arc<str>) {
        if let Some(space) = self.spaces.get_mut(name)
            && let Some(record) = space.records.get_mut(channel)
        {
            record.open = record.open.saturating_sub(1);
            space.remove_if_idle(channel);
            self.remove_if_empty(name);
        }
    }

    /// How much is kept.
    #[must_use]
    pub fn stats(&self) -> Stats {
        Stats {
            channels: self.spaces.values().map(|space| space.records.len()).sum(),
            messages: self.spaces.values().map(|space| space.messages.len()).sum(),
            bytes: self.bytes,
        }
    }

    /// Bytes of all messages, as in [`Stats::bytes`].
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn space(&mut self, name: &Arc<str>) -> &mut Space {
        self.spaces
            .entry(Arc::clone(name))
            .or_insert_with(|| Space::new(self.floor))
    }

    fn remove_if_empty(&mut self, name: &Arc<str>) {
        if let Some(space) = self
            .spaces
            .get(name)
            .filter(|space| space.records.is_empty())
        {
            self.floor = self.floor.max(space.floor);
            self.spaces.remove(name);
        }
    }
}
