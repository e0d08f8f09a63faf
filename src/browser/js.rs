//! The few bindings that web-sys and js-sys lack, and small helpers for JavaScript objects.

use std::cell::Cell;

use js_sys::{Function, JsString, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::WorkerGlobalScope;

#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    /// A function that passes its own `this` to `f`, as the first argument.
    #[wasm_bindgen(js_name = withThis)]
    pub fn with_this(f: &JsValue) -> Function;

    /// The length of a string in bytes of UTF-8.
    #[wasm_bindgen(js_name = utf8Length)]
    pub fn utf8_length(text: &JsString) -> u32;

    /// `JSON.parse`, or `undefined` for what isn't JSON.
    #[wasm_bindgen(js_name = parseJson)]
    pub fn parse_json(text: &JsString) -> JsValue;

    /// Reports an exception like an uncaught one. Never throws.
    #[wasm_bindgen(js_name = report)]
    pub fn report_error(error: &JsValue);

    /// Calls `f`, and reports what it throws. An exception of an import that has no `catch` would
    /// end our callers too, in the midst of what they do.
    pub fn contain(f: &mut dyn FnMut());

    /// Milliseconds since the page began, or NaN.
    #[wasm_bindgen(js_name = now)]
    fn performance_now(performance: &JsValue) -> f64;

    /// Whether there is a line break before the last character.
    #[wasm_bindgen(js_name = hasInnerLineBreak)]
    pub fn has_inner_line_break(text: &JsString) -> bool;

    /// Tells of each type of event that is listened to from now on.
    #[wasm_bindgen(js_name = watchListeners)]
    pub fn watch_listeners(target: &JsValue, tell: &JsValue);

    /// Calls the listeners of an event of `target`, if it is an event target.
    pub fn dispatch(target: &JsValue, kind: &str, members: &JsValue);

    /// The UTF-8 text in an `ArrayBuffer` or a view of one; `undefined` if it is something else.
    #[wasm_bindgen(js_name = readUtf8)]
    pub fn read_utf8(bytes: &JsValue) -> Option<JsString>;
}

#[wasm_bindgen(module = "/src/browser/channels.js")]
extern "C" {
    /// Puts the function `channel` on a signaling. Returns a function of a name, which lets the
    /// openings by `channel` of that name receive again, if there are any.
    pub fn channels(
        signaling: &JsValue,
        open: &JsValue,
        withdraw: &JsValue,
        tell: &JsValue,
        closed: &Promise,
    ) -> JsValue;

    /// The promise, or the rejection of an `options.signal` that is aborted first.
    pub fn abortable(promise: &Promise, options: &JsValue) -> JsValue;

    /// What two calls of `configure` must have in common to be the same.
    #[wasm_bindgen(js_name = contentOf)]
    pub fn content_of(options: &JsValue) -> JsValue;

    /// Whether both contents are the same.
    #[wasm_bindgen(js_name = isSame)]
    pub fn is_same(one: &JsValue, other: &JsValue) -> bool;
}

#[wasm_bindgen]
extern "C" {
    // js-sys declares these with a `JsValue` as the result. When such an import throws, a slot of
    // the externref table leaks. `Option` and `()` need no slot.

    /// `JSON.stringify`, which returns `undefined` for what JSON can't hold.
    #[wasm_bindgen(js_namespace = JSON, js_name = stringify, catch)]
    pub fn to_json(value: &JsValue) -> Result<Option<JsString>, JsValue>;

    /// A function of the page, whose result is ignored.
    pub type Handler;
    #[wasm_bindgen(method, catch, js_name = call)]
    pub fn call0(this: &Handler, target: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = call)]
    pub fn call1(this: &Handler, target: &JsValue, argument: &JsValue) -> Result<(), JsValue>;
    #[wasm_bindgen(method, catch, js_name = call)]
    pub fn call2(
        this: &Handler,
        target: &JsValue,
        first: &JsValue,
        second: &JsValue,
    ) -> Result<(), JsValue>;

    /// `promise.then`, with functions that the garbage collector frees. (`call`, because a page's
    /// thenable may have another `then`.) js-sys takes closures that Rust must keep until the
    /// promise settles.
    #[wasm_bindgen(js_namespace = ["Promise", "prototype", "then"], js_name = call)]
    pub fn then(promise: &Promise, resolved: &JsValue, rejected: &JsValue) -> Promise;

    /// A channel's config. This is one call for each message, where reading the member and calling
    /// it would be two.
    pub type Config;
    #[wasm_bindgen(method, catch)]
    pub fn onmessage(this: &Config, message: &JsValue) -> Result<(), JsValue>;

    /// The text of a received frame. js-sys needs two steps to copy a part of a string.
    pub type FrameText;
    #[wasm_bindgen(method, js_name = slice)]
    pub fn copy(this: &FrameText, start: u32, end: u32) -> String;

    /// `Number(value)`. js-sys has it without `catch`.
    #[wasm_bindgen(js_name = Number, catch)]
    pub fn to_number(value: &JsValue) -> Result<f64, JsValue>;

    /// `String(value)`, likewise.
    #[wasm_bindgen(js_name = String, catch)]
    fn to_string(value: &JsValue) -> Result<String, JsValue>;

    /// The global object. `js_sys::global` falls back to `new Function`, which content security
    /// policies forbid. The members that we use have the same names in a window, a worker and Node,
    /// so the worker's type serves for all.
    #[wasm_bindgen(thread_local_v2, js_name = globalThis)]
    static GLOBAL: WorkerGlobalScope;
}

/// The global object.
pub fn global() -> WorkerGlobalScope {
    GLOBAL.with(Clone::clone)
}

/// `target[member]`; `undefined` if the target isn't an object, or a getter throws.
pub fn member(target: &JsValue, member: &str) -> JsValue {
    if !target.is_object() && !target.is_function() {
        return JsValue::UNDEFINED;
    }
    Reflect::get(target, &member.into()).unwrap_or_default()
}

/// `target[member] = value`. What a setter throws is ignored.
pub fn put(target: &JsValue, member: &str, value: impl Into<JsValue>) {
    put_value(target, member, &value.into());
}

fn put_value(target: &JsValue, member: &str, value: &JsValue) {
    let _ = Reflect::set(target, &member.into(), value);
}

/// Writes a sentence to the console. What a page's own console throws is reported.
pub fn warn(sentence: &str) {
    let sentence = JsValue::from(sentence);
    contain(&mut || web_sys::console::warn_1(&sentence));
}

/// `String(value)`; empty where that throws.
pub fn text(value: &JsValue) -> String {
    to_string(value).unwrap_or_default()
}

/// The own members of an object, in order.
pub fn keys(object: &JsValue) -> impl Iterator<Item = String> {
    let object: &Object = object.unchecked_ref();
    let keys = Object::keys(object);
    keys.into_iter().map(|key| text(&key))
}

/// A clock that never goes back: `performance.now()`. From the moment where that fails for the first
/// time, it goes on by `Date.now()`.
#[derive(Debug)]
pub struct Clock {
    /// Cached: reading it from the global object for each frame would be slow.
    performance: JsValue,
    latest: Cell<f64>,
    /// What has to be added to `Date.now()`, once it is used.
    offset: Cell<Option<f64>>,
}

impl Clock {
    /// The page's clock.
    pub fn new() -> Clock {
        Clock {
            performance: member(&global(), "performance"),
            latest: Cell::new(0.0),
            offset: Cell::new(None),
        }
    }

    /// Milliseconds since the page began.
    pub fn now(&self) -> f64 {
        let now = match self.offset.get() {
            None => performance_now(&self.performance),
            Some(_) => f64::NAN,
        };
        let now = if now.is_nan() { self.by_date() } else { now };
        self.latest.set(now);
        now
    }

    fn by_date(&self) -> f64 {
        let date = js_sys::Date::now();
        let offset = self.offset.get().unwrap_or(self.latest.get() - date);
        self.offset.set(Some(offset));
        date + offset
    }
}
