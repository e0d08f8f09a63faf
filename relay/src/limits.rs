//! What connections may cost, and the slots that they take: one for each WebSocket or other
//! session, and one for each HTTP connection that is neither.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::hub::queue;

/// The longest name of a space, in bytes.
pub const LONGEST_SPACE: usize = 1024;

/// HTTP connections that are served at one time and are neither a WebSocket nor another session.
/// Further ones wait to be accepted; each of these ends by itself.
const HTTP_CONNECTIONS: usize = 1024;

/// The limits of each connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest frame that is accepted, in bytes.
    pub max_frame: usize,
    /// What may wait for one connection.
    pub queue: queue::Limits,
    /// How many WebSockets and other sessions there may be at one time.
    pub connections: usize,
    /// How long a connection may be silent before it is pinged.
    pub ping_interval: Duration,
    /// How long a pinged connection may stay silent before it is closed.
    pub ping_timeout: Duration,
    /// How long a message may take from its first byte to its last.
    pub message_timeout: Duration,
    /// How long the other side of a connection may take nothing of what is written.
    pub write_timeout: Duration,
    /// How long a connection may take to close.
    pub close_timeout: Duration,
}

/// The slots for WebSockets and other sessions.
#[derive(Debug)]
pub(crate) struct Slots {
    all: usize,
    free: Arc<Semaphore>,
}

/// One slot, free again when this is dropped.
pub(crate) type Slot = OwnedSemaphorePermit;

impl Slots {
    pub(crate) fn new(connections: usize) -> Self {
        let all = connections.min(Semaphore::MAX_PERMITS);
        Self {
            all,
            free: Arc::new(Semaphore::new(all)),
        }
    }

    /// Takes a slot, if one is free.
    pub(crate) fn try_take(&self) -> Option<Slot> {
        Arc::clone(&self.free).try_acquire_owned().ok()
    }

    /// Takes a slot. An error is the answer to a request for which there is none.
    pub(crate) fn take(&self) -> Result<Slot, Box<Response>> {
        self.try_take().ok_or_else(|| {
            tracing::warn!(
                "refused: all {} connections are in use; --connections sets how many there may be",
                self.all
            );
            let sentence = "The relay has as many connections as it may have.\n";
            let headers = [(RETRY_AFTER, "10")];
            Box::new((StatusCode::SERVICE_UNAVAILABLE, headers, sentence).into_response())
        })
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.all.saturating_sub(self.free.available_permits())
    }
}

/// The slots for HTTP connections.
#[derive(Clone, Debug)]
pub(crate) struct HttpSlots(Arc<Semaphore>);

impl HttpSlots {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(HTTP_CONNECTIONS)))
    }

    /// Waits for a free slot. `None`: the relay is gone.
    pub(crate) async fn take(&self) -> Option<HttpSlot> {
        let slot = Arc::clone(&self.0).acquire_owned().await.ok()?;
        Some(HttpSlot {
            all: self.clone(),
            own: Arc::new(Mutex::new(Some(slot))),
            aborted: CancellationToken::new(),
        })
    }
}

/// The slot of one HTTP connection. Each of its requests carries it as an extension.
#[derive(Clone, Debug)]
pub(crate) struct HttpSlot {
    all: HttpSlots,
    own: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
    aborted: CancellationToken,
}

impl HttpSlot {
    /// Gives the slot up while a request waits for something that has a bound of its own, and takes
    /// one again before it is answered.
    pub(crate) async fn release_during(&self, waiting: impl Future<Output = ()>) {
        self.release();
        waiting.await;
        if let Ok(slot) = Arc::clone(&self.all.0).acquire_owned().await {
            *self.own() = Some(slot);
        }
    }

    /// Gives the slot up for good.
    pub(crate) fn release(&self) {
        self.own().take();
    }

    /// Drops the connection, whatever it is writing.
    pub(crate) fn abort(&self) {
        self.aborted.cancel();
    }

    /// Resolves when the connection is to be dropped.
    pub(crate) async fn aborted(&self) {
        self.aborted.cancelled().await;
    }

    fn own(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
