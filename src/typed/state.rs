//! The state of a connection, and the stream of its changes.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;

use super::error::Error;
use super::observer::Observed;
use super::wake::Wake;
use crate::protocol::Millis;
use crate::session;

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Not connected, and it won't be by itself: no channel was opened yet, or the page has
    /// disconnected.
    Idle,
    /// An attempt to connect is under way.
    Connecting,
    /// Messages go out at once.
    Open,
    /// The connection was lost, and another attempt follows.
    Waiting {
        /// The time until then. `None` while the page is in the back/forward cache.
        retry_in: Option<Duration>,
    },
    /// Closed for good.
    Closed,
}

impl State {
    /// The state of a session at this time.
    pub(super) fn at(now: Millis, state: session::State) -> State {
        match state {
            session::State::Idle => State::Idle,
            session::State::Connecting => State::Connecting,
            session::State::Open { .. } => State::Open,
            session::State::Waiting { until } => State::Waiting {
                retry_in: until.map(|until| duration(until - now)),
            },
            session::State::Closed => State::Closed,
        }
    }
}

/// A time of milliseconds. One that has passed is no time.
pub(super) fn duration(milliseconds: Millis) -> Duration {
    Duration::try_from_secs_f64(milliseconds.max(0.0) / 1_000.0).unwrap_or(Duration::MAX)
}

/// A time in milliseconds.
pub(super) fn milliseconds(duration: Duration) -> Millis {
    duration.as_secs_f64() * 1_000.0
}

/// A change of state.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StateChange {
    /// The new state.
    pub state: State,
    /// Why, in words.
    pub reason: String,
    /// The WebSocket close code, if one ended the connection.
    pub code: Option<u16>,
}

/// The changes of state of a signaling, from the present state on. It ends after
/// [`State::Closed`].
///
/// A task that is slower than the changes misses those between, and sees the latest.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct States {
    observed: Rc<Observed>,
    /// How many changes there were when the last one was taken.
    seen: Option<u64>,
    wake: Wake,
}

impl States {
    pub(super) fn new(observed: &Rc<Observed>) -> States {
        States {
            observed: Rc::clone(observed),
            seen: None,
            wake: Wake::on(&observed.waiting),
        }
    }

    /// Why there is no connection any more.
    pub(super) fn end(&self) -> Error {
        self.observed.end()
    }

    /// The latest change.
    pub(super) fn latest(&self) -> StateChange {
        self.observed.latest().1
    }
}

impl Stream for States {
    type Item = StateChange;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<StateChange>> {
        let (number, change) = self.observed.latest();
        if self.seen != Some(number) {
            self.seen = Some(number);
            return Poll::Ready(Some(change));
        }
        if change.state == State::Closed {
            return Poll::Ready(None);
        }
        self.wake.wait(context);
        Poll::Pending
    }
}
