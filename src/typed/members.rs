//! Writes options as the members of an object, as JavaScript's `new Signaling` takes them. What they
//! mean, and which values are valid, is in `browser/options.rs` alone.

use std::collections::BTreeMap;
use std::time::Duration;

use js_sys::Object;
use wasm_bindgen::JsValue;

use super::state::milliseconds;
use crate::browser::js;

/// An object whose members are set one by one.
pub(super) struct Members(Object);

impl Members {
    pub(super) fn new() -> Members {
        Members(Object::new())
    }

    /// Sets a member, if there is a value.
    pub(super) fn put<V: Member>(&self, name: &str, value: &Option<V>) {
        if let Some(value) = value {
            js::put(&self.0, name, value.to_js());
        }
    }

    /// Sets a member that is an object, unless that is empty.
    pub(super) fn put_members(&self, name: &str, members: Members) {
        if js::keys(&members.0).next().is_some() {
            js::put(&self.0, name, members.0);
        }
    }

    /// The object.
    pub(super) fn into_object(self) -> Object {
        self.0
    }
}

/// A value of an option.
pub(super) trait Member {
    fn to_js(&self) -> JsValue;
}

impl Member for &str {
    fn to_js(&self) -> JsValue {
        (*self).into()
    }
}

impl Member for String {
    fn to_js(&self) -> JsValue {
        self.into()
    }
}

impl Member for bool {
    fn to_js(&self) -> JsValue {
        (*self).into()
    }
}

impl Member for u32 {
    fn to_js(&self) -> JsValue {
        (*self).into()
    }
}

/// In milliseconds.
impl Member for Duration {
    fn to_js(&self) -> JsValue {
        milliseconds(*self).into()
    }
}

impl Member for JsValue {
    fn to_js(&self) -> JsValue {
        self.clone()
    }
}

impl Member for Vec<String> {
    fn to_js(&self) -> JsValue {
        self.iter()
            .map(JsValue::from)
            .collect::<js_sys::Array>()
            .into()
    }
}

impl Member for BTreeMap<String, String> {
    fn to_js(&self) -> JsValue {
        let object = Object::new();
        for (name, value) in self {
            js::put(&object, name, value);
        }
        object.into()
    }
}
