//! A hello that waits a while for the client's first frame.

use std::future::pending;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::hub::frame::Frame;

/// A hello that is sent after the client's first frame, or after a while without one.
#[derive(Debug)]
pub(super) struct Late {
    hello: Mutex<Option<Frame>>,
    due: Option<Instant>,
}

impl Late {
    /// Takes the greeting over, if it is to wait.
    pub(super) fn new(delay: Duration, greeting: &mut Option<Frame>) -> Self {
        let waits = !delay.is_zero();
        Self {
            hello: Mutex::new(greeting.take_if(|_| waits)),
            due: Instant::now().checked_add(delay).filter(|_| waits),
        }
    }

    /// The hello, if it still waits.
    pub(super) fn take(&self) -> Option<Frame> {
        let mut hello = self.hello.lock().unwrap_or_else(PoisonError::into_inner);
        hello.take()
    }

    /// The hello, if it has waited long enough, or something else is to be sent: a client takes a
    /// hello behind another frame for that of another page.
    pub(super) fn next(&self, is_more: impl FnOnce() -> bool) -> Option<Frame> {
        let is_due = self.due? <= Instant::now() || is_more();
        if is_due { self.take() } else { None }
    }

    /// Resolves when the hello has waited long enough. Without one, never.
    pub(super) async fn due(&self) {
        let waits = {
            let hello = self.hello.lock().unwrap_or_else(PoisonError::into_inner);
            hello.is_some()
        };
        match self.due {
            // On the heap: most connections have no such hello.
            Some(due) if waits => Box::pin(sleep_until(due)).await,
            _ => pending().await,
        }
    }
}
