//! How much may be sent: so much at once, and from then on so much a second. Pure: the time is
//! passed in.

use std::time::Duration;

use tokio::time::Instant;

/// How much a client may send each second. 0: as much as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Messages.
    pub messages: u64,
    /// Bytes of messages.
    pub bytes: u64,
}

/// How much may be sent at once, after a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Burst {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

/// A token bucket for messages and one for bytes.
#[derive(Debug)]
pub(crate) struct Buckets {
    messages: Bucket,
    bytes: Bucket,
}

impl Buckets {
    /// Both full.
    pub(crate) fn new(rate: Rate, burst: Burst, now: Instant) -> Self {
        Self {
            messages: Bucket::new(rate.messages, burst.messages, now),
            bytes: Bucket::new(rate.bytes, burst.bytes, now),
        }
    }

    /// From now on they are filled at another rate.
    pub(crate) fn set_rate(&mut self, rate: Rate, burst: Burst, now: Instant) {
        self.messages.set_rate(rate.messages, burst.messages, now);
        self.bytes.set_rate(rate.bytes, burst.bytes, now);
    }

    /// Counts messages, whether or not they were to be sent already.
    pub(crate) fn charge(&mut self, messages: u64, bytes: u64, now: Instant) {
        self.messages.charge(messages, now);
        self.bytes.charge(bytes, now);
    }

    /// How long to wait before another message.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        self.messages.wait(now).max(self.bytes.wait(now))
    }

    /// Whether a whole burst may be sent.
    pub(crate) fn are_full(&self, now: Instant) -> bool {
        self.messages.is_full(now) && self.bytes.is_full(now)
    }
}

/// A token bucket: how many units may be used at once, and how many each second.
#[derive(Debug)]
pub(crate) struct Bucket {
    per_second: u64,
    /// How long it takes to fill up.
    burst: Duration,
    full_at: Instant,
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(per_second: u64, burst: u64, now: Instant) -> Self {
        Self {
            per_second,
            burst: time(burst, per_second),
            full_at: now,
        }
    }

    /// From now on it is filled at another rate. The units that are missing stay missing.
    pub(crate) fn set_rate(&mut self, per_second: u64, burst: u64, now: Instant) {
        let filling = self.full_at.saturating_duration_since(now);
        let missing = filling.as_secs_f64() * self.per_second as f64;
        *self = Self {
            per_second,
            burst: time(burst, per_second),
            full_at: now,
        };
        self.charge(missing as u64, now);
    }

    /// Uses units, whether or not they are there.
    pub(crate) fn charge(&mut self, units: u64, now: Instant) {
        let from = self.full_at.max(now);
        let full_at = from.checked_add(time(units, self.per_second));
        self.full_at = full_at.unwrap_or(from);
    }

    /// How long it takes until units are there again.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        let filling = self.full_at.saturating_duration_since(now);
        filling.saturating_sub(self.burst)
    }

    /// Whether all units are there.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

/// How long so many units take at a rate.
fn time(units: u64, per_second: u64) -> Duration {
    let nanoseconds = u128::from(units) * 1_000_000_000;
    let nanoseconds = nanoseconds.checked_div(per_second.into());
    let nanoseconds = nanoseconds.map(|n| u64::try_from(n).unwrap_or(u64::MAX));
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        messages: 10,
        bytes: 1000,
    };
    const BURST: Burst = Burst {
        messages: 5,
        bytes: 2000,
    };

    #[test]
    fn a_burst_is_free_and_then_the_rate_holds() {
        let start = Instant::now();
        let mut buckets = Buckets::new(RATE, BURST, start);
        for _ in 0..5 {
            buckets.charge(1, 1, start);
            assert_eq!(buckets.wait(start), Duration::ZERO);
        }
        assert!(!buckets.are_full(start));
        for sent in 1..=10 {
            buckets.charge(1, 1, start);
            assert_eq!(buckets.wait(start), Duration::from_millis(100 * sent));
        }
        // After a pause there is room for a burst again, and for no more.
        let later = start + Duration::from_secs(100);
        assert!(buckets.are_full(later));
        for _ in 0..6 {
            buckets.charge(1, 1, later);
        }
        assert_eq!(buckets.wait(later), Duration::from_millis(100));
    }

    #[test]
    fn bytes_count_too() {
        let start = Instant::now();
        let mut buckets = Buckets::new(RATE, BURST, start);
        buckets.charge(1, 2000, start);
        assert_eq!(buckets.wait(start), Duration::ZERO);
        buckets.charge(1, 3000, start);
        assert_eq!(buckets.wait(start), Duration::from_secs(3));
        assert_eq!(
            buckets.wait(start + Duration::from_secs(2)),
            Duration::from_secs(1)
        );
    }

    #[test]
    fn without_a_rate_there_is_no_limit() {
        let start = Instant::now();
        let rate = Rate {
            messages: 0,
            bytes: 0,
        };
        let mut buckets = Buckets::new(rate, BURST, start);
        for _ in 0..1000 {
            buckets.charge(1, u64::MAX, start);
        }
        assert_eq!(buckets.wait(start), Duration::ZERO);
        assert!(buckets.are_full(start));
        // Nor does any number overflow.
        let rate = Rate {
            messages: 1,
            bytes: 1,
        };
        let mut buckets = Buckets::new(rate, BURST, start);
        for _ in 0..1000 {
            buckets.charge(1, u64::MAX, start);
        }
        assert!(buckets.wait(start) > Duration::from_secs(1000));
    }
    #[test]
    fn what_is_missing_is_filled_at_the_new_rate() {
        let start = Instant::now();
        let seconds = |units, per_second| {
            let mut bucket = Bucket::new(1, 0, start);
            bucket.charge(units, start);
            bucket.set_rate(per_second, 0, start);
            bucket.wait(start).as_secs_f64()
        };
        for (units, per_second, expected) in [(600, 100, 6.0), (600, 0, 0.0), (0, 5, 0.0)] {
            assert_eq!(seconds(units, per_second), expected);
        }
        assert!(seconds(u64::MAX, 1) > 1000.0);
    }
}
