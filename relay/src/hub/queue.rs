//! The send queue of one connection: what was published in its space and isn't written yet.
//!
//! It is bounded in frames and in bytes. A queue that would exceed a bound overflows for good: it
//! frees all that waits, takes no more, and its connection is closed. So a slow consumer costs a
//! bounded amount of memory, and nobody waits for it. The queues of one connection, and whatever
//! else waits for it, share one [`Room`].
//!
//! Replayed frames don't count towards these bounds, or a client that missed much could never catch
//! up. They have a bound of their own, in bytes: what the history may keep. An acknowledgement
//! takes no room: a newer one replaces the waiting one, and it is written before everything else.
//!
//! Frames are paid for by whoever brought them. The queue's account pays for the places in which
//! they wait, and for frames that are for this connection alone.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_wire::ServerFrame;
use tokio::sync::Notify;

use super::audience::Audience;
use super::budget::{Account, Charge, Purpose};
use super::frame::{Frame, OVERHEAD};
use super::meter::Meter;

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

/// Counts what waits for one connection.
#[derive(Clone, Debug, Default)]
pub struct Room(Arc<Waits>);

#[derive(Debug, Default)]
struct Waits {
    frames: AtomicUsize,
    bytes: AtomicUsize,
}

impl Room {
    /// Makes room for a frame with so many bytes. [`Level::Overflowed`]: there is none.
    pub fn take(&self, limits: Limits, bytes: usize) -> Level {
        let waits = &self.0;
        let frames = waits.frames.fetch_add(1, Ordering::Relaxed) + 1;
        let all = waits.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if frames > limits.frames || all > limits.bytes {
            self.free(1, bytes);
            Level::Overflowed
        } else if frames > limits.frames / 2 || all > limits.bytes / 2 {
            Level::High
        } else {
            Level::Low
        }
    }

    /// Gives the room of so many frames back, with their bytes.
    pub fn free(&self, frames: usize, bytes: usize) {
        self.0.frames.fetch_sub(frames, Ordering::Relaxed);
        self.0.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Wakes the connection that a queue belongs to. Several queues of one connection may share it.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    filled: Arc<Notify>,
    overflowed: Arc<Notify>,
    room: Room,
}

impl Signals {
    /// What waits for the connection.
    #[must_use]
    pub fn room(&self) -> &Room {
        &self.room
    }

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

/// A queue that has held more frames than this gives their places back when it is empty.
const PLACES: usize = 64;

/// Makes a queue: the end that the hub pushes to and the end that the connection reads.
#[must_use]
pub fn queue(limits: Limits, account: Arc<Account>) -> (Sender, Receiver) {
    queue_with(limits, account, Signals::default())
}

/// The same for a connection that has several queues.
#[must_use]
pub fn queue_with(limits: Limits, account: Arc<Account>, signals: Signals) -> (Sender, Receiver) {
    let everything = Audience::everything();
    metered_queue(limits, account, signals, everything, Arc::default())
}

/// The same for a connection that doesn't receive everything, with a meter that counts what goes
/// through it.
pub(super) fn metered_queue(
    limits: Limits,
    account: Arc<Account>,
    signals: Signals,
    audience: Audience,
    meter: Arc<Meter>,
) -> (Sender, Receiver) {
    let shared = Arc::new(Shared {
        limits,
        audience,
        state: Mutex::new(State::new(account.charge(Purpose::Messages, 0))),
        signals,
        meter,
    });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    audience: Audience,
    state: Mutex<State>,
    signals: Signals,
    meter: Arc<Meter>,
}

#[derive(Debug)]
struct State {
    greeting: Option<Frame>,
    ack: Option<Ack>,
    waiting: VecDeque<Waiting>,
    /// Paid for the places in `waiting`.
    places: Charge,
    /// Waiting frames, without replayed ones.
    frames: usize,
    /// Bytes of waiting frames, without replayed ones.
    bytes: usize,
    /// What waiting replayed frames cost, in bytes.
    replayed: usize,
    overflowed: bool,
    /// What was taken and is still held, in bytes.
    taken: usize,
}

/// An acknowledgement.
#[derive(Clone, Debug)]
pub(super) struct Ack {
    /// Up to this `ref`.
    pub(super) accepted: u64,
    /// The session's secret, which shows a client that this is the answer to its first `open`.
    pub(super) session: Option<Arc<str>>,
}

#[derive(Debug)]
struct Waiting {
    frame: Frame,
    replayed: bool,
}

impl State {
    fn new(places: Charge) -> Self {
        Self {
            greeting: None,
            ack: None,
            waiting: VecDeque::new(),
            places,
            frames: 0,
            bytes: 0,
            replayed: 0,
            overflowed: false,
            taken: 0,
        }
    }

    fn push(&mut self, frame: Frame, replayed: bool) {
        frame.pay(self.places.account());
        self.waiting.push_back(Waiting { frame, replayed });
        self.pay_places();
    }

    fn pay_places(&mut self) {
        let bytes = self.waiting.capacity() * size_of::<Waiting>();
        if bytes != self.places.bytes() {
            self.places.set(bytes);
        }
    }

    fn pop(&mut self) -> Option<Waiting> {
        let next = self.waiting.pop_front()?;
        if next.replayed {
            self.replayed -= next.frame.cost();
        } else {
            self.frames -= 1;
            self.bytes -= next.frame.len();
        }
        if self.waiting.is_empty() && self.waiting.capacity() > PLACES {
            self.waiting = VecDeque::new();
            self.pay_places();
        }
        Some(next)
    }

    /// Drops all that waits, but for the greeting.
    fn clear(&mut self) {
        self.waiting = VecDeque::new();
        self.pay_places();
        (self.frames, self.bytes, self.replayed) = (0, 0, 0);
    }

    fn is_empty(&self) -> bool {
        self.greeting.is_none() && self.ack.is_none() && self.waiting.is_empty()
    }

    /// A newer acknowledgement replaces the waiting one, but keeps that the first `open` is
    /// answered.
    fn acknowledge(&mut self, Ack { accepted, session }: Ack) {
        let earlier = self.ack.take().and_then(|ack| ack.session);
        let session = session.or(earlier);
        self.ack = Some(Ack { accepted, session });
    }

    fn pop_ack(&mut self) -> Option<Frame> {
        let Ack { accepted, session } = self.ack.take()?;
        let session = session.as_deref().map(Into::into);
        let frame = ServerFrame::Ack { accepted, session };
        Some(Frame::from(frame.encode()))
    }

    fn overflow(&mut self) {
        self.clear();
        self.overflowed = true;
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives back the room of all that waits. It is about to be dropped.
    fn free(&self, state: &State) {
        self.signals.room.free(state.frames, state.bytes);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.free(&self.state());
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
        let mut state = self.0.state();
        if state.overflowed {
            return Level::Overflowed;
        }
        let level = self.0.signals.room.take(self.0.limits, frame.len());
        if level == Level::Overflowed {
            return self.overflow(state);
        }
        state.frames += 1;
        state.bytes += frame.len();
        state.push(frame, false);
        drop(state);
        self.0.signals.wake();
        level
    }

    /// How many frames wait, and how many bytes they have, replayed ones included.
    pub(super) fn depth(&self) -> (usize, usize) {
        let state = self.0.state();
        (state.waiting.len(), state.bytes + state.replayed)
    }

    /// Sets the frame that is written before everything else.
    pub fn greet(&self, frame: Frame) {
        self.0.state().greeting = Some(frame);
        self.0.signals.wake();
    }

    /// Acknowledges the client's messages up to this `ref`.
    pub fn acknowledge(&self, accepted: u64) {
        self.0.state().acknowledge(Ack {
            accepted,
            session: None,
        });
        self.0.signals.wake();
    }

    /// Takes all frames that wait, but for the greeting.
    pub(super) fn take_waiting(&self) -> Vec<Frame> {
        let mut state = self.0.state();
        self.0.free(&state);
        let waiting = std::mem::take(&mut state.waiting);
        state.clear();
        waiting.into_iter().map(|waiting| waiting.frame).collect()
    }

    /// Answers a client that has subscribed: an acknowledgement, then the replayed frames, of which
    /// up to `limit` bytes may wait.
    pub(super) fn replay(
        &self,
        ack: Ack,
        frames: impl Iterator<Item = Frame>,
        limit: usize,
    ) -> Level {
        let mut state = self.0.state();
        if state.overflowed {
            return Level::Overflowed;
        }
        state.acknowledge(ack);
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
            state.replayed += frame.cost();
            if state.replayed > limit {
                return self.overflow(state);
            }
            state.push(frame, true);
        }
        drop(state);
        self.0.signals.wake();
        Level::Low
    }

    /// What the frames cost that wait or were taken and are still held, in bytes, whoever pays for
    /// them.
    pub(super) fn held(&self) -> usize {
        let state = self.0.state();
        let waiting = state.bytes + state.frames * OVERHEAD + state.replayed;
        waiting + state.places.bytes() + state.taken
    }

    /// Lets the queue overflow. Nothing happens if it has before.
    pub(super) fn give_up(&self) {
        let state = self.0.state();
        if !state.overflowed {
            self.overflow(state);
        }
    }

    fn overflow(&self, mut state: MutexGuard<'_, State>) -> Level {
        self.0.free(&state);
        state.overflow();
        drop(state);
        self.0.meter.overflowed.fetch_add(1, Ordering::Relaxed);
        self.0.signals.overflowed.notify_one();
        Level::Overflowed
    }
}

/// The end of a queue that the connection reads.
#[derive(Debug)]
pub struct Receiver(Arc<Shared>);

impl Receiver {
    /// Signals for another queue of the same connection, which is waited for by itself.
    #[must_use]
    pub fn signals_beside(&self) -> Signals {
        Signals {
            room: self.0.signals.room.clone(),
            ..Signals::default()
        }
    }

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
        let Waiting { frame, replayed } = state.pop()?;
        if !replayed {
            self.0.signals.room.free(1, frame.len());
        }
        drop(state);
        let meter = &self.0.meter;
        meter.deliveries.add(frame.len());
        if let Some(age) = frame.age().filter(|_| !replayed) {
            meter.latency.observe(age);
        }
        Some(frame)
    }

    /// Takes the acknowledgement, if one waits.
    pub fn pop_ack(&mut self) -> Option<Frame> {
        self.0.state().pop_ack()
    }

    /// Notes what frames cost that were taken and are still held, in bytes.
    pub fn still_holds(&self, bytes: usize) {
        self.0.state().taken = bytes;
    }

    /// Resolves when the queue has overflowed. One waiter at a time.
    pub fn overflowed(&self) -> impl Future<Output = ()> + Send + use<> {
        let signals = self.0.signals.clone();
        async move { signals.overflowed().await }
    }
}
