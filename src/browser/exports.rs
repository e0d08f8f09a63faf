//! The functions that JavaScript calls. Their types are in `types.d.ts`, written by hand.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Object;
use wasm_bindgen::prelude::*;

use super::channel::{Hook, Opener};
use super::error::{signaling_error, type_error};
use super::js;
use super::members::Members;
use super::options;
use super::signaling::construct;
use crate::session::State;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

thread_local! {
    /// The default signaling: what `openSignalingChannel` and `openSocket` use.
    static DEFAULT: RefCell<Option<DefaultSignaling>> = const { RefCell::new(None) };
}

#[derive(Debug, Clone)]
struct DefaultSignaling {
    opener: Rc<Opener>,
    /// What the page configured, compared by [`js::is_same`]; `undefined`: nothing.
    content: JsValue,
}

impl DefaultSignaling {
    fn set(object: &JsValue, options: &JsValue, content: JsValue) -> Result<Rc<Opener>, JsValue> {
        let opener = construct(object, options)?;
        DEFAULT.replace(Some(DefaultSignaling {
            opener: Rc::clone(&opener),
            content,
        }));
        Ok(opener)
    }

    /// Whether it has a connection, or will have one.
    fn is_in_use(&self) -> bool {
        let driver = self.opener.driver();
        match driver.state() {
            State::Idle => driver.has_channels(),
            state => state != State::Closed,
        }
    }
}

/// Makes the default signaling, and returns it: `object`, or a plain object if there is none. (The
/// package's entries pass one with the prototype of `Signaling`.) With the options of the present
/// one, which isn't closed, returns that, with the handlers that are given now. The error is `in-use`
/// if the present one is connected, or names an option.
#[wasm_bindgen(skip_typescript)]
pub fn configure(options: JsValue, object: Option<Object>) -> Result<JsValue, JsValue> {
    let content = js::content_of(&options);
    let present = DEFAULT.with_borrow(Clone::clone);
    if let Some(DefaultSignaling {
        opener,
        content: same,
    }) = &present
        && opener.driver().state() != State::Closed
        && js::is_same(same, &content)
    {
        let object = opener.driver().page_object();
        options::put_handlers(&Members::new(&options, "")?, &object)?;
        return Ok(object);
    }
    if present.is_some_and(|present| present.is_in_use()) {
        return Err(signaling_error(
            "in-use",
            "configure: the default signaling is in use; call configure before the first openSignalingChannel or openSocket, or close() the signaling that it returned, or make another one with new Signaling(options)",
        )
        .into());
    }
    let object = JsValue::from(object.unwrap_or_default());
    DefaultSignaling::set(&object, &options, content)?;
    Ok(object)
}

/// Opens a channel of the default signaling. `this` is the page's connection.
#[wasm_bindgen(js_name = openSignalingChannel, this, skip_typescript)]
pub fn open_signaling_channel(this: JsValue, config: JsValue) -> Result<JsValue, JsValue> {
    default()?.open(Hook::OpenSignalingChannel, &this, &config)
}

/// Opens a channel of the default signaling. `this` is the page's config object.
#[wasm_bindgen(js_name = openSocket, this, skip_typescript)]
pub fn open_socket(this: JsValue, config: JsValue) -> Result<JsValue, JsValue> {
    default()?.open(Hook::OpenSocket, &this, &config)
}

/// The default signaling, made with the default options if the page didn't configure it.
fn default() -> Result<Rc<Opener>, JsValue> {
    if let Some(present) = DEFAULT.with_borrow(Clone::clone) {
        return Ok(present.opener);
    }
    DefaultSignaling::set(&Object::new(), &JsValue::UNDEFINED, JsValue::UNDEFINED)
}

/// `new Signaling(options)`: one logical connection to a server.
///
/// It is a function that puts the members on `this`, as a JavaScript constructor does. An exported
/// struct would have a method `free()`, after which its other methods throw.
#[wasm_bindgen(js_name = Signaling, this, skip_typescript)]
pub fn signaling(this: JsValue, options: JsValue) -> Result<(), JsValue> {
    if !this.is_object() {
        return Err(type_error("bad-config", "Signaling is a class; call it with new").into());
    }
    construct(&this, &options)?;
    Ok(())
}
