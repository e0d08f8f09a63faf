//! What carries frames: the browser's WebSocket, or a transport of the page's. One value from opening to closing; dropped, it reports nothing more
//! and is closed.

use js_sys::{JsString, Promise, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use super::events;
use super::js;
use super::promises;
use crate::session::TransmitError;

#[wasm_bindgen]
extern "C" {
    /// What a WebSocket and a transport of the page's have in common. (web-sys would copy each text into WebAssembly and back.)
    type Carrier;
    #[wasm_bindgen(method, catch)]
    fn send(this: &Carrier, text: &JsString) -> Result<(), JsValue>;
    /// A transport's; it may return a promise.
    #[wasm_bindgen(method, catch)]
    fn open(this: &Carrier) -> Result<Option<JsValue>, JsValue>;
}

/// What is reported of a socket. Each is a function of its own, because a transport of the page's may call them at any time.
pub struct Reports {
    /// It is open.
    pub open: Box<dyn Fn()>,
    /// A frame came in: a string, an `ArrayBuffer`, or whatever a transport hands over.
    pub message: Box<dyn Fn(JsValue)>,
    /// It is closed, or couldn't be opened: with the WebSocket close code if there is one, and the reason in words or nothing.
    pub close: Box<dyn Fn(Option<u16>, String)>,
}

/// A connection.
#[derive(Debug)]
pub enum Socket {
    /// The browser's.
    Native(NativeSocket),
    /// The page's.
    Transport(Transport),
}

impl Socket {
    /// Gives it a frame.
    pub fn send(&self, frame: &JsString) -> Result<(), TransmitError> {
        let socket: &JsValue = match self {
            Socket::Native(native) => &native.socket,
            Socket::Transport(transport) => &transport.object,
        };
        // `send` on a closing WebSocket throws nothing and sends nothing. A page may have one as its transport, too.
        let state = js::member(socket, "readyState");
        if !state.is_undefined() && state != WebSocket::OPEN {
            return Err(TransmitError::NotOpen);
        }
        socket
            .unchecked_ref::<Carrier>()
            .send(frame)
            .map_err(|_| TransmitError::Threw)
    }
}

/// The browser's WebSocket, and the closures that it calls.
#[derive(Debug)]
pub struct NativeSocket {
    socket: WebSocket,
    _onopen: Closure<dyn Fn()>,
    _onmessage: Closure<dyn Fn(MessageEvent)>,
    _onclose: Closure<dyn Fn(CloseEvent)>,
    _onerror: Closure<dyn Fn()>,
}

impl NativeSocket {
    /// Starts to connect. The error is the browser's: an address that it refuses, or no WebSocket at all.
    pub fn open(url: &str, reports: Reports) -> Result<NativeSocket, JsValue> {
        let Reports {
            open,
            message,
            close,
        } = reports;
        let socket = WebSocket::new(url)?;
        let onopen = Closure::<dyn Fn()>::new(open);
        let onmessage =
            Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| message(event.data()));
        let onclose = Closure::<dyn Fn(CloseEvent)>::new(move |event: CloseEvent| {
            close(Some(event.code()), event.reason());
        });
        // `close` always follows, so there is nothing to say; but in Node the sockets of `ws` end the program if nobody listens.
        let onerror = Closure::<dyn Fn()>::new(|| ());
        socket.set_binary_type(BinaryType::Arraybuffer);
        socket.set_onopen(Some(onopen.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(onmessage.as_ref().unchecked_ref()));
        socket.set_onclose(Some(onclose.as_ref().unchecked_ref()));
        socket.set_onerror(Some(onerror.as_ref().unchecked_ref()));
        Ok(NativeSocket {
            socket,
            _onopen: onopen,
            _onmessage: onmessage,
            _onclose: onclose,
            _onerror: onerror,
        })
    }
}

impl Drop for NativeSocket {
    fn drop(&mut self) {
        // Detach first: `close` only starts the closing handshake, and its events are stale.
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        self.socket.set_onerror(None);
        events::call_member(&self.socket, "close", &[]);
    }
}

/// A transport of the page's.
#[derive(Debug)]
pub struct Transport {
    object: JsValue,
}

impl Transport {
    /// Hands the page's object its handlers. It keeps them when the connection is over, so that it doesn't trip over their absence; whoever gets the
    /// reports tells stale ones apart.
    pub fn attach(object: &JsValue, reports: Reports) -> Result<Transport, JsValue> {
        let Reports {
            open,
            message,
            close,
        } = reports;
        let onopen = Closure::<dyn Fn()>::new(open).into_js_value();
        let onmessage = Closure::<dyn Fn(JsValue)>::new(message).into_js_value();
        // A reason in words, or an event that has one.
        let onclose = Closure::<dyn Fn(JsValue)>::new(move |event: JsValue| {
            let code = js::member(&event, "code").as_f64().map(|code| code as u16);
            let reason = event
                .as_string()
                .or_else(|| js::member(&event, "reason").as_string());
            close(code, reason.unwrap_or_default());
        })
        .into_js_value();
        for (member, handler) in [
            ("onopen", &onopen),
            ("onmessage", &onmessage),
            ("onclose", &onclose),
        ] {
            Reflect::set(object, &member.into(), handler)?;
        }
        Ok(Transport {
            object: object.clone(),
        })
    }

    /// Whether it has to be opened.
    pub fn has_open(&self) -> bool {
        !js::member(&self.object, "open").is_undefined()
    }

    /// Asks it to connect. It says itself when it has; `failed` gets what it throws, or rejects with.
    pub fn open(&self, failed: impl FnOnce(JsValue) + 'static) {
        let opening = match self.object.unchecked_ref::<Carrier>().open() {
            Ok(opening) => Promise::resolve(&JsValue::from(opening)),
            Err(thrown) => return failed(thrown),
        };
        promises::when(&opening, |outcome| {
            if let Err(thrown) = outcome {
                failed(thrown);
            }
        });
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        events::call_member(&self.object, "close", &[]);
    }
}
