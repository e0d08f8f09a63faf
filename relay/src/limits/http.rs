//! HTTP connections that are neither a WebSocket nor another session.
//!
//! There may be a limited number. Beyond that, a new one takes the place of another: of the address
//! that has the most, the one whose last request began longest ago. So nobody is shut out, however
//! many connections somebody else opens, and nobody waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::address::ClientAddress;

/// How many sessions that were begun over one HTTP connection there may be. A page begins one.
const SESSIONS: usize = 64;

/// The HTTP connections of a relay.
#[derive(Clone, Debug)]
pub(crate) struct HttpConnections(Arc<Mutex<Table>>);

#[derive(Debug)]
struct Table {
    most: usize,
    /// Counts connections and requests.
    clock: u64,
    connections: HashMap<u64, Known>,
}

#[derive(Debug)]
struct Known {
    /// `None`: a trusted proxy, which passes on the requests of many.
    address: Option<ClientAddress>,
    /// When its last request began.
    used: u64,
    dropped: CancellationToken,
}

impl Table {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn insert(&mut self, id: u64, address: Option<ClientAddress>, dropped: CancellationToken) {
        while self.connections.len() >= self.most.max(1) && self.drop_one() {}
        let used = self.tick();
        let known = Known {
            address,
            used,
            dropped,
        };
        self.connections.insert(id, known);
    }

    /// Drops one connection. `false`: there is none.
    fn drop_one(&mut self) -> bool {
        let mut counts: HashMap<ClientAddress, usize> = HashMap::new();
        for address in self.connections.values().filter_map(|known| known.address) {
            *counts.entry(address).or_default() += 1;
        }
        let count = |known: &Known| {
            let count = known.address.and_then(|address| counts.get(&address));
            count.copied().unwrap_or_default()
        };
        let first = self
            .connections
            .iter()
            .max_by_key(|(_, known)| (count(known), std::cmp::Reverse(known.used)));
        let Some(id) = first.map(|(id, _)| *id) else {
            return false;
        };
        if let Some(known) = self.connections.remove(&id) {
            tracing::debug!("dropped an HTTP connection to make room for another");
            known.dropped.cancel();
        }
        true
    }
}

impl HttpConnections {
    /// Up to `most` at one time.
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Table {
            most,
            clock: 0,
            connections: HashMap::new(),
        })))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// There may be up to `most` from now on.
    pub(crate) fn set_most(&self, most: usize) {
        let mut table = self.table();
        table.most = most;
        while table.connections.len() > most.max(1) && table.drop_one() {}
    }

    /// Adds a connection. Without an address it is a trusted proxy's.
    pub(crate) fn add(&self, address: Option<ClientAddress>) -> HttpConnection {
        let dropped = CancellationToken::new();
        let mut table = self.table();
        let id = table.tick();
        table.insert(id, address, dropped.clone());
        drop(table);
        HttpConnection {
            all: self.clone(),
            id,
            address,
            sessions: Arc::new(Semaphore::new(SESSIONS)),
            dropped,
        }
    }

    /// Drops a connection because the system has no more files for new ones. `false`: there is
    /// none.
    pub(crate) fn make_room(&self) -> bool {
        self.table().drop_one()
    }
}

/// One HTTP connection. Each of its requests carries it as an extension.
#[derive(Clone, Debug)]
pub(crate) struct HttpConnection {
    all: HttpConnections,
    id: u64,
    address: Option<ClientAddress>,
    sessions: Arc<Semaphore>,
    dropped: CancellationToken,
}

impl HttpConnection {
    /// Whether it is a trusted proxy's, which passes on the requests of many.
    pub(super) fn is_of_proxy(&self) -> bool {
        self.address.is_none()
    }

    /// Takes one of the sessions that may be begun over it, until what is returned is dropped.
    pub(super) fn take_session(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.sessions).try_acquire_owned().ok()
    }

    /// Notes that a request begins.
    pub(crate) fn note_request(&self) {
        let mut table = self.all.table();
        let now = table.tick();
        if let Some(known) = table.connections.get_mut(&self.id) {
            known.used = now;
        }
    }

    /// Doesn't count while a request waits for something that has a bound of its own.
    pub(crate) async fn release_during(&self, waiting: impl Future<Output = ()>) {
        self.release();
        waiting.await;
        let dropped = self.dropped.clone();
        self.all.table().insert(self.id, self.address, dropped);
    }

    /// Doesn't count from now on.
    pub(crate) fn release(&self) {
        self.all.table().connections.remove(&self.id);
    }

    /// Drops the connection, whatever it is writing.
    pub(crate) fn abort(&self) {
        self.dropped.cancel();
    }

    /// Whether the connection is to be dropped.
    pub(crate) fn is_aborted(&self) -> bool {
        self.dropped.is_cancelled()
    }

    /// Resolves when the connection is to be dropped.
    pub(crate) async fn aborted(&self) {
        self.dropped.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn address(last: u8) -> Option<ClientAddress> {
        Some(ClientAddress::new([192, 0, 2, last].into()))
    }

    fn is_dropped(connection: &HttpConnection) -> bool {
        connection.dropped.is_cancelled()
    }

    #[test]
    fn who_has_the_most_makes_room() {
        let all = HttpConnections::new(4);
        let honest = all.add(address(1));
        let attack: Vec<_> = (0..3).map(|_| all.add(address(2))).collect();
        attack[0].note_request();
        let newcomer = all.add(address(3));
        let dropped: Vec<_> = attack.iter().map(is_dropped).collect();
        assert_eq!(dropped, [false, true, false]);
        // The attacker makes room for itself, too.
        let further = all.add(address(2));
        let dropped: Vec<_> = attack.iter().map(is_dropped).collect();
        assert_eq!(dropped, [false, true, true]);
        for connection in [&honest, &newcomer, &further] {
            assert!(!is_dropped(connection));
        }
    }

    #[test]
    fn a_proxy_makes_room_last() {
        let all = HttpConnections::new(3);
        let proxy = [all.add(None), all.add(None)];
        let direct = all.add(address(1));
        let newcomer = all.add(address(2));
        assert!(is_dropped(&direct));
        assert!(!proxy.iter().any(is_dropped));
        newcomer.release();
        let _one = all.add(None);
        let _another = all.add(None);
        assert!(is_dropped(&proxy[0]) && !is_dropped(&proxy[1]));
    }

    #[test]
    fn what_is_released_does_not_count() {
        let all = HttpConnections::new(2);
        let streams: Vec<_> = (0..10).map(|_| all.add(address(1))).collect();
        assert_eq!(streams.iter().filter(|one| is_dropped(one)).count(), 8);
        let streams: Vec<_> = (0..10)
            .map(|_| {
                let connection = all.add(address(2));
                connection.release();
                connection
            })
            .collect();
        assert!(!streams.iter().any(is_dropped));
        assert!(all.make_room());
        assert!(all.table().connections.len() <= 1);
        assert!(all.make_room() || all.table().connections.is_empty());
        assert!(!all.make_room());
    }
}
