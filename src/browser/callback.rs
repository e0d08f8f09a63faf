//! Calling the page. What a callback throws is reported as the browser reports uncaught exceptions, and goes no further.

use super::error::{show, wrong};
use super::js;
use js_sys::Function;
use wasm_bindgen::prelude::*;

/// Whom a channel's messages are for.
pub trait Subscriber {
    /// A message came in.
    fn deliver(&self, message: JsValue);
    /// The channel is ready.
    fn ready(&self);
}

/// A member that is to be a function; `Ok(None)` if it is missing or falsy, as the shim's `if (config.onmessage)` has it.
pub fn optional_function(
    value: Result<JsValue, JsValue>,
    member: &str,
) -> Result<Option<Function>, JsValue> {
    let value = value?;
    if value.is_falsy() {
        return Ok(None);
    }
    value.dyn_into::<Function>().map(Some).map_err(|value| {
        wrong(
            "bad-config",
            "# is #; it must be a function, or left out",
            &[member, &show(&value)],
        )
        .into()
    })
}

/// Whether a callback was there to be called.
pub type Called = bool;

/// Calls the member of `object` as its method, if it has it.
pub fn call_member(object: &JsValue, member: &str, arguments: &[&JsValue]) -> Called {
    call_value(js::get(object, member), object, member, arguments)
}

/// Calls what was read of `object` as its `member`.
pub fn call_value(
    value: Result<JsValue, JsValue>,
    object: &JsValue,
    member: &str,
    arguments: &[&JsValue],
) -> Called {
    match optional_function(value, member) {
        Ok(None) => return false,
        Ok(Some(function)) => call(&function, object, arguments),
        Err(thrown) => js::report_error(&thrown),
    }
    true
}

/// Calls `function` as a method of `this`, with exactly these arguments.
pub fn call(function: &Function, this: &JsValue, arguments: &[&JsValue]) {
    let function = function.unchecked_ref::<js::Handler>();
    let result = match arguments {
        [] => function.call0(this),
        [only] => function.call1(this, only),
        [first, second, ..] => function.call2(this, first, second).map(drop),
    };
    if let Err(thrown) = result {
        js::report_error(&thrown);
    }
}
