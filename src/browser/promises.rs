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
#[cfg(feature = "exports")]
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

/// A promise, and what settles it.
#[cfg(feature = "typed-api")]
pub fn unsettled() -> (Promise, Settle) {
    let (promise, resolve, reject) = deferred();
    (promise, Settle { resolve, reject })
}

/// What a promise waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The signaling is connected.
    Connected,
    /// The outbox is flushed up to a mark.
    Flushed(u64),
    /// The server has accepted the message of this number.
    Accepted(u64),
}

/// The page's promises that haven't settled.
#[derive(Debug, Default)]
pub struct Waiting(RefCell<Vec<Waiter>>);

#[derive(Debug)]
struct Waiter {
    until: Until,
    settle: Settle,
}

/// The functions that settle a promise.
#[derive(Debug)]
pub struct Settle {
    /// Resolves it.
    pub resolve: Function,
    /// Rejects it.
    pub reject: Function,
}

impl Settle {
    /// Those that the page gives, which may be `undefined`.
    #[cfg(feature = "exports")]
    pub fn of(given: &JsValue) -> Option<Settle> {
        let function = |name| js::member(given, name).dyn_into().ok();
        Some(Settle {
            resolve: function("resolve")?,
            reject: function("reject")?,
        })
    }

    /// Neither function throws, nor calls the page at once.
    fn reject(&self, error: &JsValue) {
        let reject = self.reject.unchecked_ref::<Handler>();
        let _ = reject.call1(&JsValue::UNDEFINED, error);
    }

    fn resolve(&self) {
        let resolve = self.resolve.unchecked_ref::<Handler>();
        let _ = resolve.call0(&JsValue::UNDEFINED);
    }
}

impl Waiting {
    /// A promise of that.
    pub fn promise(&self, until: Until) -> Promise {
        let (promise, resolve, reject) = deferred();
        self.add(until, Settle { resolve, reject });
        promise
    }

    /// Another one that waits for that.
    pub fn add(&self, until: Until, settle: Settle) {
        self.0.borrow_mut().push(Waiter { until, settle });
    }

    /// Resolves the promises of what `is_reached`. Rejects all others once the signaling
    /// `is_closed`.
    pub fn settle(&self, is_closed: bool, is_reached: impl Fn(Until) -> bool) {
        for settle in self.take(&|until| is_closed || is_reached(until)) {
            if is_closed {
                settle.reject(&Error::signaling_closed().into());
            } else {
                settle.resolve();
            }
        }
    }

    /// Rejects the promises of that.
    pub fn reject(&self, of: Until, error: &JsValue) {
        for settle in self.take(&|until| until == of) {
            settle.reject(error);
        }
    }

    fn take(&self, is_meant: &dyn Fn(Until) -> bool) -> Vec<Settle> {
        let mut waiters = self.0.borrow_mut();
        let meant = waiters.extract_if(.., |waiter| is_meant(waiter.until));
        meant.map(|waiter| waiter.settle).collect()
    }
}
