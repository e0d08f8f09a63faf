//! Long messages are written in fragments, one after the other. A WebSocket copies a frame before
//! it writes it: in one piece, a long message would have as many copies as receivers.

use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes, Message, Utf8Bytes};

/// The longest fragment, in bytes.
pub(super) const FRAGMENT: usize = 32 * 1024;

/// What is left to write of one text message, frame by frame.
#[derive(Debug, Default)]
pub(super) struct Fragments(Option<Rest>);

#[derive(Debug)]
struct Rest {
    bytes: Bytes,
    kind: Data,
}

impl Fragments {
    pub(super) fn new(text: Utf8Bytes) -> Self {
        Self(Some(Rest {
            bytes: text.into(),
            kind: Data::Text,
        }))
    }

    /// Whether all is written.
    pub(super) fn is_over(&self) -> bool {
        self.0.is_none()
    }
}

impl Iterator for Fragments {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        let Rest { mut bytes, kind } = self.0.take()?;
        let fragment = bytes.split_to(bytes.len().min(FRAGMENT));
        let is_last = bytes.is_empty();
        if !is_last {
            let kind = Data::Continue;
            self.0 = Some(Rest { bytes, kind });
        }
        let frame = Frame::message(fragment, OpCode::Data(kind), is_last);
        Some(Message::Frame(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(length: usize) -> Vec<(OpCode, bool, usize)> {
        let frames = Fragments::new("x".repeat(length).into());
        let frames = frames.filter_map(|message| match message {
            Message::Frame(frame) => Some(frame),
            _ => None,
        });
        frames
            .map(|frame| {
                let header = frame.header();
                (header.opcode, header.is_final, frame.payload().len())
            })
            .collect()
    }

    #[test]
    fn only_long_messages_have_several_frames() {
        let (text, more) = (OpCode::Data(Data::Text), OpCode::Data(Data::Continue));
        assert_eq!(frames(0), [(text, true, 0)]);
        assert_eq!(frames(FRAGMENT), [(text, true, FRAGMENT)]);
        assert_eq!(
            frames(FRAGMENT + 1),
            [(text, false, FRAGMENT), (more, true, 1)]
        );
        assert_eq!(
            frames(2 * FRAGMENT),
            [(text, false, FRAGMENT), (more, true, FRAGMENT)]
        );
    }
}
