//! The messages of a channel as a stream.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::channel::read;
use super::error::{Error, ErrorKind, Result};
use super::listeners::Subscription;
use super::opening::Opening;
use super::wake::Wake;

/// How many messages may wait in a stream, as in a loop of JavaScript.
const MOST_WAITING: usize = 1_000;

/// The messages of other pages on a channel, from [`Channel::messages`](crate::Channel::messages).
/// It ends when the channel or the signaling is closed, and doesn't keep the channel open.
///
/// An item is the error of a message that isn't an `M` ([`ErrorKind::BadMessage`]), after which the
/// stream goes on. A stream buffers 1000 messages. Beyond that the oldest are dropped: the next item
/// is an error of the kind [`ErrorKind::BufferFull`], and `on_error` is called.
///
/// ```no_run
/// use futures_util::StreamExt;
///
/// # async fn example(chat: signal_wasm::Channel<String>) {
/// let mut messages = chat.messages();
/// while let Some(message) = messages.next().await {
///     if let Ok(text) = message {
///         web_sys::console::log_1(&text.into());
///     }
/// }
/// # }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Messages<M> {
    opening: Weak<Opening>,
    buffer: Rc<Buffer<M>>,
    wakes: [Wake; 2],
    _subscription: Subscription,
}

struct Buffer<M> {
    items: RefCell<VecDeque<Result<M>>>,
    /// How many were dropped since the last item was taken.
    dropped: Cell<u64>,
}

impl<M: DeserializeOwned + 'static> Messages<M> {
    pub(super) fn new(opening: &Rc<Opening>) -> Messages<M> {
        let buffer = Rc::new(Buffer {
            items: RefCell::default(),
            dropped: Cell::new(0),
        });
        let (filled, source) = (Rc::clone(&buffer), Rc::downgrade(opening));
        let subscription = opening.messages.add(move |message| {
            let is_behind = filled.push(read(message));
            let hub = source.upgrade().and_then(|opening| opening.hub().ok());
            if let (true, Some(hub), Some(opening)) = (is_behind, hub, source.upgrade()) {
                let error = behind(&opening.name, 1);
                hub.signaling.driver.tell(&error.into());
            }
        });
        Messages {
            opening: Rc::downgrade(opening),
            buffer,
            // After the subscription: the task wakes when the message is there.
            wakes: [Wake::on(&opening.messages), Wake::on(&opening.ends)],
            _subscription: subscription,
        }
    }
}

impl<M> Buffer<M> {
    /// Returns whether the task has just fallen behind.
    fn push(&self, item: Result<M>) -> bool {
        let mut items = self.items.borrow_mut();
        items.push_back(item);
        if items.len() <= MOST_WAITING {
            return false;
        }
        let oldest = items.pop_front();
        drop(items);
        // It may own a channel.
        drop(oldest);
        let dropped = self.dropped.get();
        self.dropped.set(dropped + 1);
        dropped == 0
    }
}

fn behind(channel: &str, dropped: u64) -> Error {
    Error::new(
        ErrorKind::BufferFull,
        format!(
            "a stream of the channel '{channel}' is {MOST_WAITING} messages behind, so the oldest are dropped ({dropped} so far); take them faster, or use a handler"
        ),
    )
}

impl<M> Stream for Messages<M> {
    type Item = Result<M>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<M>>> {
        let dropped = self.buffer.dropped.take();
        let opening = self.opening.upgrade();
        if dropped > 0 {
            let name = opening.as_ref().map_or("", |opening| &opening.name);
            return Poll::Ready(Some(Err(behind(name, dropped))));
        }
        let item = self.buffer.items.borrow_mut().pop_front();
        if item.is_some() {
            return Poll::Ready(item);
        }
        if opening.is_none_or(|opening| opening.is_closed()) {
            return Poll::Ready(None);
        }
        self.wakes.iter().for_each(|wake| wake.wait(context));
        Poll::Pending
    }
}

impl<M> fmt::Debug for Messages<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages")
            .field("waiting", &self.buffer.items.borrow().len())
            .finish_non_exhaustive()
    }
}
