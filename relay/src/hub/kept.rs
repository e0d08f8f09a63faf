//! Things that are kept for a while in case that somebody comes back for them, up to a number.
//! Beyond it, whoever has most loses the oldest.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::shares::{Owner, plan};

/// Where a thing is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(u64);

/// The keys of what is kept.
#[derive(Debug)]
pub struct Kept<K> {
    /// How many there may be.
    limit: usize,
    by_age: BTreeMap<Place, Entry<K>>,
    by_owner: HashMap<Owner, BTreeSet<Place>>,
    last: u64,
}

#[derive(Debug)]
struct Entry<K> {
    since: Instant,
    owner: Owner,
    key: K,
}

impl<K> Kept<K> {
    /// Up to `limit` may be kept.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            by_age: BTreeMap::new(),
            by_owner: HashMap::new(),
            last: 0,
        }
    }

    /// Up to `limit` may be kept from now on. [`Kept::evict_excess`] is to be called next.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_age.len()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_age.is_empty()
    }

    /// Keeps one more. [`Kept::evict_excess`] is to be called next.
    pub fn insert(&mut self, owner: Owner, key: K, now: Instant) -> Place {
        self.last += 1;
        let place = Place(self.last);
        self.by_owner
            .entry(owner.clone())
            .or_default()
            .insert(place);
        let since = now;
        self.by_age.insert(place, Entry { since, owner, key });
        place
    }

    /// No longer keeps what is in this place.
    pub fn remove(&mut self, place: Place) -> Option<K> {
        let Entry { owner, key, .. } = self.by_age.remove(&place)?;
        if let Some(places) = self.by_owner.get_mut(&owner) {
            places.remove(&place);
            if places.is_empty() {
                self.by_owner.remove(&owner);
            }
        }
        Some(key)
    }

    /// Removes one that has been kept for so long, if there is any.
    pub fn evict_expired(&mut self, age: Duration, now: Instant) -> Option<K> {
        let (place, entry) = self.by_age.first_key_value()?;
        let place = *place;
        if now.saturating_duration_since(entry.since) < age {
            return None;
        }
        self.remove(place)
    }

    /// Removes what is over the limit, and a little more: finding out who has most takes longer
    /// than removing.
    pub fn evict_excess(&mut self) -> Vec<K> {
        if self.by_age.len() <= self.limit {
            return Vec::new();
        }
        let uses = self.by_owner.iter();
        let uses = uses.map(|(owner, places)| (owner.clone(), places.len()));
        let excess = self.by_age.len() - self.limit + self.limit / 16;
        let mut evicted = Vec::new();
        for (owner, number) in plan(uses, excess) {
            evicted.extend((0..number).map_while(|_| self.evict_of(&owner)));
        }
        evicted
    }

    /// Removes the oldest of an owner.
    pub fn evict_of(&mut self, owner: &Owner) -> Option<K> {
        let place = *self.by_owner.get(owner)?.first()?;
        self.remove(place)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::address::ClientAddress;

    fn owner(space: &str, address: u8) -> Owner {
        Owner {
            space: Some(space.into()),
            address: ClientAddress::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, address))),
        }
    }

    #[test]
    fn whoever_has_most_loses_the_oldest() {
        let (mut kept, now) = (Kept::new(100), Instant::now());
        kept.insert(owner("/victim", 1), 0, now);
        for number in 1..=10_000 {
            // From the same address, and from others.
            kept.insert(owner("/attacker", (number % 100) as u8), number, now);
            let evicted = kept.evict_excess();
            assert!(!evicted.contains(&0));
            assert!(kept.len() <= 100 && kept.by_age.len() == kept.len());
        }
        let places: usize = kept.by_owner.values().map(BTreeSet::len).sum();
        assert_eq!(places, kept.len());
    }

    #[test]
    fn an_address_has_no_more_by_using_many_spaces() {
        let (mut kept, now) = (Kept::new(100), Instant::now());
        kept.insert(owner("/victim", 1), 0, now);
        for number in 1..=10_000 {
            kept.insert(owner(&format!("/{number}"), 2), number, now);
            assert!(!kept.evict_excess().contains(&0));
        }
    }

    #[test]
    fn what_is_kept_expires() {
        let (mut kept, now) = (Kept::new(10), Instant::now());
        let second = Duration::from_secs(1);
        let first = kept.insert(owner("/", 1), "first", now);
        kept.insert(owner("/", 1), "second", now);
        kept.insert(owner("/", 1), "third", now + second);
        assert_eq!(kept.remove(first), Some("first"));
        assert_eq!(kept.remove(first), None);
        assert_eq!(kept.evict_expired(second, now), None);
        assert_eq!(kept.evict_expired(second, now + second), Some("second"));
        assert_eq!(kept.evict_expired(second, now + second), None);
        assert_eq!(kept.evict_of(&owner("/", 1)), Some("third"));
        assert!(kept.is_empty() && kept.by_owner.is_empty());
    }
}
