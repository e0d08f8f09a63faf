//! The typed Rust API: what a Rust front end calls, over the same stand-in socket.
//!
//! * `channels`: messages of many types come through as they were, and the wire holds plain JSON; what
//!   can't be sent; several openings; handlers and what they may do; publishing
//! * `streams`: streams of messages and states, their order, bounds and ends
//! * `connecting`: `connect`, `disconnect` and the other calls; states and errors
//! * `options`: none that JavaScript has is missing; what they do
//! * `errors`: each code has its kind
//! * `leaks`: nothing is kept of what is dropped

mod channels;
mod connecting;
mod errors;
mod leaks;
mod options;
mod publishing;
mod streams;
mod transports;

use super::stage::Stage;
use serde::Serialize;
use serde::de::DeserializeOwned;
use signal_wasm::{Channel, Options, Plain, Protocol, Signaling};
use std::cell::RefCell;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use wasm_bindgen::JsValue;

fn server() -> Options {
    Options {
        url: Some("ws://server.test/".into()),
        protocol: Protocol::WebSocket(Plain::default()),
        ..Options::default()
    }
}

/// A frame that another page sent on the channel `room`.
fn frame(message: &str) -> String {
    format!(r#"{{"sender":17,"channel":"room","message":{message}}}"#)
}

/// What was heard, and the handler that notes it.
fn notes<T: 'static>() -> (Rc<RefCell<Vec<T>>>, impl Fn(T) + 'static) {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let notes = Rc::clone(&heard);
    (heard, move |value| notes.borrow_mut().push(value))
}

fn take<T>(notes: &RefCell<Vec<T>>) -> Vec<T> {
    notes.borrow_mut().drain(..).collect()
}

/// A signaling with a channel open on an open socket.
fn connected<M: Serialize + DeserializeOwned + Debug + 'static>(
    stage: &Stage,
) -> (Signaling, Channel<M>) {
    let signaling = Signaling::new(&server()).unwrap();
    let channel = signaling.channel("room").unwrap();
    stage.last_socket().accept();
    (signaling, channel)
}

/// Polls once.
fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

/// The output of a future that must be there already.
fn ready<F: Future>(future: F) -> F::Output {
    match poll(&mut Box::pin(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// Starts a task, and notes what it gives.
fn spawn<F: Future<Output: 'static> + 'static>(future: F) -> Rc<RefCell<Vec<F::Output>>> {
    let (heard, note) = notes();
    js_sys::futures::spawn_local(async move { note(future.await) });
    heard
}

/// Lets all tasks run that can.
async fn settle() {
    for _ in 0..10 {
        let nothing = js_sys::Promise::resolve(&JsValue::UNDEFINED);
        js_sys::futures::JsFuture::from(nothing).await.unwrap();
    }
}
