//! The rooms of one space, and the connections of their users.

use std::collections::HashMap;
use std::sync::Arc;

use signal_wire::json::quoted;
use tokio::time::Instant;

use super::connection::{Answered, Liveness, Permission, RoomConnection, Standing, may_enter};
use super::entrant::{Claim, Entrant, Entry, RoomConnectionId};
use super::host::Guest;
use super::request::Request;
use super::state::{DENIED, Delivery, Rooms, refusal};
use crate::hub::budget::Charge;
use crate::hub::frame::Frame;

/// Where a user's page is.
#[derive(Clone, Debug)]
pub(super) enum Peer {
    /// It is connected to this relay.
    Here(RoomConnection),
    /// It is connected to another one.
    There(Guest),
}

impl Peer {
    /// Whether the page gives a sign of life.
    pub(super) async fn is_alive(&self) -> bool {
        match self {
            Self::Here(connection) => connection.is_alive().await,
            Self::There(guest) => guest.is_alive().await,
        }
    }

    /// Whether it is this connection.
    pub(super) fn is_of(&self, liveness: &Liveness) -> bool {
        match self {
            Self::Here(connection) => std::ptr::eq(&*connection.liveness, liveness),
            Self::There(_) => false,
        }
    }

    /// The page is no user any more, or another connection is that user.
    fn end(&self) {
        match self {
            Self::Here(connection) => connection.liveness.replaced.cancel(),
            Self::There(guest) => guest.end(),
        }
    }
}

/// The rooms of one space.
#[derive(Debug, Default)]
pub(super) struct Space {
    pub(super) rooms: Rooms,
    connections: HashMap<RoomConnectionId, (Peer, Charge)>,
    /// A page of each link by which pages are here, or were a moment ago.
    links: Vec<Guest>,
    /// Another relay keeps them now, or may.
    is_over: bool,
}

impl Space {
    /// The connection of the user whose id another one would have.
    pub(super) fn holder(&self, entrant: &Entrant) -> Option<(RoomConnectionId, Peer)> {
        let Claim::Connected(id) = self.rooms.claim(entrant) else {
            return None;
        };
        let (peer, _) = self.connections.get(&id)?;
        Some((id, peer.clone()))
    }

    /// Whether much waits for relays with pages in the space.
    pub(super) fn is_crowded(&self) -> bool {
        self.links.iter().any(Guest::is_crowded)
    }

    /// The signs of life of a connection to this relay.
    pub(super) fn liveness(&self, id: RoomConnectionId) -> Option<Arc<Liveness>> {
        match self.connections.get(&id)? {
            (Peer::Here(connection), _) => Some(Arc::clone(&connection.liveness)),
            (Peer::There(_), _) => None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.connections.is_empty()
    }

    /// `permission` says whether it may have the id that it names, if nobody has it.
    pub(super) fn enter(
        &mut self,
        id: RoomConnectionId,
        entrant: Entrant,
        peer: Peer,
        charge: Charge,
        permission: Permission,
        greet: impl FnOnce(Standing),
    ) {
        let user = Arc::clone(&entrant.profile.user);
        let is_claimed = match self.rooms.claim(&entrant) {
            Claim::Continues => true,
            Claim::Free => may_be(&peer, permission, &user),
            Claim::Connected(_) | Claim::AnothersToken => false,
        };
        if let Peer::There(guest) = &peer
            && !self.links.iter().any(|other| other.shares_link(guest))
        {
            self.links.push(guest.clone());
        }
        self.connections.insert(id, (peer, charge));
        if is_claimed
            && let Entry::Entered(Some(earlier)) = self.rooms.enter(id, entrant)
            && let Some((peer, _)) = self.connections.remove(&earlier)
        {
            peer.end();
        }
        greet(self.standing(id, &user));
        self.deliver();
        self.charge(id);
    }

    /// What a connection is that would be this user.
    pub(super) fn standing(&self, connection: RoomConnectionId, user: &str) -> Standing {
        match self.rooms.user_of(connection) {
            Some(id) => Standing::User {
                id: Arc::clone(id),
                numbered: self.rooms.numbered(connection),
            },
            None => Standing::Taken(self.rooms.taken(user)),
        }
    }

    /// Takes an event. Also returns whether the page has an id by it that nobody had.
    pub(super) fn take(
        &mut self,
        id: RoomConnectionId,
        request: Request<'_>,
        permission: Permission,
    ) -> (Answered, bool) {
        if self.is_over {
            return (Answered::Known(None), false);
        }
        if !self.rooms.knows(id, &request) {
            return (Answered::Unknown, false);
        }
        let Some((peer, _)) = self.connections.get(&id) else {
            return (Answered::Known(None), false);
        };
        let new = request.user().filter(|user| !self.rooms.is_user(user));
        if !self.is_allowed(peer, permission, id, &request, new.as_ref()) {
            let opens = matches!(request, Request::Open(_) | Request::Join(_));
            return (Answered::Known(opens.then(|| refusal(DENIED))), false);
        }
        let answer = self.rooms.take(id, request);
        self.deliver();
        self.charge(id);
        let is_renamed = new.is_some() && self.rooms.user_of(id) == new.as_ref();
        (Answered::Known(answer), is_renamed)
    }

    pub(super) fn take_numbered(
        &mut self,
        id: RoomConnectionId,
        life: &str,
        seen: u64,
        request: Option<(u64, Option<Request<'_>>)>,
        permission: Permission,
    ) -> bool {
        if self.is_over {
            return false;
        }
        self.rooms.see(id, life, seen);
        let mut is_renamed = false;
        if let Some((ask, request)) = request
            && self.rooms.accepts(id, life, ask)
        {
            let taken = request.map(|request| self.take(id, request, permission));
            is_renamed = taken.as_ref().is_some_and(|(_, is_renamed)| *is_renamed);
            if let Some((Answered::Known(Some(answer)), _)) = taken {
                self.rooms.answer(id, ask, &answer);
                self.deliver();
            }
        }
        self.charge(id);
        is_renamed
    }

    /// A connection has left: for good, or it was lost.
    pub(super) fn gone(&mut self, id: RoomConnectionId, for_good: bool) {
        self.rooms.gone(id, for_good, Instant::now());
        if self.rooms.user_of(id).is_none() {
            self.connections.remove(&id);
        }
        self.deliver();
    }

    /// Removes the user of a connection that doesn't answer, and ends the connection.
    pub(super) fn drop_user(&mut self, id: RoomConnectionId) {
        self.rooms.gone(id, true, Instant::now());
        self.end(id);
        self.deliver();
    }

    /// Removes the users who didn't come back in time.
    pub(super) fn expire(&mut self, now: Instant) {
        for id in self.rooms.expire(now) {
            self.end(id);
        }
        self.deliver();
        // Connections without a user are forgotten.
        let Self {
            rooms, connections, ..
        } = self;
        connections.retain(|id, _| rooms.user_of(*id).is_some());
        let peers = self.connections.values().map(|(peer, _)| peer);
        let guests: Vec<_> = peers
            .filter_map(|peer| match peer {
                Peer::There(guest) => Some(guest),
                Peer::Here(_) => None,
            })
            .collect();
        self.links
            .retain(|link| guests.iter().any(|guest| guest.shares_link(link)));
    }

    /// Drops all: another relay keeps the rooms now, or may. The connections end.
    pub(super) fn give_up(&mut self) {
        self.is_over = true;
        self.rooms = Rooms::default();
        for (peer, _) in self.connections.values() {
            peer.end();
        }
        self.connections = HashMap::new();
        self.links = Vec::new();
    }

    /// Ends a connection.
    pub(super) fn end(&self, id: RoomConnectionId) {
        if let Some((peer, _)) = self.connections.get(&id) {
            peer.end();
        }
    }

    /// Whether a token allows what a page asks for. Its own id was claimed when it entered; nobody
    /// claims that of a user who is there. `new` is an id that nobody has.
    fn is_allowed(
        &self,
        peer: &Peer,
        permission: Permission,
        id: RoomConnectionId,
        request: &Request<'_>,
        new: Option<&Arc<str>>,
    ) -> bool {
        let may_enter = match (peer, permission) {
            (_, Permission::Told(rights)) => rights.may_enter,
            (Peer::Here(connection), _) => may_enter(&connection.access, request),
            (Peer::There(_), _) => false,
        };
        let is_user = self.rooms.user_of(id).is_some();
        may_enter && new.is_none_or(|user| is_user && may_be(peer, permission, user))
    }

    /// Queues the packet of a delivery. An event for many is one packet, which `made` keeps.
    fn push_as(&self, delivery: &Delivery, made: &mut Made) {
        let Some((peer, _)) = self.connections.get(&delivery.to) else {
            return;
        };
        let connection = match peer {
            Peer::Here(connection) => connection,
            Peer::There(guest) => return made.collect(guest, delivery),
        };
        if !connection.receives(delivery.channel.as_deref()) {
            return;
        }
        let packet = match made.packet.take() {
            Some(packet) if packet.is_of(delivery, connection) => packet,
            _ => Packet::new(delivery, connection),
        };
        connection.sender.push(packet.frame.clone());
        made.packet = Some(packet);
    }

    pub(super) fn deliver(&mut self) {
        let mut made = Made::default();
        for delivery in self.rooms.take_deliveries() {
            self.push_as(&delivery, &mut made);
        }
        made.send();
        for id in self.rooms.take_kept_for() {
            self.charge(id);
        }
    }

    fn charge(&mut self, id: RoomConnectionId) {
        if let Some((_, charge)) = self.connections.get_mut(&id) {
            charge.set(self.rooms.cost(id));
        }
    }
}

/// Whether a page may have an id that nobody has. If so, it is its own.
fn may_be(peer: &Peer, permission: Permission, user: &str) -> bool {
    match (peer, permission) {
        (_, Permission::Told(rights)) => rights.may_be,
        (Peer::Here(connection), _) => connection.access.may_be(&quoted(user)),
        (Peer::There(_), _) => false,
    }
}

/// What is being delivered.
#[derive(Default)]
struct Made {
    packet: Option<Packet>,
    /// An event, and those on other relays for whom it is.
    elsewhere: Option<(Delivery, Vec<Guest>)>,
}

impl Made {
    /// Notes a delivery to another relay. An event for many is sent once to each relay.
    fn collect(&mut self, guest: &Guest, delivery: &Delivery) {
        if let Some((first, guests)) = &mut self.elsewhere
            && Arc::ptr_eq(&first.list, &delivery.list)
            && first.channel == delivery.channel
        {
            return guests.push(guest.clone());
        }
        self.send();
        self.elsewhere = Some((delivery.clone(), vec![guest.clone()]));
    }

    fn send(&mut self) {
        if let Some((delivery, guests)) = self.elsewhere.take() {
            Guest::deliver(guests, delivery.channel.as_deref(), &delivery.list);
        }
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
