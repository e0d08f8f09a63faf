//! Page lifecycle and network events.

use js_sys::{JsString, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::{Event, EventTarget, PageTransitionEvent};

use super::js;
use crate::session::Input;

/// All of them reach the window; `visibilitychange` bubbles from the document.
const EVENTS: [&str; 5] = [
    "online",
    "offline",
    "pagehide",
    "pageshow",
    "visibilitychange",
];

/// Listens to the page and the network until it is dropped.
#[derive(Debug)]
#[must_use = "it stops listening when it is dropped"]
pub struct Lifecycle {
    target: EventTarget,
    listener: Closure<dyn Fn(Event)>,
}

impl Lifecycle {
    /// Calls `handler` with each event. `None` if the environment has no such events, as in Node.
    pub fn listen(handler: impl Fn(Input<JsString>) + 'static) -> Option<Lifecycle> {
        let global = js::global();
        let can_listen = Reflect::has(&global, &"addEventListener".into()).unwrap_or_default();
        if !can_listen {
            return None;
        }
        let listener = Closure::<dyn Fn(Event)>::new(move |event: Event| handler(input(&event)));
        let target: EventTarget = global.into();
        for event in EVENTS {
            let _ =
                target.add_event_listener_with_callback(event, listener.as_ref().unchecked_ref());
        }
        Some(Lifecycle { target, listener })
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        for event in EVENTS {
            let _ = self
                .target
                .remove_event_listener_with_callback(event, self.listener.as_ref().unchecked_ref());
        }
    }
}

/// The session's input for an event.
fn input(event: &Event) -> Input<JsString> {
    // False if the page is unloaded for good, or shown for the first time.
    let is_cached = event
        .dyn_ref::<PageTransitionEvent>()
        .is_some_and(PageTransitionEvent::persisted);
    match &*event.type_() {
        "online" => Input::Online,
        "offline" => Input::Offline,
        "pagehide" if is_cached => Input::PageHidden,
        "pageshow" if is_cached => Input::PageShown,
        // A hidden page's timers fire late.
        _ => Input::Timeout,
    }
}
