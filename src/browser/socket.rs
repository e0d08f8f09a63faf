//! The browser's WebSocket, or the page's own transport. When it is dropped, it is closed and
//! reports nothing more.

use std::rc::Rc;

use js_sys::{Array, JsString, Promise, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, WebSocket};

use super::events;
use super::js;
use super::promises;
use crate::session::TransmitError;

#[wasm_bindgen]
extern "C" {
    /// The methods of a WebSocket and of the page's own transport. web-sys would copy each text
    /// into WebAssembly and back.
    type Carrier;
    #[wasm_bindgen(method, catch)]
    fn send(this: &Carrier, text: &JsString) -> Result<(), JsValue>;
    /// That of a transport may return a promise.
    #[wasm_bindgen(method, catch, js_name = send)]
    fn send_by_transport(this: &Carrier, text: &JsString) -> Result<Option<JsValue>, JsValue>;
    /// Only a transport has it. It may return a promise.
    #[wasm_bindgen(method, catch)]
    fn open(this: &Carrier) -> Result<Option<JsValue>, JsValue>;
}

/// The close code of a connection that ended without one (RFC 6455, section 7.1.5).
const ABNORMAL_CLOSURE: u16 = 1006;

/// Callbacks of a socket. Each is a separate function, because the page's own transport may call
/// them at any time.
pub struct Reports {
    /// It is open.
    pub open: Box<dyn Fn()>,
    /// A frame was received: a string, an `ArrayBuffer`, or any value from a transport.
    pub message: Box<dyn Fn(JsValue)>,
    /// It was closed, or couldn't be opened: the WebSocket close code if there is one, and the
    /// reason, which may be empty.
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
    /// Sends a frame. If a transport returns a promise, the frame is taken when that resolves.
    pub fn send(&self, frame: &JsString) -> Result<Option<Promise>, TransmitError> {
        let socket: &JsValue = match self {
            Socket::Native(native) => &native.socket,
            Socket::Transport(transport) => &transport.object,
        };
        // `send` on a closing WebSocket neither throws nor sends. The page's own transport may be a
        // WebSocket too.
        let state = js::member(socket, "readyState");
        if !state.is_undefined() && state != WebSocket::OPEN {
            return Err(TransmitError::NotOpen);
        }
        let carrier = socket.unchecked_ref::<Carrier>();
        match self {
            Socket::Native(_) => carrier
                .send(frame)
                .map(|()| None)
                .map_err(|_| TransmitError::Threw),
            Socket::Transport(_) => {
                let returned = carrier
                    .send_by_transport(frame)
                    .map_err(|thrown| not_taken(&thrown))?;
                Ok(returned.filter(is_thenable).as_ref().map(Promise::resolve))
            }
        }
    }
}

fn is_thenable(value: &JsValue) -> bool {
    js::member(value, "then").is_function()
}

/// What a transport throws, or rejects with, says whether the server refused the message.
pub fn not_taken(thrown: &JsValue) -> TransmitError {
    let is_refusal = js::member(thrown, "code").as_string().as_deref() == Some("message-refused");
    if is_refusal {
        TransmitError::Refused(js::text(&js::member(thrown, "message")))
    } else {
        TransmitError::Threw
    }
}

/// The browser's WebSocket, and the closures that it calls.
#[derive(Debug)]
pub struct NativeSocket {
    socket: WebSocket,
    _onopen: Closure<dyn Fn()>,
    _onmessage: Closure<dyn Fn(MessageEvent)>,
    _onclose: Closure<dyn Fn(JsValue)>,
    _onerror: Closure<dyn Fn()>,
}

impl NativeSocket {
    /// Starts to connect. The error is the browser's: it refuses the address, or has no WebSocket.
    pub fn open(
        url: &str,
        subprotocols: &[String],
        reports: Reports,
    ) -> Result<NativeSocket, JsValue> {
        let Reports {
            open,
            message,
            close,
        } = reports;
        let socket = if subprotocols.is_empty() {
            WebSocket::new(url)?
        } else {
            let names: Array = subprotocols.iter().map(JsValue::from).collect();
            WebSocket::new_with_str_sequence(url, &names)?
        };
        let onopen = Closure::<dyn Fn()>::new(open);
        let onmessage =
            Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| message(event.data()));
        let close = Rc::new(close);
        let failed = (Rc::clone(&close), socket.clone());
        let onclose = on_close(move |code, reason| close(code, reason));
        // WebKit reports a blocked port by this event alone. In other cases `close` follows, and
        // then it is stale.
        let onerror = Closure::<dyn Fn()>::new(move || {
            let (close, socket) = &failed;
            if js::member(socket, "readyState").as_f64() == Some(WebSocket::CLOSED.into()) {
                close(Some(ABNORMAL_CLOSURE), String::new());
            }
        });
        // The page may have put a WebSocket of its own there, whose setters throw.
        js::put(&socket, "binaryType", "arraybuffer");
        js::put(&socket, "onopen", onopen.as_ref());
        js::put(&socket, "onmessage", onmessage.as_ref());
        js::put(&socket, "onclose", onclose.as_ref());
        js::put(&socket, "onerror", onerror.as_ref());
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
        // Detach first: `close` only starts the closing handshake, so more events follow.
        for handler in ["onopen", "onmessage", "onclose", "onerror"] {
            js::put(&self.socket, handler, JsValue::NULL);
        }
        events::call_member(&self.socket, "close", &[]);
    }
}

/// A handler that takes an event, or the reason alone, as a transport gives it.
fn on_close(close: impl Fn(Option<u16>, String) + 'static) -> Closure<dyn Fn(JsValue)> {
    Closure::new(move |event: JsValue| {
        let code = js::member(&event, "code").as_f64().map(|code| code as u16);
        let reason = event
            .as_string()
            .or_else(|| js::member(&event, "reason").as_string());
        close(code, reason.unwrap_or_default());
    })
}

/// The page's own transport.
#[derive(Debug)]
pub struct Transport {
    object: JsValue,
}

impl Transport {
    /// Sets the handlers on the page's object. They stay there when the connection is closed,
    /// because the page's code may still call them. The callbacks must ignore stale calls.
    pub fn attach(object: &JsValue, reports: Reports) -> Result<Transport, JsValue> {
        let Reports {
            open,
            message,
            close,
        } = reports;
        let onopen = Closure::<dyn Fn()>::new(open).into_js_value();
        let onmessage = Closure::<dyn Fn(JsValue)>::new(message).into_js_value();
        let onclose = on_close(close).into_js_value();
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

    /// Whether it has a method `open`.
    pub fn has_open(&self) -> bool {
        !js::member(&self.object, "open").is_undefined()
    }

    /// Calls `open`. The transport reports success with `onopen`. `failed` receives an exception or
    /// a rejection.
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
