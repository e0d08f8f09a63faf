//! HTTP requests of protocols.

use js_sys::{JsString, Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, Headers, Response, Url};

use super::error::show;
use super::events;
use super::js;
use super::promises;
use super::timer::Timer;
use crate::protocol::{Answer, Finding, HttpRequest, HttpResponse, Millis, Text, retry_after};

#[wasm_bindgen]
extern "C" {
    /// web-sys has it without `catch`, but a `fetch` that a polyfill or an extension has replaced
    /// may throw.
    #[wasm_bindgen(catch)]
    fn fetch(url: &str, init: &Object) -> Result<Option<JsValue>, JsValue>;
}

/// The time limit of a POST request, in milliseconds.
const POST_TIMEOUT: u32 = 30_000;

/// The time limit of a request that asks what a server is, in milliseconds.
const PROBE_TIMEOUT: u32 = 5_000;

/// How much of its answer is read, in UTF-16 code units.
const PROBE_LENGTH: usize = 500;

/// The longest message whose request outlives the page, in UTF-16 code units. The Fetch standard
/// limits such bodies to 64 KiB.
const LONGEST_KEPT_ALIVE: u32 = 20_000;

/// What each HTTP request has, from the page's options.
#[derive(Debug)]
pub struct HttpOptions {
    /// When cookies are sent: `include`, `same-origin` or `omit`.
    pub credentials: &'static str,
    /// The page's headers.
    pub headers: Vec<(String, String)>,
}

impl HttpOptions {
    /// Whether other origins than the page's get cookies too.
    pub fn includes_cookies(&self) -> bool {
        self.credentials == "include"
    }

    /// What a server must do for this page to read its answers, if it has another origin and gets
    /// cookies; otherwise empty. For the end of an error.
    pub fn cors_hint(&self, url: &str) -> &'static str {
        if self.includes_cookies() && !is_same_origin(url) {
            " (a server of another origin must allow this page's origin by name, and credentials; or set the option credentials to 'same-origin')"
        } else {
            ""
        }
    }
}

/// Whether HTTP allows a header with this name and value.
pub fn is_header(name: &str, value: &str) -> bool {
    Headers::new().is_ok_and(|headers| headers.append(name, value).is_ok())
}

/// Whether an address has the origin of the page or the worker.
fn is_same_origin(url: &str) -> bool {
    let own = js::member(&js::global(), "origin").as_string();
    Url::new(url).is_ok_and(|url| Some(url.origin()) == own)
}

/// The answer to a request, or the error as text.
pub type Reply = Result<HttpResponse<JsString>, String>;

/// A callback for it.
type Done = Box<dyn FnOnce(Reply)>;

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
pub fn request(
    request: &HttpRequest,
    options: &HttpOptions,
    done: impl FnOnce(Reply) + 'static,
) -> Request {
    let init = Object::new();
    let controller = abortable(&init);
    js::put(&init, "method", request.method);
    // A last request outlives the page.
    keep_alive(&init);
    let mut headers = RequestHeaders::default();
    if request.allows_preflight || is_same_origin(&request.url) {
        headers.mark();
    }
    if !request.is_foreign {
        headers.add(options);
    }
    if let Some(token) = &request.token {
        headers.set("Authorization", &format!("Bearer {token}"));
    }
    headers.put_on(&init);
    start(&request.url, &init, options, |_| true, None, Box::new(done));
    Request(controller)
}

/// POSTs a message. The content type is the default, `text/plain`, so that another origin needs no
/// CORS preflight, unless the page sets headers.
pub fn post(url: &str, body: &JsString, options: &HttpOptions, done: impl FnOnce(Reply) + 'static) {
    let init = Object::new();
    js::put(&init, "method", "POST");
    js::put(&init, "body", body);
    js::put(&init, "redirect", "manual");
    let mut headers = RequestHeaders::default();
    if is_same_origin(url) {
        headers.mark();
    }
    headers.add(options);
    headers.put_on(&init);
    if body.length() <= LONGEST_KEPT_ALIVE {
        keep_alive(&init);
    }
    let timeout = limit(&init, POST_TIMEOUT);
    // The body of such an answer means nothing.
    let needs_body = |status| !(200..=299).contains(&status);
    start(url, &init, options, needs_body, timeout, Box::new(done));
}

/// Asks what answers at an address. `None`: nothing, or something that this page may not read.
pub fn probe(url: &str, done: impl FnOnce(Option<Finding>) + 'static) {
    let init = Object::new();
    let timeout = limit(&init, PROBE_TIMEOUT);
    let done = move |finding| {
        drop(timeout);
        done(finding);
    };
    promises::when(&response(url, &init), move |response| match response {
        Ok(response) if response.is_object() => {
            let response: Response = response.unchecked_into();
            let content_type = response.headers().get("Content-Type").ok().flatten();
            let content_type = content_type.unwrap_or_default();
            // An event stream has no end.
            if content_type.starts_with("text/event-stream") {
                events::call_member(&js::member(&response, "body"), "cancel", &[]);
                return done(Some(finding(&response, &content_type, "")));
            }
            promises::when(&text(&response), move |body| {
                let body = body.unwrap_or_default().dyn_into::<JsString>();
                let head = body.map_or(String::new(), |body| Text::head(&body, PROBE_LENGTH));
                done(Some(finding(&response, &content_type, &head)));
            });
        }
        _ => done(None),
    });
}

fn finding(response: &Response, content_type: &str, text: &str) -> Finding {
    Finding::of(&Answer {
        status: response.status(),
        content_type,
        text,
    })
}

/// Aborts the request after that time, unless what is returned is dropped before.
fn limit(init: &Object, milliseconds: u32) -> Option<Timer> {
    let controller = abortable(init);
    Timer::start(milliseconds, move || {
        if let Some(controller) = controller {
            events::call_member(&controller, "abort", &[&"it took too long".into()]);
        }
    })
}

/// Lets a request be aborted.
fn abortable(init: &Object) -> Option<AbortController> {
    let controller = AbortController::new().ok()?;
    js::put(init, "signal", controller.signal());
    Some(controller)
}

/// The headers of a request. A name that is set again replaces the earlier one.
#[derive(Debug, Default)]
struct RequestHeaders(Vec<(String, String)>);

impl RequestHeaders {
    fn set(&mut self, name: &str, value: &str) {
        self.0
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.0.push((name.into(), value.into()));
    }

    /// Tells the server that the request isn't a navigation. If a login has expired, many servers
    /// then answer 401 instead of a login page.
    fn mark(&mut self) {
        self.set("X-Requested-With", "XMLHttpRequest");
    }

    /// Adds the page's headers.
    fn add(&mut self, options: &HttpOptions) {
        for (name, value) in &options.headers {
            self.set(name, value);
        }
    }

    fn put_on(&self, init: &Object) {
        let headers = Object::new();
        for (name, value) in &self.0 {
            js::put(&headers, name, value);
        }
        js::put(init, "headers", headers);
    }
}

/// Lets the request outlive the page.
fn keep_alive(init: &Object) {
    js::put(init, "keepalive", true);
}

/// `needs_body` tells for which status `done` waits for the body. Any body is read, until `timeout`
/// aborts it, so that the browser can use the connection again.
fn start(
    url: &str,
    init: &Object,
    options: &HttpOptions,
    needs_body: fn(u16) -> bool,
    timeout: Option<Timer>,
    done: Done,
) {
    js::put(init, "credentials", options.credentials);
    let hint = options.cors_hint(url);
    promises::when(&response(url, init), move |response| match response {
        Ok(response) if response.is_object() => {
            read(response.unchecked_into(), needs_body, timeout, done);
        }
        Ok(other) => done(Err(format!("fetch returned {}", show(&other)))),
        Err(thrown) => {
            // The error of a request without an answer that the page may read. Others are those of
            // requests that were aborted.
            let is_unreadable = js::text(&js::member(&thrown, "name")) == "TypeError";
            let hint = if is_unreadable { hint } else { "" };
            done(Err(format!("{}{hint}", js::text(&thrown))));
        }
    });
}

fn response(url: &str, init: &Object) -> Promise {
    match fetch(url, init) {
        Ok(response) => Promise::resolve(&JsValue::from(response)),
        Err(thrown) => Promise::reject(&thrown),
    }
}

fn text(response: &Response) -> Promise {
    response
        .text()
        .unwrap_or_else(|thrown| Promise::reject(&thrown))
}

fn read(response: Response, needs_body: fn(u16) -> bool, timeout: Option<Timer>, done: Done) {
    let status = response.status();
    let retry_after = retry_after_of(&response);
    let text = text(&response);
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

fn retry_after_of(response: &Response) -> Option<Millis> {
    let value = response.headers().get("Retry-After").ok().flatten()?;
    retry_after(&value, js_sys::Date::now())
}
