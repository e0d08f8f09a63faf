//! The server's address, from what the page gives as `url`.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use web_sys::Url;

use super::error::{quoted, show, type_error};
use super::js;
use super::members::bad_option;
use crate::protocol::without_secrets;

/// The server's address in a form that every `WebSocket` accepts: absolute, `ws:` or `wss:`,
/// without a fragment.
pub fn server_url(given: &JsValue) -> Result<String, JsValue> {
    let text = if given.is_undefined() {
        "/".into()
    } else {
        js::text(given)
    };
    if !(given.is_undefined() || given.is_string() || is_url(given, &text)?) {
        return Err(bad_option("url", given, "a string or a URL").into());
    }
    if let Some(host) = host_without_scheme(&text) {
        return Err(without_scheme(&text, host));
    }
    let base = if given.is_undefined() {
        origin().or_else(base_url)
    } else {
        base_url()
    };
    let parsed = match base {
        Some(base) => Url::new_with_base(&text, &base),
        None => Url::new(&text),
    };
    let Ok(url) = parsed else {
        return Err(bad_url(given, "no URL here"));
    };
    url.set_hash("");
    let href = url.href();
    match href.split_once(':') {
        Some(("ws" | "wss", _)) => Ok(href),
        Some(("http", rest)) => Ok(format!("ws:{rest}")),
        Some(("https", rest)) => Ok(format!("wss:{rest}")),
        _ => Err(bad_url(given, "no ws:, wss:, http: or https: address")),
    }
}

/// Whether this is a URL object. Its text is its `href`.
fn is_url(given: &JsValue, text: &str) -> Result<bool, JsValue> {
    if !given.is_object() {
        return Ok(false);
    }
    let href = Reflect::get(given, &"href".into())?;
    Ok(href.as_string().as_deref() == Some(text))
}

/// What relative addresses are relative to, as for `new WebSocket`: in a page its base, which a
/// `<base>` sets and a `srcdoc` frame inherits; in a worker the worker's address. `None`: there is
/// neither, as in Node.
fn base_url() -> Option<String> {
    let global = js::global();
    let of_page = js::member(&js::member(&global, "document"), "baseURI");
    let of_worker = js::member(&js::member(&global, "location"), "href");
    let base = of_page.as_string().or_else(|| of_worker.as_string())?;
    // A blob's address contains the origin of the page that made it.
    Some(match base.strip_prefix("blob:") {
        Some(inner) => inner.into(),
        None => base,
    })
}

/// The origin of the page or the worker; `None`: it has none.
fn origin() -> Option<String> {
    let origin = js::member(&js::global(), "origin").as_string();
    origin.filter(|origin| origin != "null")
}

/// The host, with its port, that an address without a scheme begins with. `None`: the address isn't
/// one of those.
///
/// `example.org/x` is also a relative address, and `localhost:8888` has the scheme `localhost:`. No
/// page means that. A first part that is no host, and one after `./`, is a path.
fn host_without_scheme(text: &str) -> Option<&str> {
    let host = text.trim().split(['/', '\\', '?', '#']).next()?;
    let port = host.rsplit_once(':').map(|(_, port)| port);
    let has_port = port
        .is_some_and(|port| !port.is_empty() && port.bytes().all(|digit| digit.is_ascii_digit()));
    let name = name_of(host);
    let may_be_host =
        has_port || name == "localhost" || name.contains('.') || name.starts_with('[');
    // Browsers take further characters, in texts that are no hosts.
    let is_plain = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii() || b"-._:[]".contains(&byte));
    let is_host = may_be_host
        && is_plain
        && !host.starts_with('.')
        && Url::new(&format!("ws://{host}/")).is_ok();
    is_host.then_some(host)
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, _)) if !host.ends_with(']') => name,
        _ => host,
    }
}

fn without_scheme(text: &str, host: &str) -> JsValue {
    let name = name_of(host);
    let is_loopback = name == "localhost"
        || name.ends_with(".localhost")
        || name.starts_with("127.")
        || name == "[::1]";
    let (scheme, other, why) = if is_loopback {
        ("ws://", "wss://", "with")
    } else {
        ("wss://", "ws://", "without")
    };
    // Without the query, which may hold a token.
    let place = text.trim().split(['?', '#']).next().unwrap_or_default();
    let message = format!(
        "the option url is {}, which has no scheme; write {} ({other} {why} TLS), or {} if that is a path",
        quoted(place),
        quoted(&format!("{scheme}{place}")),
        quoted(&format!("./{place}")),
    );
    type_error("bad-url", message).into()
}

fn bad_url(given: &JsValue, why: &str) -> JsValue {
    let message = if given.is_undefined() {
        let page = js::member(&js::member(&js::global(), "location"), "href");
        format!(
            "without the option url the server is the page's own origin, {}, which is {why}; name the server, as in configure({{ url: 'wss://example.org/' }})",
            show_address(&page)
        )
    } else {
        format!(
            "the option url is {}, which is {why}; it must be like 'wss://example.org/'",
            show_address(given)
        )
    };
    type_error("bad-url", message).into()
}

/// An address as errors show it.
fn show_address(given: &JsValue) -> String {
    match given.as_string() {
        Some(url) => show(&without_secrets(&url).into()),
        None => without_secrets(&js::text(given)),
    }
}
