//! The functions that JavaScript calls. Their types are in `types.d.ts`, written by hand.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Object;
use wasm_bindgen::prelude::*;

use super::channel::{self, Hook};
use super::driver::Driver;
use super::error::{signaling_error, type_error};
use super::signaling::furnish;
use crate::session::State;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

thread_local! {
    /// The default signaling: what `openSignalingChannel` and `openSocket` use.
    static DEFAULT: RefCell<Option<Rc<Driver>>> = const { RefCell::new(None) };
}

/// Makes the default signaling, and returns it. The error is `in-use` if the present one is connected, or names an option.
#[wasm_bindgen(skip_typescript)]
pub fn configure(options: JsValue) -> Result<JsValue, JsValue> {
    let is_in_use = |driver: &Driver| !matches!(driver.state(), State::Idle | State::Closed);
    if DEFAULT.with_borrow(|driver| driver.as_deref().is_some_and(is_in_use)) {
        return Err(signaling_error(
            "in-use",
            "configure: the default signaling is in use; call configure before the first openSignalingChannel or openSocket, or close() the signaling that it returned, or make another one with new Signaling(options)",
        )
        .into());
    }
    let object = JsValue::from(Object::new());
    DEFAULT.replace(Some(furnish(&object, &options)?));
    Ok(object)
}

/// Opens a channel of the default signaling. `this` is the page's connection.
#[wasm_bindgen(js_name = openSignalingChannel, this, skip_typescript)]
pub fn open_signaling_channel(this: JsValue, config: JsValue) -> Result<JsValue, JsValue> {
    channel::open(&default()?, Hook::OpenSignalingChannel, &this, &config)
}

/// Opens a channel of the default signaling. `this` is the page's config object.
#[wasm_bindgen(js_name = openSocket, this, skip_typescript)]
pub fn open_socket(this: JsValue, config: JsValue) -> Result<JsValue, JsValue> {
    channel::open(&default()?, Hook::OpenSocket, &this, &config)
}

/// The default signaling, made with the default options if the page didn't configure it.
fn default() -> Result<Rc<Driver>, JsValue> {
    if let Some(driver) = DEFAULT.with_borrow(Clone::clone) {
        return Ok(driver);
    }
    let driver = furnish(&Object::new(), &JsValue::UNDEFINED)?;
    DEFAULT.replace(Some(Rc::clone(&driver)));
    Ok(driver)
}

/// `new Signaling(options)`: one logical connection to a server.
///
/// A function that puts the members on `this`, which is what `new` calls. An exported struct would have a `free()`, after which its methods throw.
#[wasm_bindgen(js_name = Signaling, this, skip_typescript)]
pub fn signaling(this: JsValue, options: JsValue) -> Result<(), JsValue> {
    if !this.is_object() {
        return Err(type_error("bad-config", "Signaling is a class; call it with new").into());
    }
    furnish(&this, &options)?;
    Ok(())
}
