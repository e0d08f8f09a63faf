//! Page lifecycle and network events.
//!
//! A page that goes into the back/forward cache gets `pagehide`, `visibilitychange` and, in
//! Chromium, `freeze`. Listeners of the page may still say goodbye in each of them, so the
//! connection ends after the last listener of the last of these events.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, JsString, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{Event, EventTarget, PageTransitionEvent};

use super::js;
use crate::session::Input;

/// All of them pass the window on their way down; `visibilitychange` and `freeze` are the
/// document's.
const EVENTS: [&str; 6] = [
    "online",
    "offline",
    "pagehide",
    "pageshow",
    "visibilitychange",
    "freeze",
];

/// Listens to the page and the network until it is dropped.
#[derive(Debug)]
#[must_use = "it stops listening when it is dropped"]
pub struct Lifecycle {
    window: EventTarget,
    network: Option<EventTarget>,
    listener: Option<Closure<dyn Fn(Event)>>,
    /// Called after all other listeners.
    last: Option<Closure<dyn Fn()>>,
}

impl Lifecycle {
    /// Calls `handler` with each event. `None` if the environment has no such events, as in Node.
    pub fn listen(handler: impl Fn(Input<JsString>) + 'static) -> Option<Lifecycle> {
        let global = js::global();
        let can_listen = Reflect::has(&global, &"addEventListener".into()).unwrap_or_default();
        if !can_listen {
            return None;
        }
        let window: EventTarget = global.unchecked_into();
        let handler = Rc::new(handler);
        let is_leaving = Rc::new(Cell::new(false));
        let last = Closure::<dyn Fn()>::new({
            let (handler, is_leaving) = (Rc::clone(&handler), Rc::clone(&is_leaving));
            move || {
                if is_leaving.take() {
                    handler(Input::PageHidden);
                }
            }
        });
        let network: Option<EventTarget> = network().dyn_into().ok();
        let page = Page {
            window: window.clone(),
            network_type: RefCell::new(network_type()),
            is_leaving,
            last: last.as_ref().unchecked_ref::<Function>().clone(),
        };
        let listener =
            Closure::<dyn Fn(Event)>::new(move |event: Event| page.on_event(&event, &*handler));
        for event in EVENTS {
            let _ = window.add_event_listener_with_callback_and_bool(
                event,
                listener.as_ref().unchecked_ref(),
                true,
            );
        }
        if let Some(network) = &network {
            let _ = network.add_event_listener_with_callback_and_bool(
                "change",
                listener.as_ref().unchecked_ref(),
                false,
            );
        }
        Some(Lifecycle {
            window,
            network,
            listener: Some(listener),
            last: Some(last),
        })
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        let (Some(listener), Some(last)) = (self.listener.take(), self.last.take()) else {
            return;
        };
        let mut is_detached = true;
        let mut detach = |target: &EventTarget, event: &str, f: &JsValue, capture: bool| {
            let f = f.unchecked_ref();
            is_detached &= target
                .remove_event_listener_with_callback_and_bool(event, f, capture)
                .is_ok();
        };
        for event in EVENTS {
            detach(&self.window, event, listener.as_ref(), true);
        }
        if let Some(network) = &self.network {
            detach(network, "change", listener.as_ref(), false);
        }
        detach(&self.window, "visibilitychange", last.as_ref(), false);
        if let Ok(document) = document().dyn_into::<EventTarget>() {
            detach(&document, "freeze", last.as_ref(), false);
        }
        // A page may have replaced `removeEventListener` by a function that throws. Then events
        // still call these closures, so they must not be freed. The closed session ignores them.
        if !is_detached {
            listener.forget();
            last.forget();
        }
    }
}

/// What is known about the page.
struct Page {
    window: EventTarget,
    /// Its kind of network, such as `wifi`.
    network_type: RefCell<JsValue>,
    /// It is about to go into the back/forward cache.
    is_leaving: Rc<Cell<bool>>,
    last: Function,
}

impl Page {
    fn on_event(&self, event: &Event, handler: &impl Fn(Input<JsString>)) {
        // False if the page is unloaded for good, or shown for the first time.
        let is_cached = event
            .dyn_ref::<PageTransitionEvent>()
            .is_some_and(PageTransitionEvent::persisted);
        match &*event.type_() {
            "online" => handler(Input::Online),
            "offline" => handler(Input::Offline),
            // Most of these events are about a network's speed.
            "change" => {
                let now = network_type();
                let before = self.network_type.replace(now.clone());
                if now != before {
                    handler(Input::Online);
                }
            }
            "pagehide" => {
                handler(Input::PageHiding);
                if is_cached && (can_freeze() || !is_hidden()) {
                    self.is_leaving.set(true);
                } else if is_cached {
                    handler(Input::PageHidden);
                }
            }
            "pageshow" if is_cached => {
                if self.is_leaving.take() {
                    handler(Input::PageHidden);
                }
                handler(Input::PageShown);
            }
            "freeze" => {
                if let Some(document) = event.target().filter(|_| self.is_leaving.get()) {
                    self.listen_last("freeze", &document);
                }
            }
            // A hidden page's timers fire late.
            kind => {
                handler(Input::Timeout);
                if kind == "visibilitychange" && self.is_leaving.get() && !can_freeze() {
                    self.listen_last(kind, &self.window);
                }
            }
        }
    }

    /// Listens once to an event that is being dispatched. `target` is where it comes last.
    fn listen_last(&self, kind: &str, target: &EventTarget) {
        // Moves it behind the listeners that were added since the last time.
        let _ = target.remove_event_listener_with_callback_and_bool(kind, &self.last, false);
        let _ = target.add_event_listener_with_callback_and_bool(kind, &self.last, false);
    }
}

/// `undefined` in a worker.
fn document() -> JsValue {
    js::member(&js::global(), "document")
}

/// `undefined` where the browser says nothing about its network.
fn network() -> JsValue {
    js::member(&js::member(&js::global(), "navigator"), "connection")
}

fn network_type() -> JsValue {
    js::member(&network(), "type")
}

fn can_freeze() -> bool {
    Reflect::has(&document(), &"onfreeze".into()).unwrap_or_default()
}

fn is_hidden() -> bool {
    js::member(&document(), "visibilityState") != "visible"
}
