//! Bindings of our own: what js-sys and web-sys lack, or have only by copying whole strings into wasm and back.
//!
//! An import costs some fifty bytes of the package, so what isn't on a hot path goes through [`get`] and [`set`]. On the receive path no Rust
//! string goes to JavaScript: decoding one takes as long as all the rest.

use crate::protocol;
use alloc::string::String;
use alloc::vec::Vec;
use js_sys::{Array, JsString, Object};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// `target[member]`; the error is a getter's, or that of a target that isn't an object.
    #[wasm_bindgen(js_namespace = Reflect, catch)]
    pub fn get(target: &JsValue, member: &str) -> Result<JsValue, JsValue>;

    /// `target[member] = value`; `false` where that can't be.
    #[wasm_bindgen(js_namespace = Reflect, catch)]
    pub fn set(target: &JsValue, member: &str, value: &JsValue) -> Result<bool, JsValue>;

    #[wasm_bindgen(js_namespace = Reflect, js_name = set)]
    fn set_symbol(target: &JsValue, symbol: &JsValue, value: &JsValue) -> bool;

    #[wasm_bindgen(js_namespace = Object, js_name = defineProperty)]
    fn define_property(target: &JsValue, member: &str, descriptor: &JsValue);

    // What throws in everyday use returns no plain `JsValue`: the place kept for it in wasm's table would be lost with each exception.
    // `Option` and `()` keep none.

    #[wasm_bindgen(js_namespace = JSON, js_name = parse, catch)]
    fn parse(text: &JsString) -> Result<Option<JsValue>, JsValue>;

    /// `JSON.stringify`, which answers `undefined` for what JSON can't hold.
    #[wasm_bindgen(js_namespace = JSON, js_name = stringify, catch)]
    pub fn to_json(value: &JsValue) -> Result<Option<JsValue>, JsValue>;

    /// [`parse_json`] for what will hardly throw: a tenth of a microsecond quicker, but each time it does throw, the place that wasm-bindgen
    /// keeps for what it returns is lost.
    #[wasm_bindgen(js_namespace = JSON, js_name = parse, catch)]
    pub fn parse_likely_json(text: &JsString) -> Result<JsValue, JsValue>;

    type Promise;
    #[wasm_bindgen(constructor)]
    fn new(executor: &JsValue) -> Promise;

    /// A function of the page's. What it returns is nobody's.
    pub type Handler;
    #[wasm_bindgen(method, catch, js_name = call)]
    pub fn call0(this: &Handler, target: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = call)]
    pub fn call1(this: &Handler, target: &JsValue, only: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = call)]
    pub fn call2(
        this: &Handler,
        target: &JsValue,
        first: &JsValue,
        second: &JsValue,
    ) -> Result<Option<JsValue>, JsValue>;

    /// `Number(value)`.
    #[wasm_bindgen(js_name = Number, catch)]
    pub fn number(value: &JsValue) -> Result<f64, JsValue>;

    /// `String(value)`.
    #[wasm_bindgen(js_name = String, catch)]
    fn string(value: &JsValue) -> Result<String, JsValue>;

    /// Tells the console and `window.onerror` of an exception as if it hadn't been caught.
    #[wasm_bindgen(js_name = reportError)]
    pub fn report_error(error: &JsValue);

    /// Milliseconds on a clock that never goes back.
    #[wasm_bindgen(js_namespace = performance)]
    pub fn now() -> f64;

    #[wasm_bindgen(thread_local_v2, js_name = globalThis)]
    static GLOBAL: JsValue;

    /// What each received frame asks others' objects for, by names that are in the glue.
    pub type Received;
    /// Of a `MessageEvent`, whose own getter throws nothing.
    #[wasm_bindgen(method, getter)]
    pub fn data(this: &Received) -> JsValue;
    /// Of a channel's config.
    #[wasm_bindgen(method, catch)]
    pub fn onmessage(this: &Received, message: &JsValue) -> Result<(), JsValue>;

    /// A string whose methods take and give strings that stay in JavaScript.
    #[derive(Clone)]
    pub type Text;
    #[wasm_bindgen(method, getter)]
    pub fn length(this: &Text) -> u32;
    #[wasm_bindgen(method)]
    pub fn slice(this: &Text, start: u32, end: u32) -> JsString;
    /// The same, but the slice comes into wasm. It must start at 0: xtask/src/build/hot_path.rs counts on it.
    #[wasm_bindgen(method, js_name = slice)]
    pub fn copy(this: &Text, start: u32, end: u32) -> String;
    #[wasm_bindgen(method, js_name = charCodeAt)]
    pub fn char_code_at(this: &Text, at: u32) -> u32;
    #[wasm_bindgen(method, js_name = split)]
    fn split_at(this: &Text, separator: &str) -> Array;
    #[wasm_bindgen(method, js_name = includes)]
    pub fn includes(this: &Text, part: &Text, start: u32) -> bool;
    #[wasm_bindgen(method)]
    pub fn concat(this: &Text, middle: &Text, tail: &str) -> Text;
}

impl core::fmt::Debug for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Text")
    }
}

/// `target[member] = value`, for a target of our own making: it takes any member.
pub fn put(target: &JsValue, member: &str, value: &JsValue) {
    let _ = set(target, member, value);
}

/// `JSON.parse` of a string that stays in JavaScript.
#[inline]
pub fn parse_json(text: &JsString) -> Result<JsValue, JsValue> {
    parse(text).map(|value| value.unwrap_or(JsValue::NULL))
}

/// A member of a target that needn't have it, nor be an object.
pub fn member(target: &JsValue, member: &str) -> JsValue {
    if target.is_undefined() {
        return JsValue::UNDEFINED;
    }
    get(target, member).unwrap_or_default()
}

/// `String(value)`; empty for what throws at that.
pub fn text(value: &JsValue) -> String {
    string(value).unwrap_or_default()
}

/// Makes `target[member]` call `get` and `set`.
pub fn put_accessor(target: &JsValue, member: &str, get: &JsValue, set: &JsValue) {
    let descriptor = JsValue::from(Object::new());
    put(&descriptor, "get", get);
    put(&descriptor, "set", set);
    put(&descriptor, "enumerable", &JsValue::TRUE);
    define_property(target, member, &descriptor);
}

/// Makes `dispose` what `using` calls at the end of its block, where the browser knows of it.
pub fn put_dispose(target: &JsValue, dispose: &JsValue) {
    let symbol = member(&global("Symbol"), "dispose");
    if !symbol.is_undefined() {
        set_symbol(target, &symbol, dispose);
    }
}

/// `target[method](first, second)`.
pub fn invoke(
    target: &JsValue,
    method: &str,
    first: &JsValue,
    second: &JsValue,
) -> Result<JsValue, JsValue> {
    get(target, method)?
        .unchecked_ref::<Handler>()
        .call2(target, first, second)
        .map(Option::unwrap_or_default)
}

/// A promise of `value`, which may be one itself; of what it returns, if it is a function.
pub fn promise(value: &JsValue) -> Result<JsValue, JsValue> {
    let undefined = &JsValue::UNDEFINED;
    let resolve = |value| invoke(&global("Promise"), "resolve", value, undefined);
    if value.is_function() {
        // Called from there, it may call us, and throw.
        invoke(&resolve(undefined)?, "then", value, undefined)
    } else {
        resolve(value)
    }
}

/// `new Promise(executor)`.
pub fn new_promise(executor: &JsValue) -> JsValue {
    Promise::new(executor).into()
}

/// `Promise.reject(reason)`.
pub fn rejected(reason: &JsValue) -> Result<JsValue, JsValue> {
    invoke(&global("Promise"), "reject", reason, &JsValue::UNDEFINED)
}

/// `fetch(url, init)`.
pub fn fetch(url: &str, init: &JsValue) -> Result<JsValue, JsValue> {
    GLOBAL.with(|global| invoke(global, "fetch", &url.into(), init))
}

impl protocol::Text for Text {
    fn followed_by(&self, next: &Text) -> Text {
        self.concat(next, "")
    }

    fn split(&self, separator: &str) -> Vec<Text> {
        let parts = self.split_at(separator);
        (0..parts.length())
            .map(|at| parts.get(at).unchecked_into())
            .collect()
    }

    fn is_empty(&self) -> bool {
        self.length() == 0
    }
}

impl protocol::Value for JsValue {
    fn member(&self, name: &str) -> JsValue {
        if self.is_object() {
            member(self, name)
        } else {
            JsValue::UNDEFINED
        }
    }

    fn is_none(&self) -> bool {
        self.is_undefined()
    }

    fn text(&self) -> Option<String> {
        self.as_string()
    }

    fn number(&self) -> f64 {
        self.as_f64().unwrap_or(f64::NAN)
    }

    fn is_true(&self) -> bool {
        *self == JsValue::TRUE
    }
}

/// A member of the global object.
pub fn global(member: &str) -> JsValue {
    GLOBAL.with(|global| self::member(global, member))
}
