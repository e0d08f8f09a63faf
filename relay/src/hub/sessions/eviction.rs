//! Dropping sessions to free memory.

use std::collections::HashMap;
use std::sync::Arc;

use super::{End, Session, Sessions};
use crate::hub::relief::{Debt, Holder};
use crate::hub::shares::Owner;

impl Sessions {
    /// Drops the session of an owner that was disconnected longest. Returns whether there was one.
    fn evict_kept(&self, owner: &Owner) -> bool {
        let mut registry = self.registry();
        let Some(name) = registry.kept.evict_of(owner) else {
            return false;
        };
        let dropped = registry.sessions.remove(&name);
        drop(registry);
        self.close(dropped.into_iter().collect());
        true
    }

    /// Drops a session and ends its connection, which closes the channels. It counts as freed at
    /// once, so that no others are dropped while that connection ends.
    fn evict_attached(&self, session: &Session) {
        self.registry().sessions.remove(&session.name);
        session.channels().charge.set(0);
        session.holder().ends.end(End::Evicted);
    }
}

impl Holder for Sessions {
    /// Drops those first that have no connection, then those that cost most.
    fn give_back(&self, debts: &[Debt]) {
        let owes = |debt: &Debt| debt.left_of(|uses| uses.sessions) > 0;
        for debt in debts {
            while owes(debt) && self.evict_kept(debt.account.owner()) {}
        }
        let debts: HashMap<_, _> = debts
            .iter()
            .filter(|debt| owes(debt))
            .map(|debt| (debt.account.owner(), debt))
            .collect();
        if debts.is_empty() {
            return;
        }
        let mut attached: Vec<_> = self
            .registry()
            .sessions
            .values()
            .filter_map(|session| {
                let channels = session.channels();
                let charge = &channels.charge;
                let debt = *debts.get(charge.account().owner())?;
                Some((charge.bytes(), debt, Arc::clone(session)))
            })
            .collect();
        attached.sort_unstable_by_key(|(cost, ..)| std::cmp::Reverse(*cost));
        for (_, debt, session) in attached {
            if owes(debt) {
                self.evict_attached(&session);
            }
        }
    }
}
