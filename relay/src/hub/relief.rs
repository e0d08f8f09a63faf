//! Frees memory when more is used than the budget has.
//!
//! Whoever uses most gives back (see [`plan`]): first from its history, then sessions without a
//! connection, then sessions with one, then the send queues that hold most, then connections whose
//! buffers hold most. A sixteenth of the budget becomes free at once, because finding out who uses
//! most takes longer than freeing.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::budget::{Account, Budget, Uses};
use super::shares::{Owner, plan};
use super::store::{Publication, Store, StoreError};

/// Frees memory when more is used than the budget has.
pub struct Relief {
    budget: Arc<Budget>,
    store: Arc<dyn Store>,
    /// Besides the store.
    holders: Vec<Arc<dyn Holder>>,
    /// Held while memory is freed.
    turn: Mutex<Turns>,
}

/// The times that memory was freed.
#[derive(Debug, Default)]
struct Turns {
    logged: Option<Instant>,
    /// How many there were since that was logged.
    unlogged: usize,
    /// When it was last not enough.
    in_vain: Option<Instant>,
}

/// How often it is tried to free enough: what is freed at first may not be enough, if some of it is
/// held elsewhere too.
const ROUNDS: usize = 4;

/// If what can be freed isn't enough, it isn't tried again for so long.
const PAUSE: Duration = Duration::from_millis(10);

/// How often it is logged that memory was freed.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

impl fmt::Debug for Relief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relief")
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

/// Something that holds memory for owners and can free it.
pub(super) trait Holder: Send + Sync {
    /// Frees what these owe, as far as it can.
    fn give_back(&self, debts: &[Debt]);
}

/// How much an owner has to give back.
#[derive(Debug)]
pub(super) struct Debt {
    pub(super) account: Arc<Account>,
    /// What the account may have in the end, in bytes.
    target: usize,
}

impl Debt {
    /// How many bytes are still to be freed.
    pub(super) fn left(&self) -> usize {
        let used = self.account.used().reclaimable();
        used.saturating_sub(self.target)
    }

    /// How many bytes of it are used for one purpose.
    pub(super) fn left_of(&self, purpose: impl FnOnce(Uses) -> usize) -> usize {
        self.left().min(purpose(self.account.used()))
    }
}

impl Relief {
    pub(super) fn new(
        budget: Arc<Budget>,
        store: Arc<dyn Store>,
        holders: Vec<Arc<dyn Holder>>,
    ) -> Self {
        Self {
            budget,
            store,
            holders,
            turn: Mutex::default(),
        }
    }

    pub(super) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub(super) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Publishes, and frees memory if too much is used then.
    pub(super) async fn publish(&self, publication: Publication) -> Result<(), StoreError> {
        let published = self.store.publish(publication).await;
        self.relieve();
        published
    }

    /// Frees memory if too much is used. Returns at once otherwise.
    pub(super) fn relieve(&self) {
        if self.budget.excess() == 0 {
            return;
        }
        let mut turns = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let (excess, now) = (self.budget.excess(), Instant::now());
        if excess == 0 || turns.in_vain.is_some_and(|last| now < last + PAUSE) {
            return;
        }
        let accounts = self.budget.all_accounts();
        // What owners can't give back at once, although they owe it.
        let mut stuck: HashMap<Owner, usize> = HashMap::new();
        for _ in 0..ROUNDS {
            let excess = self.budget.excess();
            if excess == 0 {
                break;
            }
            let uses = accounts.iter().map(|(owner, account)| {
                let stuck = stuck.get(owner).copied().unwrap_or_default();
                let used = account.used().reclaimable();
                (owner.clone(), used.saturating_sub(stuck))
            });
            let debts = debts(&accounts, plan(uses, excess + self.budget.limit() / 16));
            self.collect(&debts);
            for debt in debts {
                *stuck.entry(debt.account.owner().clone()).or_default() += debt.left();
            }
        }
        turns.in_vain = (self.budget.excess() > 0).then_some(now);
        turns.log(now);
    }

    /// Has everybody free what these owe.
    fn collect(&self, debts: &[Debt]) {
        for debt in debts {
            let messages = debt.left_of(|uses| uses.messages);
            if messages > 0 {
                self.store.evict(debt.account.owner(), messages);
            }
        }
        for holder in &self.holders {
            holder.give_back(debts);
        }
    }
}

/// What each owner of a plan owes.
fn debts(accounts: &HashMap<Owner, Arc<Account>>, plan: Vec<(Owner, usize)>) -> Vec<Debt> {
    let debt = |(owner, bytes)| {
        let account = Arc::clone(accounts.get(&owner)?);
        let target = account.used().reclaimable().saturating_sub(bytes);
        Some(Debt { account, target })
    };
    plan.into_iter().filter_map(debt).collect()
}

impl Turns {
    fn log(&mut self, now: Instant) {
        self.unlogged += 1;
        if self
            .logged
            .is_some_and(|logged| now < logged + LOG_INTERVAL)
        {
            return;
        }
        tracing::warn!(
            times = self.unlogged,
            "the memory was used up and taken from those who use most; --memory sets how much there is"
        );
        self.logged = Some(now);
        self.unlogged = 0;
    }
}
