//! What a session has open, from where on, and what that costs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use signal_wire::Open;

use crate::hub::budget::{Account, Charge, Purpose};
use crate::hub::history::{RECORD, Since};
use crate::hub::ids::MessageId;
use crate::hub::store::{OpenChannel, SessionRecord};

/// How many bytes the channel names of a session may have, for each channel that it may have open.
const NAME_BYTES: usize = 256;

/// What a session costs besides its channels, in bytes.
const SESSION: usize = 1536;
/// What each of its channels costs besides its name, in bytes: here, in the space and in the
/// history.
const CHANNEL: usize = 512 + RECORD;

#[derive(Debug)]
pub(super) struct Channels {
    /// The position at which the session began: what was published before isn't for it.
    pub(super) began: Option<MessageId>,
    /// The position from which on each is owed its messages.
    pub(super) open: HashMap<Arc<str>, MessageId>,
    /// Those that it has open as another relay knows it, each with its position likewise. They are
    /// opened here when the client names them.
    elsewhere: HashMap<Arc<str>, MessageId>,
    /// What it has seen elsewhere, as [`OpenChannel::seen`].
    seen: MessageId,
    /// Bytes of all names of those that are open here.
    pub(super) name_bytes: usize,
    /// Paid for the session.
    pub(super) charge: Charge,
}

impl Channels {
    pub(super) fn new(account: &Arc<Account>) -> Self {
        Self {
            began: None,
            open: HashMap::new(),
            elsewhere: HashMap::new(),
            seen: MessageId::default(),
            name_bytes: 0,
            charge: account.charge(Purpose::Sessions, SESSION),
        }
    }

    /// Those of a session that was on another relay.
    pub(super) fn brought(account: &Arc<Account>, record: SessionRecord) -> Self {
        Self {
            began: record.began,
            elsewhere: record.open.into_iter().collect(),
            seen: record.seen,
            ..Self::new(account)
        }
    }

    /// All that are open, and these, which are to be opened at a position: for another relay.
    pub(super) fn all(
        &self,
        requested: &[OpenChannel],
        position: MessageId,
    ) -> Vec<(Arc<str>, MessageId)> {
        let known = self.open.iter().chain(&self.elsewhere);
        let known = known.map(|(name, from)| (Arc::clone(name), *from));
        let added = requested.iter().filter(|open| {
            !self.open.contains_key(&open.channel) && !self.elsewhere.contains_key(&open.channel)
        });
        let added = added.map(|open| (Arc::clone(&open.channel), owed_from(open.since, position)));
        known.chain(added).collect()
    }

    /// Keeps those that were open elsewhere and that the client names: it has closed the others.
    pub(super) fn keep_elsewhere(&mut self, named: &HashSet<&str>) {
        self.elsewhere.retain(|name, _| named.contains(&**name));
    }

    /// What the client has seen elsewhere.
    pub(super) fn seen(&self) -> MessageId {
        self.seen
    }

    fn pay(&mut self) {
        let channels = self.open.len() * CHANNEL + self.name_bytes;
        self.charge.set(SESSION + channels);
    }

    /// From now on another account pays.
    pub(super) fn move_to(&mut self, account: &Arc<Account>) {
        self.charge = account.charge(Purpose::Sessions, self.charge.bytes());
    }

    pub(super) fn remove(&mut self, channel: &str) -> bool {
        let was_open = self.open.remove(channel).is_some();
        if was_open {
            self.name_bytes -= channel.len();
            self.pay();
        }
        was_open
    }

    /// Removes channels. Returns those that were open here.
    pub(super) fn remove_all(&mut self, names: Vec<Arc<str>>) -> Vec<Arc<str>> {
        names.into_iter().filter(|name| self.remove(name)).collect()
    }

    /// What to request from the store for a frame that opens channels. `lost`: those that the session
    /// doesn't have were opened on an earlier connection, and messages may be missing. `receives`:
    /// whether its connection has the channel already.
    pub(super) fn requested(
        &self,
        frame: &Open<'_>,
        lost: bool,
        late_history: bool,
        receives: impl Fn(&str) -> bool,
    ) -> Vec<OpenChannel> {
        let mut named = HashSet::new();
        let mut requested = Vec::new();
        for subscription in &frame.channels {
            let name = &*subscription.channel;
            let here = self.open.get(name).copied();
            let opened = here.or_else(|| self.elsewhere.get(name).copied());
            // The last message that the client saw may be of another channel, and older than this
            // one's opening.
            // A channel that it opened on a connection which was lost already counts from the
            // session's beginning. In a new session nothing can have been seen.
            let owed = match (opened, late_history) {
                (Some(opened), _) => Some(opened),
                (None, true) => Some(MessageId(0)),
                (None, false) => self.began,
            };
            let after = subscription.after.as_ref().map(|after| match owed {
                Some(owed) => seen_up_to(after, owed),
                None => Since::Unknown,
            });
            let since = match (after, opened) {
                (Some(after), _) => after,
                (None, _) if receives(name) => continue,
                (None, Some(opened)) => Since::After(opened),
                (None, None) if lost => Since::Unknown,
                (None, None) => Since::Now,
            };
            if named.insert(name) {
                requested.push(OpenChannel {
                    channel: Arc::from(name),
                    since,
                    seen: self.seen,
                    hold: here.is_none(),
                });
            }
        }
        requested
    }

    /// Whether a session that may have `most` channels may have these too.
    pub(super) fn have_room(&self, requested: &[OpenChannel], most: usize) -> bool {
        let added = || requested.iter().filter(|open| open.hold);
        let count = self.open.len() + added().count();
        let name_bytes: usize = added().map(|open| open.channel.len()).sum();
        count <= most && self.name_bytes + name_bytes <= most.saturating_mul(NAME_BYTES)
    }

    /// Adds channels that the store has opened at this position.
    pub(super) fn add(&mut self, requested: Vec<OpenChannel>, position: MessageId) {
        self.began.get_or_insert(position);
        for added in requested.into_iter().filter(|open| open.hold) {
            self.name_bytes += added.channel.len();
            self.elsewhere.remove(&added.channel);
            let from = owed_from(added.since, position);
            self.open.insert(added.channel, from);
        }
        self.pay();
    }
}

/// From where on a client is owed the messages of a channel that is opened at a position. Its replay
/// may be lost on its way, and is then asked for again.
fn owed_from(since: Since, position: MessageId) -> MessageId {
    match since {
        Since::After(after) => after.min(position),
        Since::Now | Since::Unknown => position,
    }
}

/// How far a client has seen a channel that names this id, and is owed its messages from `owed` on.
fn seen_up_to(after: &str, owed: MessageId) -> Since {
    let after = after.parse::<MessageId>();
    after.map_or(Since::Unknown, |after| Since::After(after.max(owed)))
}
