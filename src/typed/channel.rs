//! Channels: sending and receiving messages.

use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use js_sys::futures::JsFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

use super::error::{Error, ErrorKind, Result};
use super::listeners::Subscription;
use super::opening::Opening;
use super::signaling::Inner;
use super::state::milliseconds;
use super::stream::Messages;
use super::wake::Wake;
use crate::browser::message;
use crate::browser::promises;

/// A named stream of messages of the type `M`, which all pages receive that have it open.
///
/// ```no_run
/// # use std::time::Duration;
/// # async fn example(signaling: signal_wasm::Signaling) -> signal_wasm::Result<()> {
/// let chat = signaling.channel::<String>("chat")?;
/// let handler = chat.on_message(|message| match message {
///     Ok(text) => web_sys::console::log_1(&text.into()),
///     Err(error) => web_sys::console::warn_1(&error.into()),
/// });
/// chat.send(&"Hello.".into())?;
/// chat.send_within(&"Here is a candidate.".into(), Duration::from_secs(5))?;
/// chat.publish(&"The server has this one.".into()).await?;
/// # Ok(())
/// # }
/// ```
///
/// It may be opened several times; each opening receives all messages. Clones are the same opening.
/// It is closed by [`close`](Self::close), when the last clone is dropped, and with the signaling.
#[must_use = "a channel is closed when it is dropped"]
pub struct Channel<M> {
    opening: Rc<Opening>,
    messages: PhantomData<fn(M) -> M>,
}

impl<M> Channel<M> {
    pub(super) fn new(opening: Rc<Opening>) -> Channel<M> {
        Channel {
            opening,
            messages: PhantomData,
        }
    }

    /// The channel's name.
    pub fn name(&self) -> &str {
        &self.opening.name
    }

    /// Resolves when the channel is ready, as the options `open_when` and `open_delay` say: by
    /// default a second after it was opened.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ChannelClosed`] or [`ErrorKind::SignalingClosed`]: it was closed before.
    pub fn ready(&self) -> impl Future<Output = Result<()>> + use<M> {
        let opening = Rc::clone(&self.opening);
        async move {
            let (_, ready) = opening.readiness()?;
            let wakes = [Wake::on(&ready), Wake::on(&opening.ends)];
            poll_fn(move |context| match opening.readiness() {
                Ok((false, _)) => {
                    wakes.iter().for_each(|wake| wake.wait(context));
                    Poll::Pending
                }
                Ok((true, _)) => Poll::Ready(Ok(())),
                Err(closed) => Poll::Ready(Err(closed)),
            })
            .await
        }
    }

    /// Whether it was closed, or its signaling was.
    pub fn is_closed(&self) -> bool {
        self.opening.is_closed()
    }

    /// Closes this opening: its handlers are called no more, and its streams end.
    pub fn close(&self) {
        self.opening.close();
    }
}

impl<M: Serialize> Channel<M> {
    /// Sends a message to every other page that has the channel open. What is sent before the
    /// connection is open waits in the outbox.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadMessage`], [`ErrorKind::MessageTooLarge`], [`ErrorKind::ChannelClosed`] or
    /// [`ErrorKind::SignalingClosed`]; [`ErrorKind::OutboxFull`] with
    /// [`Overflow::Throw`](crate::Overflow::Throw).
    pub fn send(&self, message: &M) -> Result<()> {
        self.transmit(message, f64::INFINITY, None).map(drop)
    }

    /// Like [`send`](Self::send), but if the message still waits in the outbox when `ttl` has
    /// passed, it is dropped, and `on_error` is called.
    ///
    /// # Errors
    ///
    /// As with `send`.
    pub fn send_within(&self, message: &M, ttl: Duration) -> Result<()> {
        self.transmit(message, milliseconds(ttl), None).map(drop)
    }

    /// Sends a message by this very call. The future resolves when the server has accepted it, as
    /// far as the server says so; see [`Signaling::flushed`](crate::Signaling::flushed). It waits as
    /// long as there is no connection.
    ///
    /// If the future is dropped before, the message is taken back; one that is on its way may still
    /// arrive. Until then the future keeps the signaling open.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send), and those that `on_error` is called with:
    /// [`ErrorKind::MessageExpired`], [`ErrorKind::MessageRefused`], [`ErrorKind::MessageGivenUp`],
    /// [`ErrorKind::OutboxFull`]. [`ErrorKind::SignalingClosed`]: the signaling was closed before.
    pub fn publish(&self, message: &M) -> impl Future<Output = Result<()>> + use<M> {
        self.publish_until(message, f64::INFINITY)
    }

    /// Like [`publish`](Self::publish), for at most this time.
    ///
    /// # Errors
    ///
    /// As with `publish`; [`ErrorKind::MessageExpired`] after `ttl`.
    pub fn publish_within(
        &self,
        message: &M,
        ttl: Duration,
    ) -> impl Future<Output = Result<()>> + use<M> {
        self.publish_until(message, milliseconds(ttl))
    }

    fn publish_until(&self, message: &M, ttl: f64) -> impl Future<Output = Result<()>> + use<M> {
        let (promise, settle) = promises::unsettled();
        let sent = self.transmit(message, ttl, Some(settle));
        let waits = sent.map(|(signaling, number)| Withdrawal {
            signaling,
            number: Some(number),
        });
        async move {
            let mut waits = waits?;
            let outcome = JsFuture::from(promise).await;
            waits.number = None;
            outcome.map(drop).map_err(Error::from)
        }
    }

    /// Returns the message's number.
    fn transmit(
        &self,
        message: &M,
        ttl: f64,
        settle: Option<promises::Settle>,
    ) -> Result<(Rc<Inner>, u64)> {
        let hub = self.opening.hub()?;
        let message = message
            .serialize(&serde_wasm_bindgen::Serializer::json_compatible())
            .map_err(|error| {
                Error::new(
                    ErrorKind::BadMessage,
                    format!("send: JSON can't hold the message: {error}"),
                )
            })?;
        let signaling = Rc::clone(&hub.signaling);
        let number = message::send(&signaling.driver, self.name(), &message, ttl, settle)?;
        Ok((signaling, number))
    }
}

impl<M: DeserializeOwned + 'static> Channel<M> {
    /// Calls `handler` with each message of other pages, or with the error of one that isn't an
    /// `M`, until the subscription is dropped.
    pub fn on_message(&self, handler: impl Fn(Result<M>) + 'static) -> Subscription {
        let messages = &self.opening.messages;
        messages.add(move |message| handler(read(message)))
    }

    /// The messages of other pages from now on, as a stream.
    pub fn messages(&self) -> Messages<M> {
        Messages::new(&self.opening)
    }
}

/// A message as an `M`.
pub(super) fn read<M: DeserializeOwned>(message: &JsValue) -> Result<M> {
    serde_wasm_bindgen::from_value(message.clone()).map_err(|error| {
        Error::new(
            ErrorKind::BadMessage,
            format!("the message is of another type: {error}"),
        )
    })
}

impl<M> Clone for Channel<M> {
    fn clone(&self) -> Channel<M> {
        Channel::new(Rc::clone(&self.opening))
    }
}

impl<M> fmt::Debug for Channel<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("name", &self.name())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// Takes a message back when it is dropped, unless the message has settled.
struct Withdrawal {
    signaling: Rc<Inner>,
    number: Option<u64>,
}

impl Drop for Withdrawal {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.signaling.driver.withdraw(number);
        }
    }
}
