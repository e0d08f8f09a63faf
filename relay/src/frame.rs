//! One text frame on its way through the relay.

use std::fmt;
use std::sync::{Arc, OnceLock};

use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::translate::{Envelope, Kind, Places};

/// The text of one frame, and what was found out about it. All members that it waits for share the same bytes: a clone copies nothing.
#[derive(Clone)]
pub struct Frame(Arc<Shared>);

struct Shared {
    text: Utf8Bytes,
    envelope: OnceLock<Option<Places>>,
    forms: [OnceLock<Utf8Bytes>; Kind::COUNT],
}

impl Frame {
    /// A frame that shares the text's memory.
    #[must_use]
    pub fn new(text: Utf8Bytes) -> Self {
        Self(Arc::new(Shared {
            text,
            envelope: OnceLock::new(),
            forms: Default::default(),
        }))
    }

    /// The text, exactly as the sender wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.text.as_str()
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.text.len()
    }

    /// Whether it is the empty text, which is a frame like any other.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.text.is_empty()
    }

    /// What the frame says, if it is one JSON object that names a channel. Found out once for all clones, when somebody first asks.
    #[must_use]
    pub fn envelope(&self) -> Option<Envelope<'_>> {
        self.0
            .envelope
            .get_or_init(|| Places::find(self.as_str()))
            .as_ref()?
            .read(self.as_str())
    }

    /// The frame as connections of this kind get it: what `translate` makes of the text. That is asked once, and all clones share what it made.
    /// None for a frame that is no envelope, which goes to members of the plain protocol only; `translate` can so rely on the text being one
    /// JSON object.
    pub fn as_kind(
        &self,
        kind: Kind,
        translate: impl FnOnce(&str) -> String,
    ) -> Option<&Utf8Bytes> {
        self.envelope()?;
        let form = self.0.forms.get(kind as usize)?;
        Some(form.get_or_init(|| translate(self.as_str()).into()))
    }
}

impl From<&str> for Frame {
    /// Copies the text into memory of its own.
    fn from(text: &str) -> Self {
        Self::new(Utf8Bytes::from(text))
    }
}

impl From<Frame> for Message {
    fn from(frame: Frame) -> Self {
        Self::Text(frame.0.text.clone())
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for Frame {}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Frame").field(&self.as_str()).finish()
    }
}
