//! Who has to give memory back when there is too little. Pure.
//!
//! What is used belongs to *owners*: an address, in a space. Each space and each address has a
//! claim: all that its owners use together. Whoever uses most gives back first, be it a space that
//! many addresses fill or an address that fills many spaces, until others use as much. So an
//! attacker, who has to use much to do harm, loses its own before anybody else does.

use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use crate::address::ClientAddress;

/// Whose share something is paid from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// The space. `None`: it belongs to no space, only to an address.
    pub space: Option<Arc<str>>,
    /// The address of the client.
    pub address: ClientAddress,
}

/// How finely [`plan`] takes: in so many steps.
const STEPS: usize = 64;

/// Who has to give back how much, so that `need` is free again, or as much as there is. Each owner
/// is named once. It may be given as much as the owner uses, never more.
#[must_use]
pub fn plan(uses: impl IntoIterator<Item = (Owner, usize)>, need: usize) -> Vec<(Owner, usize)> {
    let mut claims = Claims::default();
    let mut entries: Vec<Entry> = Vec::new();
    for (owner, left) in uses.into_iter().filter(|(_, used)| *used > 0) {
        claims.add(&owner, left);
        entries.push(Entry {
            owner,
            left,
            taken: 0,
        });
    }
    let mut largest: BinaryHeap<(usize, usize, usize)> = entries
        .iter()
        .enumerate()
        .map(|(place, entry)| (claims.of(&entry.owner), entry.left, place))
        .collect();
    let step = need.div_ceil(STEPS).max(1);
    let mut need = need;
    while need > 0
        && let Some((claim, _, place)) = largest.pop()
        && let Some(entry) = entries.get_mut(place)
    {
        let current = claims.of(&entry.owner);
        if current == claim {
            let part = entry.left.min(step).min(need);
            entry.left -= part;
            entry.taken += part;
            need -= part;
            claims.subtract(&entry.owner, part);
        }
        if entry.left > 0 {
            // Claims only shrink, so an entry that is out of date is found here before it is used.
            largest.push((claims.of(&entry.owner), entry.left, place));
        }
    }
    entries
        .into_iter()
        .filter(|entry| entry.taken > 0)
        .map(|entry| (entry.owner, entry.taken))
        .collect()
}

struct Entry {
    owner: Owner,
    left: usize,
    taken: usize,
}

/// What each space and each address uses in all.
#[derive(Default)]
struct Claims {
    spaces: HashMap<Arc<str>, usize>,
    addresses: HashMap<ClientAddress, usize>,
}

impl Claims {
    fn add(&mut self, owner: &Owner, bytes: usize) {
        if let Some(space) = &owner.space {
            *self.spaces.entry(Arc::clone(space)).or_default() += bytes;
        }
        *self.addresses.entry(owner.address).or_default() += bytes;
    }

    fn subtract(&mut self, owner: &Owner, bytes: usize) {
        let space = owner.space.as_ref();
        if let Some(used) = space.and_then(|space| self.spaces.get_mut(space)) {
            *used -= bytes;
        }
        if let Some(used) = self.addresses.get_mut(&owner.address) {
            *used -= bytes;
        }
    }

    /// The claim that an owner's use counts in: the greater one.
    fn of(&self, owner: &Owner) -> usize {
        let space = owner.space.as_ref();
        let space = space.and_then(|space| self.spaces.get(space)).copied();
        let address = self.addresses.get(&owner.address).copied();
        space.max(address).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn owner(space: u8, address: u8) -> Owner {
        Owner {
            space: Some(format!("/{space}").into()),
            address: ClientAddress::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, address))),
        }
    }

    fn taken(plan: &[(Owner, usize)], of: &Owner) -> usize {
        plan.iter()
            .filter(|(owner, _)| owner == of)
            .map(|(_, bytes)| bytes)
            .sum()
    }

    #[test]
    fn a_space_that_uses_most_gives_back_and_others_do_not() {
        let uses = [(owner(1, 1), 70_000), (owner(2, 2), 900)];
        assert_eq!(plan(uses, 4_000), [(owner(1, 1), 4_000)]);
    }

    #[test]
    fn an_address_gives_back_that_uses_little_in_each_of_many_spaces() {
        let mut uses: Vec<_> = (10..110).map(|space| (owner(space, 1), 700)).collect();
        uses.push((owner(2, 2), 900));
        let plan = plan(uses, 4_000);
        assert_eq!(taken(&plan, &owner(2, 2)), 0);
        assert_eq!(plan.iter().map(|(_, bytes)| bytes).sum::<usize>(), 4_000);
    }

    #[test]
    fn a_space_gives_back_that_many_addresses_fill() {
        let mut uses: Vec<_> = (10..110).map(|address| (owner(1, address), 700)).collect();
        uses.push((owner(2, 2), 900));
        let plan = plan(uses, 4_000);
        assert_eq!(taken(&plan, &owner(2, 2)), 0);
    }

    #[test]
    fn equals_give_back_alike() {
        let plan = plan([(owner(1, 1), 1_000), (owner(2, 2), 1_000)], 640);
        assert_eq!(taken(&plan, &owner(1, 1)), 320);
        assert_eq!(taken(&plan, &owner(2, 2)), 320);
    }

    #[test]
    fn there_may_be_less_than_is_needed() {
        assert_eq!(plan([(owner(1, 1), 10)], 100), [(owner(1, 1), 10)]);
        assert_eq!(plan([], 100), []);
        assert_eq!(plan([(owner(1, 1), 10)], 0), []);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_needed_is_taken_from_those_who_use_most(
            uses in vec((0..6_u8, 0..6_u8, 0..5_000_usize), 0..40),
            need in 0..60_000_usize,
        ) {
            let mut by_owner: HashMap<Owner, usize> = HashMap::new();
            for (space, address, bytes) in uses {
                *by_owner.entry(owner(space, address)).or_default() += bytes;
            }
            let plan = plan(by_owner.clone(), need);
            let all: usize = by_owner.values().sum();
            prop_assert_eq!(plan.iter().map(|(_, bytes)| bytes).sum::<usize>(), need.min(all));
            let claims = |left: &dyn Fn(&Owner) -> usize| {
                let mut claims = Claims::default();
                for owner in by_owner.keys() {
                    claims.add(owner, left(owner));
                }
                claims
            };
            let before = claims(&|owner| by_owner.get(owner).copied().unwrap_or_default());
            let after = claims(&|owner| {
                by_owner.get(owner).copied().unwrap_or_default() - taken(&plan, owner)
            });
            let largest = by_owner.keys().map(|owner| after.of(owner)).max().unwrap_or_default();
            for (owner, bytes) in &plan {
                prop_assert!(*bytes <= by_owner.get(owner).copied().unwrap_or_default());
                // Nobody gives back who used less than others still do.
                prop_assert!(before.of(owner) >= largest);
            }
        }
    }
}
