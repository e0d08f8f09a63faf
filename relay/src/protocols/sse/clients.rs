//! Clients that name themselves: who they are as publishers, and the last `ref` that was accepted
//! of each.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::hub::ids::{PublisherId, Secret};
use crate::limits::Allowance;

/// How many clients are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How many that read no stream. Beyond that, the client unused longest is dropped first.
    pub(crate) clients: usize,
    /// How long a client is remembered after its last request, or after its stream has ended.
    pub(crate) age: Duration,
}

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) publisher: PublisherId,
    /// The last accepted `ref`. Locked while a message is published.
    pub(super) accepted: tokio::sync::Mutex<u64>,
    /// What it may publish.
    pub(super) allowance: Allowance,
}

impl Client {
    pub(super) fn new(publisher: PublisherId, allowance: Allowance) -> Self {
        Self {
            publisher,
            accepted: tokio::sync::Mutex::default(),
            allowance,
        }
    }
}

/// The clients of all spaces.
#[derive(Debug)]
pub(super) struct Clients {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    clients: HashMap<Name, Known>,
    /// Those that read no stream, in the order in which they were used last.
    by_use: BTreeMap<u64, (Instant, Name)>,
    uses: u64,
}

#[derive(Debug)]
struct Known {
    client: Arc<Client>,
    /// How many streams it reads.
    streams: usize,
    /// Its place in [`State::by_use`], if it reads none.
    used: Option<u64>,
}

/// A client that reads a stream. It is remembered until this is dropped, and then for a while.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) client: Arc<Client>,
    clients: Arc<Clients>,
    name: Name,
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut state = self.clients.state();
        if let Some(known) = state.clients.get_mut(&self.name) {
            known.streams = known.streams.saturating_sub(1);
        }
        state.note_use(&self.name, Instant::now());
        state.limit(self.clients.limits);
    }
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client with this secret in a space. A new one comes from `new`.
    pub(super) fn find(
        &self,
        space: &str,
        secret: &str,
        now: Instant,
        new: impl FnOnce() -> Client,
    ) -> Arc<Client> {
        let mut state = self.state();
        let name = Name::new(space, secret);
        let client = Arc::clone(&state.know(self.limits, &name, now, new).client);
        state.note_use(&name, now);
        state.limit(self.limits);
        client
    }

    /// The same for a client that begins to read a stream.
    pub(super) fn read(
        self: &Arc<Self>,
        space: &str,
        secret: &str,
        now: Instant,
        new: impl FnOnce() -> Client,
    ) -> Reading {
        let mut state = self.state();
        let name = Name::new(space, secret);
        let known = state.know(self.limits, &name, now, new);
        known.streams += 1;
        let client = Arc::clone(&known.client);
        state.note_use(&name, now);
        Reading {
            client,
            clients: Arc::clone(self),
            name,
        }
    }
}

impl Name {
    fn new(space: &str, secret: &str) -> Self {
        Self {
            space: space.into(),
            secret: secret.into(),
        }
    }
}

impl State {
    /// The client of that name, after those that have expired were dropped.
    fn know(
        &mut self,
        limits: Limits,
        name: &Name,
        now: Instant,
        new: impl FnOnce() -> Client,
    ) -> &mut Known {
        while self.is_expired(limits, now) {
            self.remove_oldest();
        }
        self.clients.entry(name.clone()).or_insert_with(|| Known {
            client: Arc::new(new()),
            streams: 0,
            used: None,
        })
    }

    /// Gives a client its place in the order of use, if it reads no stream.
    fn note_use(&mut self, name: &Name, now: Instant) {
        let Some(known) = self.clients.get_mut(name) else {
            return;
        };
        if let Some(used) = known.used.take() {
            self.by_use.remove(&used);
        }
        if known.streams == 0 {
            self.uses += 1;
            known.used = Some(self.uses);
            self.by_use.insert(self.uses, (now, name.clone()));
        }
    }

    fn limit(&mut self, limits: Limits) {
        while self.by_use.len() > limits.clients.max(1) {
            self.remove_oldest();
        }
    }

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
    use crate::address::ClientAddress;
    use crate::hub::Hub;
    use crate::relay::Relay;

    #[test]
    fn clients_are_remembered_within_limits() {
        let limits = Limits {
            clients: 2,
            age: Duration::from_secs(10),
        };
        let config = crate::Config::default();
        let Ok(hub) = Hub::in_memory(config.hub_limits()) else {
            panic!("no random numbers");
        };
        let relay = Relay::new(hub, config.clone());
        let address = ClientAddress::new([192, 0, 2, 1].into());
        let (clients, start) = (Clients::new(limits), Instant::now());
        let find = |space: &str, secret: &str, seconds: u64| {
            let now = start + Duration::from_secs(seconds);
            let client = clients.find(space, secret, now, || {
                Client::new(relay.hub.new_publisher(), relay.places.allowance(address))
            });
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
