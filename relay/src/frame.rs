//! One text frame on its way through the relay.

use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// The text of one frame. All members that it waits for share the same bytes: a clone copies nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Utf8Bytes);

impl Frame {
    /// A frame that shares the text's memory.
    #[must_use]
    pub fn new(text: Utf8Bytes) -> Self {
        Self(text)
    }

    /// The text, exactly as the sender wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it is the empty text, which is a frame like any other.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&str> for Frame {
    /// Copies the text into memory of its own.
    fn from(text: &str) -> Self {
        Self(Utf8Bytes::from(text))
    }
}

impl From<Frame> for Message {
    fn from(frame: Frame) -> Self {
        Self::Text(frame.0)
    }
}
