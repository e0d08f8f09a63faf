//! The buffers of connections: what they cost as long as they are open, and what they hold of
//! messages that aren't complete.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio_util::sync::CancellationToken;

use super::budget::{Account, Charge, Purpose};
use super::relief::{Debt, Holder, Relief};
use super::shares::Owner;

/// All buffers of a relay.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    opened: AtomicU64,
    open: Mutex<HashMap<u64, Weak<Shared>>>,
}

#[derive(Debug)]
struct Shared {
    /// Paid for what it costs in any case.
    _least: Charge,
    /// Paid for what it holds.
    charge: Mutex<Charge>,
    given_up: CancellationToken,
}

impl Shared {
    fn charge(&self) -> MutexGuard<'_, Charge> {
        self.charge.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The buffer of one connection or request. It is paid for until it is dropped.
#[derive(Debug)]
pub struct Buffer {
    number: u64,
    shared: Arc<Shared>,
    buffers: Arc<Buffers>,
    relief: Arc<Relief>,
}

impl Buffers {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, Weak<Shared>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A buffer that costs `least` bytes in any case.
    pub(super) fn add(
        self: &Arc<Self>,
        account: &Arc<Account>,
        least: usize,
        relief: &Arc<Relief>,
    ) -> Buffer {
        let shared = Arc::new(Shared {
            _least: account.charge(Purpose::Connections, least),
            charge: Mutex::new(account.charge(Purpose::Buffers, 0)),
            given_up: CancellationToken::new(),
        });
        let number = self.opened.fetch_add(1, Ordering::Relaxed);
        self.open().insert(number, Arc::downgrade(&shared));
        relief.relieve();
        Buffer {
            number,
            shared,
            buffers: Arc::clone(self),
            relief: Arc::clone(relief),
        }
    }
}

impl Buffer {
    /// Notes that it holds so many bytes besides what it costs in any case.
    pub fn hold(&self, bytes: usize) {
        // Closed to free memory, it counts as freed already.
        if self.shared.given_up.is_cancelled() {
            return;
        }
        self.shared.charge().set(bytes);
        self.relief.relieve();
    }

    /// Resolves when it is to be closed to free memory.
    pub async fn given_up(&self) {
        self.shared.given_up.cancelled().await;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.buffers.open().remove(&self.number);
    }
}

impl Holder for Buffers {
    /// Closes those first that hold most.
    fn give_back(&self, debts: &[Debt]) {
        let owes = |debt: &Debt| debt.left_of(|uses| uses.buffers) > 0;
        let debts: HashMap<&Owner, &Debt> = debts
            .iter()
            .filter(|debt| owes(debt))
            .map(|debt| (debt.account.owner(), debt))
            .collect();
        if debts.is_empty() {
            return;
        }
        let open: Vec<_> = self.open().values().filter_map(Weak::upgrade).collect();
        let mut held: Vec<_> = open
            .into_iter()
            .filter_map(|shared| {
                let (bytes, debt) = {
                    let charge = shared.charge();
                    (charge.bytes(), *debts.get(charge.account().owner())?)
                };
                (bytes > 0).then_some((bytes, debt, shared))
            })
            .collect();
        held.sort_unstable_by_key(|(bytes, ..)| Reverse(*bytes));
        for (_, debt, shared) in held {
            if owes(debt) {
                shared.given_up.cancel();
                shared.charge().set(0);
            }
        }
    }
}
