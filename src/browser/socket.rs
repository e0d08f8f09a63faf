//! The browser's WebSocket, from its making to its end, as one value: dropped, it hears nothing any more and is closed.

use js_sys::JsString;
use std::rc::Weak;
use wasm_bindgen::prelude::*;
use web_sys::{CloseEvent, MessageEvent};

#[wasm_bindgen]
extern "C" {
    type WebSocket;

    #[wasm_bindgen(constructor, catch)]
    fn new(url: &str) -> Result<WebSocket, JsValue>;

    // Typed setters: no casts, and `None` detaches.
    #[wasm_bindgen(method, setter)]
    fn set_onopen(this: &WebSocket, handler: Option<&Closure<dyn Fn()>>);
    #[wasm_bindgen(method, setter)]
    fn set_onmessage(this: &WebSocket, handler: Option<&Closure<dyn Fn(MessageEvent)>>);
    #[wasm_bindgen(method, setter)]
    fn set_onclose(this: &WebSocket, handler: Option<&Closure<dyn Fn(CloseEvent)>>);

    #[wasm_bindgen(method, setter, js_name = binaryType)]
    fn set_binary_type(this: &WebSocket, kind: &str);
    #[wasm_bindgen(method, getter, js_name = readyState)]
    fn ready_state(this: &WebSocket) -> u16;
    #[wasm_bindgen(method, catch)]
    fn send(this: &WebSocket, frame: &JsString) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch)]
    fn close(this: &WebSocket) -> Result<(), JsValue>;
}

const OPEN: u16 = 1;

/// Who hears of a socket.
pub trait Listener: 'static {
    /// It is open.
    fn opened(&self);
    /// A frame came in: a string, or an `ArrayBuffer`.
    fn frame(&self, data: JsValue);
    /// It is closed, or couldn't be opened; `error` isn't listened to, since `close` always follows it.
    fn closed(&self, code: u16, reason: String);
}

/// The socket didn't take the frame: it is closing, or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotOpen;

/// A WebSocket and its handlers.
pub struct Socket {
    inner: WebSocket,
    _onopen: Closure<dyn Fn()>,
    _onmessage: Closure<dyn Fn(MessageEvent)>,
    _onclose: Closure<dyn Fn(CloseEvent)>,
}

impl Socket {
    /// Starts to connect. The error is the browser's: a URL that it refuses, or no WebSocket at all.
    pub fn connect<L: Listener>(url: &str, listener: &Weak<L>) -> Result<Socket, JsValue> {
        let inner = WebSocket::new(url)?;
        inner.set_binary_type("arraybuffer");
        let onopen = {
            let listener = Weak::clone(listener);
            Closure::own(move || hear(&listener, L::opened))
        };
        let onmessage = {
            let listener = Weak::clone(listener);
            Closure::own(move |event: MessageEvent| hear(&listener, |listener| listener.frame(event.data())))
        };
        let onclose = {
            let listener = Weak::clone(listener);
            Closure::own(move |event: CloseEvent| hear(&listener, |listener| listener.closed(event.code(), event.reason())))
        };
        inner.set_onopen(Some(&onopen));
        inner.set_onmessage(Some(&onmessage));
        inner.set_onclose(Some(&onclose));
        Ok(Socket { inner, _onopen: onopen, _onmessage: onmessage, _onclose: onclose })
    }

    /// Hands a frame to the browser, at once.
    pub fn send(&self, frame: &JsString) -> Result<(), NotOpen> {
        // `send` on a closing socket throws nothing and sends nothing.
        if self.inner.ready_state() != OPEN {
            return Err(NotOpen);
        }
        self.inner.send(frame).map_err(|_| NotOpen)
    }
}

fn hear<L>(listener: &Weak<L>, what: impl FnOnce(&L)) {
    if let Some(listener) = listener.upgrade() {
        what(&listener);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // Detach, then close, then drop: `close` only starts the closing, and an event of it must not meet a closure that is gone.
        self.inner.set_onopen(None);
        self.inner.set_onmessage(None);
        self.inner.set_onclose(None);
        let _ = self.inner.close();
    }
}
