//! The browser's `EventSource`. When it is dropped, it is closed and reports nothing more.

use js_sys::JsString;
use wasm_bindgen::prelude::*;
use web_sys::{EventSource, EventSourceInit, MessageEvent};

use super::{events, js};
use crate::protocol::{LONGEST_EVENT_ID, ServerEvent};

/// The event types that are reported: events without a type, and those of the relay.
const EVENTS: [&str; 4] = ["message", "gap", "hello", "refused"];

#[wasm_bindgen]
extern "C" {
    /// An event. web-sys would copy its id, however long it is. That of a polyfill may have none.
    #[wasm_bindgen(extends = MessageEvent)]
    type StreamEvent;
    #[wasm_bindgen(method, getter, js_name = lastEventId)]
    fn last_event_id(this: &StreamEvent) -> JsValue;
}

/// Callbacks of a stream.
pub struct StreamReports {
    /// It is open.
    pub open: Box<dyn Fn()>,
    /// An event came in.
    pub event: Box<dyn Fn(ServerEvent<JsString>)>,
    /// It was closed, or couldn't be opened. Browsers give no reason. True if the server's answer
    /// was not an event stream, or not readable for this page.
    pub close: Box<dyn Fn(bool)>,
}

/// An event stream, and the closures that it calls.
#[derive(Debug)]
pub struct Stream {
    source: EventSource,
    onopen: Closure<dyn Fn()>,
    onevent: Closure<dyn Fn(StreamEvent)>,
    onerror: Closure<dyn Fn()>,
}

impl Stream {
    /// Starts to connect. The error is the browser's: it refuses the address, or has no
    /// `EventSource`.
    /// `with_credentials`: other origins than the page's get cookies too.
    pub fn open(
        url: &str,
        with_credentials: bool,
        reports: StreamReports,
    ) -> Result<Stream, JsValue> {
        let StreamReports { open, event, close } = reports;
        let init = EventSourceInit::new();
        init.set_with_credentials(with_credentials);
        let source = EventSource::new_with_event_source_init_dict(url, &init)?;
        let failed = source.clone();
        let stream = Stream {
            source,
            onopen: Closure::new(open),
            onevent: Closure::new(move |message: StreamEvent| event(server_event(&message))),
            // The stream is closed on the first error. Reconnecting is up to the session, not to
            // the browser.
            onerror: Closure::new(move || match failed.ready_state() {
                // A server's own event of the type `error`.
                EventSource::OPEN => {}
                state => close(state == EventSource::CLOSED),
            }),
        };
        let source = &stream.source;
        js::put(source, "onopen", stream.onopen.as_ref());
        js::put(source, "onerror", stream.onerror.as_ref());
        for kind in EVENTS {
            source
                .add_event_listener_with_callback(kind, stream.onevent.as_ref().unchecked_ref())?;
        }
        Ok(stream)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        js::put(&self.source, "onopen", JsValue::NULL);
        js::put(&self.source, "onerror", JsValue::NULL);
        for kind in EVENTS {
            let listener = self.onevent.as_ref().unchecked_ref();
            let _ = self
                .source
                .remove_event_listener_with_callback(kind, listener);
        }
        events::call_member(&self.source, "close", &[]);
    }
}

fn server_event(message: &StreamEvent) -> ServerEvent<JsString> {
    let id: JsString = message.last_event_id().dyn_into().unwrap_or_default();
    let data = message.data().dyn_into::<JsString>();
    let is_short = id.length() as usize <= LONGEST_EVENT_ID;
    ServerEvent {
        kind: message.type_(),
        id: if is_short { id.into() } else { String::new() },
        data: data.unwrap_or_else(|data| js::text(&data).into()),
    }
}
