//! Clients that name themselves: who they are as publishers, and the last `ref` that was accepted
//! of each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::Instant;

use crate::auth::access::Access;
use crate::hub::budget::{Account, Charge, Purpose};
use crate::hub::ids::{PublisherId, Secret};
use crate::hub::kept::{Kept, Place};
use crate::hub::membership::Membership;
use crate::limits::Allowance;
use crate::protocols::referee::Referee;
use crate::relay::Relay;

/// What a client costs besides the name of its space, which is kept twice, in bytes.
const CLIENT: usize = 512;

/// A client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) publisher: PublisherId,
    /// The last accepted `ref`. Locked while a message is published.
    pub(super) accepted: tokio::sync::Mutex<u64>,
    /// What it may publish.
    pub(super) allowance: Allowance,
    /// Of its latest stream: where its private channels are.
    desk: Mutex<Weak<Desk>>,
}

/// What a stream's pages in rooms need of it.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) membership: Arc<Membership>,
    pub(super) access: Access,
    pub(super) referee: Referee,
}

impl Client {
    pub(super) fn new(publisher: PublisherId, allowance: Allowance) -> Self {
        Self {
            publisher,
            accepted: tokio::sync::Mutex::default(),
            allowance,
            desk: Mutex::default(),
        }
    }

    /// Notes that it has begun to read a stream.
    pub(super) fn sit_down(&self, desk: &Arc<Desk>) {
        *self.lock_desk() = Arc::downgrade(desk);
    }

    /// What its latest stream has for its pages in rooms, if it reads one.
    fn desk(&self) -> Option<Arc<Desk>> {
        self.lock_desk().upgrade()
    }

    fn lock_desk(&self) -> MutexGuard<'_, Weak<Desk>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The clients of all spaces. As many that read no stream are remembered as there may be
/// connections: beyond that, those of the space or the address that has most are dropped, the client
/// unused longest first. After its last request, or after its stream has ended, a client is
/// remembered as long as a session.
#[derive(Debug)]
pub(super) struct Clients {
    relay: Arc<Relay>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    clients: HashMap<Name, Known>,
    /// Those that read no stream, since they were used last.
    unused: Kept<Name>,
}

#[derive(Debug)]
struct Known {
    client: Arc<Client>,
    /// How many streams it reads.
    streams: usize,
    /// Its place in [`State::unused`], if it reads none.
    unused: Option<Place>,
    charge: Charge,
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
        state.limit(self.clients.most());
    }
}

/// A client belongs to a space. Its secret means nothing in another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name {
    space: Box<str>,
    secret: Secret,
}

impl Clients {
    pub(super) fn new(relay: Arc<Relay>) -> Self {
        let state = State {
            clients: HashMap::new(),
            unused: Kept::new(most(&relay)),
        };
        Self {
            relay,
            state: Mutex::new(state),
        }
    }

    /// How many that read no stream are remembered.
    fn most(&self) -> usize {
        most(&self.relay)
    }

    /// How long they are.
    fn age(&self) -> Duration {
        self.relay.hub.limits().sessions.age
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The client with this secret in a space. A new one comes from `new`, and is paid for by
    /// `account`.
    pub(super) fn find(
        &self,
        space: &str,
        secret: &str,
        account: &Arc<Account>,
        now: Instant,
        new: impl FnOnce() -> Client,
    ) -> Arc<Client> {
        let mut state = self.state();
        let name = Name::new(space, secret);
        let known = state.know(self.age(), &name, account, now, new);
        let client = Arc::clone(&known.client);
        state.note_use(&name, now);
        state.limit(self.most());
        client
    }

    /// What the latest stream of a client has for its pages in rooms. Requests that overlap, which a
    /// page sends while it is hidden, name a client of their own: its name, a dot and a number.
    pub(super) fn desk(&self, space: &str, secret: &str) -> Option<Arc<Desk>> {
        let state = self.state();
        let desk = |secret: &str| {
            let known = state.clients.get(&Name::new(space, secret))?;
            known.client.desk()
        };
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let reader = secret
            .rsplit_once('.')
            .filter(|(_, number)| is_number(number));
        desk(secret).or_else(|| desk(reader?.0))
    }

    /// The same as [`find`](Self::find) for a client that begins to read a stream.
    pub(super) fn read(
        self: &Arc<Self>,
        space: &str,
        secret: &str,
        account: &Arc<Account>,
        now: Instant,
        new: impl FnOnce() -> Client,
    ) -> Reading {
        let mut state = self.state();
        let name = Name::new(space, secret);
        let known = state.know(self.age(), &name, account, now, new);
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

fn most(relay: &Relay) -> usize {
    relay.limits().connections.max(1)
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
        age: Duration,
        name: &Name,
        account: &Arc<Account>,
        now: Instant,
        new: impl FnOnce() -> Client,
    ) -> &mut Known {
        while let Some(name) = self.unused.evict_expired(age, now) {
            self.clients.remove(&name);
        }
        self.clients.entry(name.clone()).or_insert_with(|| Known {
            client: Arc::new(new()),
            streams: 0,
            unused: None,
            charge: account.charge(Purpose::Sessions, CLIENT + 2 * name.space.len()),
        })
    }

    /// Gives a client its place in the order of use, if it reads no stream.
    fn note_use(&mut self, name: &Name, now: Instant) {
        let Some(known) = self.clients.get_mut(name) else {
            return;
        };
        if let Some(place) = known.unused.take() {
            self.unused.remove(place);
        }
        if known.streams == 0 {
            let owner = known.charge.account().owner().clone();
            known.unused = Some(self.unused.insert(owner, name.clone(), now));
        }
    }

    fn limit(&mut self, most: usize) {
        self.unused.set_limit(most);
        for name in self.unused.evict_excess() {
            self.clients.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::ClientAddress;
    use crate::hub::Hub;

    #[test]
    fn clients_are_remembered_within_limits() {
        let mut config = crate::Config {
            connections: 2,
            ..crate::Config::default()
        };
        config.sessions.age = Duration::from_secs(10);
        let Ok(hub) = Hub::in_memory(config.hub_limits()) else {
            panic!("no random numbers");
        };
        let relay = Arc::new(Relay::new(hub, config.connection_limits()));
        let address = ClientAddress::new([192, 0, 2, 1].into());
        let (clients, start) = (Clients::new(Arc::clone(&relay)), Instant::now());
        let find = |space: &str, secret: &str, seconds: u64| {
            let now = start + Duration::from_secs(seconds);
            let account = relay.hub.account(space, address);
            let client = clients.find(space, secret, &account, now, || {
                Client::new(relay.hub.new_publisher(), relay.places.allowance(address))
            });
            client.publisher
        };
        let first = find("/", "a", 0);
        assert_eq!(find("/", "a", 1), first);
        // In another space it is another client.
        assert_ne!(find("/room", "a", 2), first);
        assert_eq!(find("/", "a", 3), first);
        // Of two in one space, the one unused longest makes room.
        let other = find("/room", "a", 4);
        find("/room", "b", 5);
        assert_ne!(find("/room", "a", 5), other);
        assert_eq!(find("/", "a", 5), first);
        // Each request starts its time again.
        assert_eq!(find("/", "a", 14), first);
        assert_ne!(find("/", "a", 24), first);
    }
}
