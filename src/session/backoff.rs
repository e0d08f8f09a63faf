//! When to try again: full-jitter exponential backoff. A pure function of the attempt and of one random number.

use crate::protocol::Millis;

/// The option `reconnect`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reconnect {
    /// The longest wait before the first attempt; it doubles with each further one.
    pub base: Millis,
    /// The longest wait before any attempt.
    pub cap: Millis,
    /// How many attempts in a row; infinite by default.
    pub attempts: f64,
}

impl Default for Reconnect {
    fn default() -> Reconnect {
        Reconnect {
            base: 500.0,
            cap: 20_000.0,
            attempts: f64::INFINITY,
        }
    }
}

impl Reconnect {
    /// The wait before attempt number `attempt` (the first is 0), `random` being from 0 up to 1; `None`: no further attempt.
    pub fn delay(&self, attempt: u32, random: f64) -> Option<Millis> {
        if f64::from(attempt) >= self.attempts {
            return None;
        }
        let doubled = self.base * (1u64 << attempt.min(32)) as f64;
        Some(doubled.min(self.cap) * random)
    }
}

/// SplitMix64: the jitter needs no secrecy, just pages that don't wait in step.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// From 0 up to, not including, 1.
    pub fn next(&mut self) -> f64 {
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
        let reconnect = Reconnect::default();
        let longest: Vec<_> = (0..8)
            .map(|attempt| reconnect.delay(attempt, 1.0))
            .collect();
        let expected = [
            500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16_000.0, 20_000.0, 20_000.0,
        ]
        .map(Some);
        assert_eq!(longest, expected);
        assert_eq!(reconnect.delay(u32::MAX, 1.0), Some(20_000.0));
        assert_eq!(reconnect.delay(3, 0.0), Some(0.0));
    }

    #[test]
    fn attempts_are_counted() {
        let reconnect = Reconnect {
            attempts: 2.0,
            ..Reconnect::default()
        };
        assert_eq!(reconnect.delay(1, 1.0), Some(1000.0));
        assert_eq!(reconnect.delay(2, 1.0), None);
    }

    #[test]
    fn randoms_fill_the_unit_interval() {
        let mut random = Random::new(7);
        let values: Vec<_> = (0..1000).map(|_| random.next()).collect();
        assert!(values.iter().all(|value| (0.0..1.0).contains(value)));
        let mean = values.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "mean {mean}");
    }
}
