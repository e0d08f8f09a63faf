//! The one timer of a driver.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &JsValue, delay: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
}

/// The longest delay that `setTimeout` takes; a longer one would fire at once.
pub const LONGEST: f64 = 2_147_483_647.0;

/// Calls back once, at `at`; cancelled when dropped.
#[derive(Debug)]
#[must_use = "a timer is cancelled when it is dropped"]
pub struct Timer {
    /// When.
    pub at: f64,
    id: JsValue,
}

impl Timer {
    /// Calls back at `at`, `now` being the present, or `LONGEST` from now if that comes sooner.
    pub fn new(now: f64, at: f64, callback: &JsValue) -> Timer {
        Timer {
            at,
            id: set_timeout(callback, (at - now).min(LONGEST)),
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}
