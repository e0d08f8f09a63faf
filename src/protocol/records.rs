//! A stream of texts cut into records: SignalR ends each with the character U+001E, and a frame may
//! hold several of them, or part of one.

use super::text::Text;

/// The end of a record (SignalR's `TextMessageFormat`).
pub const RECORD_END: &str = "\u{1e}";

/// Cuts frames into records, and keeps an incomplete record until its end is received.
#[derive(Debug)]
pub struct Records<T> {
    begun: Option<T>,
}

impl<T> Default for Records<T> {
    fn default() -> Records<T> {
        Records { begun: None }
    }
}

impl<T: Text> Records<T> {
    /// Adds a frame, and returns the records that end in it.
    pub fn take(&mut self, frame: &T) -> Vec<T> {
        let mut records = match self.begun.take() {
            Some(begun) => begun.followed_by(frame).split(RECORD_END),
            None => frame.split(RECORD_END),
        };
        self.begun = records.pop().filter(|begun| begun.length() > 0);
        records
    }

    /// The incomplete record.
    pub fn begun(&self) -> Option<&T> {
        self.begun.as_ref()
    }

    /// Discards the incomplete record.
    pub fn clear(&mut self) {
        self.begun = None;
    }
}
