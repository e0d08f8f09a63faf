//! Pages written for *socketio-over-nodejs*: a namespace for each channel. Pure.
//!
//! | the page emits | |
//! | --- | --- |
//! | on `/`, `new-channel` with `{channel, sender}` | from now on, its namespaces are channels |
//! | on `/`, `presence` with a channel | the same; answered by `presence` with a boolean |
//! | on `/<channel>`, `message` with `{sender, data}` | the others there receive `message` with the data |
//!
//! The namespace `/<channel>` of such a page is the channel in the space `/`. What the page sends is
//! an envelope with its sender; of envelopes on the channel it is sent the messages.
//!
//! When such a page leaves, and its first data had a member `sender`, the others receive `user-left`
//! with that value. Among envelopes, that is the message `{"userLeft":…}`, with a mark.

use signal_wire::json::{self, Member, quoted};

use super::packet::{self, EVENT};
use crate::protocols::bare::{MESSAGE, find};

/// The event by which the others learn that a page has left.
const USER_LEFT: &str = "user-left";
/// The member that marks an envelope which stands for such an event, with its value.
const MARK: (&str, &str) = ("event", "\"user-left\"");
/// The longest sender and the longest name of a user, in bytes of JSON text.
const LONGEST: usize = 1024;

/// A page's user, in JSON texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    sender: Option<String>,
    name: String,
}

/// The argument of such a page's `message`, in JSON texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Said<'a> {
    sender: Option<&'a str>,
    data: &'a str,
}

impl<'a> Said<'a> {
    /// Reads an argument. `None`: it is something else, for example an envelope.
    pub(super) fn read(argument: &'a str) -> Option<Self> {
        let members = json::members(argument)?;
        let is_envelope = |member: &Member<'_>| matches!(&*member.name, "channel" | "message");
        if members.iter().any(is_envelope) {
            return None;
        }
        let sender = find(&members, "sender")?;
        let is_sender = json::is_number(sender) || json::string(sender).is_some();
        Some(Self {
            sender: Some(sender).filter(|_| is_sender && sender.len() <= LONGEST),
            data: find(&members, "data")?,
        })
    }

    /// The text of its envelope.
    pub(super) fn envelope(&self, channel: &str) -> String {
        let (head, data) = (head(self.sender, channel), self.data);
        format!("{head}{MESSAGE}{data}}}")
    }

    /// The user that the data names.
    pub(super) fn user(&self) -> Option<User> {
        let members = json::members(self.data)?;
        let name = find(&members, "sender")?;
        let is_name = !matches!(name, "null" | "false" | "0" | "\"\"") && name.len() <= LONGEST;
        is_name.then(|| User {
            sender: self.sender.map(str::to_owned),
            name: name.to_owned(),
        })
    }
}

impl User {
    /// The text of the envelope that says that it has left.
    pub(super) fn left(&self, channel: &str) -> String {
        let (head, name) = (head(self.sender.as_deref(), channel), &self.name);
        let (mark, value) = MARK;
        format!("{head}{MESSAGE}{{\"userLeft\":{name}}},\"{mark}\":{value}}}")
    }
}

fn head(sender: Option<&str>, channel: &str) -> String {
    let sender = sender.map(|sender| format!("\"sender\":{sender},"));
    let (sender, channel) = (sender.unwrap_or_default(), quoted(channel));
    format!("{{{sender}\"channel\":{channel},")
}

/// The packet for the JSON text of an envelope; empty if the envelope has no message.
pub(super) fn packet(namespace: &str, envelope: &str) -> String {
    let members = json::members(envelope).unwrap_or_default();
    let Some(message) = find(&members, "message") else {
        return String::new();
    };
    let (mark, value) = MARK;
    let left = json::members(message).filter(|_| find(&members, mark) == Some(value));
    let left = left
        .as_deref()
        .and_then(|members| find(members, "userLeft"));
    let (event, argument) = left.map_or((EVENT, message), |name| (USER_LEFT, name));
    packet::event_packet(namespace, &format!("[\"{event}\",{argument}]"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_message_becomes_an_envelope_and_the_data_again() {
        let said = Said::read(r#"{"sender":12,"data":{"sender":"x","n":1e400}}"#).unwrap();
        let envelope = said.envelope("a\"b");
        assert_eq!(
            envelope,
            r#"{"sender":12,"channel":"a\"b","message":{"sender":"x","n":1e400}}"#
        );
        assert_eq!(
            packet("/a", &envelope),
            r#"42/a,["message",{"sender":"x","n":1e400}]"#
        );
        let user = said.user().unwrap();
        let left = user.left("a");
        assert_eq!(
            left,
            r#"{"sender":12,"channel":"a","message":{"userLeft":"x"},"event":"user-left"}"#
        );
        assert_eq!(packet("/a", &left), r#"42/a,["user-left","x"]"#);
        // Without the mark it is a message like any other.
        assert_eq!(
            packet(
                "/a",
                r#"{"sender":12,"channel":"a","message":{"userLeft":"x"}}"#
            ),
            r#"42/a,["message",{"userLeft":"x"}]"#
        );
        assert_eq!(packet("/a", r#"{"sender":12,"channel":"a"}"#), "");
    }

    #[test]
    fn other_arguments_are_no_such_messages() {
        for argument in [
            r#"{"sender":1,"channel":"a","message":{},"data":1}"#,
            r#"{"data":1}"#,
            r#"{"sender":1}"#,
            r#""data""#,
            "[1]",
        ] {
            assert_eq!(Said::read(argument), None, "{argument}");
        }
        let said = Said::read(r#"{"sender":{},"data":null}"#).unwrap();
        assert_eq!(said.envelope("a"), r#"{"channel":"a","message":null}"#);
        assert_eq!(said.user(), None);
        let said = Said::read(r#"{"sender":1,"data":{"sender":""}}"#).unwrap();
        assert_eq!(said.user(), None);
    }
}
