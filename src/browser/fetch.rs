//! HTTP requests of protocols.

use js_sys::{JsString, Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, RequestInit, RequestRedirect, Response};

use super::error::show;
use super::events;
use super::js;
use super::promises;
use super::timer::Timer;
use crate::protocol::{HttpRequest, HttpResponse};

#[wasm_bindgen]
extern "C" {
    /// web-sys has it without `catch`, but a `fetch` that a polyfill or an extension has replaced
    /// may throw.
    #[wasm_bindgen(catch)]
    fn fetch(url: &str, init: &RequestInit) -> Result<Option<JsValue>, JsValue>;
}

/// The time limit of a POST request, in milliseconds.
const POST_TIMEOUT: u32 = 30_000;

/// The longest message whose request outlives the page, in UTF-16 code units. The Fetch standard
/// limits such bodies to 64 KiB.
const LONGEST_KEPT_ALIVE: u32 = 20_000;

/// The answer to a request, or the error as text.
pub type Answer = Result<HttpResponse<JsString>, String>;

/// A request of a protocol. When it is dropped, it is aborted, unless it was answered.
#[derive(Debug)]
#[must_use = "it is aborted when it is dropped"]
pub struct Request(Option<AbortController>);

impl Drop for Request {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            events::call_member(controller, "abort", &[]);
        }
    }
}

/// Makes a request.
pub fn request(request: &HttpRequest, done: impl FnOnce(Answer) + 'static) -> Request {
    let init = RequestInit::new();
    let controller = abortable(&init);
    init.set_method(request.method);
    // A last request outlives the page.
    keep_alive(&init);
    if let Some(token) = &request.token {
        let headers = Object::new();
        js::put(&headers, "Authorization", format!("Bearer {token}"));
        init.set_headers(&headers);
    }
    start(&request.url, &init, |_| true, None, done);
    Request(controller)
}

/// POSTs a message. The content type is the default, `text/plain`, which needs no CORS preflight.
pub fn post(url: &str, body: &JsString, done: impl FnOnce(Answer) + 'static) {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(body);
    init.set_redirect(RequestRedirect::Manual);
    if body.length() <= LONGEST_KEPT_ALIVE {
        keep_alive(&init);
    }
    let controller = abortable(&init);
    let timeout = Timer::start(POST_TIMEOUT, move || {
        if let Some(controller) = controller {
            events::call_member(&controller, "abort", &[&"it took too long".into()]);
        }
    });
    // The body of such an answer means nothing.
    let needs_body = |status| !(200..=299).contains(&status);
    start(url, &init, needs_body, timeout, done);
}

/// Lets a request be aborted.
fn abortable(init: &RequestInit) -> Option<AbortController> {
    let controller = AbortController::new().ok();
    init.set_signal(controller.as_ref().map(AbortController::signal).as_ref());
    controller
}

/// Lets the request outlive the page. (web-sys has no setter for this member.)
fn keep_alive(init: &RequestInit) {
    js::put(init, "keepalive", true);
}

/// `needs_body` tells for which status `done` waits for the body. Any body is read, until `timeout`
/// aborts it, so that the browser can use the connection again.
fn start(
    url: &str,
    init: &RequestInit,
    needs_body: fn(u16) -> bool,
    timeout: Option<Timer>,
    done: impl FnOnce(Answer) + 'static,
) {
    let response = match fetch(url, init) {
        Ok(response) => Promise::resolve(&JsValue::from(response)),
        Err(thrown) => Promise::reject(&thrown),
    };
    promises::when(&response, move |response| match response {
        Ok(response) if response.is_object() => {
            read(response.unchecked_into(), needs_body, timeout, done);
        }
        Ok(other) => done(Err(format!("fetch returned {}", show(&other)))),
        Err(thrown) => done(Err(js::text(&thrown))),
    });
}

fn read(
    response: Response,
    needs_body: fn(u16) -> bool,
    timeout: Option<Timer>,
    done: impl FnOnce(Answer) + 'static,
) {
    let status = response.status();
    let retry_after = retry_after(&response);
    let text = response
        .text()
        .unwrap_or_else(|thrown| Promise::reject(&thrown));
    let answer = move |body| HttpResponse {
        status,
        retry_after,
        body,
    };
    if !needs_body(status) {
        promises::when(&text, move |_| drop(timeout));
        return done(Ok(answer(JsString::default())));
    }
    promises::when(&text, move |text| {
        drop(timeout);
        done(match text {
            // That of a polyfill may be anything.
            Ok(text) => text
                .dyn_into::<JsString>()
                .map(answer)
                .map_err(|other| format!("the text of the answer was {}", show(&other))),
            Err(thrown) => Err(js::text(&thrown)),
        });
    });
}

/// The header `Retry-After` in milliseconds, if it gives seconds (RFC 9110, section 10.2.3).
fn retry_after(response: &Response) -> Option<f64> {
    let value = response.headers().get("Retry-After").ok().flatten()?;
    let seconds: u32 = value.parse().ok()?;
    Some(f64::from(seconds) * 1_000.0)
}
