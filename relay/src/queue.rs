//! The send queue of one member: what was published in its space and isn't written to its connection yet.
//!
//! It is bounded in frames and in bytes. A queue that would go over a bound overflows, for good: it lets go of everything at once and takes
//! nothing more, and the connection is closed. So a member that doesn't read costs a known amount, for a known time, and nobody waits for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::frame::Frame;

/// How much may wait in one queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How many frames.
    pub frames: usize,
    /// How many bytes of text in all.
    pub bytes: usize,
}

/// How a queue stands after a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Not more than half full.
    Low,
    /// More than half full in frames or in bytes.
    High,
    /// Over a bound, now or before: the frame wasn't taken.
    Overflowed,
}

/// What tells a connection about its queues. One that has several gives the same to each, and is told whichever it is.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    filled: Arc<Notify>,
    overflowed: Arc<Notify>,
}

impl Signals {
    /// Resolves when a frame was pushed, or something else to be written was announced with [`Signals::wake`], since this resolved last.
    /// One waiter at a time.
    pub async fn woken(&self) {
        self.filled.notified().await;
    }

    /// Makes [`Signals::woken`] resolve.
    pub fn wake(&self) {
        self.filled.notify_one();
    }

    /// Resolves when a queue has overflowed. One waiter at a time.
    pub async fn overflow(&self) {
        self.overflowed.notified().await;
    }
}

/// Makes a queue: the end that the hub pushes to and the end that the connection takes from.
#[must_use]
pub fn queue(bounds: Bounds) -> (Tail, Head) {
    queue_with(bounds, Signals::default())
}

/// The same for a connection that has more than one.
#[must_use]
pub fn queue_with(bounds: Bounds, signals: Signals) -> (Tail, Head) {
    let shared = Arc::new(Shared {
        bounds,
        state: Mutex::default(),
        signals,
    });
    (Tail(Arc::clone(&shared)), Head(shared))
}

#[derive(Debug)]
struct Shared {
    bounds: Bounds,
    state: Mutex<State>,
    signals: Signals,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Frame>,
    bytes: usize,
    overflowed: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a queue that the hub pushes to.
#[derive(Debug)]
pub struct Tail(Arc<Shared>);

impl Tail {
    /// Puts a frame behind those that wait already. Never waits.
    pub fn push(&self, frame: Frame) -> Level {
        let Bounds { frames, bytes } = self.0.bounds;
        let mut state = self.0.state();
        if state.overflowed {
            return Level::Overflowed;
        }
        if state.frames.len() >= frames || bytes.saturating_sub(state.bytes) < frame.len() {
            *state = State {
                overflowed: true,
                ..State::default()
            };
            drop(state);
            self.0.signals.overflowed.notify_one();
            return Level::Overflowed;
        }
        state.bytes += frame.len();
        state.frames.push_back(frame);
        let level = if state.frames.len() > frames / 2 || state.bytes > bytes / 2 {
            Level::High
        } else {
            Level::Low
        };
        drop(state);
        self.0.signals.wake();
        level
    }
}

/// The end of a queue that the connection takes from.
#[derive(Debug)]
pub struct Head(Arc<Shared>);

impl Head {
    /// Resolves when a frame waits.
    pub async fn filled(&self) {
        while self.0.state().frames.is_empty() {
            self.0.signals.woken().await;
        }
    }

    /// Takes the frame that has waited longest, if one waits.
    pub fn take(&mut self) -> Option<Frame> {
        let mut state = self.0.state();
        let frame = state.frames.pop_front()?;
        state.bytes -= frame.len();
        Some(frame)
    }

    /// Resolves when the queue has overflowed. One waiter at a time.
    pub fn overflow(&self) -> impl Future<Output = ()> + Send + use<> {
        let signals = self.0.signals.clone();
        async move { signals.overflow().await }
    }
}
