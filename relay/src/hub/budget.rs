//! The memory of a relay: how much is used, by whom and for what.
//!
//! Everything that clients can make the relay hold is *charged* to an account, for as long as it is
//! held: messages once, however many queues and whichever history share them. An account belongs to
//! an [`Owner`]. Charging never fails and waits for nobody; whoever adds something looks afterwards
//! whether the budget is exceeded, and then has memory freed (see the module `relief`).

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::shares::Owner;
use crate::address::ClientAddress;

/// What a WebSocket costs as long as it is open, in bytes, besides what it holds of messages.
pub const CONNECTION: usize = 24 * 1024;

/// What memory is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Messages: in the history, in replays and in send queues.
    Messages,
    /// Sessions with their channels.
    Sessions,
    /// The buffers of connections, as far as they hold messages.
    Buffers,
    /// What connections cost as long as they are open. It can't be given back without closing them,
    /// and nobody gains much by that.
    Connections,
}

/// Bytes for each purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    /// For [`Purpose::Messages`].
    pub messages: usize,
    /// For [`Purpose::Sessions`].
    pub sessions: usize,
    /// For [`Purpose::Buffers`].
    pub buffers: usize,
    /// For [`Purpose::Connections`].
    pub connections: usize,
}

impl Uses {
    /// Bytes in all.
    #[must_use]
    pub fn total(&self) -> usize {
        self.reclaimable() + self.connections
    }

    /// Bytes that can be given back.
    #[must_use]
    pub fn reclaimable(&self) -> usize {
        self.messages + self.sessions + self.buffers
    }
}

#[derive(Debug, Default)]
struct Counters {
    messages: AtomicUsize,
    sessions: AtomicUsize,
    buffers: AtomicUsize,
    connections: AtomicUsize,
}

impl Counters {
    fn of(&self, purpose: Purpose) -> &AtomicUsize {
        match purpose {
            Purpose::Messages => &self.messages,
            Purpose::Sessions => &self.sessions,
            Purpose::Buffers => &self.buffers,
            Purpose::Connections => &self.connections,
        }
    }

    fn uses(&self) -> Uses {
        let load = |purpose| self.of(purpose).load(Ordering::Relaxed);
        Uses {
            messages: load(Purpose::Messages),
            sessions: load(Purpose::Sessions),
            buffers: load(Purpose::Buffers),
            connections: load(Purpose::Connections),
        }
    }
}

/// The memory of one relay.
#[derive(Debug)]
pub struct Budget {
    limit: AtomicUsize,
    used: Counters,
    accounts: Mutex<HashMap<Owner, Weak<Account>>>,
}

impl Budget {
    /// A budget of so many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            limit: AtomicUsize::new(limit),
            used: Counters::default(),
            accounts: Mutex::default(),
        })
    }

    /// The account of an address in a space, or outside of spaces.
    #[must_use]
    pub fn account(
        self: &Arc<Self>,
        space: Option<&Arc<str>>,
        address: ClientAddress,
    ) -> Arc<Account> {
        let owner = Owner {
            space: space.cloned(),
            address,
        };
        let mut accounts = self.accounts();
        if let Some(account) = accounts.get(&owner).and_then(Weak::upgrade) {
            return account;
        }
        let account = Arc::new(Account {
            owner: owner.clone(),
            used: Counters::default(),
            budget: Arc::clone(self),
        });
        accounts.insert(owner, Arc::downgrade(&account));
        account
    }

    /// How many bytes it has.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// Gives it so many bytes from now on.
    pub fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// How many bytes are used for what.
    #[must_use]
    pub fn used(&self) -> Uses {
        self.used.uses()
    }

    /// How many bytes over its limit are used.
    #[must_use]
    pub fn excess(&self) -> usize {
        self.used().total().saturating_sub(self.limit())
    }

    /// All accounts.
    #[must_use]
    pub fn all_accounts(&self) -> HashMap<Owner, Arc<Account>> {
        self.accounts()
            .iter()
            .filter_map(|(owner, account)| Some((owner.clone(), account.upgrade()?)))
            .collect()
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<Owner, Weak<Account>>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one owner uses. It exists while something is charged to it or somebody holds it.
#[derive(Debug)]
pub struct Account {
    owner: Owner,
    used: Counters,
    budget: Arc<Budget>,
}

impl Account {
    /// Whose account it is.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// How many bytes are used for what.
    #[must_use]
    pub fn used(&self) -> Uses {
        self.used.uses()
    }

    /// The account of the same address outside of spaces.
    #[must_use]
    pub fn of_address(&self) -> Arc<Self> {
        self.budget.account(None, self.owner.address)
    }

    /// Charges so many bytes, until the charge is dropped.
    #[must_use]
    pub fn charge(self: &Arc<Self>, purpose: Purpose, bytes: usize) -> Charge {
        let mut charge = Charge {
            account: Arc::clone(self),
            purpose,
            bytes: 0,
        };
        charge.set(bytes);
        charge
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let mut accounts = self.budget.accounts();
        // There may be a new one of the same owner already.
        let gone = |account: &Weak<Self>| account.strong_count() == 0;
        if accounts.get(&self.owner).is_some_and(gone) {
            accounts.remove(&self.owner);
        }
        // Addresses come and go. A map never shrinks by itself.
        if accounts.capacity() > 64 && accounts.len() < accounts.capacity() / 4 {
            accounts.shrink_to_fit();
        }
    }
}

/// Bytes that are charged to an account, until this is dropped.
#[derive(Debug)]
pub struct Charge {
    account: Arc<Account>,
    purpose: Purpose,
    bytes: usize,
}

impl Charge {
    /// The account that pays.
    #[must_use]
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// How many bytes are charged.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Changes how many bytes are charged.
    pub fn set(&mut self, bytes: usize) {
        for used in [&self.account.used, &self.account.budget.used] {
            let used = used.of(self.purpose);
            if bytes >= self.bytes {
                used.fetch_add(bytes - self.bytes, Ordering::Relaxed);
            } else {
                used.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
            }
        }
        self.bytes = bytes;
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn address(last: u8) -> ClientAddress {
        ClientAddress::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
    }

    #[test]
    fn what_is_charged_is_used_until_it_is_dropped() {
        let budget = Budget::new(100);
        let space: Arc<str> = "/".into();
        let account = budget.account(Some(&space), address(1));
        let mut message = account.charge(Purpose::Messages, 70);
        let session = account.charge(Purpose::Sessions, 50);
        assert_eq!((budget.used().total(), budget.excess()), (120, 20));
        assert_eq!(account.used().messages, 70);
        message.set(10);
        assert_eq!((budget.used().total(), budget.excess()), (60, 0));
        drop(account);
        // The same account, because something is still charged to it.
        let account = budget.account(Some(&space), address(1));
        assert_eq!(account.used().total(), 60);
        drop((session, message, account));
        assert_eq!(budget.used(), Uses::default());
        assert!(budget.accounts().is_empty());
    }

    #[test]
    fn each_owner_has_an_account() {
        let budget = Budget::new(100);
        let (one, other): (Arc<str>, Arc<str>) = ("/one".into(), "/other".into());
        let charges: Vec<_> = [
            (Some(&one), address(1)),
            (Some(&other), address(1)),
            (Some(&other), address(2)),
            (None, address(2)),
        ]
        .into_iter()
        .zip(1..)
        .map(|((space, address), bytes)| {
            let account = budget.account(space, address);
            account.charge(Purpose::Buffers, bytes)
        })
        .collect();
        let accounts = budget.all_accounts();
        let mut uses: Vec<_> = accounts
            .values()
            .map(|account| account.used().buffers)
            .collect();
        uses.sort_unstable();
        assert_eq!(uses, [1, 2, 3, 4]);
        drop((charges, accounts));
        assert!(budget.all_accounts().is_empty());
    }
}
