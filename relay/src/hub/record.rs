//! What the history knows of one channel.

use std::collections::VecDeque;

use super::budget::Charge;
use super::ids::{MessageId, PublisherId};

/// What is known of one channel: which messages are kept, and the highest id that was dropped.
#[derive(Debug)]
pub(super) struct Record {
    /// Sessions that have the channel open.
    pub(super) open: usize,
    /// The ids of the kept messages, in order.
    ids: VecDeque<MessageId>,
    /// Bytes of their text.
    pub(super) bytes: usize,
    /// Paid for the record while messages are kept. Otherwise those pay that have it open.
    pub(super) charge: Option<Charge>,
    /// Up to this id it isn't known what was dropped: there was no record, or messages are missing.
    unknown: MessageId,
    dropped: Dropped,
}

/// Which messages were dropped, as far as readers have to know it.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    /// The highest dropped id, and who published that message.
    last: Option<(MessageId, PublisherId)>,
    /// The highest dropped id that isn't of that publisher.
    of_others: MessageId,
}

impl Dropped {
    /// Notes a dropped message. Ids needn't come in order.
    pub(super) fn note(&mut self, id: MessageId, from: PublisherId) {
        match self.last {
            Some((last, publisher)) if id < last => {
                if publisher != from {
                    self.of_others = self.of_others.max(id);
                }
            }
            last => {
                if let Some((before, publisher)) = last
                    && publisher != from
                {
                    self.of_others = before;
                }
                self.last = Some((id, from));
            }
        }
    }

    /// The highest dropped id that isn't of `reader`.
    pub(super) fn floor(&self, reader: PublisherId) -> MessageId {
        match self.last {
            Some((_, from)) if from == reader => self.of_others,
            Some((id, _)) => id,
            None => MessageId::default(),
        }
    }
}

impl Record {
    pub(super) fn new(unknown: MessageId) -> Self {
        Self {
            open: 0,
            ids: VecDeque::new(),
            bytes: 0,
            charge: None,
            unknown,
            dropped: Dropped::default(),
        }
    }

    /// How many messages are kept.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// The oldest kept message.
    pub(super) fn first(&self) -> Option<MessageId> {
        self.ids.front().copied()
    }

    /// The kept messages after an id.
    pub(super) fn after(&self, id: MessageId) -> impl Iterator<Item = MessageId> {
        let start = self.ids.partition_point(|kept| *kept <= id);
        self.ids.range(start..).copied()
    }

    /// Keeps the newest message.
    pub(super) fn push(&mut self, id: MessageId, bytes: usize) {
        self.ids.push_back(id);
        self.bytes += bytes;
    }

    /// Notes that a kept message was dropped, which is usually the oldest.
    pub(super) fn remove(&mut self, id: MessageId, from: PublisherId, bytes: usize) {
        if let Ok(place) = self.ids.binary_search(&id) {
            self.ids.remove(place);
            self.bytes -= bytes;
        }
        self.dropped.note(id, from);
    }

    /// Notes that messages up to this id may be missing.
    pub(super) fn miss(&mut self, id: MessageId) {
        self.unknown = self.unknown.max(id);
    }

    /// The highest id that `reader` may have missed.
    pub(super) fn floor(&self, reader: PublisherId) -> MessageId {
        self.dropped.floor(reader).max(self.unknown)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.open == 0 && self.ids.is_empty()
    }

    /// The highest dropped id that counts once the record is gone.
    pub(super) fn last_dropped(&self) -> MessageId {
        let last = self.dropped.last.map(|(id, _)| id);
        last.unwrap_or_default().max(self.unknown)
    }
}
