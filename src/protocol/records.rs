//! Frames cut into records, each one JSON text or one packet.

use super::text::Text;

/// The end of a record of SignalR (its `TextMessageFormat`).
pub const RECORD_END: &str = "\u{1e}";

/// The most records, or items of an array, that a frame may hold. Each costs some microseconds,
/// however short it is, and a frame of a million characters has room for hundreds of thousands.
pub const MOST_IN_FRAME: u32 = 10_000;

/// How a protocol's frames are cut into records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// A frame is one record.
    Whole,
    /// A frame is one JSON text, or several, each on a line. Servers that write what has queued up
    /// as one frame put line breaks between the texts.
    Lines,
    /// Frames are parts of a stream of records. SignalR ends each with the character U+001E, and a
    /// frame may hold several of them, or part of one.
    Stream,
}

/// Cuts frames into records, and keeps an incomplete record of a stream until its end is received.
#[derive(Debug)]
pub struct Records<T> {
    begun: Option<T>,
    /// The incomplete record was too long: it is skipped up to its end.
    is_skipping: bool,
}

impl<T> Default for Records<T> {
    fn default() -> Records<T> {
        Records {
            begun: None,
            is_skipping: false,
        }
    }
}

impl<T: Text> Records<T> {
    /// Adds a frame, and returns the records that end in it.
    pub fn take(&mut self, frame: &T, cut: Cut) -> Vec<T> {
        match cut {
            Cut::Whole => Vec::from([frame.clone()]),
            Cut::Lines => lines(frame),
            Cut::Stream => self.take_stream(frame),
        }
    }

    fn take_stream(&mut self, frame: &T) -> Vec<T> {
        let mut records = match self.begun.take() {
            Some(begun) => begun.followed_by(frame).split(RECORD_END),
            None => frame.split(RECORD_END),
        };
        let begun = records.pop();
        if self.is_skipping {
            if records.is_empty() {
                return records;
            }
            records.remove(0);
            self.is_skipping = false;
        }
        self.begun = begun.filter(|begun| begun.length() > 0);
        records
    }

    /// The incomplete record, unless it is skipped.
    pub fn begun(&self) -> Option<&T> {
        self.begun.as_ref()
    }

    /// Skips the incomplete record if it is longer than `limit`. Returns whether it is.
    pub fn skip_beyond(&mut self, limit: usize) -> bool {
        let begun = self.begun.take_if(|begun| begun.length() > limit);
        self.is_skipping |= begun.is_some();
        begun.is_some()
    }

    /// Whether the next frame continues a record.
    pub fn is_incomplete(&self) -> bool {
        self.begun.is_some() || self.is_skipping
    }

    /// Discards the incomplete record.
    pub fn clear(&mut self) {
        self.begun = None;
        self.is_skipping = false;
    }
}

/// The lines of a frame that aren't blank, if the first of them is JSON. Otherwise the frame itself,
/// which may be JSON with line breaks in it. Likewise if it has more lines than a frame may hold.
fn lines<T: Text>(frame: &T) -> Vec<T> {
    let mut lines = Vec::new();
    if frame.has_inner_line_break() {
        lines = frame.lines(MOST_IN_FRAME).unwrap_or_default();
    }
    if lines.first().is_some_and(|first| first.parse().is_some()) {
        lines
    } else {
        Vec::from([frame.clone()])
    }
}
