//! The stream below a WebSocket, metered: how much has arrived of a message that isn't complete,
//! since when, and since when the other side has taken nothing.

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

/// What is known of one stream.
#[derive(Debug)]
pub(crate) struct Meter {
    state: Mutex<State>,
    changed: Notify,
    buffer: Buffer,
    message_timeout: Duration,
    write_timeout: Duration,
}

#[derive(Debug, Default)]
struct State {
    progress: Progress,
    /// Since when a message isn't complete.
    begun: Option<Instant>,
    /// Since when the other side takes nothing of what is written.
    stalled: Option<Instant>,
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
            write_timeout: limits.write_timeout,
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
        state.written = state.written.max(bytes.saturating_sub(READ_BUFFER));
        self.pay(state);
    }

    fn wrote(&self, takes_nothing: bool) {
        let mut state = self.state();
        if !takes_nothing {
            state.stalled = None;
        } else if state.stalled.is_none() {
            state.stalled = Some(Instant::now());
            drop(state);
            self.changed.notify_one();
        }
    }

    /// Resolves when the connection has to close: a message takes too long, the other side takes
    /// nothing for too long, or memory has to be freed.
    pub(super) async fn exceeded(&self) -> CloseReason {
        tokio::select! {
            reason = self.overdue() => reason,
            () = self.buffer.given_up() => CloseReason::OverMemory,
        }
    }

    async fn overdue(&self) -> CloseReason {
        loop {
            let (message, write) = {
                let state = self.state();
                (
                    state.begun.map(|begun| begun + self.message_timeout),
                    state.stalled.map(|stalled| stalled + self.write_timeout),
                )
            };
            let now = Instant::now();
            if message.is_some_and(|deadline| deadline <= now) {
                return CloseReason::MessageTimeout;
            }
            if write.is_some_and(|deadline| deadline <= now) {
                return CloseReason::SlowConsumer;
            }
            match message.into_iter().chain(write).min() {
                None => self.changed.notified().await,
                Some(deadline) => {
                    tokio::select! {
                        () = self.changed.notified() => {}
                        () = sleep_until(deadline) => {}
                    }
                }
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
        let Self { stream, meter } = self.get_mut();
        let written = Pin::new(stream).poll_write(context, bytes);
        meter.wrote(written.is_pending());
        written
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
