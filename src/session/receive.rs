//! The receive path: classifies a frame, and finds the channel of its message.
//!
//! A broadcast server sends every page every message, so most frames that a page receives are not
//! for it. Such a frame is dropped by its head: the rest is neither copied nor parsed, so the cost
//! doesn't grow with the frame.
//!
//! 1. [`Receiver::read_by_head`]: the protocol reads a copy of the head. If its channel is open,
//!    the payload is parsed.
//! 2. Otherwise [`Protocol::on_message`] parses the whole
//!    frame, and [`Receiver::read_envelope`] reads the envelope with the shim's semantics.

use std::rc::Rc;

use signal_wire::{Head, UserId};

use super::channels::Channels;
use crate::protocol::{Protocol, Records, Text, Value};

/// How much longer than its message a frame may be, in UTF-16 code units, apart from the channel's
/// name.
const ENVELOPE_ROOM: usize = 1024;

/// The most characters that one character of a name takes in JSON: `\u0000`.
const LONGEST_ESCAPE: usize = 6;

/// The classification of a frame, or of an envelope in it.
#[derive(Debug, Clone, PartialEq)]
pub enum Received<T: Text> {
    /// Sent by this page itself.
    Own,
    /// For a channel that isn't open here.
    Foreign,
    /// A message on this channel, which is open here.
    Message(Rc<str>, T::Value),
    /// Not an envelope, for this reason.
    Bad(&'static str),
}

/// The state of the receive path.
#[derive(Debug)]
pub struct Receiver<T: Text> {
    userid: UserId,
    records: Records<T>,
}

impl<T: Text> Receiver<T> {
    /// For the page with this `sender`.
    pub fn new(userid: UserId) -> Receiver<T> {
        Receiver {
            userid,
            records: Records::default(),
        }
    }

    /// The page's own `sender`.
    pub fn userid(&self) -> UserId {
        self.userid
    }

    /// A connection begins: discards the incomplete record of the last one.
    pub fn clear(&mut self) {
        self.records.clear();
    }

    /// The records that end in a frame.
    pub fn split(&mut self, frame: &T, protocol: &dyn Protocol<T>) -> Vec<T> {
        self.records.take(frame, protocol.framing().cut)
    }

    /// Skips an incomplete record that is longer than `limit`. Returns whether it is.
    pub fn skip_beyond(&mut self, limit: usize) -> bool {
        self.records.skip_beyond(limit)
    }

    /// Reads a frame of that length by its head. `None`: it needs a full parse.
    pub fn read_by_head<S>(
        &mut self,
        frame: &T,
        length: usize,
        protocol: &mut dyn Protocol<T>,
        channels: &mut Channels<S>,
    ) -> Option<Received<T>> {
        let framing = protocol.framing();
        let (suffix, is_string) = (framing.suffix, framing.is_string());
        // A record may begin in an earlier frame or end in a later one. After the messages of a
        // classic SignalR frame there may be other members.
        if is_string && (self.records.is_incomplete() || !frame.ends_with(suffix)) {
            return None;
        }
        let head_length = protocol.head_length(channels.longest_name());
        let head = frame.head(head_length);
        let read = protocol.read_head(&head, length <= head_length);
        // What isn't for this page is dropped, unless there is more in the frame. A payload for this
        // page wouldn't be JSON then.
        let dropped = |received, protocol: &dyn Protocol<T>| {
            (!protocol.framing().holds_more(frame)).then_some(received)
        };
        let (sender, channel, id, payload) = match read {
            Head::Envelope {
                sender,
                channel,
                id,
                payload,
            } => (sender, channel, id, payload),
            Head::NotOurs { sender } if sender.is(self.userid) => {
                return dropped(Received::Own, protocol);
            }
            Head::NotOurs { .. } => return dropped(Received::Foreign, protocol),
            Head::NeedsFullParse => return None,
        };
        if sender.is(self.userid) {
            return dropped(Received::Own, protocol);
        }
        if channels.get(channel).is_none() {
            return dropped(Received::Foreign, protocol);
        }
        if !frame.ends_with(suffix) {
            return None;
        }
        let payload = frame.slice(payload, length - suffix.len()).parse()?;
        let message = if is_string {
            payload.as_text()?.parse()?.member("message")
        } else {
            payload
        };
        let id = id.filter(|id| protocol.takes_ids() && !id.is_empty());
        let channel = channels.receive(channel, id)?;
        Some(Received::Message(Rc::clone(&channel.name), message))
    }

    /// Reads a parsed envelope with the shim's semantics.
    pub fn read_envelope<S>(
        &self,
        envelope: &T::Value,
        takes_ids: bool,
        channels: &mut Channels<S>,
    ) -> Received<T> {
        if !envelope.is_object() {
            return Received::Bad("a frame that isn't an object");
        }
        // The shim compares with `==`, for any JSON value. Where that throws, the sender is not
        // this page.
        let own = self.userid.get() as f64;
        if envelope.member("sender").to_number() == Some(own) {
            return Received::Own;
        }
        // The shim looks up `channels[data.channel]`, so that 5 is the channel '5'.
        let channel = envelope.member("channel").to_text();
        let id = if takes_ids {
            envelope
                .member("id")
                .as_string()
                .filter(|id| !id.is_empty())
        } else {
            None
        };
        let message = envelope.member("message");
        match channels.receive(&channel, id.as_deref()) {
            // Objects without a channel and a message are those of servers, such as a hello.
            Some(channel) if channel.is_unnamed && message.is_undefined() => Received::Foreign,
            Some(channel) => Received::Message(Rc::clone(&channel.name), message),
            None => Received::Foreign,
        }
    }
}

/// The longest frame that is read, in UTF-16 code units.
pub fn max_frame<T: Text>(
    max_message: usize,
    longest_name: usize,
    protocol: &dyn Protocol<T>,
) -> usize {
    protocol
        .framing()
        .room_for(max_message)
        .saturating_add(ENVELOPE_ROOM + LONGEST_ESCAPE * longest_name)
}
