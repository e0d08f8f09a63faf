//! What carries frames: the browser's WebSocket, or a transport of the page's, from its making to its end, as one value. Dropped, it hears
//! nothing any more and is closed.

use super::callback;
use super::js::{self, Text};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    type WebSocket;

    #[wasm_bindgen(constructor, catch)]
    fn new(url: &str) -> Result<WebSocket, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn send(this: &WebSocket, frame: &Text) -> Result<(), JsValue>;
}

const OPEN: f64 = 1.0;

/// Why a frame wasn't taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// The socket is closing, or closed.
    NotOpen,
    /// It threw at this frame.
    Thrown,
}

/// A WebSocket, or a transport, and its handlers.
pub struct Socket {
    carrier: WebSocket,
    /// It is the browser's.
    native: bool,
}

impl Socket {
    /// Starts to connect. The handlers are those of `open`, `message` and `close`; `error` has nothing to tell, since `close` always follows it, but
    /// in Node the sockets of `ws` end the program if nobody listens, hence `nothing`, a function that does just that.
    /// The error is the browser's: a URL that it refuses, or no WebSocket at all.
    pub fn connect(
        url: &str,
        handlers: &[JsValue; 3],
        nothing: &JsValue,
    ) -> Result<Socket, JsValue> {
        let socket = Socket {
            carrier: WebSocket::new(url)?,
            native: true,
        };
        js::set(&socket.carrier, "binaryType", &"arraybuffer".into())?;
        js::set(&socket.carrier, "onerror", nothing)?;
        socket.listen(handlers)?;
        Ok(socket)
    }

    /// Hands the page's transport its handlers, which are those of `onopen`, `onmessage` and `onclose`.
    pub fn carry(transport: &JsValue, handlers: &[JsValue; 3]) -> Result<Socket, JsValue> {
        let socket = Socket {
            carrier: transport.unchecked_ref::<WebSocket>().clone(),
            native: false,
        };
        socket.listen(handlers)?;
        Ok(socket)
    }

    fn listen(&self, handlers: &[JsValue; 3]) -> Result<(), JsValue> {
        for (event, handler) in ["onopen", "onmessage", "onclose"].into_iter().zip(handlers) {
            js::set(&self.carrier, event, handler)?;
        }
        Ok(())
    }

    /// Hands a frame to the browser, at once.
    pub fn send(&self, frame: &Text) -> Result<(), NotTaken> {
        // `send` on a closing socket throws nothing and sends nothing. A transport has no such state.
        let state = js::member(&self.carrier, "readyState");
        if state != OPEN && !state.is_undefined() {
            return Err(NotTaken::NotOpen);
        }
        self.carrier.send(frame).map_err(|_| NotTaken::Thrown)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Detach, then close: `close` only starts the closing, and its events are nobody's any more. A transport keeps its handlers, lest it
        // trip over their absence; they know that they are of an earlier connection.
        if self.native {
            let _ = self.listen(&[JsValue::NULL; 3]);
        }
        callback::call_member(&self.carrier, "close", &[]);
    }
}
