//! What connections may cost, and the slots that they take.
//!
//! | module | |
//! | --- | --- |
//! | `http` | connections that are neither a WebSocket nor another session |
//! | `write_deadline` | how long a client may read nothing |

mod http;
mod write_deadline;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) use self::http::{HttpConnection, HttpConnections};
pub(crate) use self::write_deadline::WriteDeadline;
use crate::hub::queue;

/// The longest name of a space, in bytes.
pub const LONGEST_SPACE: usize = 1024;

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
    /// How long a connection may take to close.
    pub close_timeout: Duration,
    /// How long a client may read nothing of what waits for it.
    pub write_timeout: Duration,
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
