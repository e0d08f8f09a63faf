//! How often each time occurred, in microseconds, with 3 % of error.

use std::sync::atomic::{AtomicU64, Ordering};

/// So many steps between a time and its double.
const STEPS: u64 = 32;
/// More than any time needs.
const BUCKETS: usize = 2048;

#[derive(Debug)]
pub(crate) struct Histogram(Vec<AtomicU64>);

impl Histogram {
    pub(crate) fn new() -> Self {
        Self((0..BUCKETS).map(|_| AtomicU64::new(0)).collect())
    }

    pub(crate) fn add(&self, microseconds: u64) {
        if let Some(bucket) = self.0.get(bucket(microseconds)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn clear(&self) {
        for bucket in &self.0 {
            bucket.store(0, Ordering::Relaxed);
        }
    }

    /// The time that this part of all doesn't exceed.
    pub(crate) fn quantile(&self, part: f64) -> u64 {
        let counts: Vec<_> = self
            .0
            .iter()
            .map(|bucket| bucket.load(Ordering::Relaxed))
            .collect();
        let wanted = (counts.iter().sum::<u64>() as f64 * part).ceil() as u64;
        let mut seen = 0;
        let found = counts.iter().position(|count| {
            seen += count;
            seen >= wanted.max(1)
        });
        found.map_or(0, time)
    }
}

fn bucket(microseconds: u64) -> usize {
    if microseconds < 2 * STEPS {
        return microseconds as usize;
    }
    let double = u64::from(microseconds.ilog2() - STEPS.ilog2());
    (double * STEPS + (microseconds >> double)) as usize
}

/// The least time in a bucket.
fn time(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * STEPS {
        return bucket;
    }
    let double = bucket / STEPS - 1;
    (bucket - double * STEPS) << double
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_with_little_error() {
        for microseconds in (0..200).chain([1_000, 12_345, 1_000_000, 60_000_000, u64::MAX >> 1]) {
            let back = time(bucket(microseconds));
            assert!(
                back <= microseconds && microseconds - back <= microseconds / 32,
                "{microseconds} {back}"
            );
        }
    }

    #[test]
    fn quantiles() {
        let histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), 0);
        for microseconds in 1..=60 {
            histogram.add(microseconds);
        }
        assert_eq!(
            [0.5, 0.99, 1.0].map(|part| histogram.quantile(part)),
            [30, 60, 60]
        );
        histogram.clear();
        histogram.add(7);
        assert_eq!(histogram.quantile(0.5), 7);
    }
}
