//! The functions that a signaling hands to the page and to the browser: all bound from one closure.
//!
//! A closure for each would cost a dozen times as much code, and wasm memory for each channel. A bound function is all JavaScript's: the
//! garbage collector has it when the page lets go of it, and `const { send } = handle` works.

use super::driver::Driver;
use super::js::{self, Received};
use super::signaling;
use alloc::rc::Rc;
use js_sys::{Function, Object, Proxy};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(extends = Function)]
    type Dispatcher;
    #[wasm_bindgen(method)]
    fn bind(this: &Dispatcher, target: &JsValue, call: u32, bound: &JsValue) -> Function;
}

/// What a function does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// The socket's `onopen`.
    Opened,
    /// The `onclose` of a socket, with the event, or of a transport, with the reason.
    Lost,
    /// The timer's callback.
    Woken,
    /// An event of the page's life, with it.
    Happened,
    /// The page's address of the server came, with it.
    Located,
    /// The page's credential came, with it.
    Provided,
    /// The answer to a request began, with the response; its text is asked for.
    Answered,
    /// It was read, with the text.
    Read,
    /// Nothing: of what a transport's `open` promised the transport itself tells, by `onopen`; and of a socket's `error` the `close` behind it.
    Nothing,
    /// One of these didn't come about, with the error.
    Failed,
    /// A transport's `onmessage`, with the text.
    Frame,
    /// A handle's `send`: bound to the channel's name, with the message.
    Send,
    /// A handle's `close`: bound to the channel's name.
    CloseChannel,
    /// The hook `openSignalingChannel`: the `apply` trap of a proxy, with its target, `this` and the arguments.
    OpenSignalingChannel,
    /// The hook `openSocket`, likewise.
    OpenSocket,
    /// `signaling.attach`, with the connection.
    Attach,
    /// `signaling.stats`.
    Stats,
    /// `signaling.close`.
    Close,
    /// `signaling.flushed`.
    Flushed,
    /// The executor of its promise, bound to the outbox's mark, with what resolves and what rejects it.
    AwaitFlushed,
    /// That of `signaling.closed`.
    AwaitClosed,
    /// The getter of `signaling.onframe`.
    GetOnframe,
    /// Its setter, with the value.
    SetOnframe,
}

const CALLS: [Call; 23] = [
    Call::Opened,
    Call::Lost,
    Call::Woken,
    Call::Happened,
    Call::Located,
    Call::Provided,
    Call::Answered,
    Call::Read,
    Call::Nothing,
    Call::Failed,
    Call::Frame,
    Call::Send,
    Call::CloseChannel,
    Call::OpenSignalingChannel,
    Call::OpenSocket,
    Call::Attach,
    Call::Stats,
    Call::Close,
    Call::Flushed,
    Call::AwaitFlushed,
    Call::AwaitClosed,
    Call::GetOnframe,
    Call::SetOnframe,
];

/// Below the id of a channel or connection, in the number that a function is bound to.
const CALL_BITS: u32 = 5;

/// The functions of one signaling.
pub struct Functions(Dispatcher);

impl Functions {
    /// The functions of `driver`.
    pub fn new(driver: &Rc<Driver>) -> Functions {
        let driver = Rc::clone(driver);
        let closure = Closure::<Dispatch>::own(move |number: u32, bound, first, second, third| {
            match CALLS.get((number & ((1 << CALL_BITS) - 1)) as usize) {
                Some(call) => signaling::dispatch(
                    &driver,
                    *call,
                    number >> CALL_BITS,
                    bound,
                    first,
                    second,
                    third,
                ),
                None => Ok(JsValue::UNDEFINED),
            }
        });
        Functions(closure.into_js_value().unchecked_into())
    }

    /// The function that does `call`, for the channel `id` named `bound`, or for the connection `id`, if it is about one.
    pub fn get(&self, call: Call, id: u32, bound: &JsValue) -> Function {
        self.0
            .bind(&JsValue::UNDEFINED, call as u32 | id << CALL_BITS, bound)
    }

    /// The socket's `onmessage`: a closure of its own, since going by way of the bound one takes a fifth of the time of dropping a frame.
    pub fn onmessage(driver: &Rc<Driver>) -> JsValue {
        let driver = Rc::clone(driver);
        let frame = move |event: Received| driver.frame(event.data());
        Closure::<dyn Fn(Received)>::own(frame).into_js_value()
    }

    /// Like [`get`](Self::get), but the function knows the `this` that it is called with. wasm-bindgen's closures are arrow functions, which have none; the `apply`
    /// trap of a proxy is handed it.
    pub fn with_this(&self, call: Call) -> Function {
        let trap = self.get(call, 0, &JsValue::UNDEFINED);
        let handler = Object::new();
        js::put(&handler, "apply", &trap);
        Proxy::new(&trap, &handler).unchecked_into()
    }
}

type Dispatch = dyn Fn(u32, JsValue, JsValue, JsValue, JsValue) -> Result<JsValue, JsValue>;
