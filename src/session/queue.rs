//! A queue: first in, first out.

use alloc::vec::Vec;
use core::mem;

/// A queue that is emptied now and then, and then starts anew: the standard one grows to five times the code by being able to go in circles.
#[derive(Debug)]
pub(super) struct Queue<T> {
    places: Vec<Option<T>>,
    first: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue {
            places: Vec::new(),
            first: 0,
        }
    }
}

impl<T> Queue<T> {
    pub fn len(&self) -> usize {
        self.places.len() - self.first
    }

    pub fn push(&mut self, item: T) {
        self.places.push(Some(item));
    }

    /// Puts `item` before all others.
    pub fn push_front(&mut self, item: T) {
        match self.first.checked_sub(1) {
            Some(place) => {
                self.first = place;
                if let Some(free) = self.places.get_mut(place) {
                    *free = Some(item);
                }
            }
            None => self.places.insert(0, Some(item)),
        }
    }

    pub fn pop(&mut self) -> Option<T> {
        let item = self.places.get_mut(self.first).and_then(Option::take);
        self.first += usize::from(item.is_some());
        if self.first == self.places.len() {
            // The memory too: a flood of messages is seldom followed by another.
            mem::take(&mut self.places);
            self.first = 0;
        }
        item
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn first_in_first_out(steps in prop::collection::vec(0..4u8, 0..200)) {
            let mut queue = Queue::default();
            let mut model = VecDeque::new();
            for (at, step) in steps.into_iter().enumerate() {
                match step {
                    0 | 1 => {
                        queue.push(at);
                        model.push_back(at);
                    }
                    2 => prop_assert_eq!(queue.pop(), model.pop_front()),
                    _ => {
                        queue.push_front(at);
                        model.push_front(at);
                    }
                }
                prop_assert_eq!(queue.len(), model.len());
            }
        }
    }
}
