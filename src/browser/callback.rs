//! Calling the page. What a callback throws is reported as the browser reports uncaught exceptions, and goes no further.

use super::error::{Code, Error, show};
use super::js;
use js_sys::{Function, Reflect};
use wasm_bindgen::prelude::*;

/// Whom a channel's messages are for.
pub trait Subscriber {
    /// A message came in.
    fn deliver(&self, message: JsValue);
    /// The channel is ready.
    fn ready(&self);
}

/// Calls `function` as a method of `this`.
pub fn call(function: &Function, this: &JsValue, arguments: &[JsValue]) {
    let arguments: js_sys::Array = arguments.iter().collect();
    if let Err(thrown) = function.apply(this, &arguments) {
        js::report_error(&thrown);
    }
}

/// Reads a member that is to be a function; `Ok(None)` if it is missing or falsy, as the shim's `if (config.onmessage)` has it.
pub fn optional_function(object: &JsValue, member: &'static str, owner: &str) -> Result<Option<Function>, JsValue> {
    let value = Reflect::get(object, &member.into())?;
    if value.is_falsy() {
        return Ok(None);
    }
    value.dyn_into::<Function>().map(Some).map_err(|value| {
        Error::new(Code::BadConfig, &[owner, ".", member, " is ", &show(&value), "; it must be a function, or left out"]).into()
    })
}

/// Calls the member of `config` as its method, if it has it; `false` if it doesn't.
pub fn call_member(config: &JsValue, member: &'static str, arguments: &[JsValue]) -> bool {
    match optional_function(config, member, "config") {
        Ok(Some(function)) => {
            call(&function, config, arguments);
            true
        }
        Ok(None) => false,
        Err(thrown) => {
            js::report_error(&thrown);
            true
        }
    }
}
