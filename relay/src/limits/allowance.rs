//! What one client may send now, of its own rate and of its address's.
//!
//! The relay reads no further from a client over its rate. So the client's own messages wait on its
//! own machine, and nobody else suffers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use tokio::time::{Instant, sleep_until};

use super::bounds::Rates;
use super::rate::{Buckets, Rate};
use super::shares::Share;

/// So many channels that are opened count as a message.
const CHANNELS_AS_A_MESSAGE: usize = 16;

/// A client was over its rate for too long. This is the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateExceeded(pub(crate) Rate);

/// What one client may send. It waits when it has sent too much.
#[derive(Debug)]
pub(crate) struct Allowance {
    share: Arc<Share>,
    rates: Rates,
    own: Mutex<Own>,
}

#[derive(Debug)]
struct Own {
    buckets: Buckets,
    /// When the next message may be read.
    next: Instant,
    /// Since when the client has been over its rate without a pause.
    over_since: Option<Instant>,
}

impl Allowance {
    /// For a client of an address. It waits if the address's earlier clients have sent too much.
    pub(crate) fn new(share: &Arc<Share>) -> Self {
        let now = Instant::now();
        let limits = share.limits();
        let of_address = if share.limited {
            share.buckets().wait(now)
        } else {
            Duration::ZERO
        };
        Self {
            share: Arc::clone(share),
            rates: limits.rates,
            own: Mutex::new(Own {
                buckets: Buckets::new(limits.rates.connection, limits.burst(), now),
                next: now.checked_add(of_address).unwrap_or(now),
                over_since: None,
            }),
        }
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a message with so many bytes.
    pub(crate) fn charge(&self, bytes: usize) {
        self.spend(1, bytes as u64);
    }

    /// Counts a request for channels, which takes as long as several messages.
    pub(crate) fn charge_channels(&self, channels: usize) {
        self.spend((channels / CHANNELS_AS_A_MESSAGE) as u64, 0);
    }

    fn spend(&self, messages: u64, bytes: u64) {
        if !self.share.limited {
            return;
        }
        let now = Instant::now();
        let of_address = {
            let mut buckets = self.share.buckets();
            buckets.charge(messages, bytes, now);
            buckets.wait(now)
        };
        let mut own = self.own();
        if own.buckets.are_full(now) {
            own.over_since = None;
        }
        own.buckets.charge(messages, bytes, now);
        let wait = own.buckets.wait(now);
        if wait > Duration::ZERO {
            own.over_since.get_or_insert(now);
        }
        own.next = now.checked_add(wait.max(of_address)).unwrap_or(now);
    }

    /// For a client that sends each message by a request, and can wait by itself. An error is the
    /// answer to a request that comes too early.
    pub(crate) fn check(&self) -> Result<(), Box<Response>> {
        if !self.share.limited {
            return Ok(());
        }
        let now = Instant::now();
        let wait = self.own().buckets.wait(now);
        let wait = wait.max(self.share.buckets().wait(now));
        if wait.is_zero() {
            Ok(())
        } else {
            Err(too_many(wait))
        }
    }

    /// Waits until another message may be read.
    ///
    /// # Errors
    /// The client was over its own rate for too long.
    pub(crate) async fn ready(&self) -> Result<(), RateExceeded> {
        if !self.share.limited {
            return Ok(());
        }
        let (next, over_since) = {
            let own = self.own();
            (own.next, own.over_since)
        };
        let rates = self.rates;
        if over_since.is_some_and(|since| since.elapsed() >= rates.patience) {
            return Err(RateExceeded(rates.connection));
        }
        if next > Instant::now() {
            sleep_until(next).await;
        }
        Ok(())
    }
}

/// The answer to a client that sends too much.
pub(crate) fn too_many(wait: Duration) -> Box<Response> {
    let seconds = wait.as_millis().div_ceil(1000).to_string();
    let sentence =
        "You send more messages or bytes than the relay lets one client or one address send.\n";
    Box::new(
        (
            StatusCode::TOO_MANY_REQUESTS,
            [(RETRY_AFTER, seconds)],
            sentence,
        )
            .into_response(),
    )
}
