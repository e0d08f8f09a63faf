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

    #[wasm_bindgen(js_name = setStage)]
    fn set_stage(in_real_time: bool);
    #[wasm_bindgen(js_name = clearStage)]
    fn clear_stage();
    #[wasm_bindgen(js_name = pass)]
    fn pass(milliseconds: f64);
    #[wasm_bindgen(js_name = socketAt)]
    fn socket_at(at: i32) -> Socket;
    #[wasm_bindgen(js_name = takeFrames)]
    fn take_frames(socket: &Socket) -> Vec<String>;

    /// What wasm holds: bytes of memory, and slots for JavaScript values.
    #[wasm_bindgen(catch)]
    pub async fn held() -> Result<JsValue, JsValue>;
    /// Fails if wasm has kept something of each of so many rounds since it held `before`.
    #[wasm_bindgen(catch, js_name = keptNothing)]
    pub async fn kept_nothing(before: JsValue, rounds: u32) -> Result<(), JsValue>;
}

/// What a test returns: the exception that made it fail.
pub type Verdict = Result<(), JsValue>;

#[wasm_bindgen]
extern "C" {
    /// A stand-in socket; see `fake_socket.js`.
    pub type Socket;
    /// The connection is there.
    #[wasm_bindgen(method)]
    pub fn accept(this: &Socket);
    /// A frame comes in.
    #[wasm_bindgen(method)]
    pub fn deliver(this: &Socket, frame: &str);
    /// The connection ends.
    #[wasm_bindgen(method)]
    pub fn end(this: &Socket, code: u16);
}

impl Socket {
    /// The frames that were sent since it was last asked.
    pub fn take_frames(&self) -> Vec<String> {
        take_frames(self)
    }
}

/// The stand-ins, for a page that is written in Rust; taken down when dropped.
pub struct Stage(());

impl Stage {
    /// Puts them up.
    pub fn set() -> Stage {
        set_stage(false);
        Stage(())
    }

    /// The same with the browser's own clock.
    pub fn set_in_real_time() -> Stage {
        set_stage(true);
        Stage(())
    }

    /// Lets time pass on the stand-in clock.
    pub fn pass(&self, milliseconds: f64) {
        pass(milliseconds);
    }

    /// The socket that was made as number `at`.
    pub fn socket(&self, at: i32) -> Socket {
        socket_at(at)
    }

    /// The socket that was made last.
    pub fn last_socket(&self) -> Socket {
        socket_at(-1)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        clear_stage();
    }
}
