//! Envelopes for pages that send and receive bare messages, without an envelope.
//!
//! In the hub such a message is an envelope like any other. One that came without a channel is on
//! the channel `undefined`, and marked: clients of its kind are sent it as it came.

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
pub(super) fn as_sent(envelope: &str) -> &str {
    let Some(members) = json::members(envelope) else {
        return envelope;
    };
    if find(&members, "channel").is_some() || find(&members, MARK).is_none() {
        return envelope;
    }
    find(&members, "message").unwrap_or(envelope)
}

/// What a page is sent that sends bare messages: the message, if the envelope has no channel.
pub(super) fn unnamed(envelope: &str) -> &str {
    let Some(members) = json::members(envelope) else {
        return envelope;
    };
    if find(&members, "channel").is_some() {
        return envelope;
    }
    find(&members, "message").unwrap_or(envelope)
}
