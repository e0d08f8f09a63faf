//! Tickets: what a client that has negotiated shows when it opens its WebSocket.
//!
//! A ticket is a secret, good for one use and a short time. There is room for a limited number. A
//! new one without room replaces the oldest, so that a flood of negotiations doesn't shut out
//! clients that connect at once.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use crate::hub::ids::Secret;

/// The tickets that are issued and neither used nor expired. `T` is what each is good for.
#[derive(Debug)]
pub(super) struct Tickets<T> {
    limit: usize,
    lifetime: Duration,
    issued: u64,
    waiting: HashMap<Secret, (u64, T)>,
    by_age: BTreeMap<u64, (Instant, Secret)>,
}

impl<T> Tickets<T> {
    /// Up to `limit` at one time, each good for `lifetime`.
    #[must_use]
    pub(super) fn new(limit: usize, lifetime: Duration) -> Self {
        Self {
            limit,
            lifetime,
            issued: 0,
            waiting: HashMap::new(),
            by_age: BTreeMap::new(),
        }
    }

    /// Issues a ticket with a new secret.
    pub(super) fn issue(&mut self, secret: Secret, good_for: T, now: Instant) {
        self.evict_expired(now);
        while self.by_age.len() >= self.limit.max(1) {
            self.evict_oldest();
        }
        self.issued += 1;
        self.waiting.insert(secret.clone(), (self.issued, good_for));
        self.by_age.insert(self.issued, (now, secret));
    }

    /// Uses a ticket up, if there is one with these digits and it `fits`.
    pub(super) fn redeem(
        &mut self,
        digits: &str,
        now: Instant,
        fits: impl FnOnce(&T) -> bool,
    ) -> Option<(Secret, T)> {
        self.evict_expired(now);
        if !fits(&self.waiting.get(digits)?.1) {
            return None;
        }
        let (secret, (number, good_for)) = self.waiting.remove_entry(digits)?;
        self.by_age.remove(&number);
        Some((secret, good_for))
    }

    fn evict_expired(&mut self, now: Instant) {
        while let Some(oldest) = self.by_age.first_entry() {
            if now.saturating_duration_since(oldest.get().0) < self.lifetime {
                return;
            }
            let (_, secret) = oldest.remove();
            self.waiting.remove(&secret);
        }
    }

    fn evict_oldest(&mut self) {
        if let Some((_, (_, secret))) = self.by_age.pop_first() {
            self.waiting.remove(&secret);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: Duration = Duration::from_secs(15);

    fn secret(digits: impl ToString) -> Secret {
        Secret::from(&*digits.to_string())
    }

    fn redeem<T>(tickets: &mut Tickets<T>, digits: &str, now: Instant) -> Option<T> {
        tickets
            .redeem(digits, now, |_| true)
            .map(|(secret, good_for)| {
                assert_eq!(secret.as_str(), digits);
                good_for
            })
    }

    #[test]
    fn a_ticket_is_good_once_and_for_what_it_was_issued() {
        let now = Instant::now();
        let mut tickets = Tickets::new(10, LIFE);
        tickets.issue(secret("a"), "/", now);
        assert_eq!(redeem(&mut tickets, "b", now), None);
        let elsewhere = tickets.redeem("a", now, |space| *space == "/other");
        assert!(elsewhere.is_none());
        assert_eq!(redeem(&mut tickets, "a", now), Some("/"));
        assert_eq!(redeem(&mut tickets, "a", now), None);
        assert!(tickets.waiting.is_empty() && tickets.by_age.is_empty());
    }

    #[test]
    fn a_ticket_is_good_until_its_life_is_over() {
        let now = Instant::now();
        let mut tickets = Tickets::new(10, LIFE);
        for (number, seconds) in [(0, 0), (1, 1)] {
            tickets.issue(secret(number), number, now + Duration::from_secs(seconds));
        }
        assert_eq!(redeem(&mut tickets, "0", now + LIFE), None);
        assert_eq!(redeem(&mut tickets, "1", now + LIFE), Some(1));
        assert!(tickets.waiting.is_empty() && tickets.by_age.is_empty());
    }

    #[test]
    fn a_new_ticket_takes_the_place_of_the_oldest() {
        let now = Instant::now();
        let mut tickets = Tickets::new(3, LIFE);
        for number in 0..1000 {
            tickets.issue(secret(number), number, now);
            if number % 2 == 0 {
                assert_eq!(redeem(&mut tickets, &number.to_string(), now), Some(number));
            }
            assert!(tickets.waiting.len() <= 3 && tickets.by_age.len() == tickets.waiting.len());
        }
        let left =
            [993, 995, 997, 999].map(|number| redeem(&mut tickets, &number.to_string(), now));
        assert_eq!(left, [None, Some(995), Some(997), Some(999)]);
    }
}
