//! What a session has open, and what that costs.

use std::collections::HashMap;
use std::sync::Arc;

use crate::hub::budget::{Account, Charge, Purpose};
use crate::hub::history::RECORD;
use crate::hub::ids::MessageId;

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
    /// Bytes of all their names.
    pub(super) name_bytes: usize,
    /// Paid for the session.
    pub(super) charge: Charge,
}

impl Channels {
    pub(super) fn new(account: &Arc<Account>) -> Self {
        Self {
            began: None,
            open: HashMap::new(),
            name_bytes: 0,
            charge: account.charge(Purpose::Sessions, SESSION),
        }
    }

    pub(super) fn pay(&mut self) {
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
}
