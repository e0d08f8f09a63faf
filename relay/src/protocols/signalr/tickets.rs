//! Tickets: what a client that has negotiated shows when it opens its WebSocket.
//!
//! A ticket is a secret, good for one use and a short time. There is room for a limited number. A
//! new one without room replaces the oldest of the space or the address that has most, so that a
//! flood of negotiations shuts nobody else out, nor clients that connect at once.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::hub::ids::Secret;
use crate::hub::kept::{Kept, Place};
use crate::hub::shares::Owner;

/// The tickets that are issued and neither used nor expired. `T` is what each is good for.
#[derive(Debug)]
pub(super) struct Tickets<T> {
    lifetime: Duration,
    waiting: HashMap<Secret, (Place, T)>,
    kept: Kept<Secret>,
}

impl<T> Tickets<T> {
    /// Up to `limit` at one time, each good for `lifetime`.
    #[must_use]
    pub(super) fn new(limit: usize, lifetime: Duration) -> Self {
        Self {
            lifetime,
            waiting: HashMap::new(),
            kept: Kept::new(limit.max(1)),
        }
    }

    /// Issues a ticket with a new secret to an owner.
    pub(super) fn issue(&mut self, secret: Secret, owner: Owner, good_for: T, now: Instant) {
        self.evict_expired(now);
        let place = self.kept.insert(owner, secret.clone(), now);
        self.waiting.insert(secret, (place, good_for));
        for secret in self.kept.evict_excess() {
            self.waiting.remove(&secret);
        }
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
        let (secret, (place, good_for)) = self.waiting.remove_entry(digits)?;
        self.kept.remove(place);
        Some((secret, good_for))
    }

    fn evict_expired(&mut self, now: Instant) {
        while let Some(secret) = self.kept.evict_expired(self.lifetime, now) {
            self.waiting.remove(&secret);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::address::ClientAddress;

    const LIFE: Duration = Duration::from_secs(15);

    fn owner(address: u8) -> Owner {
        Owner {
            space: Some("/".into()),
            address: ClientAddress::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, address))),
        }
    }

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
        tickets.issue(secret("a"), owner(1), "/", now);
        assert_eq!(redeem(&mut tickets, "b", now), None);
        let elsewhere = tickets.redeem("a", now, |space| *space == "/other");
        assert!(elsewhere.is_none());
        assert_eq!(redeem(&mut tickets, "a", now), Some("/"));
        assert_eq!(redeem(&mut tickets, "a", now), None);
        assert!(tickets.waiting.is_empty() && tickets.kept.is_empty());
    }

    #[test]
    fn a_ticket_is_good_until_its_life_is_over() {
        let now = Instant::now();
        let mut tickets = Tickets::new(10, LIFE);
        for (number, seconds) in [(0, 0), (1, 1)] {
            tickets.issue(
                secret(number),
                owner(1),
                number,
                now + Duration::from_secs(seconds),
            );
        }
        assert_eq!(redeem(&mut tickets, "0", now + LIFE), None);
        assert_eq!(redeem(&mut tickets, "1", now + LIFE), Some(1));
        assert!(tickets.waiting.is_empty() && tickets.kept.is_empty());
    }

    #[test]
    fn a_new_ticket_takes_the_place_of_the_oldest() {
        let now = Instant::now();
        let mut tickets = Tickets::new(3, LIFE);
        for number in 0..1000 {
            tickets.issue(secret(number), owner(1), number, now);
            if number % 2 == 0 {
                assert_eq!(redeem(&mut tickets, &number.to_string(), now), Some(number));
            }
            assert!(tickets.waiting.len() <= 3 && tickets.kept.len() == tickets.waiting.len());
        }
        let left =
            [993, 995, 997, 999].map(|number| redeem(&mut tickets, &number.to_string(), now));
        assert_eq!(left, [None, Some(995), Some(997), Some(999)]);
    }
    #[test]
    fn a_flood_of_negotiations_takes_no_ticket_from_another_address() {
        let now = Instant::now();
        let mut tickets = Tickets::new(20, LIFE);
        tickets.issue(secret("victim"), owner(1), (), now);
        for number in 0..1000 {
            tickets.issue(secret(number), owner(2), (), now);
        }
        assert_eq!(redeem(&mut tickets, "victim", now), Some(()));
    }
}
