//! A signaling: one logical connection to a server.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;

use futures_core::Stream;
use js_sys::futures::JsFuture;
use wasm_bindgen::JsValue;

use super::channel::Channel;
use super::error::{Error, Result};
use super::frame::Frame;
use super::listeners::Subscription;
use super::observer::Observed;
use super::opening::Opening;
use super::options::Options;
use super::state::{State, StateChange, States};
use super::stats::Stats;
use crate::browser::driver::Driver;
use crate::browser::events::{Observer, Page};
use crate::browser::options;

/// One logical connection to a server. It connects when its first channel is opened, or by
/// [`connect`](Self::connect), and reconnects by itself.
///
/// ```no_run
/// use signal_wasm::{Options, Signaling};
///
/// # fn main() -> signal_wasm::Result<()> {
/// let signaling = Signaling::new(&Options {
///     url: Some("wss://example.org/".into()),
///     ..Options::default()
/// })?;
/// let states = signaling.on_state_change(|change| {
///     web_sys::console::log_1(&format!("{:?}: {}", change.state, change.reason).into());
/// });
/// let chat = signaling.channel::<String>("chat")?;
/// chat.send(&"Hello.".into())?;
/// # Ok(())
/// # }
/// ```
///
/// Clones are the same one. It is closed by [`close`](Self::close), and when the last clone and the
/// last [`Channel`] are dropped. A handler that owns one of them keeps it open until `close`.
#[derive(Debug, Clone)]
pub struct Signaling(Rc<Inner>);

/// What clones and channels share.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) driver: Rc<Driver>,
    pub(super) observed: Rc<Observed>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.driver.close();
    }
}

impl Signaling {
    /// A signaling that isn't connected yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadOption`](crate::ErrorKind::BadOption) and
    /// [`ErrorKind::BadUrl`](crate::ErrorKind::BadUrl), which name the option as JavaScript has it,
    /// and the value; [`ErrorKind::NoRandomness`](crate::ErrorKind::NoRandomness).
    pub fn new(options: &Options) -> Result<Signaling> {
        let options = options::Options::read(&options.into(), &JsValue::UNDEFINED)?;
        let observed = Observed::new();
        let observer = Rc::clone(&observed) as Rc<dyn Observer>;
        let driver = Driver::new(options, Page::observed_by(observer))?;
        Ok(Signaling(Rc::new(Inner { driver, observed })))
    }

    /// Opens a channel of messages of the type `M`. The first one connects.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SignalingClosed`](crate::ErrorKind::SignalingClosed), or
    /// [`ErrorKind::ConnectionFailed`](crate::ErrorKind::ConnectionFailed) where the browser makes
    /// no WebSocket.
    pub fn channel<M>(&self, name: &str) -> Result<Channel<M>> {
        Opening::new(&self.0, name).map(Channel::new)
    }

    /// Connects, before the first channel is opened or after [`disconnect`](Self::disconnect); in
    /// other states it changes nothing. The future is that of [`connected`](Self::connected); to
    /// drop it ends the waiting only.
    ///
    /// # Errors
    ///
    /// As with `connected`.
    pub fn connect(&self) -> impl Future<Output = Result<()>> + use<> {
        drop(self.0.driver.connect());
        self.connected()
    }

    /// Resolves when the state is [`State::Open`]. It never connects by itself, and a failed attempt
    /// changes nothing, since others follow.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SignalingClosed`](crate::ErrorKind::SignalingClosed) after
    /// [`close`](Self::close). If the connection is lost for good, the error of `on_error`, which
    /// says why: [`ErrorKind::ConnectionFailed`](crate::ErrorKind::ConnectionFailed) or
    /// [`ErrorKind::AuthenticationRefused`](crate::ErrorKind::AuthenticationRefused).
    pub fn connected(&self) -> impl Future<Output = Result<()>> + use<> {
        let (driver, mut states) = (Rc::clone(&self.0.driver), self.states());
        async move {
            // Inside a handler the last change that was told may not be the last one that happened.
            while next(&mut states).await.is_some() {
                if driver.state().is_open() {
                    return Ok(());
                }
            }
            Err(states.end())
        }
    }

    /// Disconnects until [`connect`](Self::connect) or [`reconnect`](Self::reconnect) is called. The
    /// state is [`State::Idle`] meanwhile. Channels stay open, and messages wait in the outbox.
    pub fn disconnect(&self) {
        self.0.driver.disconnect();
    }

    /// Tries at once where the state is [`State::Waiting`]. Where it is [`State::Open`], ends the
    /// connection and makes another. Connects where it is [`State::Idle`]; an attempt that is under
    /// way goes on.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SignalingClosed`](crate::ErrorKind::SignalingClosed).
    pub fn reconnect(&self) -> Result<()> {
        Ok(self.0.driver.reconnect()?)
    }

    /// Resolves when the server has accepted everything that was sent before this call, but for
    /// dropped messages, which `on_error` reports. Only our relay, servers of server-sent events and
    /// SignalR hubs say so; from others it means that they haven't closed the connection over it for
    /// about a second.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::SignalingClosed`](crate::ErrorKind::SignalingClosed).
    pub fn flushed(&self) -> impl Future<Output = Result<()>> + use<> {
        let flushed = JsFuture::from(self.0.driver.flushed());
        async { flushed.await.map(drop).map_err(Error::from) }
    }

    /// Resolves, with the reason, when the signaling is closed for good.
    pub fn closed(&self) -> impl Future<Output = StateChange> + use<> {
        let mut states = self.states();
        async move {
            let mut last = None;
            while let Some(change) = next(&mut states).await {
                last = Some(change);
            }
            last.unwrap_or_else(|| states.latest())
        }
    }

    /// Closes the connection and every channel for good. You may call it twice.
    pub fn close(&self) {
        self.0.driver.close();
    }

    /// Calls `handler` after each change of state, until the subscription is dropped.
    pub fn on_state_change(&self, handler: impl Fn(&StateChange) + 'static) -> Subscription {
        self.0.observed.states.add(handler)
    }

    /// The changes of state as a stream, which begins with the present state.
    pub fn states(&self) -> States {
        States::new(&self.0.observed)
    }

    /// Calls `handler` with the name of a channel on which messages may have been missed, until the
    /// subscription is dropped.
    pub fn on_gap(&self, handler: impl Fn(&str) + 'static) -> Subscription {
        self.0.observed.gaps.add(handler)
    }

    /// Calls `handler` with errors that no call can return, until the subscription is dropped.
    pub fn on_error(&self, handler: impl Fn(&Error) + 'static) -> Subscription {
        self.0.observed.errors.add(handler)
    }

    /// Calls `handler` with each frame, until the subscription is dropped. It costs time on every
    /// frame.
    pub fn on_frame(&self, handler: impl Fn(&Frame) + 'static) -> Subscription {
        let inner = Rc::downgrade(&self.0);
        let number = self.0.observed.frames.push(handler);
        self.0.driver.inspect();
        Subscription::new(move || {
            if let Some(inner) = inner.upgrade() {
                inner.observed.frames.remove(number);
                inner.driver.inspect();
            }
        })
    }

    /// The `sender` of this page's messages.
    pub fn userid(&self) -> u64 {
        self.0.driver.userid()
    }

    /// The state of the connection. It is current inside every handler, too.
    pub fn state(&self) -> State {
        State::at(self.0.driver.now(), self.0.driver.state())
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        self.0.driver.stats().into()
    }
}

/// The next item of a stream.
async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}
