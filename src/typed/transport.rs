//! The page's own transport, which carries texts in place of the browser's WebSocket.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use js_sys::futures::future_to_promise;
use js_sys::{Function, Object};
use wasm_bindgen::prelude::*;

use crate::browser::error::signaling_error;
use crate::browser::js;

/// Carries texts in place of the browser's WebSocket: one written in Rust ([`new`](Self::new)) or in
/// JavaScript ([`from_js`](Self::from_js)).
#[derive(Clone)]
pub struct Transport(JsValue);

/// A transport that is written in Rust.
pub trait Carrier: 'static {
    /// Starts to connect, and tells `events` what happens. Called again after each loss of the
    /// connection, with other `events`.
    fn open(&self, events: TransportEvents);

    /// Sends one text to all other pages.
    ///
    /// # Errors
    ///
    /// [`NotSent::Lost`] loses the connection, and the text is sent again on the next one.
    /// [`NotSent::Refused`] drops this message only.
    fn send(&self, text: String) -> Result<Sending, NotSent>;

    /// Whether `send` may be called while earlier [`Sending::Pending`]s wait, and the texts arrive
    /// in order.
    fn pipelines(&self) -> bool {
        false
    }

    /// Disconnects.
    fn close(&self) {}
}

/// What happens to a text.
pub enum Sending {
    /// It is taken.
    Done,
    /// It is taken when this resolves, within 30 seconds.
    Pending(Pin<Box<dyn Future<Output = Result<(), NotSent>>>>),
}

/// Why a text wasn't sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSent {
    /// The connection is lost.
    Lost,
    /// The server refused the message, for this reason.
    Refused(String),
}

impl Transport {
    /// A transport that is written in Rust.
    pub fn new(carrier: impl Carrier) -> Transport {
        let carrier = Rc::new(carrier);
        let object = Object::new();
        js::put(&object, "pipeline", carrier.pipelines());
        let opener = Rc::clone(&carrier);
        // By `this`: a closure that owned the object, which owns the closure, would never be freed.
        let open = Closure::<dyn Fn(JsValue)>::new(move |this: JsValue| {
            opener.open(TransportEvents {
                onopen: function(&this, "onopen"),
                onmessage: function(&this, "onmessage"),
                onclose: function(&this, "onclose"),
            });
        });
        js::put(&object, "open", js::with_this(&open.into_js_value()));
        let sender = Rc::clone(&carrier);
        let send = Closure::<dyn Fn(String) -> Result<JsValue, JsValue>>::new(move |text| {
            match sender.send(text)? {
                Sending::Done => Ok(JsValue::UNDEFINED),
                Sending::Pending(taken) => Ok(future_to_promise(async {
                    taken.await?;
                    Ok(JsValue::UNDEFINED)
                })
                .into()),
            }
        });
        js::put(&object, "send", send.into_js_value());
        let close = Closure::<dyn Fn()>::new(move || carrier.close());
        js::put(&object, "close", close.into_js_value());
        Transport(object.into())
    }

    /// A transport that is written in JavaScript: `Transport` of the package's types.
    pub fn from_js(object: JsValue) -> Transport {
        Transport(object)
    }
}

impl From<&Transport> for JsValue {
    fn from(transport: &Transport) -> JsValue {
        transport.0.clone()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transport")
    }
}

impl fmt::Debug for Sending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sending::Done => "Done",
            Sending::Pending(_) => "Pending(…)",
        })
    }
}

impl From<NotSent> for JsValue {
    fn from(why: NotSent) -> JsValue {
        match why {
            NotSent::Lost => js_sys::Error::new("the connection is lost").into(),
            NotSent::Refused(reason) => signaling_error("message-refused", reason).into(),
        }
    }
}

/// What a transport tells of one connection, from [`Carrier::open`] on. Later calls for a connection
/// that is lost are ignored.
#[derive(Debug, Clone)]
pub struct TransportEvents {
    onopen: Option<Function>,
    onmessage: Option<Function>,
    onclose: Option<Function>,
}

impl TransportEvents {
    /// The connection is open.
    pub fn opened(&self) {
        call(&self.onopen, None);
    }

    /// Another page sent a text.
    pub fn received(&self, text: &str) {
        call(&self.onmessage, Some(text));
    }

    /// The connection is lost, or can't be made, for this reason.
    pub fn closed(&self, reason: &str) {
        call(&self.onclose, Some(reason));
    }
}

fn function(object: &JsValue, name: &str) -> Option<Function> {
    js::member(object, name).dyn_into().ok()
}

/// The library's own functions, which don't throw.
fn call(function: &Option<Function>, argument: Option<&str>) {
    let Some(function) = function else { return };
    let function = function.unchecked_ref::<js::Handler>();
    let _ = match argument {
        None => function.call0(&JsValue::UNDEFINED),
        Some(text) => function.call1(&JsValue::UNDEFINED, &text.into()),
    };
}
