//! A queue: first in, first out.

use alloc::vec::Vec;
use core::mem;

/// So many free places are left as they are.
const FEW: usize = 32;

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

    pub fn get(&self, place: usize) -> Option<&T> {
        self.places.get(self.first + place)?.as_ref()
    }

    pub fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        self.places.get_mut(self.first + place)?.as_mut()
    }

    /// Takes an item out, wherever it stands.
    pub fn remove(&mut self, place: usize) -> Option<T> {
        if place == 0 || place >= self.len() {
            return if place == 0 { self.pop() } else { None };
        }
        self.places.remove(self.first + place)
    }

    pub fn pop(&mut self) -> Option<T> {
        let item = self.places.get_mut(self.first).and_then(Option::take);
        self.first += usize::from(item.is_some());
        if self.first == self.places.len() {
            // The memory too: a flood of messages is seldom followed by another.
            mem::take(&mut self.places);
            self.first = 0;
        } else if self.first > FEW && self.first > self.len() {
            // One that is never empty would grow for ever. Moved like this, each item is moved once on the average.
            self.places.drain(..self.first);
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
        fn first_in_first_out(steps in prop::collection::vec(0..4u8, 0..400)) {
            let mut queue = Queue::default();
            let mut model = VecDeque::new();
            for (at, step) in steps.into_iter().enumerate() {
                match step {
                    0 | 1 => {
                        queue.push(at);
                        model.push_back(at);
                    }
                    2 => prop_assert_eq!(queue.pop(), model.pop_front()),
                    _ => prop_assert_eq!(queue.remove(at % 5), model.remove(at % 5)),
                }
                for place in 0..6 {
                    prop_assert_eq!(queue.get(place), model.get(place));
                    prop_assert_eq!(queue.get_mut(place), model.get_mut(place));
                }
                prop_assert_eq!(queue.len(), model.len());
                prop_assert!(queue.places.len() <= 2 * model.len() + FEW + 1);
            }
        }

        #[test]
        fn one_that_is_never_empty_stays_small(waiting in 1..100usize) {
            let mut queue = Queue::default();
            for at in 0..2_000 {
                queue.push(at);
                if at >= waiting {
                    prop_assert_eq!(queue.pop(), Some(at - waiting));
                }
                prop_assert!(queue.places.len() <= 2 * waiting + FEW + 2);
            }
        }
    }
}
