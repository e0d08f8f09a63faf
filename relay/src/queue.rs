//! The send queue of one member: what was published in its space and isn't written to its connection yet.
//!
//! It is bounded in frames and in bytes. A queue that would go over a bound overflows, for good: it lets go of everything at once and takes
//! nothing more, and the connection is closed. So a member that doesn't read costs a known amount, for a known time, and nobody waits for it.
//!
//! What is replayed to a member that comes back doesn't count for these bounds, else somebody who missed much could never catch up; nor
//! do messages that are published meanwhile find the queue full because of it. It has a bound of its own, in bytes: what the history may keep. An
//! acknowledgement takes no room at all: a newer one takes the place of the one that waits, and the writer gets it before all else.

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

/// What each frame of a replay is taken to cost besides its text.
const REPLAYED: usize = crate::history::OVERHEAD;

#[derive(Debug)]
struct Shared {
    bounds: Bounds,
    state: Mutex<State>,
    signals: Signals,
}

#[derive(Debug, Default)]
struct State {
    greeting: Option<Frame>,
    acknowledged: Option<u64>,
    waiting: VecDeque<Waiting>,
    /// Of what is waiting and was no replay.
    frames: usize,
    bytes: usize,
    /// Of what is waiting and was.
    replayed: usize,
    overflowed: bool,
}

#[derive(Debug)]
struct Waiting {
    frame: Frame,
    replayed: bool,
}

impl State {
    fn is_empty(&self) -> bool {
        self.greeting.is_none() && self.acknowledged.is_none() && self.waiting.is_empty()
    }

    fn acknowledgement(&mut self) -> Option<Frame> {
        let taken = self.acknowledged.take()?;
        Some(Frame::from(format!("{{\"ack\":{taken}}}").as_str()))
    }

    fn overflow(&mut self) {
        *self = Self {
            greeting: self.greeting.take(),
            acknowledged: self.acknowledged,
            overflowed: true,
            ..Self::default()
        };
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of a queue that the hub pushes to.
#[derive(Clone, Debug)]
pub struct Tail(Arc<Shared>);

impl Tail {
    /// Puts a frame behind those that wait already. Never waits.
    pub fn push(&self, frame: Frame) -> Level {
        let Bounds { frames, bytes } = self.0.bounds;
        let mut state = self.0.state();
        if state.overflowed {
            return Level::Overflowed;
        }
        if state.frames >= frames || bytes.saturating_sub(state.bytes) < frame.len() {
            return self.overflow(state);
        }
        state.frames += 1;
        state.bytes += frame.len();
        state.waiting.push_back(Waiting {
            frame,
            replayed: false,
        });
        let level = if state.frames > frames / 2 || state.bytes > bytes / 2 {
            Level::High
        } else {
            Level::Low
        };
        drop(state);
        self.0.signals.wake();
        level
    }

    /// What is taken before all else, once.
    pub fn greet(&self, frame: Frame) {
        self.0.state().greeting = Some(frame);
        self.0.signals.wake();
    }

    /// Has the member told that its messages up to this reference were taken.
    pub fn acknowledge(&self, taken: u64) {
        self.0.state().acknowledged = Some(taken);
        self.0.signals.wake();
    }

    /// Answers a member that has opened channels: an acknowledgement, and then what is replayed, of which up to `bound` bytes may wait.
    /// `afresh`: what waited so far was for a member that couldn't say what it wanted, and isn't written any more.
    pub fn replay(
        &self,
        taken: u64,
        frames: impl Iterator<Item = Frame>,
        bound: usize,
        afresh: bool,
    ) -> Level {
        let mut state = self.0.state();
        if state.overflowed {
            return Level::Overflowed;
        }
        if afresh {
            let greeting = state.greeting.take();
            *state = State {
                greeting,
                ..State::default()
            };
        }
        state.acknowledged = Some(taken);
        for frame in frames {
            state.replayed += frame.len() + REPLAYED;
            if state.replayed > bound {
                return self.overflow(state);
            }
            state.waiting.push_back(Waiting {
                frame,
                replayed: true,
            });
        }
        drop(state);
        self.0.signals.wake();
        Level::Low
    }

    fn overflow(&self, mut state: MutexGuard<'_, State>) -> Level {
        state.overflow();
        drop(state);
        self.0.signals.overflowed.notify_one();
        Level::Overflowed
    }
}

/// The end of a queue that the connection takes from.
#[derive(Debug)]
pub struct Head(Arc<Shared>);

impl Head {
    /// Resolves when a frame waits.
    pub async fn filled(&self) {
        while self.0.state().is_empty() {
            self.0.signals.woken().await;
        }
    }

    /// Takes the frame that is to be written next, if one waits: an acknowledgement before all others, and of these the one that has waited longest.
    pub fn take(&mut self) -> Option<Frame> {
        let mut state = self.0.state();
        if let Some(greeting) = state.greeting.take() {
            return Some(greeting);
        }
        if let Some(acknowledgement) = state.acknowledgement() {
            return Some(acknowledgement);
        }
        let Waiting { frame, replayed } = state.waiting.pop_front()?;
        if replayed {
            state.replayed -= frame.len() + REPLAYED;
        } else {
            state.frames -= 1;
            state.bytes -= frame.len();
        }
        Some(frame)
    }

    /// Takes the acknowledgement, if one waits.
    pub fn take_acknowledgement(&mut self) -> Option<Frame> {
        self.0.state().acknowledgement()
    }

    /// Resolves when the queue has overflowed. One waiter at a time.
    pub fn overflow(&self) -> impl Future<Output = ()> + Send + use<> {
        let signals = self.0.signals.clone();
        async move { signals.overflow().await }
    }
}
