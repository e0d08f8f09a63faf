//! A message from one user to others. Pure.

use std::fmt;
use std::sync::Arc;

use signal_wire::json::{member, members_without, quoted};

use super::values::{event, has, name};

/// The longest message, in bytes. Descriptions of sessions with many streams have some ten thousand.
const LONGEST: usize = 256 * 1024;
/// The longest request to participate, which goes to everybody in a room.
const LONGEST_REQUEST: usize = 16 * 1024;

/// A message as a page wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserMessage {
    /// The user or room that it is for.
    pub(super) to: Arc<str>,
    /// The user that it says it is from. `None`: it doesn't say.
    pub(super) from: Option<Arc<str>>,
    /// It asks everybody in the room for a connection.
    pub(super) is_request: bool,
    /// It says that its user leaves.
    pub(super) is_goodbye: bool,
    /// It asks whether this user is there: the JSON text of the id, and the id.
    pub(super) asks_presence: Option<(Box<str>, Arc<str>)>,
    /// The members that aren't the relay's, each with a comma behind it.
    members: String,
}

/// Why a message goes nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageError {
    /// It has more bytes than these.
    TooLong(usize),
    /// It isn't an object with a `message`, or says who it is for or from in no way that counts.
    NoMessage,
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(most) => write!(f, "such a message has at most {most} bytes"),
            Self::NoMessage => {
                f.write_str("a message is an object with the members remoteUserId and message")
            }
        }
    }
}

impl UserMessage {
    pub(super) fn read(text: &str) -> Result<Self, MessageError> {
        if text.len() > LONGEST {
            return Err(MessageError::TooLong(LONGEST));
        }
        let no_message = MessageError::NoMessage;
        let content = member(text, "message").ok_or(no_message)?;
        let to = member(text, "remoteUserId").and_then(name);
        let from = match member(text, "sender").filter(|sender| *sender != "null") {
            Some(sender) => Some(name(sender).ok_or(no_message)?),
            None => None,
        };
        let is_request = has(content, "newParticipationRequest");
        if is_request && text.len() > LONGEST_REQUEST {
            return Err(MessageError::TooLong(LONGEST_REQUEST));
        }
        let asked = || {
            let user = member(content, "userid")?;
            Some((user.into(), name(user)?))
        };
        // `user` is who sent an envelope, which only the relay says.
        let members = members_without(text, &["remoteUserId", "sender", "extra", "user"]);
        Ok(Self {
            to: to.ok_or(no_message)?,
            from,
            is_request,
            is_goodbye: has(content, "userLeft"),
            asks_presence: has(content, "detectPresence").then(asked).flatten(),
            members: members.ok_or(no_message)?,
        })
    }

    /// The event by which a user receives it.
    pub(super) fn list(&self, message_event: &str, to: &str, from: &str, extra: &str) -> Arc<str> {
        let message = format!(
            r#"{{{}"remoteUserId":{},"sender":{},"extra":{extra}}}"#,
            self.members,
            quoted(to),
            quoted(from),
        );
        event(message_event, &[&message])
    }
}
