//! What is counted.

use serde_json::{Value, json};

use crate::scenario::Scenario;

/// How the pages came back. Times count from the end of the outage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// When each page that is back was connected, in milliseconds, in order.
    pub back: Vec<u64>,
    /// Attempts to connect in each second since the end of the outage.
    pub attempts: Vec<u32>,
    /// Attempts to connect in each second of the outage.
    pub attempts_before: Vec<u32>,
    /// Attempts after it that failed: given up by the page, dropped or refused by the relay.
    pub failed: u64,
    /// Those of them that the relay dropped while they shook hands, to make room for others.
    pub dropped: u64,
    /// Those that the relay refused for want of places.
    pub refused: u64,
    /// The most connections that waited for one relay, in its kernel's queue and its own.
    pub longest_queue: usize,
    /// Processor time of all relays, in milliseconds.
    pub processor: f64,
}

impl Outcome {
    /// When so many of a hundred pages were back, in milliseconds; `None`: they never were.
    #[must_use]
    pub fn back_after(&self, scenario: &Scenario, percent: u32) -> Option<u64> {
        let wanted = (u64::from(scenario.pages) * u64::from(percent)).div_ceil(100);
        let last = usize::try_from(wanted).ok()?.checked_sub(1)?;
        self.back.get(last).copied()
    }

    /// Attempts in the busiest second after the outage.
    #[must_use]
    pub fn peak(&self) -> u32 {
        busiest(&self.attempts)
    }

    /// Attempts in the busiest second of the outage.
    #[must_use]
    pub fn peak_before(&self) -> u32 {
        busiest(&self.attempts_before)
    }

    /// As JSON, with what was simulated.
    #[must_use]
    pub fn json(&self, scenario: &Scenario) -> Value {
        let seconds = |percent| {
            self.back_after(scenario, percent)
                .map(|time| time as f64 / 1000.0)
        };
        let pages = f64::from(scenario.pages);
        json!({
            "pages": scenario.pages,
            "relays": scenario.relays,
            "outageSeconds": scenario.outage as f64 / 1000.0,
            "tls": scenario.tls,
            "silent": scenario.silent,
            "connectionMicroseconds": scenario.connection_cost,
            "processors": scenario.processors,
            "httpConnections": scenario.http_connections,
            "connectionsPerSecond": scenario.capacity(),
            "backSeconds": {"50": seconds(50), "90": seconds(90), "99": seconds(99), "100": seconds(100)},
            "attemptsPerSecond": self.attempts,
            "peakAttemptsPerSecond": self.peak(),
            "peakLoad": f64::from(self.peak()) / scenario.capacity(),
            "attemptsPerSecondDuring": self.attempts_before,
            "failedPerPage": self.failed as f64 / pages,
            "dropped": self.dropped,
            "refused": self.refused,
            "longestQueue": self.longest_queue,
            "processorSeconds": self.processor / 1000.0,
        })
    }
}

fn busiest(attempts: &[u32]) -> u32 {
    attempts.iter().copied().max().unwrap_or_default()
}
