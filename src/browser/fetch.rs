//! HTTP requests of protocols.

use js_sys::{JsString, Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{RequestInit, Response};

use super::error::show;
use super::js;
use super::promises;
use crate::protocol::{HttpRequest, HttpResponse};

#[wasm_bindgen]
extern "C" {
    /// web-sys has it without `catch`; but where a polyfill or an extension replaces `fetch`, it may throw.
    #[wasm_bindgen(catch)]
    fn fetch(url: &str, init: &RequestInit) -> Result<Option<JsValue>, JsValue>;
}

/// Makes a request; `done` gets the answer, or what went wrong in words.
pub fn request(
    request: &HttpRequest,
    done: impl FnOnce(Result<HttpResponse<JsString>, String>) + 'static,
) {
    let init = RequestInit::new();
    init.set_method(request.method);
    // A goodbye outlives the page. (web-sys has no setter for this member.)
    js::put(&init, "keepalive", true);
    if let Some(token) = &request.token {
        let headers = Object::new();
        js::put(&headers, "Authorization", format!("Bearer {token}"));
        init.set_headers(&headers);
    }
    let response = match fetch(&request.url, &init) {
        Ok(response) => Promise::resolve(&JsValue::from(response)),
        Err(thrown) => return done(Err(js::text(&thrown))),
    };
    promises::when(&response, move |response| match response {
        Ok(response) if response.is_object() => read(response.unchecked_into(), done),
        Ok(other) => done(Err(format!("fetch returned {}", show(&other)))),
        Err(thrown) => done(Err(js::text(&thrown))),
    });
}

fn read(response: Response, done: impl FnOnce(Result<HttpResponse<JsString>, String>) + 'static) {
    let status = response.status();
    let text = response
        .text()
        .unwrap_or_else(|thrown| Promise::reject(&thrown));
    promises::when(&text, move |text| {
        done(match text {
            Ok(text) => Ok(HttpResponse {
                status,
                body: text.unchecked_into(),
            }),
            Err(thrown) => Err(js::text(&thrown)),
        });
    });
}
