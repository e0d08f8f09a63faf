//! What was sent to a client of SignalR 2 and may have to be replayed when it reconnects.
//!
//! Each frame gets a number, the *cursor*; a client that reconnects names the last one that it saw.
//! Frames are kept within limits, and no longer than a client may take to come back. They share
//! their memory with the other receivers.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::hub::frame::{Frame, OVERHEAD};
use crate::hub::queue::Limits;

/// Not everything after a cursor is still kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap;

/// The last frames that were sent to one client.
#[derive(Debug)]
pub struct History {
    limits: Limits,
    lifetime: Duration,
    last: u64,
    bytes: usize,
    frames: VecDeque<(Instant, Frame)>,
}

impl History {
    /// An empty history. Each frame is kept for `lifetime`.
    #[must_use]
    pub fn new(limits: Limits, lifetime: Duration) -> Self {
        Self {
            limits,
            lifetime,
            last: 0,
            bytes: 0,
            frames: VecDeque::new(),
        }
    }

    /// The cursor of the last frame; 0 before the first.
    #[must_use]
    pub fn cursor(&self) -> u64 {
        self.last
    }

    /// What the kept frames cost, in bytes.
    #[must_use]
    pub fn cost(&self) -> usize {
        self.bytes + self.frames.len() * OVERHEAD
    }

    /// Keeps a frame and gives its cursor.
    pub fn keep(&mut self, frame: Frame, now: Instant) -> u64 {
        self.last += 1;
        self.bytes += frame.len();
        self.frames.push_back((now, frame));
        while self.frames.len() > self.limits.frames || self.bytes > self.limits.bytes {
            self.evict_first();
        }
        self.evict_expired(now);
        self.last
    }

    /// Evicts expired frames.
    pub fn evict_expired(&mut self, now: Instant) {
        while let Some((kept, _)) = self.frames.front()
            && now.saturating_duration_since(*kept) > self.lifetime
        {
            self.evict_first();
        }
        if self.frames.is_empty() {
            self.frames = VecDeque::new();
        }
    }

    /// The frames after a cursor, each with its own.
    ///
    /// # Errors
    /// They aren't all kept any more, or the cursor was never given.
    pub fn after(&self, cursor: u64) -> Result<Vec<(u64, Frame)>, Gap> {
        let missed = self.last.checked_sub(cursor).ok_or(Gap)?;
        let missed = usize::try_from(missed).map_err(|_| Gap)?;
        let known = self.frames.len().checked_sub(missed).ok_or(Gap)?;
        let frames = self.frames.iter().skip(known);
        Ok((cursor + 1..)
            .zip(frames.map(|(_, frame)| frame.clone()))
            .collect())
    }

    fn evict_first(&mut self) {
        if let Some((_, frame)) = self.frames.pop_front() {
            self.bytes -= frame.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIFE: Duration = Duration::from_secs(50);

    fn history(frames: usize, bytes: usize) -> History {
        History::new(Limits { frames, bytes }, LIFE)
    }

    fn texts(found: Result<Vec<(u64, Frame)>, Gap>) -> Result<Vec<(u64, String)>, Gap> {
        found.map(|frames| {
            frames
                .into_iter()
                .map(|(cursor, frame)| (cursor, frame.as_str().to_owned()))
                .collect()
        })
    }

    #[test]
    fn what_came_after_a_cursor_is_there() {
        let now = Instant::now();
        let mut history = history(10, 100);
        assert_eq!(texts(history.after(0)), Ok(vec![]));
        assert_eq!(history.after(1), Err(Gap));
        for text in ["a", "b", "c"] {
            history.keep(Frame::from(text), now);
        }
        assert_eq!(history.cursor(), 3);
        assert_eq!(
            texts(history.after(1)),
            Ok(vec![(2, "b".into()), (3, "c".into())])
        );
        assert_eq!(texts(history.after(3)), Ok(vec![]));
        assert_eq!(history.after(4), Err(Gap));
        assert_eq!(history.after(u64::MAX), Err(Gap));
    }

    #[test]
    fn expired_frames_are_evicted() {
        let now = Instant::now();
        let mut history = history(10, 100);
        history.keep(Frame::from("a"), now);
        history.keep(Frame::from("b"), now + LIFE);
        history.evict_expired(now + LIFE);
        assert_eq!(history.after(0).map(|frames| frames.len()), Ok(2));
        history.evict_expired(now + LIFE + Duration::from_millis(1));
        assert_eq!(history.after(0), Err(Gap));
        assert_eq!(texts(history.after(1)), Ok(vec![(2, "b".into())]));
        history.evict_expired(now + 3 * LIFE);
        assert_eq!((history.bytes, history.frames.capacity()), (0, 0));
        assert_eq!(texts(history.after(2)), Ok(vec![]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn within_the_bounds_nothing_is_missing(lengths in prop::collection::vec(0..30_usize, 0..40), frames in 0..20_usize, bytes in 0..100_usize) {
            let now = Instant::now();
            let mut history = history(frames, bytes);
            let all: Vec<Frame> = lengths.iter().enumerate().map(|(n, length)| Frame::from(n.to_string().repeat(*length).as_str())).collect();
            for (n, frame) in all.iter().enumerate() {
                prop_assert_eq!(history.keep(frame.clone(), now), n as u64 + 1);
                prop_assert!(history.frames.len() <= frames && history.bytes <= bytes);
            }
            for cursor in 0..=all.len() {
                let missed: Vec<Frame> = all.iter().skip(cursor).cloned().collect();
                let fits = missed.len() <= frames && missed.iter().map(Frame::len).sum::<usize>() <= bytes;
                let found = history.after(cursor as u64);
                prop_assert_eq!(found.is_ok(), fits);
                if let Ok(found) = found {
                    prop_assert_eq!(found.iter().map(|(_, frame)| frame.clone()).collect::<Vec<_>>(), missed);
                    prop_assert!(found.iter().zip(cursor as u64 + 1..).all(|((number, _), wanted)| *number == wanted));
                }
            }
        }
    }
}
