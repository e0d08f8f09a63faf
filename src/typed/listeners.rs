//! Functions that are called with each value, until they are removed.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

/// Functions that are called with each value.
pub(super) struct Listeners<T: ?Sized> {
    last: Cell<u64>,
    list: RefCell<Vec<(u64, Listener<T>)>>,
}

type Listener<T> = Rc<dyn Fn(&T)>;

impl<T: ?Sized + 'static> Listeners<T> {
    /// None.
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Listeners {
            last: Cell::new(0),
            list: RefCell::default(),
        })
    }

    /// Adds one, and returns its number.
    pub(super) fn push(&self, listener: impl Fn(&T) + 'static) -> u64 {
        let number = self.last.get() + 1;
        self.last.set(number);
        self.list.borrow_mut().push((number, Rc::new(listener)));
        number
    }

    /// Adds one, until the subscription is dropped.
    pub(super) fn add(self: &Rc<Self>, listener: impl Fn(&T) + 'static) -> Subscription {
        let number = self.push(listener);
        let listeners = Rc::downgrade(self);
        Subscription::new(move || {
            if let Some(listeners) = listeners.upgrade() {
                listeners.remove(number);
            }
        })
    }

    /// Calls all, which may add and remove others: those aren't called any more, or not yet.
    pub(super) fn call(&self, value: &T) {
        let numbers: Vec<u64> = self.list.borrow().iter().map(|(of, _)| *of).collect();
        for number in numbers {
            let listener = self.find(number);
            if let Some(listener) = listener {
                listener(value);
            }
        }
    }

    fn find(&self, number: u64) -> Option<Listener<T>> {
        let list = self.list.borrow();
        let (_, listener) = list.iter().find(|(of, _)| *of == number)?;
        Some(Rc::clone(listener))
    }

    /// Removes the one of that number. What it owns may have listeners, so it is dropped after the
    /// borrow.
    pub(super) fn remove(&self, number: u64) {
        let mut list = self.list.borrow_mut();
        let place = list.iter().position(|(of, _)| *of == number);
        let removed = place.map(|place| list.remove(place));
        drop(list);
        drop(removed);
    }

    /// Removes all.
    pub(super) fn clear(&self) {
        drop(self.list.take());
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.list.borrow().is_empty()
    }
}

impl<T: ?Sized> fmt::Debug for Listeners<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listeners")
            .field("count", &self.list.borrow().len())
            .finish()
    }
}

/// A handler that is called until this is dropped, or until what it listens to is closed.
#[must_use = "the handler is called no more when this is dropped; see `forget`"]
pub struct Subscription(Option<Box<dyn FnOnce()>>);

impl Subscription {
    /// Calls `end` when it is dropped. `end` owns no other subscription: `forget` would drop that.
    pub(super) fn new(end: impl FnOnce() + 'static) -> Subscription {
        Subscription(Some(Box::new(end)))
    }

    /// Leaves the handler in place until the channel or the signaling is closed.
    pub fn forget(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(end) = self.0.take() {
            end();
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription")
    }
}
