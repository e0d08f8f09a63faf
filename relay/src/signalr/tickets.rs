//! Tickets: what a client that has negotiated shows when it comes with its WebSocket.
//!
//! A ticket is a secret, good for one use and a short time. There is room for a certain number; a new one that finds none takes the place of
//! the oldest, so that a flood of negotiations doesn't shut out who comes at once.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

/// A secret of 128 random bits as 32 hexadecimal digits, so that it means the same in a URL encoded or not.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Box<str>);

impl Secret {
    /// A new one; `None` if the system has no random numbers.
    #[must_use]
    pub fn random() -> Option<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self(format!("{:032x}", u128::from_ne_bytes(bytes)).into()))
    }

    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Secret {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    /// Not the digits: logs are read by more people than may know them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The tickets that are given out and neither used nor too old. `T` is what each is good for.
#[derive(Debug)]
pub struct Tickets<T> {
    room: usize,
    life: Duration,
    issued: u64,
    waiting: HashMap<Secret, (u64, T)>,
    by_age: BTreeMap<u64, (Instant, Secret)>,
}

impl<T> Tickets<T> {
    /// Up to `room` at one time, each good for as long as `life`.
    #[must_use]
    pub fn new(room: usize, life: Duration) -> Self {
        Self {
            room,
            life,
            issued: 0,
            waiting: HashMap::new(),
            by_age: BTreeMap::new(),
        }
    }

    /// Makes a ticket of a secret that is new.
    pub fn issue(&mut self, secret: Secret, good_for: T, now: Instant) {
        self.forget(now);
        while self.by_age.len() >= self.room.max(1) {
            self.forget_oldest();
        }
        self.issued += 1;
        self.waiting.insert(secret.clone(), (self.issued, good_for));
        self.by_age.insert(self.issued, (now, secret));
    }

    /// Uses a ticket up, if there is one with these digits and `fits` has nothing against it.
    pub fn redeem(
        &mut self,
        digits: &str,
        now: Instant,
        fits: impl FnOnce(&T) -> bool,
    ) -> Option<(Secret, T)> {
        self.forget(now);
        if !fits(&self.waiting.get(digits)?.1) {
            return None;
        }
        let (secret, (number, good_for)) = self.waiting.remove_entry(digits)?;
        self.by_age.remove(&number);
        Some((secret, good_for))
    }

    /// How many wait to be used.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn forget(&mut self, now: Instant) {
        while let Some(oldest) = self.by_age.first_entry() {
            if now.saturating_duration_since(oldest.get().0) < self.life {
                return;
            }
            let (_, secret) = oldest.remove();
            self.waiting.remove(&secret);
        }
    }

    fn forget_oldest(&mut self) {
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
        Secret(digits.to_string().into())
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
    fn secrets_differ_and_are_not_shown() {
        let (one, other) = (Secret::random(), Secret::random());
        assert!(one.is_some() && one != other);
        for secret in [one, other].into_iter().flatten() {
            assert_eq!(secret.as_str().len(), 32);
            assert!(
                secret
                    .as_str()
                    .bytes()
                    .all(|digit| digit.is_ascii_hexdigit())
            );
            assert_eq!(format!("{secret:?}"), "Secret");
        }
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
        assert!(tickets.is_empty() && tickets.by_age.is_empty());
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
        assert!(tickets.is_empty() && tickets.by_age.is_empty());
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
            assert!(tickets.len() <= 3 && tickets.by_age.len() == tickets.len());
        }
        let left =
            [993, 995, 997, 999].map(|number| redeem(&mut tickets, &number.to_string(), now));
        assert_eq!(left, [None, Some(995), Some(997), Some(999)]);
    }
}
