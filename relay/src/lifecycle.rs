//! How a relay stops: it runs, then it drains, then it stops.
//!
//! A relay that drains accepts no more connections, and sends each client away at a moment of its
//! own. When it stops, it sends away everybody who is left.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// The golden ratio without its whole part. Its multiples, each without its whole part, fill the
/// interval from 0 to 1 evenly, however many of them are taken.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// What a relay does, and when its clients are to leave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lifecycle(Arc<State>);

#[derive(Debug, Default)]
struct State {
    draining: CancellationToken,
    stopping: CancellationToken,
    /// Since when it drains, and for how long.
    drain: OnceLock<(Instant, Duration)>,
    departures: AtomicU64,
}

/// The moment at which one client is to leave.
#[derive(Debug)]
pub(crate) struct Departure {
    state: Arc<State>,
    /// The part of the drain after which it is due.
    part: f64,
}

impl Lifecycle {
    /// Begins to drain.
    pub(crate) fn drain(&self, time: Duration) {
        self.0.drain.get_or_init(|| (Instant::now(), time));
        self.0.draining.cancel();
    }

    /// Sends everybody away.
    pub(crate) fn stop(&self) {
        self.drain(Duration::ZERO);
        self.0.stopping.cancel();
    }

    /// Whether it drains or stops.
    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.is_cancelled()
    }

    /// Resolves when it drains.
    pub(crate) async fn draining(&self) {
        self.0.draining.cancelled().await;
    }

    /// Resolves when it stops.
    pub(crate) async fn stopping(&self) {
        self.0.stopping.cancelled().await;
    }

    /// The departure of one client. Those of all clients are spread over the drain.
    pub(crate) fn departure(&self) -> Departure {
        let number = self.0.departures.fetch_add(1, Ordering::Relaxed);
        Departure {
            state: Arc::clone(&self.0),
            part: (number as f64 * GOLDEN).fract(),
        }
    }
}

impl Departure {
    /// Resolves when the client is to leave. It may be awaited more than once.
    pub(crate) async fn due(&self) {
        // A relay that stops drains as well.
        self.state.draining.cancelled().await;
        // On the heap: each connection waits for this as long as it is open.
        Box::pin(self.due_in_drain()).await;
    }

    async fn due_in_drain(&self) {
        let Some((since, time)) = self.state.drain.get() else {
            return;
        };
        tokio::select! {
            () = sleep_until(*since + time.mul_f64(self.part)) => {}
            () = self.state.stopping.cancelled() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn departures_are_spread_evenly() {
        let lifecycle = Lifecycle::default();
        // Of any 100 clients in a row, a tenth of the time sends away about a tenth.
        for _ in 0..20 {
            let mut tenths = [0; 10];
            for _ in 0..100 {
                let part = lifecycle.departure().part;
                assert!((0.0..1.0).contains(&part), "{part}");
                if let Some(tenth) = tenths.get_mut((part * 10.0) as usize) {
                    *tenth += 1;
                }
            }
            assert!(
                tenths.iter().all(|count| (8..=12).contains(count)),
                "{tenths:?}"
            );
        }
    }
}
