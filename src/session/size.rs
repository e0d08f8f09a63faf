//! The size of outgoing frames. Servers limit it in bytes of UTF-8, after a protocol's escaping.

use crate::protocol::{Outgoing, Protocol, Text};

/// The most bytes of UTF-8 that a UTF-16 code unit takes. In JSON text, escaping doubles quotes and
/// backslashes, so that they don't take more either.
const LONGEST_UNIT: usize = 3;

/// The most bytes that a byte of a channel's name takes in a frame: `\\u0000`.
const LONGEST_ESCAPE: usize = 7;

/// The room for all else in a frame: the other members of the envelope, and the protocol's names.
const ENVELOPE_ROOM: usize = 1024;

/// The bytes of a frame, if they are more than `limit`. They are only counted near it.
pub fn excess<T: Text>(frame: &T, limit: usize) -> Option<usize> {
    if frame.length().saturating_mul(LONGEST_UNIT) <= limit {
        return None;
    }
    Some(frame.utf8_length()).filter(|bytes| *bytes > limit)
}

/// The bytes of a message's frame, likewise. The frame is only made near the limit.
pub fn excess_of_message<T: Text>(
    protocol: &dyn Protocol<T>,
    message: &Outgoing<'_, T>,
    limit: usize,
) -> Option<usize> {
    let payload = message.payload.length().saturating_mul(LONGEST_UNIT);
    let name = message.channel.len().saturating_mul(LONGEST_ESCAPE);
    if payload.saturating_add(name).saturating_add(ENVELOPE_ROOM) <= limit {
        return None;
    }
    excess(&protocol.encode(message), limit)
}
