//! The rooms of all spaces, and the queues of their pages.
//!
//! What happens in the rooms happens one after the other: of two pages that open a room at one time
//! one is the first. Nothing here waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use signal_wire::json::quoted;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::request::Request;
use super::state::{Answer, DENIED, Delivery, Entrant, Entry, RoomConnectionId, Rooms, refusal};
use crate::auth::access::Access;
use crate::hub::budget::Charge;
use crate::hub::frame::Frame;
use crate::hub::queue::Sender;

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
    pub(crate) space: Arc<str>,
    /// The packet of its protocol for the space's name and an event's list.
    pub(crate) encode: fn(&str, &str) -> String,
    /// The packet by which its client is asked for a sign of life, if there is one.
    pub(crate) ping: Option<&'static str>,
    pub(crate) access: Access,
    pub(crate) liveness: Arc<Liveness>,
}

impl RoomConnection {
    fn deliver(&self, list: &str) {
        let packet = (self.encode)(&self.space, list);
        self.sender.push(Frame::direct(packet.into()));
    }

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

/// The rooms of all spaces.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    spaces: Mutex<HashMap<Arc<str>, Space>>,
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
    space: Arc<str>,
    id: RoomConnectionId,
    is_left: AtomicBool,
}

impl Registry {
    fn spaces(&self) -> MutexGuard<'_, HashMap<Arc<str>, Space>> {
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that has the id which another one would have, if that can't take it.
    pub(crate) fn holder(
        &self,
        space: &str,
        entrant: &Entrant,
    ) -> Option<(RoomConnectionId, RoomConnection)> {
        let spaces = self.spaces();
        let space = spaces.get(space)?;
        let id = space.rooms.holder(entrant)?;
        let (connection, _) = space.connections.get(&id)?;
        Some((id, connection.clone()))
    }

    /// Removes the user of a connection that doesn't answer, and ends the connection.
    pub(crate) fn drop_user(&self, space: &str, id: RoomConnectionId) {
        if let Some(space) = self.spaces().get_mut(space) {
            space.rooms.gone(id, true, Instant::now());
            if let Some((connection, _)) = space.connections.get(&id) {
                connection.liveness.replaced.cancel();
            }
            space.deliver();
        }
    }

    /// A connection enters the rooms of a space. If its id is taken, it learns so and stays
    /// connected without being a user.
    pub(crate) fn enter(
        self: &Arc<Self>,
        entrant: Entrant,
        connection: RoomConnection,
        charge: Charge,
    ) -> RoomMembership {
        let space = Arc::clone(&connection.space);
        let id = RoomConnectionId(self.next_id.fetch_add(1, Ordering::Relaxed));
        let user = Arc::clone(&entrant.profile.user);
        let mut spaces = self.spaces();
        let state = spaces.entry(Arc::clone(&space)).or_default();
        state.connections.insert(id, (connection, charge));
        match state.rooms.enter(id, entrant) {
            Entry::Entered(None) => {}
            Entry::Entered(Some(earlier)) => {
                if let Some((connection, _)) = state.connections.remove(&earlier) {
                    connection.liveness.replaced.cancel();
                }
            }
            Entry::Taken(_) => {
                let list = state.rooms.taken(&user);
                state.push(Delivery {
                    to: id,
                    channel: None,
                    list,
                });
            }
        }
        state.deliver();
        state.charge(id);
        drop(spaces);
        RoomMembership {
            registry: Arc::clone(self),
            space,
            id,
            is_left: AtomicBool::new(false),
        }
    }

    /// Removes the users who didn't come back in time. To be called regularly.
    pub(crate) fn expire(&self) {
        let now = Instant::now();
        self.spaces().retain(|_, space| {
            space.rooms.expire(now);
            space.deliver();
            !space.is_over()
        });
    }

    /// How many users and rooms there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let spaces = self.spaces();
        let counts = spaces.values().map(|space| space.rooms.counts());
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

    /// Takes an event of the page.
    pub(crate) fn take(&self, event: &str, arguments: &[&str]) -> Answered {
        let mut spaces = self.registry.spaces();
        let Some(space) = spaces.get_mut(&self.space) else {
            return Answered::Unknown;
        };
        let Some(request) = space.rooms.read(self.id, event, arguments) else {
            return Answered::Unknown;
        };
        let Some((connection, _)) = space.connections.get(&self.id) else {
            return Answered::Known(None);
        };
        if !is_allowed(&connection.access, &request, space.rooms.user_of(self.id)) {
            let opens = matches!(request, Request::Open(_) | Request::Join(_));
            return Answered::Known(opens.then(|| refusal(DENIED)));
        }
        let answer = space.rooms.take(self.id, request);
        space.deliver();
        space.charge(self.id);
        Answered::Known(answer)
    }
}

/// Whether a token allows what a page asks for. A room is a channel with the room's name.
fn is_allowed(access: &Access, request: &Request<'_>, user: Option<&Arc<str>>) -> bool {
    let publishes = |channel: &str| access.may_publish(channel);
    let receives = |channel: &str| access.may_subscribe(channel);
    let may_enter = match request {
        Request::Custom { event, .. } => publishes(event),
        request => request
            .channel()
            .is_none_or(|channel| publishes(channel) && receives(channel)),
    };
    let user = request.user().or_else(|| user.cloned());
    may_enter && user.is_none_or(|user| access.may_be(&quoted(&user)))
}

impl Drop for RoomMembership {
    fn drop(&mut self) {
        let mut spaces = self.registry.spaces();
        if let Some(space) = spaces.get_mut(&self.space) {
            space
                .rooms
                .gone(self.id, *self.is_left.get_mut(), Instant::now());
            space.deliver();
            if space.is_over() {
                spaces.remove(&self.space);
            }
        }
    }
}

impl Space {
    fn push(&self, delivery: Delivery) {
        let Some((connection, _)) = self.connections.get(&delivery.to) else {
            return;
        };
        let channel = delivery.channel.as_deref();
        if channel.is_none_or(|channel| connection.access.may_subscribe(channel)) {
            connection.deliver(&delivery.list);
        }
    }

    fn deliver(&mut self) {
        for delivery in self.rooms.take_deliveries() {
            self.push(delivery);
        }
    }

    fn charge(&mut self, id: RoomConnectionId) {
        if let Some((_, charge)) = self.connections.get_mut(&id) {
            charge.set(self.rooms.cost(id));
        }
    }

    /// Forgets connections without a user.
    fn is_over(&mut self) -> bool {
        let Self { rooms, connections } = self;
        connections.retain(|id, _| rooms.user_of(*id).is_some());
        connections.is_empty()
    }
}
