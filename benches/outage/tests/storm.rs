//! How pages come back, small enough for every run of the tests. Counts in virtual time are exact.

use outage::{Outcome, Scenario, simulate};

const PAGES: u32 = 5_000;

/// Relays that can take five hundred connections a second each.
fn scenario() -> Scenario {
    Scenario {
        pages: PAGES,
        relays: 1,
        outage: 30_000,
        connection_cost: 2_000.0,
        ..Scenario::default()
    }
}

/// Everybody is back, after so many seconds at most.
fn back_within(scenario: &Scenario, seconds: u64) -> Outcome {
    let outcome = simulate(scenario);
    let last = outcome.back_after(scenario, 100);
    assert!(
        last.is_some_and(|last| last <= seconds * 1000),
        "{last:?} ms: {scenario:?}"
    );
    outcome
}

#[test]
fn attempts_are_spread_after_an_outage() {
    // With the longest waits of up to twenty seconds.
    let outcome = back_within(&scenario(), 25);
    assert!(outcome.peak() < PAGES / 8, "{}", outcome.peak());
    assert_eq!(outcome.refused, 0);
}

#[test]
fn attempts_are_spread_when_nothing_answered() {
    let silent = Scenario {
        silent: true,
        outage: 60_000,
        ..scenario()
    };
    let outcome = back_within(&silent, 40);
    assert!(outcome.peak() < PAGES / 6, "{}", outcome.peak());
}

#[test]
fn a_relay_with_more_pages_than_it_can_take_at_once_goes_on_working() {
    let slow = Scenario {
        connection_cost: 4_000.0,
        ..scenario()
    };
    // It needs twenty seconds of processor time for all of them, if it wastes none.
    let outcome = back_within(&slow, 45);
    assert!(outcome.processor < 22_000.0, "{} ms", outcome.processor);
    // After the first ten seconds nobody comes much faster than the relay can take.
    let late = outcome.attempts.iter().skip(10).max().copied();
    let late = f64::from(late.unwrap_or_default());
    assert!(late < 4.0 * slow.capacity(), "{late} attempts in a second");
}

#[test]
fn many_pages_of_one_address_come_back_too() {
    let shared = Scenario {
        pages_per_address: 400,
        ..scenario()
    };
    back_within(&shared, 25);
}
