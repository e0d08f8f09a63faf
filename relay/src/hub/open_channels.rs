//! The channels that a session has open.

use std::collections::HashMap;
use std::sync::Arc;

use super::ids::MessageId;

/// The channels that a session has open.
#[derive(Debug, Default)]
pub(super) struct OpenChannels {
    /// The position at which the session began: what was published before isn't for it.
    pub(super) began: Option<MessageId>,
    /// The position from which on each is owed its messages.
    pub(super) open: HashMap<Arc<str>, MessageId>,
    /// Bytes of all their names.
    pub(super) name_bytes: usize,
}

impl OpenChannels {
    /// Removes a channel. Returns whether it was open.
    pub(super) fn remove(&mut self, channel: &str) -> bool {
        let was_open = self.open.remove(channel).is_some();
        if was_open {
            self.name_bytes -= channel.len();
        }
        was_open
    }
}
