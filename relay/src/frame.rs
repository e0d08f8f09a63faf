//! One text frame on its way through the relay.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::translate::Kind;

/// The text of one frame, and what was found out about it. All members that it waits for share the same bytes: a clone copies nothing.
#[derive(Clone)]
pub struct Frame(Arc<Shared>);

struct Shared {
    text: Utf8Bytes,
    /// Where in the text of an envelope the member stands that is only for plain WebSockets.
    id: Option<Range<usize>>,
    forms: [OnceLock<Utf8Bytes>; Kind::COUNT],
}

impl Frame {
    /// A frame that is no envelope, or not one to be translated. It shares the text's memory.
    #[must_use]
    pub fn new(text: Utf8Bytes) -> Self {
        Self(Arc::new(Shared {
            text,
            id: None,
            forms: Default::default(),
        }))
    }

    /// The frame of an envelope, whose id stands at `id`, from the comma before the member on.
    pub(crate) fn numbered(text: Utf8Bytes, id: Range<usize>) -> Self {
        Self(Arc::new(Shared {
            text,
            id: Some(id),
            forms: Default::default(),
        }))
    }

    /// The text, as plain WebSockets get it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.text.as_str()
    }

    /// The length in bytes of what its sender wrote: an id, which the relay put in, isn't counted.
    #[must_use]
    pub fn len(&self) -> usize {
        let id = self.0.id.as_ref().map_or(0, Range::len);
        self.0.text.len().saturating_sub(id)
    }

    /// Whether it is the empty text, which is a frame like any other.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.text.is_empty()
    }

    /// Whether it is an envelope, which members of all protocols get.
    #[must_use]
    pub fn is_envelope(&self) -> bool {
        self.0.id.is_some()
    }

    /// The frame as connections of this kind get it: what `translate` makes of the envelope without its id. That is asked once, and all clones
    /// share what it made. None for a frame that is no envelope, which goes to members of the plain protocol only; `translate` can so rely on
    /// the text being one JSON object.
    pub fn as_kind(
        &self,
        kind: Kind,
        translate: impl FnOnce(&str) -> String,
    ) -> Option<&Utf8Bytes> {
        let id = self.0.id.as_ref()?;
        let form = self.0.forms.get(kind as usize)?;
        Some(form.get_or_init(|| {
            let head = self.as_str().get(..id.start).unwrap_or_default();
            let tail = self.as_str().get(id.end..).unwrap_or_default();
            translate(&[head, tail].concat()).into()
        }))
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
