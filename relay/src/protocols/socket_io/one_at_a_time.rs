//! What one request of a polling client at a time may do.

use std::sync::atomic::{AtomicBool, Ordering};

/// What one request at a time may do.
#[derive(Debug, Default)]
pub(super) struct OneAtATime(AtomicBool);

impl OneAtATime {
    /// Takes it, if nobody has it, until what is returned is dropped.
    pub(super) fn take(&self) -> Option<impl Drop> {
        struct Taken<'a>(&'a AtomicBool);
        impl Drop for Taken<'_> {
            fn drop(&mut self) {
                self.0.store(false, Ordering::Release);
            }
        }
        (!self.0.swap(true, Ordering::Acquire)).then(|| Taken(&self.0))
    }
}
