//! Clients that name themselves: who they are as publishers, and the last `ref` that was accepted
//! of each.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::hub::ids::{PublisherId, Secret};

/// How many clients are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How many at one time. Beyond that, the client unused longest is dropped first.
    pub(crate) clients: usize,
    /// How long a client is remembered after its last request.
    pub(crate) age: Duration,
}

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) publisher: PublisherId,
    /// The last accepted `ref`. Locked while a message is published.
    pub(super) accepted: tokio::sync::Mutex<u64>,
}

/// The clients of all spaces.
#[derive(Debug)]
pub(super) struct Clients {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    clients: HashMap<Name, (u64, Arc<Client>)>,
    /// All of them in the order of their last requests.
    by_use: BTreeMap<u64, (Instant, Name)>,
    requests: u64,
}

/// A client belongs to a space. Its secret means nothing in another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name {
    space: Box<str>,
    secret: Secret,
}

impl Clients {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
        }
    }

    /// The client with this secret in a space. A new one gets its publisher id from `publisher`.
    pub(super) fn find(
        &self,
        space: &str,
        secret: &str,
        now: Instant,
        publisher: impl FnOnce() -> PublisherId,
    ) -> Arc<Client> {
        let name = Name {
            space: space.into(),
            secret: secret.into(),
        };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.is_expired(self.limits, now) {
            state.remove_oldest();
        }
        let client = match state.clients.remove(&name) {
            Some((used, client)) => {
                state.by_use.remove(&used);
                client
            }
            None => Arc::new(Client {
                publisher: publisher(),
                accepted: tokio::sync::Mutex::default(),
            }),
        };
        state.requests += 1;
        let used = state.requests;
        state.by_use.insert(used, (now, name.clone()));
        state.clients.insert(name, (used, Arc::clone(&client)));
        while state.clients.len() > self.limits.clients.max(1) {
            state.remove_oldest();
        }
        client
    }
}

impl State {
    fn is_expired(&self, limits: Limits, now: Instant) -> bool {
        let oldest = self.by_use.first_key_value();
        oldest.is_some_and(|(_, (used, _))| now.saturating_duration_since(*used) > limits.age)
    }

    fn remove_oldest(&mut self) {
        if let Some((_, (_, name))) = self.by_use.pop_first() {
            self.clients.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Hub;

    #[test]
    fn clients_are_remembered_within_limits() {
        let limits = Limits {
            clients: 2,
            age: Duration::from_secs(10),
        };
        let Ok(hub) = Hub::in_memory(crate::Config::default().hub_limits()) else {
            panic!("no random numbers");
        };
        let (clients, start) = (Clients::new(limits), Instant::now());
        let find = |space: &str, secret: &str, seconds: u64| {
            let now = start + Duration::from_secs(seconds);
            let client = clients.find(space, secret, now, || hub.new_publisher());
            client.publisher
        };
        let first = find("/", "a", 0);
        assert_eq!(find("/", "a", 1), first);
        // In another space it is another client.
        assert_ne!(find("/room", "a", 2), first);
        assert_eq!(find("/", "a", 3), first);
        // The client unused longest, the one of /room, makes room.
        find("/", "b", 4);
        assert_eq!(find("/", "a", 5), first);
        // Each request starts its time again.
        assert_eq!(find("/", "a", 15), first);
        assert_ne!(find("/", "a", 26), first);
    }
}
