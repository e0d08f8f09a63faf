//! The browser's WebSocket, from its making to its end, as one value: dropped, it hears nothing any more and is closed.

use super::callback;
use super::js::{self, Text};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type WebSocket;

    #[wasm_bindgen(constructor, catch)]
    fn new(url: &str) -> Result<WebSocket, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn send(this: &WebSocket, frame: &Text) -> Result<(), JsValue>;
}

const OPEN: f64 = 1.0;

/// The socket didn't take the frame: it is closing, or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotOpen;

/// A WebSocket and its handlers.
pub struct Socket(WebSocket);

impl Socket {
    /// Starts to connect. The handlers are those of `open`, `message` and `close`; `error` isn't listened to, since `close` always follows it.
    /// The error is the browser's: a URL that it refuses, or no WebSocket at all.
    pub fn connect(url: &str, handlers: &[JsValue; 3]) -> Result<Socket, JsValue> {
        let socket = Socket(WebSocket::new(url)?);
        js::set(&socket.0, "binaryType", &"arraybuffer".into())?;
        socket.listen(handlers)?;
        Ok(socket)
    }

    fn listen(&self, handlers: &[JsValue; 3]) -> Result<(), JsValue> {
        for (event, handler) in ["onopen", "onmessage", "onclose"].into_iter().zip(handlers) {
            js::set(&self.0, event, handler)?;
        }
        Ok(())
    }

    /// Hands a frame to the browser, at once.
    pub fn send(&self, frame: &Text) -> Result<(), NotOpen> {
        // `send` on a closing socket throws nothing and sends nothing.
        if js::member(&self.0, "readyState") != OPEN {
            return Err(NotOpen);
        }
        self.0.send(frame).map_err(|_| NotOpen)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Detach, then close: `close` only starts the closing, and its events are nobody's any more.
        let _ = self.listen(&[JsValue::NULL; 3]);
        callback::call_member(&self.0, "close", &[]);
    }
}
