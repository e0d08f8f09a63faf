//! Counts what goes through a hub.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper bounds of the histogram's buckets, in seconds. A last bucket has the rest.
pub const BOUNDS: [f64; 12] = [
    0.000_1, 0.000_25, 0.001, 0.002_5, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0,
];

/// Counts what goes through a hub, since it began.
#[derive(Debug, Default)]
pub struct Meter {
    pub(super) published: Count,
    pub(super) deliveries: Count,
    pub(super) overflowed: AtomicU64,
    pub(super) latency: Histogram,
}

/// A number of messages, and their bytes.
#[derive(Debug, Default)]
pub(super) struct Count {
    messages: AtomicU64,
    bytes: AtomicU64,
}

/// How long deliveries took.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    buckets: [AtomicU64; BOUNDS.len()],
    beyond: AtomicU64,
    nanoseconds: AtomicU64,
}

/// What a [`Meter`] has counted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Messages that were published, and the bytes of their texts.
    pub published: (u64, u64),
    /// Messages that were handed to a connection, once for each, and the bytes of their texts.
    pub deliveries: (u64, u64),
    /// Queues that overflowed.
    pub overflowed: u64,
    /// For each of [`BOUNDS`] and for what is beyond, how many deliveries took so long.
    pub latency: Vec<u64>,
    /// How long all of them took together.
    pub latency_sum: Duration,
}

impl Count {
    pub(super) fn add(&self, bytes: usize) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn get(&self) -> (u64, u64) {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (get(&self.messages), get(&self.bytes))
    }
}

impl Histogram {
    pub(super) fn observe(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        let bucket = BOUNDS.iter().position(|bound| seconds <= *bound);
        let bucket = bucket.and_then(|bucket| self.buckets.get(bucket));
        bucket
            .unwrap_or(&self.beyond)
            .fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

impl Meter {
    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let buckets = self.latency.buckets.iter().chain([&self.latency.beyond]);
        Counts {
            published: self.published.get(),
            deliveries: self.deliveries.get(),
            overflowed: get(&self.overflowed),
            latency: buckets.map(get).collect(),
            latency_sum: Duration::from_nanos(get(&self.latency.nanoseconds)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_is_in_one_bucket() {
        let meter = Meter::default();
        for (time, bucket) in [(0, 0), (100, 0), (101, 1), (1_000, 2), (29_999_999, 11)] {
            let before = meter.counts().latency;
            meter.latency.observe(Duration::from_micros(time));
            let after = meter.counts().latency;
            let changed = before
                .iter()
                .zip(&after)
                .position(|(one, other)| one != other);
            assert_eq!(changed, Some(bucket), "{time}");
        }
        meter.latency.observe(Duration::from_secs(3600));
        let counts = meter.counts();
        assert_eq!(counts.latency.last(), Some(&1));
        assert_eq!(counts.latency.iter().sum::<u64>(), 6);
        assert_eq!(counts.latency_sum.as_secs(), 3630);
    }
}
