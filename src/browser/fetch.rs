//! HTTP requests of protocols.

use gloo_timers::callback::Timeout;
use js_sys::{JsString, Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, RequestInit, RequestRedirect, Response};

use super::error::show;
use super::js;
use super::promises;
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

/// Makes a request.
pub fn request(request: &HttpRequest, done: impl FnOnce(Answer) + 'static) {
    let init = RequestInit::new();
    init.set_method(request.method);
    // A last request outlives the page.
    keep_alive(&init);
    if let Some(token) = &request.token {
        let headers = Object::new();
        js::put(&headers, "Authorization", format!("Bearer {token}"));
        init.set_headers(&headers);
    }
    start(&request.url, &init, done);
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
    let controller = AbortController::new().ok();
    init.set_signal(controller.as_ref().map(AbortController::signal).as_ref());
    let timeout = Timeout::new(POST_TIMEOUT, move || {
        if let Some(controller) = controller {
            controller.abort_with_reason(&"it took too long".into());
        }
    });
    start(url, &init, move |answer| {
        drop(timeout);
        done(answer);
    });
}

/// Lets the request outlive the page. (web-sys has no setter for this member.)
fn keep_alive(init: &RequestInit) {
    js::put(init, "keepalive", true);
}

fn start(url: &str, init: &RequestInit, done: impl FnOnce(Answer) + 'static) {
    let response = match fetch(url, init) {
        Ok(response) => Promise::resolve(&JsValue::from(response)),
        Err(thrown) => Promise::reject(&thrown),
    };
    promises::when(&response, move |response| match response {
        Ok(response) if response.is_object() => read(response.unchecked_into(), done),
        Ok(other) => done(Err(format!("fetch returned {}", show(&other)))),
        Err(thrown) => done(Err(js::text(&thrown))),
    });
}

fn read(response: Response, done: impl FnOnce(Answer) + 'static) {
    let status = response.status();
    let retry_after = retry_after(&response);
    let text = response
        .text()
        .unwrap_or_else(|thrown| Promise::reject(&thrown));
    promises::when(&text, move |text| {
        done(match text {
            Ok(text) => Ok(HttpResponse {
                status,
                retry_after,
                body: text.unchecked_into(),
            }),
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
