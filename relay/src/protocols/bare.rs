//! Envelopes for pages that send and receive bare messages, without an envelope.
//!
//! In the hub such a message is an envelope like any other. One that came without a channel is on
//! the channel `undefined`, and marked: clients of its kind are sent it as it came.

use std::borrow::Cow;

use signal_wire::envelope::USER;
use signal_wire::json::{self, Member};
use signal_wire::{Envelope, UserId};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::hub::frame::{Encoding, Frame};

/// How bare messages are kept, the same for all clients that receive them.
const ENCODING: Encoding = Encoding("bare");

/// What is written before a message in the JSON text of an envelope.
pub(super) const MESSAGE: &str = "\"message\":";

/// The bare message of an envelope. `None`: it has none.
pub(super) fn message(frame: &Frame) -> Option<Utf8Bytes> {
    let text = frame.encoded(ENCODING, |envelope| {
        let members = json::members(envelope).unwrap_or_default();
        find(&members, "message").unwrap_or_default().to_owned()
    })?;
    (!text.is_empty()).then_some(text)
}

/// The JSON text of a member; of those with the same name, the last.
pub(super) fn find<'a>(members: &[Member<'a>], name: &str) -> Option<&'a str> {
    let member = members.iter().rev().find(|member| member.name == name);
    member.map(|member| member.value)
}

/// The member that marks the envelope of a message that came bare.
const MARK: &str = "bare";

/// The JSON text of an envelope for a message that came bare, without its mark.
pub(super) fn envelope(message: &str, sender: UserId) -> String {
    let sender = sender.get();
    format!("{{\"sender\":{sender},{MESSAGE}{message}}}")
}

/// Reads such a text, and marks it.
pub(super) fn read(envelope: &str) -> Option<Envelope<'_>> {
    let mut envelope = Envelope::read(envelope)?;
    envelope.mark("\"bare\"", MARK, "true");
    Some(envelope)
}

/// What a page is sent that hasn't sent anything: the message, if it came bare.
pub(super) fn as_sent(envelope: &str) -> Cow<'_, str> {
    let Some(members) = json::members(envelope) else {
        return envelope.into();
    };
    if find(&members, "channel").is_some() || find(&members, MARK).is_none() {
        return envelope.into();
    }
    vouched(&members).unwrap_or(envelope.into())
}

/// What a page is sent that sends bare messages: the message of an envelope on the channel
/// `undefined`, named or not.
pub(super) fn unnamed(envelope: &str) -> Cow<'_, str> {
    let members = json::members(envelope);
    let message = members.and_then(|members| vouched(&members));
    message.unwrap_or(envelope.into())
}

/// The message of an envelope. If the envelope says who sent it, an object says so itself: a page
/// may take it for an envelope.
fn vouched<'a>(members: &[Member<'a>]) -> Option<Cow<'a, str>> {
    let message = find(members, "message")?;
    let vouched = find(members, USER).and_then(|user| {
        let others = json::members_without(message, &[USER])?;
        Some(format!("{{{others}\"{USER}\":{user}}}").into())
    });
    Some(vouched.unwrap_or(message.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_object_says_who_sent_it() {
        for (envelope, bare) in [
            (
                r#"{"sender":1,"message":{"user":"a","x":1,"us\u0065r":"a"},"bare":true,"user":"m"}"#,
                r#"{"x":1,"user":"m"}"#,
            ),
            (
                r#"{"sender":1,"message":{},"bare":true,"user":"m"}"#,
                r#"{"user":"m"}"#,
            ),
            (
                r#"{"sender":1,"message":[1],"bare":true,"user":"m"}"#,
                "[1]",
            ),
            (
                r#"{"sender":1,"message":{"user":"a"},"bare":true}"#,
                r#"{"user":"a"}"#,
            ),
        ] {
            assert_eq!(as_sent(envelope), bare);
            assert_eq!(unnamed(envelope), bare);
        }
    }

    #[test]
    fn a_page_with_bare_messages_receives_the_message_of_any_envelope_on_its_channel() {
        for envelope in [
            r#"{"sender":1,"message":{"x":1}}"#,
            r#"{"sender":1,"channel":"undefined","message":{"x":1}}"#,
            r#"{"message":{"x":1},"channel":"undefined","sender":1}"#,
        ] {
            assert_eq!(unnamed(envelope), r#"{"x":1}"#);
        }
        let without = r#"{"sender":1,"channel":"undefined"}"#;
        assert_eq!(unnamed(without), without);
    }
}
