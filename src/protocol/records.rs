//! A stream of texts cut into records: SignalR ends each with the character 0x1e, and a frame may hold several of them, or part of one.

use alloc::vec::Vec;

/// What ends a record (SignalR's `TextMessageFormat`).
pub const END: &str = "\u{1e}";

/// A text that may stay in JavaScript.
pub trait Text: Sized {
    /// This, and `next` behind it.
    fn followed_by(&self, next: &Self) -> Self;
    /// What stands between the `separator`s.
    fn split(&self, separator: &str) -> Vec<Self>;
    /// Whether there is nothing in it.
    fn is_empty(&self) -> bool;
}

/// What came of a record that isn't whole yet.
#[derive(Debug)]
pub struct Records<T>(Option<T>);

impl<T> Default for Records<T> {
    fn default() -> Records<T> {
        Records(None)
    }
}

impl<T: Text> Records<T> {
    /// Takes a frame, and gives the records that are whole with it.
    pub fn take(&mut self, frame: &T) -> Vec<T> {
        let mut records = match self.0.take() {
            Some(begun) => begun.followed_by(frame).split(END),
            None => frame.split(END),
        };
        self.0 = records.pop().filter(|begun| !begun.is_empty());
        records
    }

    /// What came of the record that isn't whole yet.
    pub fn begun(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// Forgets what came of it.
    pub fn clear(&mut self) {
        self.0 = None;
    }
}
