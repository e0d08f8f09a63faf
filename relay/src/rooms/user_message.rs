//! A message from one user to others. Pure.

use std::sync::Arc;

use signal_wire::json::quoted;

use super::values::{event, members_without};

/// A message on its way: what the page wrote, and who has written it.
#[derive(Debug)]
pub(super) struct UserMessage {
    /// The members that aren't the relay's, each with a comma behind it.
    members: String,
    sender: String,
    extra: Arc<str>,
}

impl UserMessage {
    /// The message that a page wrote. `None`: it isn't an object.
    pub(super) fn new(text: &str, sender: &str, extra: &Arc<str>) -> Option<Self> {
        Some(Self {
            members: members_without(text, &["remoteUserId", "sender", "extra"])?,
            sender: quoted(sender),
            extra: Arc::clone(extra),
        })
    }

    /// The event by which a user receives it.
    pub(super) fn list(&self, message_event: &str, to: &str) -> Arc<str> {
        let message = format!(
            r#"{{{}"remoteUserId":{},"sender":{},"extra":{}}}"#,
            self.members,
            quoted(to),
            self.sender,
            self.extra
        );
        event(message_event, &[&message])
    }
}
