//! Frames, for inspectors.

use js_sys::JsString;
use wasm_bindgen::JsValue;

use crate::protocol;
pub use crate::session::FrameKind;

/// A frame that was sent or received.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Frame {
    /// What it was.
    pub kind: FrameKind,
    /// What was in it.
    pub data: FrameData,
}

/// What is in a frame.
#[derive(Debug, Clone)]
pub enum FrameData {
    /// Text, with lone surrogates replaced.
    Text(String),
    /// Any other value: an `ArrayBuffer` from a WebSocket.
    Other(JsValue),
}

impl Frame {
    pub(super) fn new(kind: FrameKind, frame: &protocol::Frame<JsString>) -> Frame {
        let data = match frame {
            protocol::Frame::Text(text) => FrameData::Text(text.into()),
            protocol::Frame::Binary(binary) => FrameData::Other(binary.clone()),
        };
        Frame { kind, data }
    }
}
