//! When to connect again: full-jitter exponential backoff.

use crate::protocol::Millis;

/// A connection that was open for this long resets the backoff.
const STABLE: Millis = 5_000.0;

/// When the network or the page is back, each page waits a random time of up to this, so that they
/// don't all reconnect at the same moment.
const SPREAD: Millis = 1_000.0;

/// The option `reconnect`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReconnectPolicy {
    /// The longest wait before the first attempt; it doubles with each further one.
    pub base: Millis,
    /// The longest wait before any attempt.
    pub cap: Millis,
    /// How many attempts in a row; infinite by default.
    pub attempts: f64,
}

impl Default for ReconnectPolicy {
    fn default() -> ReconnectPolicy {
        ReconnectPolicy {
            base: 500.0,
            cap: 20_000.0,
            attempts: f64::INFINITY,
        }
    }
}

impl ReconnectPolicy {
    /// The wait before attempt number `attempt` (the first is 0), `random` being from 0 up to 1;
    /// `None`: no further attempt.
    pub fn delay(&self, attempt: u32, random: f64) -> Option<Millis> {
        if f64::from(attempt) >= self.attempts {
            return None;
        }
        let doubled = self.base * (1u64 << attempt.min(32)) as f64;
        Some(doubled.min(self.cap) * random)
    }
}

/// Counts attempts, and decides when the next one comes.
#[derive(Debug)]
pub struct Reconnect {
    policy: ReconnectPolicy,
    random: Random,
    /// Attempts since the last working connection.
    attempts: u32,
}

impl Reconnect {
    /// No attempt has been made; `seed` is for the jitter.
    pub fn new(policy: ReconnectPolicy, seed: u64) -> Reconnect {
        Reconnect {
            policy,
            random: Random(seed),
            attempts: 0,
        }
    }

    /// The wait before the next attempt, after a connection was lost that was open for
    /// `was_open_for`, if it was open at all. `None`: no further attempt.
    pub fn after_loss(&mut self, was_open_for: Option<Millis>) -> Option<Millis> {
        if was_open_for.is_some_and(|time| time >= STABLE) {
            self.attempts = 0;
        }
        let delay = self.policy.delay(self.attempts, self.random.next());
        self.attempts += u32::from(delay.is_some());
        delay
    }

    /// The wait before the last attempt is made once more, without counting another, after nothing
    /// came of it for `took`. It is up to as long as that: all pages of a server that answers nothing
    /// give up at the same time, and would come together again and again. `None`: no further attempt.
    pub fn repeat(&mut self, took: Millis) -> Option<Millis> {
        let attempt = self.attempts.saturating_sub(1);
        let longest = self.policy.delay(attempt, 1.0)?;
        Some(longest.max(took.min(self.policy.cap)) * self.random.next())
    }

    /// Whether a lost connection is followed by another.
    pub fn can_reconnect(&self) -> bool {
        self.policy.delay(0, 0.0).is_some()
    }

    /// The wait before a message is sent again that failed `failures` times before; `None`: no
    /// further attempt.
    pub fn delay(&mut self, failures: u32) -> Option<Millis> {
        self.policy.delay(failures, self.random.next())
    }

    /// Resets the backoff.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }

    /// A random wait, after the network or the page is back. Resets the backoff.
    pub fn soon(&mut self) -> Millis {
        self.reset();
        self.random.next() * SPREAD
    }
}

/// SplitMix64. The jitter needs no secrecy; it only has to differ between pages.
#[derive(Debug, Clone)]
struct Random(u64);

impl Random {
    /// In the range 0..1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_wait_doubles_up_to_the_cap() {
        let policy = ReconnectPolicy::default();
        let longest: Vec<_> = (0..8).map(|attempt| policy.delay(attempt, 1.0)).collect();
        let expected = [
            500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0, 20_000.0, 20_000.0,
        ]
        .map(Some);
        assert_eq!(longest, expected);
        assert_eq!(policy.delay(u32::MAX, 1.0), Some(20_000.0));
        assert_eq!(policy.delay(3, 0.0), Some(0.0));
    }

    #[test]
    fn attempts_are_counted_up_to_a_working_connection() {
        let policy = ReconnectPolicy {
            attempts: 2.0,
            ..ReconnectPolicy::default()
        };
        let mut reconnect = Reconnect::new(policy, 1);
        assert!(reconnect.after_loss(None).is_some());
        assert!(reconnect.after_loss(Some(4_999.0)).is_some());
        assert_eq!(reconnect.after_loss(Some(4_999.0)), None);
        assert!(reconnect.after_loss(Some(5_000.0)).is_some());
        assert!((0.0..1_000.0).contains(&reconnect.soon()));
        assert!(reconnect.after_loss(None).is_some());
    }

    #[test]
    fn randoms_fill_the_unit_interval() {
        let mut random = Random(7);
        let values: Vec<_> = (0..1000).map(|_| random.next()).collect();
        assert!(values.iter().all(|value| (0.0..1.0).contains(value)));
        let mean = values.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "mean {mean}");
    }
}
