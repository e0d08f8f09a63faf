//! What becomes of the page and the network, as the browser tells: the events that a signaling listens to while it is in use.

use super::js;
use crate::session::{Millis, Payload, Session};
use wasm_bindgen::prelude::*;

/// All of them reach the window, `visibilitychange` from the document. Where there are no such events, as in a worker, none comes.
const EVENTS: [&str; 5] = [
    "online",
    "offline",
    "pagehide",
    "pageshow",
    "visibilitychange",
];

/// Has `listener` called with these events, or no longer; where there is nothing to listen to, does nothing.
pub fn listen(listener: &JsValue, add: bool) {
    let method = if add {
        "addEventListener"
    } else {
        "removeEventListener"
    };
    if js::global(method).is_function() {
        for event in EVENTS {
            let _ = js::invoke(&js::global("globalThis"), method, &event.into(), listener);
        }
    }
}

/// Tells the session of an event.
pub fn happened<P: Payload, S: Clone>(session: &mut Session<P, S>, now: Millis, event: &JsValue) {
    // Of a page that is put away for good, or shown for the first time, there is nothing to tell.
    let persisted = js::member(event, "persisted") == JsValue::TRUE;
    match &*js::text(&js::member(event, "type")) {
        "online" => session.online(now),
        "offline" => session.offline(now),
        "pagehide" if persisted => session.page_hidden(now),
        "pageshow" if persisted => session.page_shown(now),
        // A hidden page's timers run late.
        _ => session.woken(now),
    }
}
