//! Runs a test's body, which is what a page would write; see `page.js`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/tests/browser/page.js")]
extern "C" {
    /// Runs JavaScript on a stand-in socket and a stand-in clock.
    #[wasm_bindgen(catch, js_name = run)]
    pub fn page(body: &str) -> Result<(), JsValue>;

    /// The same for JavaScript that awaits.
    #[wasm_bindgen(catch, js_name = runAwaiting)]
    pub async fn page_awaiting(body: &str) -> Result<(), JsValue>;

    /// The same on the browser's own clock.
    #[wasm_bindgen(catch, js_name = runInRealTime)]
    pub async fn page_in_real_time(body: &str) -> Result<(), JsValue>;
}

/// What a test returns: the exception that made it fail.
pub type Verdict = Result<(), JsValue>;
