//! The stand-ins, for tests that are written in Rust; see `support/page.js`.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/tests/browser/support/page.js")]
extern "C" {
    /// Has all garbage collected.
    #[wasm_bindgen(catch)]
    pub async fn collect() -> Result<(), JsValue>;
    /// How much wasm holds: bytes of memory, and JavaScript values.
    #[wasm_bindgen(catch)]
    pub async fn held() -> Result<JsValue, JsValue>;
    /// Fails if wasm has kept something of each of so many rounds since it held `before`.
    #[wasm_bindgen(catch, js_name = keptNothing)]
    pub async fn kept_nothing(before: JsValue, rounds: u32) -> Result<(), JsValue>;

    #[wasm_bindgen(catch, js_name = openStage)]
    async fn open_stage(in_real_time: bool) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = takeFrames)]
    fn take_frames(socket: &Socket) -> Vec<String>;
}

#[wasm_bindgen]
extern "C" {
    /// A stand-in socket; see `support/fake_socket.js`.
    pub type Socket;
    /// The connection opens.
    #[wasm_bindgen(method)]
    pub fn accept(this: &Socket);
    /// A frame comes in.
    #[wasm_bindgen(method)]
    pub fn deliver(this: &Socket, frame: &str);
    /// The connection ends.
    #[wasm_bindgen(method)]
    pub fn end(this: &Socket, code: u16);
    /// The address that it was made with.
    #[wasm_bindgen(method, getter)]
    pub fn url(this: &Socket) -> String;
    /// As in a WebSocket.
    #[wasm_bindgen(method, getter, js_name = readyState)]
    pub fn ready_state(this: &Socket) -> u16;

    /// See `support/rust_stage.js`.
    type RustStage;
    #[wasm_bindgen(method)]
    fn pass(this: &RustStage, milliseconds: f64);
    #[wasm_bindgen(method, js_name = socketAt)]
    fn socket_at(this: &RustStage, at: i32) -> Socket;
    #[wasm_bindgen(method)]
    fn clear(this: &RustStage);
    #[wasm_bindgen(method, js_name = forgetSockets)]
    fn forget_sockets(this: &RustStage);
}

impl Socket {
    /// The frames that were sent since the last call.
    pub fn take_frames(&self) -> Vec<String> {
        take_frames(self)
    }
}

/// The stand-ins; dropped, it puts the browser's own objects back.
pub struct Stage(RustStage);

impl Stage {
    /// Installs the stand-ins for WebSocket, `fetch` and the clock.
    pub async fn set() -> Stage {
        Stage::open(false).await
    }

    /// The same on the browser's own clock.
    pub async fn set_in_real_time() -> Stage {
        Stage::open(true).await
    }

    async fn open(in_real_time: bool) -> Stage {
        Stage(open_stage(in_real_time).await.unwrap().unchecked_into())
    }

    /// Lets time pass on the stand-in clock.
    pub fn pass(&self, milliseconds: f64) {
        self.0.pass(milliseconds);
    }

    /// The socket that was made as number `at`.
    pub fn socket(&self, at: i32) -> Socket {
        self.0.socket_at(at)
    }

    /// Forgets the sockets that were made until now.
    pub fn forget_sockets(&self) {
        self.0.forget_sockets();
    }

    /// The socket that was made last.
    pub fn last_socket(&self) -> Socket {
        self.0.socket_at(-1)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.0.clear();
    }
}
