//! Wakes a task when a listener is called.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Waker};

use super::listeners::{Listeners, Subscription};

/// Wakes the task that waits.
#[derive(Debug)]
pub(super) struct Wake {
    waker: Rc<RefCell<Option<Waker>>>,
    _subscription: Subscription,
}

impl Wake {
    /// On each value.
    pub(super) fn on<T: ?Sized + 'static>(listeners: &Rc<Listeners<T>>) -> Wake {
        let waker = Rc::<RefCell<Option<Waker>>>::default();
        let waiting = Rc::clone(&waker);
        let subscription = listeners.add(move |_| {
            let waiting = waiting.take();
            if let Some(waker) = waiting {
                waker.wake();
            }
        });
        Wake {
            waker,
            _subscription: subscription,
        }
    }

    /// The task of `context` waits.
    pub(super) fn wait(&self, context: &Context<'_>) {
        self.waker.replace(Some(context.waker().clone()));
    }
}
