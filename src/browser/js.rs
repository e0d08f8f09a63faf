//! Bindings of our own: what js-sys and web-sys lack, or have only by copying whole strings into wasm and back.

use js_sys::{Function, JsString};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// `JSON.parse` of a string that stays in JavaScript.
    #[wasm_bindgen(js_namespace = JSON, js_name = parse, catch)]
    pub fn parse_json(text: &JsString) -> Result<JsValue, JsValue>;

    /// `JSON.stringify`, which answers `undefined` for what JSON can't hold.
    #[wasm_bindgen(js_namespace = JSON, js_name = stringify, catch)]
    pub fn to_json(value: &JsValue) -> Result<JsValue, JsValue>;

    /// `String(value)`.
    #[wasm_bindgen(js_name = String, catch)]
    pub fn to_text(value: &JsValue) -> Result<JsString, JsValue>;

    /// Tells the console and `window.onerror` of an exception as if it hadn't been caught.
    #[wasm_bindgen(js_name = reportError)]
    pub fn report_error(error: &JsValue);

    /// Milliseconds on a clock that never goes back.
    #[wasm_bindgen(js_namespace = performance)]
    pub fn now() -> f64;

    /// The page's or worker's address; `None` where there is neither.
    #[wasm_bindgen(thread_local_v2, js_name = location)]
    pub static LOCATION: Option<Location>;

    /// `Location` and `WorkerLocation`.
    pub type Location;
    #[wasm_bindgen(method, getter)]
    pub fn href(this: &Location) -> String;

    /// A string whose methods take and give strings that stay in JavaScript.
    #[wasm_bindgen(extends = JsString)]
    pub type Text;
    #[wasm_bindgen(method, js_class = "String", js_name = concat)]
    pub fn concat(this: &Text, middle: &JsString, tail: &str) -> JsString;

    /// A function that is called with one value, or none, and whose exceptions are caught.
    #[wasm_bindgen(extends = Function)]
    pub type Callback;
}
