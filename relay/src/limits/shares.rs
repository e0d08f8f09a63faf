//! What each address may have: places, and rates.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::bounds::Limits;
use super::rate::{Bucket, Buckets};
use crate::address::ClientAddress;

/// A new HTTP connection costs as much as so many requests.
const CONNECTION: u64 = 10;

/// A new HTTP connection of an address whose requests have to wait longer is dropped.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// The shares of all addresses that have anything, or had a moment ago.
#[derive(Debug)]
pub(crate) struct Shares {
    limits: RwLock<Limits>,
    by_address: Mutex<HashMap<ClientAddress, Arc<Share>>>,
}

impl Shares {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits: RwLock::new(limits),
            by_address: Mutex::default(),
        }
    }

    /// Other limits hold for all addresses from now on.
    pub(super) fn set_limits(&self, limits: Limits) {
        let by_address = self.by_address();
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
        for share in by_address.values() {
            share.set_limits(limits);
        }
    }

    fn by_address(&self) -> MutexGuard<'_, HashMap<ClientAddress, Arc<Share>>> {
        self.by_address
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The share of an address.
    pub(crate) fn of(&self, address: ClientAddress) -> Arc<Share> {
        let mut by_address = self.by_address();
        let share = by_address.entry(address).or_insert_with(|| {
            let limits = *self.limits.read().unwrap_or_else(PoisonError::into_inner);
            Arc::new(Share::new(address, limits))
        });
        Arc::clone(share)
    }

    /// Forgets addresses that have nothing. To be called regularly.
    pub(crate) fn evict_unused(&self) {
        let now = Instant::now();
        self.by_address()
            .retain(|_, share| Arc::strong_count(share) > 1 || !share.is_rested(now));
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.by_address().len()
    }
}

/// What one address has.
#[derive(Debug)]
pub(crate) struct Share {
    limits: RwLock<Limits>,
    /// Whether it is limited at all.
    pub(super) limited: bool,
    places: AtomicUsize,
    buckets: Mutex<Buckets>,
    /// For HTTP requests.
    requests: Mutex<Bucket>,
}

impl Share {
    fn new(address: ClientAddress, limits: Limits) -> Self {
        let (rate, burst, now) = (limits.rates.address, limits.burst(), Instant::now());
        Self {
            limits: RwLock::new(limits),
            limited: limits.limit_loopback || !address.is_loopback(),
            places: AtomicUsize::new(0),
            buckets: Mutex::new(Buckets::new(rate, burst, now)),
            requests: Mutex::new(Bucket::new(rate.messages, burst.messages, now)),
        }
    }

    fn set_limits(&self, limits: Limits) {
        let (rate, burst, now) = (limits.rates.address, limits.burst(), Instant::now());
        *self.limits.write().unwrap_or_else(PoisonError::into_inner) = limits;
        self.buckets().set_rate(rate, burst, now);
        self.requests().set_rate(rate.messages, burst.messages, now);
    }

    /// The limits that hold now.
    pub(super) fn limits(&self) -> Limits {
        *self.limits.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it may send a whole burst.
    fn is_rested(&self, now: Instant) -> bool {
        self.buckets().are_full(now) && self.requests().is_full(now)
    }

    pub(super) fn buckets(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn requests(&self) -> MutexGuard<'_, Bucket> {
        let requests = self.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a new HTTP connection. `false`: it has to be dropped, because the address connects
    /// again and again.
    pub(crate) fn connect(&self) -> bool {
        if !self.limited {
            return true;
        }
        let now = Instant::now();
        let mut requests = self.requests();
        let may = requests.wait(now) <= LONGEST_WAIT;
        if may {
            requests.charge(CONNECTION, now);
        }
        may
    }

    /// Counts an HTTP request, and waits until it may be answered.
    pub(crate) async fn request(&self) {
        let wait = self.count_request();
        if !wait.is_zero() {
            sleep(wait).await;
        }
    }

    /// Counts an HTTP request: how long until it may be answered.
    pub(crate) fn count_request(&self) -> Duration {
        if !self.limited {
            return Duration::ZERO;
        }
        let now = Instant::now();
        let mut requests = self.requests();
        requests.charge(1, now);
        requests.wait(now)
    }

    /// Takes one of the address's places. `false`: it has as many as it may have.
    pub(super) fn take_place(&self) -> bool {
        let most = self.limits().connections_per_address;
        let taken = self.places.fetch_add(1, Ordering::Relaxed);
        if self.limited && taken >= most {
            self.free_place();
            return false;
        }
        true
    }

    pub(super) fn free_place(&self) {
        self.places.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn shares(limit_loopback: bool) -> Shares {
        let config = Config {
            connections_per_address: 2,
            limit_loopback,
            ..Config::default()
        };
        Shares::new(config.connection_limits())
    }

    #[test]
    fn places_are_counted_per_address() {
        let shares = shares(false);
        let [one, other] = [[192, 0, 2, 1], [192, 0, 2, 2]].map(|address| {
            let address = ClientAddress::new(address.into());
            shares.of(address)
        });
        assert!(one.take_place() && one.take_place() && !one.take_place());
        assert!(other.take_place());
        one.free_place();
        assert!(one.take_place() && !one.take_place());
    }

    #[test]
    fn loopback_is_limited_only_on_request() {
        for (limit_loopback, third) in [(false, true), (true, false)] {
            let shares = shares(limit_loopback);
            for address in ["127.0.0.1", "::1", "127.1.2.3"] {
                let Ok(address) = address.parse() else {
                    panic!("{address}")
                };
                let share = shares.of(ClientAddress::new(address));
                assert!(share.take_place() && share.take_place());
                assert_eq!(share.take_place(), third, "{address}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn requests_wait_and_connections_are_dropped() {
        let shares = shares(true);
        let share = shares.of(ClientAddress::new([192, 0, 2, 1].into()));
        let connected = (0..10_000).filter(|_| share.connect()).count();
        // A burst of 512 requests, and a second's 5000.
        assert_eq!(connected, 552);
        let start = Instant::now();
        for _ in 0..5000 {
            share.request().await;
        }
        // Timers are as precise as a millisecond.
        let took = start.elapsed().as_millis();
        assert!((1900..8000).contains(&took), "{took} ms");
        let other = shares.of(ClientAddress::new([192, 0, 2, 2].into()));
        assert!(other.connect());
    }

    #[tokio::test(start_paused = true)]
    async fn unused_shares_are_forgotten_when_their_buckets_are_full() {
        let shares = shares(true);
        let share = shares.of(ClientAddress::new([192, 0, 2, 1].into()));
        for _ in 0..10_000 {
            share.buckets().charge(1, 1, Instant::now());
        }
        shares.evict_unused();
        assert_eq!(shares.len(), 1);
        drop(share);
        shares.evict_unused();
        assert_eq!(shares.len(), 1);
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        shares.evict_unused();
        assert_eq!(shares.len(), 0);
    }
}
