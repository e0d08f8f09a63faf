//! Events of the session become calls of the page's handlers. An exception of a handler is reported
//! like an uncaught exception, and doesn't propagate.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, JsString, Object, Reflect};
use wasm_bindgen::prelude::*;

use super::error::{Error, quoted, show, signaling_error, type_error};
use super::js::{self, Handler};
use super::promises::Until;
use crate::protocol::Frame;
use crate::session::{DropReason, Event, FrameKind, State};

/// Receives the messages of a channel.
pub trait Subscriber {
    /// A message came in.
    fn deliver(&self, message: JsValue);
    /// The channel is ready.
    fn ready(&self);
}

/// Receives the events of a signaling in Rust.
#[cfg(feature = "typed-api")]
pub trait Observer: std::fmt::Debug {
    /// The state has changed, for this reason. A WebSocket close code may have been the cause, and
    /// the next attempt may be scheduled.
    fn state(&self, state: State, reason: &str, code: Option<u16>, retry_in: Option<f64>);
    /// Messages on this channel may have been missed.
    fn gap(&self, channel: &str);
    /// Something failed outside the page's calls.
    fn error(&self, error: &JsValue);
    /// A frame was sent or received.
    fn frame(&self, kind: FrameKind, frame: &Frame<JsString>);
    /// Whether it shows frames to anybody.
    fn is_inspecting(&self) -> bool;
    /// Whether it shows errors or changes of state to anybody.
    fn is_attentive(&self) -> bool;
    /// The signaling is closed, and its last event was emitted.
    fn closed(&self);
}

/// The page's object for a signaling, with the page's handlers on it.
#[derive(Debug)]
pub struct Page {
    #[cfg(feature = "typed-api")]
    observer: Option<Rc<dyn Observer>>,
    object: RefCell<JsValue>,
    /// Cached: reading it from the object for each frame would be slow.
    onframe: RefCell<JsValue>,
    /// That of channels.js.
    take_back: RefCell<JsValue>,
    resolve_closed: RefCell<Option<Function>>,
    /// Listeners were added for frames.
    listens_to_frames: Cell<bool>,
    /// Listeners were added for errors or changes of state.
    listens_to_trouble: Cell<bool>,
}

impl Page {
    /// The page's object, and the function that resolves its promise `closed`.
    #[cfg(feature = "exports")]
    pub fn new(object: JsValue, resolve_closed: Function) -> Page {
        Page {
            #[cfg(feature = "typed-api")]
            observer: None,
            onframe: RefCell::new(js::member(&object, "onframe")),
            object: RefCell::new(object),
            take_back: RefCell::default(),
            resolve_closed: RefCell::new(Some(resolve_closed)),
            listens_to_frames: Cell::new(false),
            listens_to_trouble: Cell::new(false),
        }
    }

    /// Rust in place of a page's object.
    #[cfg(feature = "typed-api")]
    pub fn observed_by(observer: Rc<dyn Observer>) -> Page {
        Page {
            observer: Some(observer),
            object: RefCell::default(),
            onframe: RefCell::default(),
            take_back: RefCell::default(),
            resolve_closed: RefCell::default(),
            listens_to_frames: Cell::new(false),
            listens_to_trouble: Cell::new(false),
        }
    }

    /// The page's object.
    pub fn object(&self) -> JsValue {
        self.object.borrow().clone()
    }

    /// The page's inspector.
    pub fn onframe(&self) -> JsValue {
        self.onframe.borrow().clone()
    }

    /// Sets the page's inspector.
    pub fn set_onframe(&self, onframe: JsValue) {
        drop(self.onframe.replace(onframe));
    }

    /// Sets the function that takes a channel back.
    pub fn set_take_back(&self, take_back: JsValue) {
        drop(self.take_back.replace(take_back));
    }

    /// Lets the openings of that channel receive again that the page took it from.
    #[cfg(feature = "exports")]
    pub fn take_back(&self, channel: &str) {
        let take_back = self.take_back.borrow().clone();
        call_if_function(Ok(take_back), &JsValue::UNDEFINED, "", &[&channel.into()]);
    }

    /// A listener of this type of event is added.
    #[cfg(feature = "exports")]
    pub fn listens(&self, kind: &str) {
        match kind {
            "frame" => self.listens_to_frames.set(true),
            "error" | "statechange" => self.listens_to_trouble.set(true),
            _ => {}
        }
    }

    /// Whether frames are shown to anybody.
    pub fn is_inspecting(&self) -> bool {
        #[cfg(feature = "typed-api")]
        if let Some(observer) = &self.observer {
            return observer.is_inspecting();
        }
        self.listens_to_frames.get() || self.onframe.borrow().is_truthy()
    }

    /// Drops the references to the page. Its object holds our functions, which hold the driver, so
    /// the cycle would never be freed.
    pub fn release(&self) {
        self.set_onframe(JsValue::UNDEFINED);
        self.set_take_back(JsValue::UNDEFINED);
        drop(self.object.replace(JsValue::UNDEFINED));
        #[cfg(feature = "typed-api")]
        if let Some(observer) = &self.observer {
            observer.closed();
        }
    }

    /// Calls the handler and the listeners of an event. `url` returns the server's address, for error
    /// messages. Returns what has failed, and the error.
    pub fn emit(
        &self,
        event: Event<JsString, Rc<dyn Subscriber>>,
        url: impl FnOnce() -> String,
    ) -> Option<(Until, JsValue)> {
        match event {
            Event::Message(subscriber, message) => subscriber.deliver(message),
            Event::Ready(subscriber) => subscriber.ready(),
            Event::State {
                state,
                reason,
                code,
                retry_in,
            } => self.emit_state(state, &reason, code, retry_in),
            Event::Gap(channel) => self.emit_gap(channel),
            Event::BadFrame(what) => self.emit_error(&signaling_error(
                "bad-frame",
                format!(
                    "received {what} from {}; it was dropped, and further ones will be, counted in stats().bad",
                    url()
                ),
            ).into()),
            Event::Refused { number, why } => {
                let error = signaling_error(
                    "message-refused",
                    format!(
                        "the server refused a message: '{why}'; it must be one that the server takes (with SignalR and Socket.IO, see the options method, hub and event)"
                    ),
                );
                return self.emit_failure(number.map(Until::Accepted), error);
            }
            Event::Dropped {
                number,
                channel,
                why,
            } => {
                let error = dropped(&channel, why);
                return self.emit_failure(Some(Until::Accepted(number)), error);
            }
            Event::Failed {
                unauthorized,
                reason,
                unsent,
            } => {
                let code = if unauthorized {
                    "authentication-refused"
                } else {
                    "connection-failed"
                };
                let sentence = format!(
                    "the connection to {} is lost for good, with {unsent} unsent messages: {reason}",
                    url()
                );
                self.warn(&format!("signal-wasm: {sentence}"));
                let error = signaling_error(code, sentence);
                return self.emit_failure(Some(Until::Connected), error);
            }
        }
        None
    }

    fn emit_gap(&self, channel: String) {
        #[cfg(feature = "typed-api")]
        if let Some(observer) = &self.observer {
            return observer.gap(&channel);
        }
        let channel = channel.into();
        self.call("ongap", &[&channel]);
        self.dispatch("gap", "channel", &channel, Object::new());
    }

    fn emit_failure(&self, of: Option<Until>, error: Error) -> Option<(Until, JsValue)> {
        let error = error.into();
        self.emit_error(&error);
        Some((of?, error))
    }

    /// Whether the page has a handler for errors or for changes of state.
    pub fn is_attentive(&self) -> bool {
        #[cfg(feature = "typed-api")]
        if let Some(observer) = &self.observer {
            return observer.is_attentive();
        }
        let object = self.object();
        let handlers = ["onerror", "onstatechange"];
        let is_set = |handler: &&str| js::member(&object, handler).is_function();
        self.listens_to_trouble.get() || handlers.iter().any(is_set)
    }

    /// Writes a sentence to the console, if the page would learn of the trouble in no other way.
    pub fn warn(&self, sentence: &str) {
        if !self.is_attentive() {
            js::warn(sentence);
        }
    }

    /// Shows a frame to the page's inspector.
    pub fn emit_frame(&self, kind: FrameKind, frame: Frame<JsString>) {
        #[cfg(feature = "typed-api")]
        if let Some(observer) = &self.observer {
            return observer.frame(kind, &frame);
        }
        let frame = match frame {
            Frame::Text(text) => text.into(),
            Frame::Binary(binary) => binary,
        };
        let kind = kind.name().into();
        let arguments = [&kind, &frame];
        call_if_function(Ok(self.onframe()), &self.object(), "onframe", &arguments);
        if self.listens_to_frames.get() {
            let members = Object::new();
            js::put(&members, "frame", frame);
            self.dispatch("frame", "kind", &kind, members);
        }
    }

    fn emit_state(&self, state: State, reason: &str, code: Option<u16>, retry_in: Option<f64>) {
        #[cfg(feature = "typed-api")]
        if let Some(observer) = &self.observer {
            return observer.state(state, reason, code, retry_in);
        }
        let detail = Object::new();
        js::put(&detail, "reason", reason);
        if let Some(code) = code {
            js::put(&detail, "code", code);
        }
        if let Some(retry_in) = retry_in {
            js::put(&detail, "retryIn", retry_in);
        }
        let name = state.name().into();
        self.call("onstatechange", &[&name, &detail]);
        // The handler keeps its own.
        let members = Object::assign(&Object::new(), &detail);
        self.dispatch("statechange", "state", &name, members);
        if state == State::Closed
            && let Some(resolve) = self.resolve_closed.take()
        {
            call(&resolve, &JsValue::UNDEFINED, &[&detail]);
        }
    }

    /// Tells the page of an error.
    pub fn emit_error(&self, error: &JsValue) {
        #[cfg(feature = "typed-api")]
        if let Some(observer) = &self.observer {
            return observer.error(error);
        }
        self.call("onerror", &[error]);
        self.dispatch("error", "error", error, Object::new());
    }

    /// Calls the listeners of an event, whose member `name` is `value`.
    fn dispatch(&self, kind: &str, name: &str, value: &JsValue, members: Object) {
        js::put(&members, name, value);
        js::dispatch(&self.object(), kind, &members);
    }

    fn call(&self, handler: &str, arguments: &[&JsValue]) {
        call_member(&self.object(), handler, arguments);
    }
}

fn dropped(channel: &str, why: DropReason) -> Error {
    let (code, what) = match why {
        DropReason::Expired => (
            "message-expired",
            "was dropped: its ttl passed before the server took it",
        ),
        DropReason::Hidden => (
            "message-expired",
            "was dropped: it was sent while the page was being hidden, and the server hadn't taken it when the page went into the back/forward cache; send it again when the page is shown, if it still matters",
        ),
        DropReason::GivenUp => (
            "message-given-up",
            "was dropped: the connection or the server failed on it twice",
        ),
        DropReason::TooLarge { limit } => (
            "message-given-up",
            &*format!(
                "was dropped: the server accepts frames of up to {limit} bytes; send it in parts, or raise the server's limit"
            ),
        ),
        DropReason::Blamed => (
            "message-given-up",
            "was dropped: the server closed the connection over it; if it is larger than the server accepts, send it in parts, and set the option maxMessage to the server's limit",
        ),
        DropReason::Uncertain => (
            "message-given-up",
            "may be lost: the server closed the connection over this or another message; set the option maxMessage to the server's limit",
        ),
        DropReason::Overflow => (
            "outbox-full",
            "was dropped: the outbox is full; send less while the connection is down, give messages a ttl, or raise the option outbox",
        ),
    };
    let channel = quoted(channel);
    signaling_error(code, format!("a message on the channel {channel} {what}"))
}

/// A member that must be a function. `None` if it is missing or falsy, as in the shim's `if
/// (config.onmessage)`.
pub fn optional_function(
    value: Result<JsValue, JsValue>,
    member: &str,
) -> Result<Option<Function>, JsValue> {
    let value = value?;
    if value.is_falsy() {
        return Ok(None);
    }
    value.dyn_into().map(Some).map_err(|value| {
        let shown = show(&value);
        type_error(
            "bad-config",
            format!("{member} is {shown}; it must be a function, or left out"),
        )
        .into()
    })
}

/// Calls a method of `object`. Returns whether it exists.
pub fn call_member(object: &JsValue, member: &str, arguments: &[&JsValue]) -> bool {
    let value = if object.is_undefined() {
        Ok(JsValue::UNDEFINED)
    } else {
        Reflect::get(object, &member.into())
    };
    call_if_function(value, object, member, arguments)
}

fn call_if_function(
    value: Result<JsValue, JsValue>,
    object: &JsValue,
    member: &str,
    arguments: &[&JsValue],
) -> bool {
    match optional_function(value, member) {
        Ok(None) => return false,
        Ok(Some(function)) => call(&function, object, arguments),
        Err(thrown) => js::report_error(&thrown),
    }
    true
}

/// Calls `function` as a method of `this`, with exactly these arguments.
fn call(function: &Function, this: &JsValue, arguments: &[&JsValue]) {
    let function = function.unchecked_ref::<Handler>();
    let result = match arguments {
        [] => function.call0(this),
        [argument] => function.call1(this, argument),
        [first, second, ..] => function.call2(this, first, second),
    };
    if let Err(thrown) = result {
        js::report_error(&thrown);
    }
}
