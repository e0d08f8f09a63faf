//! The rooms of all spaces, and the queues of their pages.
//!
//! What happens in the rooms of a space happens one after the other: of two pages that open a room at
//! one time one is the first. Nothing here waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signal_wire::json::quoted;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::entrant::{Claim, Entrant, Entry, RoomConnectionId};
use super::profile::Profile;
use super::request::Request;
use super::state::{Answer, DENIED, Delivery, Rooms, refusal};
use crate::auth::access::Access;
use crate::hub::budget::Charge;
use crate::hub::frame::Frame;
use crate::hub::queue::Sender;

/// A page in rooms is pinged at least this often, and answers within this time: the others wait for
/// a new owner when one has vanished.
pub(crate) const PING: Duration = Duration::from_secs(5);
/// How long the user of an id may take for a sign of life when another connection would have the
/// id.
const LIVENESS_TIMEOUT: Duration = Duration::from_secs(3);

/// The signs of life of a connection, and whether another one has replaced it.
#[derive(Debug, Default)]
pub(crate) struct Liveness {
    /// Something was received.
    pub(crate) heard: Notify,
    /// Another connection is the user now.
    pub(crate) replaced: CancellationToken,
}

/// A page's connection.
#[derive(Clone, Debug)]
pub(crate) struct RoomConnection {
    /// Its queue.
    pub(crate) sender: Sender,
    /// The name of its rooms: those of its space, or of a part of it.
    pub(crate) space: Arc<str>,
    /// Where it receives: the namespace, or its private channel.
    pub(crate) address: Arc<str>,
    /// The frame for its address and what is delivered.
    pub(crate) encode: fn(&str, &str) -> Frame,
    /// The packet by which its client is asked for a sign of life, if there is one.
    pub(crate) ping: Option<&'static str>,
    pub(crate) access: Access,
    pub(crate) liveness: Arc<Liveness>,
}

impl RoomConnection {
    /// Asks its client for a sign of life, and returns whether it gives one in time. A client that
    /// can't be asked counts as alive.
    pub(crate) async fn is_alive(&self) -> bool {
        let Some(ping) = self.ping else {
            return true;
        };
        let heard = self.liveness.heard.notified();
        self.sender.push(Frame::direct(ping.into()));
        timeout(LIVENESS_TIMEOUT, heard).await.is_ok()
    }
}

/// The answer to an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// The rooms have no such event.
    Unknown,
    /// It was handled, and this acknowledges it.
    Known(Option<Answer>),
}

/// What a page on a private channel asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberedRequest<'a> {
    /// The life that it belongs to.
    pub(crate) life: &'a str,
    /// Up to which number the page has seen all.
    pub(crate) seen: u64,
    /// The number of the request, the event, and its arguments. `None`: it only has seen something.
    pub(crate) event: Option<(u64, &'a str, &'a [&'a str])>,
}

/// What a connection is in the rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A user with this id.
    User {
        /// The id.
        id: Arc<str>,
        /// If its deliveries are numbered: the name of its life, and the number of its last request.
        numbered: Option<(Arc<str>, u64)>,
    },
    /// Nobody: its id is another user's. The event that says so.
    Taken(Arc<str>),
}

/// The rooms of all spaces. Each space has a lock of its own; whoever needs both locks takes that of
/// the registry first.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    spaces: Mutex<HashMap<Arc<str>, Arc<Mutex<Space>>>>,
    next_id: AtomicU64,
}

#[derive(Debug, Default)]
struct Space {
    rooms: Rooms,
    connections: HashMap<RoomConnectionId, (RoomConnection, Charge)>,
}

/// A connection's place in the rooms of a space, which it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct RoomMembership {
    registry: Arc<Registry>,
    name: Arc<str>,
    space: Arc<Mutex<Space>>,
    profile: Profile,
    id: RoomConnectionId,
    is_left: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registry {
    fn space(&self, name: &str) -> Option<Arc<Mutex<Space>>> {
        lock(&self.spaces).get(name).cloned()
    }

    /// The connection of the user whose id another one would have.
    fn holder(&self, name: &str, entrant: &Entrant) -> Option<(RoomConnectionId, RoomConnection)> {
        let space = self.space(name)?;
        let space = lock(&space);
        let Claim::Connected(id) = space.rooms.claim(entrant) else {
            return None;
        };
        let (connection, _) = space.connections.get(&id)?;
        Some((id, connection.clone()))
    }

    /// Waits until the id of an entrant is free, or its user has given a sign of life. `own` is the
    /// entrant's connection.
    pub(crate) async fn wait_for_user_id(&self, space: &str, entrant: &Entrant, own: &Liveness) {
        while let Some((id, connection)) = self.holder(space, entrant) {
            if std::ptr::eq(&*connection.liveness, own) || connection.is_alive().await {
                return;
            }
            self.drop_user(space, id);
        }
    }

    /// Removes the user of a connection that doesn't answer, and ends the connection.
    fn drop_user(&self, name: &str, id: RoomConnectionId) {
        let Some(space) = self.space(name) else {
            return;
        };
        let mut space = lock(&space);
        space.rooms.gone(id, true, Instant::now());
        space.end(id);
        space.deliver();
    }

    /// A connection enters the rooms of a space. If its id is taken, it stays without being a user.
    /// `greet` is called with what it is, before something is delivered to it.
    pub(crate) fn enter(
        self: &Arc<Self>,
        entrant: Entrant,
        connection: RoomConnection,
        charge: Charge,
        greet: impl FnOnce(Standing),
    ) -> RoomMembership {
        let id = RoomConnectionId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let (name, profile) = (Arc::clone(&connection.space), entrant.profile.clone());
        let mut spaces = lock(&self.spaces);
        let shared = Arc::clone(spaces.entry(Arc::clone(&name)).or_default());
        lock(&shared).enter(id, entrant, connection, charge, greet);
        drop(spaces);
        RoomMembership {
            registry: Arc::clone(self),
            name,
            space: shared,
            profile,
            id,
            is_left: AtomicBool::new(false),
        }
    }

    /// Removes the users who didn't come back in time. To be called regularly.
    pub(crate) fn expire(&self) {
        let now = Instant::now();
        lock(&self.spaces).retain(|_, space| {
            let mut space = lock(space);
            for id in space.rooms.expire(now) {
                space.end(id);
            }
            space.deliver();
            space.forget_others();
            !space.connections.is_empty()
        });
    }

    /// How many users and rooms there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let spaces = lock(&self.spaces);
        let counts = spaces.values().map(|space| lock(space).rooms.counts());
        counts.fold((0, 0), |(users, rooms), (more_users, more_rooms)| {
            (users + more_users, rooms + more_rooms)
        })
    }
}

impl RoomMembership {
    /// Notes that the page doesn't come back.
    pub(crate) fn leave(&self) {
        self.is_left.store(true, Ordering::Relaxed);
    }

    /// Takes an event of the page. What takes long, reading its JSON, is done without a lock.
    pub(crate) fn take(&self, event: &str, arguments: &[&str]) -> Answered {
        match Request::read(event, arguments, &self.profile) {
            Some(request) => lock(&self.space).take(self.id, request),
            None => Answered::Unknown,
        }
    }

    /// Takes what a page on a private channel asks for. The answer is delivered.
    pub(crate) fn take_numbered(&self, asked: NumberedRequest<'_>) {
        let NumberedRequest { life, seen, event } = asked;
        let request = event.map(|(ask, event, arguments)| {
            let request = Request::read_numbered(event, arguments, &self.profile);
            (ask, request)
        });
        lock(&self.space).take_numbered(self.id, life, seen, request);
    }

    /// What it is in the rooms.
    pub(crate) fn standing(&self) -> Standing {
        lock(&self.space).standing(self.id, &self.profile.user)
    }
}

impl Drop for RoomMembership {
    fn drop(&mut self) {
        let mut spaces = lock(&self.registry.spaces);
        let mut space = lock(&self.space);
        let for_good = *self.is_left.get_mut();
        space.rooms.gone(self.id, for_good, Instant::now());
        if space.rooms.user_of(self.id).is_none() {
            space.connections.remove(&self.id);
        }
        space.deliver();
        let is_registered = |space: &Arc<_>| Arc::ptr_eq(space, &self.space);
        if space.connections.is_empty() && spaces.get(&self.name).is_some_and(is_registered) {
            spaces.remove(&self.name);
        }
    }
}

impl Space {
    fn enter(
        &mut self,
        id: RoomConnectionId,
        entrant: Entrant,
        connection: RoomConnection,
        charge: Charge,
        greet: impl FnOnce(Standing),
    ) {
        let user = Arc::clone(&entrant.profile.user);
        let is_claimed = match self.rooms.claim(&entrant) {
            Claim::Continues => true,
            Claim::Free => connection.access.may_be(&quoted(&user)),
            Claim::Connected(_) | Claim::AnothersToken => false,
        };
        self.connections.insert(id, (connection, charge));
        if is_claimed
            && let Entry::Entered(Some(earlier)) = self.rooms.enter(id, entrant)
            && let Some((connection, _)) = self.connections.remove(&earlier)
        {
            connection.liveness.replaced.cancel();
        }
        greet(self.standing(id, &user));
        self.deliver();
        self.charge(id);
    }

    /// What a connection is that would be this user.
    fn standing(&self, connection: RoomConnectionId, user: &str) -> Standing {
        match self.rooms.user_of(connection) {
            Some(id) => Standing::User {
                id: Arc::clone(id),
                numbered: self.rooms.numbered(connection),
            },
            None => Standing::Taken(self.rooms.taken(user)),
        }
    }

    fn take(&mut self, id: RoomConnectionId, request: Request<'_>) -> Answered {
        if !self.rooms.knows(id, &request) {
            return Answered::Unknown;
        }
        let Some((connection, _)) = self.connections.get(&id) else {
            return Answered::Known(None);
        };
        if !self.is_allowed(&connection.access, id, &request) {
            let opens = matches!(request, Request::Open(_) | Request::Join(_));
            return Answered::Known(opens.then(|| refusal(DENIED)));
        }
        let answer = self.rooms.take(id, request);
        self.deliver();
        self.charge(id);
        Answered::Known(answer)
    }

    fn take_numbered(
        &mut self,
        id: RoomConnectionId,
        life: &str,
        seen: u64,
        request: Option<(u64, Option<Request<'_>>)>,
    ) {
        self.rooms.see(id, life, seen);
        if let Some((ask, request)) = request
            && self.rooms.accepts(id, life, ask)
        {
            let answered = request.map(|request| self.take(id, request));
            if let Some(Answered::Known(Some(answer))) = answered {
                self.rooms.answer(id, ask, &answer);
                self.deliver();
            }
        }
        self.charge(id);
    }

    /// Ends a connection whose user was removed.
    fn end(&self, id: RoomConnectionId) {
        if let Some((connection, _)) = self.connections.get(&id) {
            connection.liveness.replaced.cancel();
        }
    }

    /// Whether a token allows what a page asks for. A room is a channel with the room's name. Its
    /// own id was claimed when it entered; nobody claims that of a user who is there.
    fn is_allowed(&self, access: &Access, id: RoomConnectionId, request: &Request<'_>) -> bool {
        let publishes = |channel: &str| access.may_publish(channel);
        let receives = |channel: &str| access.may_subscribe(channel);
        let may_enter = match request {
            Request::Custom { event, .. } => publishes(event),
            request => request
                .channel()
                .is_none_or(|channel| publishes(channel) && receives(channel)),
        };
        let new = request.user().filter(|user| !self.rooms.is_user(user));
        let is_user = self.rooms.user_of(id).is_some();
        may_enter && new.is_none_or(|user| is_user && access.may_be(&quoted(&user)))
    }

    /// Queues the packet of a delivery. An event for many is one packet, which `made` keeps.
    fn push_as(&self, delivery: &Delivery, made: &mut Option<Packet>) {
        let Some((connection, _)) = self.connections.get(&delivery.to) else {
            return;
        };
        let channel = delivery.channel.as_deref();
        if !channel.is_none_or(|channel| connection.access.may_subscribe(channel)) {
            return;
        }
        let packet = match made.take() {
            Some(packet) if packet.is_of(delivery, connection) => packet,
            _ => Packet::new(delivery, connection),
        };
        connection.sender.push(packet.frame.clone());
        *made = Some(packet);
    }

    fn deliver(&mut self) {
        let mut made = None;
        for delivery in self.rooms.take_deliveries() {
            self.push_as(&delivery, &mut made);
        }
        for id in self.rooms.take_kept_for() {
            self.charge(id);
        }
    }

    fn charge(&mut self, id: RoomConnectionId) {
        if let Some((_, charge)) = self.connections.get_mut(&id) {
            charge.set(self.rooms.cost(id));
        }
    }

    /// Forgets connections without a user.
    fn forget_others(&mut self) {
        let Self { rooms, connections } = self;
        connections.retain(|id, _| rooms.user_of(*id).is_some());
    }
}

/// An event as a connection's protocol writes it.
struct Packet {
    list: Arc<str>,
    encode: fn(&str, &str) -> Frame,
    frame: Frame,
}

impl Packet {
    fn new(delivery: &Delivery, connection: &RoomConnection) -> Self {
        Self {
            list: Arc::clone(&delivery.list),
            encode: connection.encode,
            frame: (connection.encode)(&connection.address, &delivery.list),
        }
    }

    fn is_of(&self, delivery: &Delivery, connection: &RoomConnection) -> bool {
        Arc::ptr_eq(&self.list, &delivery.list)
            && std::ptr::fn_addr_eq(self.encode, connection.encode)
    }
}
