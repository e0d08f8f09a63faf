//! The stream below a WebSocket, metered: how much has arrived of a message that isn't complete, and
//! since when.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::close::CloseReason;
use super::progress::{Progress, Unfinished};
use super::socket::READ_BUFFER;
use crate::hub::buffers::Buffer;
use crate::limits::Limits;

/// So many bytes that are collected to be written are part of what each connection costs.
const LEAST_WRITTEN: usize = 4 * 1024;

/// What is known of one stream.
#[derive(Debug)]
pub(crate) struct Meter {
    state: Mutex<State>,
    changed: Notify,
    buffer: Buffer,
    message_timeout: Duration,
}

#[derive(Debug, Default)]
struct State {
    progress: Progress,
    /// Since when a message isn't complete.
    begun: Option<Instant>,
    /// Since when the relay reads nothing. This time isn't the message's.
    paused: Option<Instant>,
    /// The most that has been read of one frame, in bytes. The buffer keeps that size.
    largest: usize,
    /// What is held of earlier frames of a message, in bytes.
    fragments: usize,
    /// What the protocol holds of something unfinished, in bytes.
    record: usize,
    /// The most that was collected to be written, in bytes. The buffer keeps that size.
    written: usize,
    /// What was paid for last, in bytes.
    paid: usize,
}

impl Meter {
    pub(super) fn new(buffer: Buffer, limits: &Limits) -> Self {
        Self {
            state: Mutex::default(),
            changed: Notify::new(),
            buffer,
            message_timeout: limits.message_timeout,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, bytes: &[u8]) {
        let mut state = self.state();
        state.progress.take(bytes);
        let unfinished = state.progress.unfinished();
        let began = unfinished.is_some() && state.begun.is_none();
        if unfinished.is_none() {
            state.begun = None;
        } else if began {
            state.begun = Some(Instant::now());
        }
        let Unfinished { frame, fragments } = unfinished.unwrap_or_default();
        let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let frame = bytes(frame).saturating_sub(READ_BUFFER);
        state.largest = state.largest.max(frame);
        state.fragments = bytes(fragments);
        self.pay(state);
        if began {
            self.changed.notify_one();
        }
    }

    fn pay(&self, mut state: MutexGuard<'_, State>) {
        let held = state.largest + state.fragments + state.record + state.written;
        let changed = std::mem::replace(&mut state.paid, held) != held;
        drop(state);
        if changed {
            self.buffer.hold(held);
        }
    }

    /// Notes that the protocol holds so many bytes of something unfinished.
    pub(crate) fn hold_record(&self, bytes: usize) {
        let mut state = self.state();
        state.record = bytes;
        self.pay(state);
    }

    /// Notes that so many bytes are collected to be written.
    pub(super) fn write(&self, bytes: usize) {
        let mut state = self.state();
        state.written = state.written.max(bytes.saturating_sub(LEAST_WRITTEN));
        self.pay(state);
    }

    /// Waits until the client may send more. Meanwhile the time of a message doesn't run.
    pub(super) async fn pause<T>(&self, mut waiting: Pin<&mut impl Future<Output = T>>) -> T {
        let at_once = poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context))).await;
        if let Poll::Ready(done) = at_once {
            return done;
        }
        self.state().paused = Some(Instant::now());
        self.changed.notify_one();
        let done = waiting.await;
        let mut state = self.state();
        let paused = state.paused.take().map(|since| since.elapsed());
        state.begun = state.begun.map(|begun| begun + paused.unwrap_or_default());
        drop(state);
        self.changed.notify_one();
        done
    }

    /// Resolves when the connection has to close: a message takes too long, or memory has to be
    /// freed.
    pub(super) async fn exceeded(&self) -> CloseReason {
        tokio::select! {
            () = self.overdue() => CloseReason::MessageTimeout,
            () = self.buffer.given_up() => CloseReason::OverMemory,
        }
    }

    async fn overdue(&self) {
        loop {
            let begun = {
                let state = self.state();
                state.begun.filter(|_| state.paused.is_none())
            };
            let Some(begun) = begun else {
                self.changed.notified().await;
                continue;
            };
            let deadline = begun + self.message_timeout;
            if deadline <= Instant::now() {
                return;
            }
            tokio::select! {
                () = self.changed.notified() => {}
                // On the heap: mostly no message is incomplete.
                () = Box::pin(sleep_until(deadline)) => {}
            }
        }
    }
}

/// A stream that is metered.
#[derive(Debug)]
pub(crate) struct Metered<S> {
    stream: S,
    meter: Arc<Meter>,
}

impl<S> Metered<S> {
    pub(super) fn new(stream: S, meter: Arc<Meter>) -> Self {
        Self { stream, meter }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Metered<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, meter } = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(stream).poll_read(context, buffer))?;
        meter.read(buffer.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Metered<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::Config;
    use crate::address::ClientAddress;
    use crate::hub::Hub;

    #[tokio::test(start_paused = true)]
    async fn while_the_relay_reads_nothing_the_time_of_a_message_does_not_run() {
        let config = Config::default();
        let Ok(hub) = Hub::in_memory(config.hub_limits()) else {
            panic!("no random numbers");
        };
        let address = ClientAddress::new([192, 0, 2, 1].into());
        let meter = Meter::new(hub.buffer(address, 0), &config.connection_limits());
        let time = config.message_timeout;
        // A text frame of five bytes, and one of them.
        meter.read(b"\x81\x85\0\0\0\0a");
        let waiting = pin!(sleep(10 * time));
        let paused = meter.pause(waiting);
        let closed = tokio::select! {
            biased;
            reason = meter.exceeded() => Some(reason),
            () = paused => None,
        };
        assert_eq!(closed, None);
        assert!(timeout(time / 2, meter.exceeded()).await.is_err());
        assert_eq!(
            timeout(time, meter.exceeded()).await,
            Ok(CloseReason::MessageTimeout)
        );
    }
}
