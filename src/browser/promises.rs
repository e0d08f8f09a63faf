//! Promises of the page and the browser, and promises for the page.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;

use super::error::Error;
use super::js::{self, Handler};

type Outcome = Result<JsValue, JsValue>;
/// A callback for an outcome.
type Done = Box<dyn FnOnce(Outcome)>;
/// The same for two functions, of which one is called.
type Once = Rc<Cell<Option<Done>>>;

/// Calls `done` with what a promise resolves to, or with what it rejects with.
pub fn when(promise: &Promise, done: impl FnOnce(Outcome) + 'static) {
    settle(promise, Box::new(done));
}

fn settle(promise: &Promise, done: Done) {
    let done: Once = Rc::new(Cell::new(Some(done)));
    let resolved = settle_function(&done, Ok);
    let rejected = settle_function(&done, Err);
    // zone.js puts a Promise of its own in the place of the browser's, and its `then` throws for
    // the browser's promises.
    let promise = Promise::resolve(promise);
    let _ = js::then(&promise, &resolved, &rejected);
}

/// A function that calls `done`. The garbage collector frees it, even if the promise never settles.
fn settle_function(done: &Once, outcome: fn(JsValue) -> Outcome) -> JsValue {
    let done = Rc::clone(done);
    let settle = Closure::<dyn Fn(JsValue)>::new(move |value| {
        if let Some(done) = done.take() {
            done(outcome(value));
        }
    });
    settle.into_js_value()
}

/// Calls `f` from a microtask.
#[cfg(feature = "typed-api")]
pub fn later(f: impl FnOnce() + 'static) {
    when(&Promise::resolve(&JsValue::UNDEFINED), move |_| f());
}

/// A promise of a value that the page provides: the value itself, or the result of a function,
/// which may be async.
pub fn provided(provider: &JsValue) -> Promise {
    if provider.is_function() {
        // The function is called from a microtask, so it may call us or throw.
        let later = Promise::resolve(&JsValue::UNDEFINED);
        js::then(&later, provider, &JsValue::UNDEFINED)
    } else {
        Promise::resolve(provider)
    }
}

/// A promise together with the function that resolves it.
pub fn resolvable() -> (Promise, Function) {
    let (promise, resolve, _) = deferred();
    (promise, resolve)
}

fn deferred() -> (Promise, Function, Function) {
    let mut functions = None;
    let promise = Promise::new(&mut |resolve, reject| functions = Some((resolve, reject)));
    // The executor runs before the constructor returns.
    let (resolve, reject) = functions.unwrap_or_default();
    (promise, resolve, reject)
}

/// The promises of `flushed()` that haven't settled.
#[derive(Debug, Default)]
pub struct Flushes(RefCell<Vec<Flush>>);

#[derive(Debug)]
struct Flush {
    mark: u64,
    resolve: Function,
    reject: Function,
}

impl Flushes {
    /// A promise that the outbox is flushed up to a mark.
    pub fn add(&self, mark: u64) -> Promise {
        let (promise, resolve, reject) = deferred();
        self.0.borrow_mut().push(Flush {
            mark,
            resolve,
            reject,
        });
        promise
    }

    /// Resolves the promises whose mark is `flushed`. Rejects all others once the signaling
    /// `is_closed`.
    pub fn settle(&self, is_closed: bool, flushed: u64) {
        let done: Vec<_> = self
            .0
            .borrow_mut()
            .extract_if(.., |flush| is_closed || flush.mark <= flushed)
            .collect();
        for flush in done {
            // Neither function throws, nor calls the page at once.
            let _ = if is_closed {
                let error = JsValue::from(Error::signaling_closed());
                flush
                    .reject
                    .unchecked_ref::<Handler>()
                    .call1(&JsValue::UNDEFINED, &error)
            } else {
                flush
                    .resolve
                    .unchecked_ref::<Handler>()
                    .call0(&JsValue::UNDEFINED)
            };
        }
    }
}
