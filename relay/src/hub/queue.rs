//! The send queue of one connection: what was published in its space and isn't written yet.
//!
//! It is bounded in frames and in bytes. A queue that would exceed a bound overflows for good: it
//! frees all that waits, takes no more, and its connection is closed. So a slow consumer costs a
//! bounded amount of memory, and nobody waits for it.
//!
//! Replayed frames don't count towards these bounds, or a client that missed much could never catch
//! up. They have a bound of their own, in bytes: what the history may keep. An acknowledgement
//! takes no room: a newer one replaces the waiting one, and it is written before everything else.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_wire::ServerFrame;
use tokio::sync::Notify;

use super::audience::Audience;
use super::frame::{Frame, OVERHEAD};

/// How much may wait in one queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Frames.
    pub frames: usize,
    /// Bytes of text in all.
    pub bytes: usize,
}

/// How full a queue is after a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// At most half full.
    Low,
    /// More than half full in frames or in bytes.
    High,
    /// Over a bound, now or before: the frame wasn't taken.
    Overflowed,
}

/// Wakes the connection that a queue belongs to. Several queues of one connection may share it.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    filled: Arc<Notify>,
    overflowed: Arc<Notify>,
}

impl Signals {
    /// Resolves when a frame was pushed, or [`Signals::wake`] was called, since this resolved last.
    /// One waiter at a time.
    pub async fn woken(&self) {
        self.filled.notified().await;
    }

    /// Makes [`Signals::woken`] resolve.
    pub fn wake(&self) {
        self.filled.notify_one();
    }

    /// Resolves when a queue has overflowed. One waiter at a time.
    pub async fn overflowed(&self) {
        self.overflowed.notified().await;
    }
}

/// Makes a queue: the end that the hub pushes to and the end that the connection reads.
#[must_use]
pub fn queue(limits: Limits) -> (Sender, Receiver) {
    queue_with(limits, Signals::default(), Audience::everything())
}

/// The same for a connection that has several queues, or doesn't receive everything.
#[must_use]
pub fn queue_with(limits: Limits, signals: Signals, audience: Audience) -> (Sender, Receiver) {
    let shared = Arc::new(Shared {
        limits,
        audience,
        state: Mutex::default(),
        signals,
    });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    audience: Audience,
    state: Mutex<State>,
    signals: Signals,
}

#[derive(Debug, Default)]
struct State {
    greeting: Option<Frame>,
    ack: Option<u64>,
    waiting: VecDeque<Waiting>,
    /// Waiting frames, without replayed ones.
    frames: usize,
    /// Bytes of waiting frames, without replayed ones.
    bytes: usize,
    /// Bytes of waiting replayed frames, each with [`OVERHEAD`] added.
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
        self.greeting.is_none() && self.ack.is_none() && self.waiting.is_empty()
    }

    fn pop_ack(&mut self) -> Option<Frame> {
        let accepted = self.ack.take()?;
        Some(Frame::from(ServerFrame::Ack(accepted).encode()))
    }

    fn overflow(&mut self) {
        *self = Self {
            greeting: self.greeting.take(),
            ack: self.ack,
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
pub struct Sender(Arc<Shared>);

impl Sender {
    /// Whether its connection receives messages on this channel, or texts without one.
    pub(super) fn receives(&self, channel: Option<&str>) -> bool {
        self.0.audience.receives(channel)
    }

    /// Appends a frame. Never waits.
    pub fn push(&self, frame: Frame) -> Level {
        let Limits { frames, bytes } = self.0.limits;
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

    /// Sets the frame that is written before everything else.
    pub fn greet(&self, frame: Frame) {
        self.0.state().greeting = Some(frame);
        self.0.signals.wake();
    }

    /// Acknowledges the client's messages up to this `ref`.
    pub fn acknowledge(&self, accepted: u64) {
        self.0.state().ack = Some(accepted);
        self.0.signals.wake();
    }

    /// Answers a client that has subscribed: an acknowledgement, then the replayed frames, of which
    /// up to `limit` bytes may wait. `restart` drops what waited before: it was for a client
    /// without subscriptions.
    pub fn replay(
        &self,
        accepted: u64,
        frames: impl Iterator<Item = Frame>,
        limit: usize,
        restart: bool,
    ) -> Level {
        let mut state = self.0.state();
        if state.overflowed {
            return Level::Overflowed;
        }
        if restart {
            let greeting = state.greeting.take();
            *state = State {
                greeting,
                ..State::default()
            };
        }
        state.ack = Some(accepted);
        self.append_replayed(state, frames, limit)
    }

    /// Appends replayed frames, of which up to `limit` bytes may wait.
    pub fn push_replayed(&self, frames: impl Iterator<Item = Frame>, limit: usize) -> Level {
        let state = self.0.state();
        if state.overflowed {
            return Level::Overflowed;
        }
        self.append_replayed(state, frames, limit)
    }

    fn append_replayed(
        &self,
        mut state: MutexGuard<'_, State>,
        frames: impl Iterator<Item = Frame>,
        limit: usize,
    ) -> Level {
        for frame in frames {
            state.replayed += frame.len() + OVERHEAD;
            if state.replayed > limit {
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

/// The end of a queue that the connection reads.
#[derive(Debug)]
pub struct Receiver(Arc<Shared>);

impl Receiver {
    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.state().is_empty()
    }

    /// Resolves when a frame waits.
    pub async fn ready(&self) {
        while self.is_empty() {
            self.0.signals.woken().await;
        }
    }

    /// Takes the next frame: the greeting, then an acknowledgement, then the frame that has waited
    /// longest.
    pub fn pop(&mut self) -> Option<Frame> {
        let mut state = self.0.state();
        if let Some(greeting) = state.greeting.take() {
            return Some(greeting);
        }
        if let Some(ack) = state.pop_ack() {
            return Some(ack);
        }
        let Waiting { frame, replayed } = state.waiting.pop_front()?;
        if replayed {
            state.replayed -= frame.len() + OVERHEAD;
        } else {
            state.frames -= 1;
            state.bytes -= frame.len();
        }
        Some(frame)
    }

    /// Takes the acknowledgement, if one waits.
    pub fn pop_ack(&mut self) -> Option<Frame> {
        self.0.state().pop_ack()
    }

    /// Resolves when the queue has overflowed. One waiter at a time.
    pub fn overflowed(&self) -> impl Future<Output = ()> + Send + use<> {
        let signals = self.0.signals.clone();
        async move { signals.overflowed().await }
    }
}
