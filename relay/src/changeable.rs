//! A setting that can change while the relay runs.

use std::sync::{PoisonError, RwLock};

/// A setting that can change while the relay runs.
#[derive(Debug)]
pub(crate) struct Changeable<T>(RwLock<T>);

impl<T: Copy> Changeable<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(RwLock::new(value))
    }

    /// What holds now.
    pub(crate) fn get(&self) -> T {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What holds from now on.
    pub(crate) fn set(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = value;
    }
}
