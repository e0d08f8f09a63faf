//! The functions that JavaScript calls. Their types are in `types.d.ts`, written by hand.
//!
//! `Signaling` is a constructor in JavaScript's own manner, a function that furnishes `this`: its members are plain ones, nothing of wasm is
//! freed under the page's feet, and it costs a fraction of an exported struct.

use super::channel;
use super::driver::Driver;
use super::error::{Error, failed, wrong};
use super::functions::Call;
use super::signaling::furnish;
use crate::session::State;
use alloc::rc::Rc;
use core::cell::RefCell;
use js_sys::Object;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

/// What `openSignalingChannel` and `openSocket` use.
static DEFAULT: Single<Option<Rc<Driver>>> = Single(RefCell::new(None));

/// A static of a program that has one thread, which `thread_local!` without the standard library.
struct Single<T>(RefCell<T>);

#[cfg(target_feature = "atomics")]
compile_error!("signal-wasm is made for wasm without threads");

// SAFETY: without atomics there is no second thread that could share it.
#[allow(unsafe_code)]
unsafe impl<T> Sync for Single<T> {}

/// Makes the default signaling.
#[wasm_bindgen(skip_typescript)]
pub fn configure(options: JsValue) -> Result<JsValue, JsValue> {
    if DEFAULT
        .0
        .borrow()
        .as_ref()
        .is_some_and(|driver| !matches!(driver.state(), State::Idle | State::Closed))
    {
        return Err(failed(
            "in-use",
            "configure: the default signaling is in use; call configure before the first openSignalingChannel or openSocket, or close() the signaling that it returned, or make another one with new Signaling(options)",
            &[],
        )
        .into());
    }
    let page = JsValue::from(Object::new());
    let driver = furnish(&page, &options)?;
    drop(DEFAULT.0.replace(Some(driver)));
    Ok(page)
}

/// Opens a channel of the default signaling; `this` is the page's connection.
#[wasm_bindgen(js_name = openSignalingChannel, this, skip_typescript)]
pub fn open_signaling_channel(this: JsValue, config: JsValue) -> Result<JsValue, JsValue> {
    open_default(Call::OpenSignalingChannel, &this, &config)
}

/// Opens a channel of the default signaling; `this` is the page's config object.
#[wasm_bindgen(js_name = openSocket, this, skip_typescript)]
pub fn open_socket(this: JsValue, config: JsValue) -> Result<JsValue, JsValue> {
    open_default(Call::OpenSocket, &this, &config)
}

fn open_default(hook: Call, this: &JsValue, config: &JsValue) -> Result<JsValue, JsValue> {
    let driver = || DEFAULT.0.borrow().clone();
    if driver().is_none() {
        configure(JsValue::UNDEFINED)?;
    }
    match driver() {
        Some(driver) => channel::open(&driver, hook, this, config),
        None => Err(Error::signaling_closed().into()),
    }
}

/// One logical connection to a server: `new Signaling(options)`.
#[wasm_bindgen(js_name = Signaling, this, skip_typescript)]
pub fn signaling(this: JsValue, options: JsValue) -> Result<(), JsValue> {
    if !this.is_object() {
        return Err(wrong("bad-config", "Signaling is a class; call it with new", &[]).into());
    }
    furnish(&this, &options)?;
    Ok(())
}
