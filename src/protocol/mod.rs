//! How envelopes travel in frames. Pure: text in, values out; no clock, no I/O, no JavaScript.
//!
//! Decoding is asked for the **head** of a frame only, its first few hundred characters: canonical frames tell there who sent them and on
//! which channel, and most frames that a page receives are not for it. See [`websocket::decode_head`].

use alloc::string::String;
mod envelope;
mod json;
pub mod websocket;

pub use envelope::{Head, Sender, UserId};
pub use json::{Scanner, write_string};

/// How envelopes travel in frames; the option `protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Protocol {
    /// Each text frame is one envelope, and the server hands it to every other page.
    #[default]
    WebSocket,
}

impl Protocol {
    /// Every protocol, in the order in which errors and documentation list them.
    pub const ALL: &[Protocol] = &[Protocol::WebSocket];

    /// The name as the option `protocol` has it.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::WebSocket => "websocket",
        }
    }

    /// The protocol of that name.
    pub fn from_name(name: &str) -> Option<Protocol> {
        Protocol::ALL
            .iter()
            .copied()
            .find(|protocol| protocol.name() == name)
    }

    /// Reads the head of a text frame; `whole` says that the head is all there is of it.
    #[inline]
    pub fn decode_head(self, head: &str, whole: bool) -> Head<'_> {
        match self {
            Protocol::WebSocket => websocket::decode_head(head, whole),
        }
    }

    /// How many characters (UTF-16 units) of a frame [`decode_head`](Self::decode_head) needs, so that a channel name which runs past them is
    /// longer than `longest_name`.
    #[inline]
    pub fn head_length(self, longest_name: usize) -> usize {
        match self {
            Protocol::WebSocket => websocket::HEAD_WITHOUT_NAME + longest_name,
        }
    }

    /// What stands before a message's JSON text in its frame.
    pub fn encode_head(self, sender: UserId, channel: &str) -> String {
        match self {
            Protocol::WebSocket => websocket::encode_head(sender, channel),
        }
    }

    /// What stands after a message's JSON text in its frame.
    #[inline]
    pub fn tail(self) -> &'static str {
        match self {
            Protocol::WebSocket => websocket::TAIL,
        }
    }
}
