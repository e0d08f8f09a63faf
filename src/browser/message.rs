//! A message on its way out: the page's value becomes JSON.

use std::rc::Rc;

use js_sys::JsString;
use wasm_bindgen::prelude::*;

use super::driver::Driver;
use super::error::{Error, show, type_error};
use super::js;
use super::promises::Settle;

/// Sends a message, and returns its number. It is dropped if it hasn't been sent within `ttl`
/// milliseconds. `settle` learns whether the server accepts it.
pub fn send(
    driver: &Rc<Driver>,
    channel: &str,
    message: &JsValue,
    ttl: f64,
    settle: Option<Settle>,
) -> Result<u64, Error> {
    let bad = |why: &str| {
        type_error(
            "bad-message",
            format!("send: JSON can't hold the message: {why}"),
        )
    };
    let json: JsString = js::to_json(message)
        .map_err(|thrown| bad(&js::text(&thrown)))?
        .ok_or_else(|| bad(&show(message)))?;
    driver.send(channel, json, ttl, settle)
}
