//! The users and rooms of one space: who is there, and whose connection was lost. Pure.
//!
//! A user whose connection was lost stays for [`AWAY`]: until then a connection that shows the
//! user's secret continues as the same user, and receives what was meant for it meanwhile. Whoever
//! can't show it begins as a new user, who is in no room. Nobody takes the id of a user who is
//! connected.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use signal_wire::json::quoted;
use tokio::time::Instant;

use super::entrant::RoomConnectionId;
use super::mailbox::Mailbox;
use super::profile::{LONGEST_EXTRA, Profile};
use super::request::Request;
use super::values::{self, LONGEST_NAME};
use super::viewer::Viewer;

/// How long a user may be without a connection.
pub const AWAY: Duration = Duration::from_secs(5);
/// How many events wait for a user without a connection, and how many bytes.
const MOST_WAITING: (usize, usize) = (256, 256 * 1024);
/// How many custom events a page has.
const MOST_EVENTS: usize = 16;
/// What a user costs besides its texts, in bytes.
const USER: usize = 1024;
/// What each entry of its lists costs, in bytes.
const ENTRY: usize = 64;

pub(super) const NO_ROOM: &str = "Room not available";
pub(super) const NO_USER: &str = "User ID does not exist";
pub(super) const DENIED: &str = "Room permission denied";

/// An event for one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The connection.
    pub to: RoomConnectionId,
    /// The channel on which it must be allowed to receive it, if not everybody may.
    pub channel: Option<Arc<str>>,
    /// The JSON text of the list of the event's name and its arguments; for a page on a private
    /// channel, the whole message.
    pub list: Arc<str>,
}

/// The JSON texts of an acknowledgement's values, with commas between them.
pub type Answer = String;

#[derive(Debug)]
pub(super) struct User {
    pub(super) profile: Profile,
    pub(super) secret: Arc<str>,
    pub(super) token_user: Option<Arc<str>>,
    pub(super) connection: RoomConnectionId,
    pub(super) away: Option<Away>,
    /// Of a page on a private channel.
    pub(super) mailbox: Option<Mailbox>,
    pub(super) extra: Arc<str>,
    pub(super) room: Option<Arc<str>>,
    /// It has joined the room, and hasn't asked the others for connections yet.
    pub(super) is_new: bool,
    /// The users that it has exchanged messages with.
    pub(super) ties: HashSet<Arc<str>>,
    pub(super) events: HashSet<Arc<str>>,
}

/// A user has no connection.
#[derive(Debug)]
pub(super) struct Away {
    until: Instant,
    pub(super) waiting: Vec<Delivery>,
    bytes: usize,
    is_over: bool,
}

#[derive(Debug)]
pub(super) struct Room {
    pub(super) owner: Arc<str>,
    /// In the order in which they came.
    pub(super) participants: Vec<Arc<str>>,
    pub(super) most: usize,
    pub(super) password: Option<Arc<str>>,
    pub(super) identifier: Option<Arc<str>>,
    pub(super) session: Arc<str>,
    pub(super) extra: Arc<str>,
    /// Participants connect only with the owner.
    pub(super) is_one_way: bool,
    /// It closes when its owner leaves.
    pub(super) closes: bool,
}

/// The users and rooms of one space.
#[derive(Debug, Default)]
pub struct Rooms {
    pub(super) connections: HashMap<RoomConnectionId, Arc<str>>,
    /// The user of each secret. A page that changed its id still reconnects with its first id.
    pub(super) secrets: HashMap<Arc<str>, Arc<str>>,
    pub(super) users: HashMap<Arc<str>, User>,
    pub(super) rooms: HashMap<Arc<str>, Room>,
    pub(super) viewers: HashMap<Arc<str>, Viewer>,
    /// The viewers of each broadcast.
    pub(super) audiences: HashMap<Arc<str>, BTreeSet<Arc<str>>>,
    pub(super) away: usize,
    pub(super) deliveries: Vec<Delivery>,
    /// The connections, lost ones too, of users for whom more is kept.
    pub(super) kept_for: Vec<RoomConnectionId>,
    /// A user's mailbox is over its bound.
    pub(super) is_any_over: bool,
}

impl Rooms {
    /// The deliveries since the last call, in order.
    pub fn take_deliveries(&mut self) -> Vec<Delivery> {
        std::mem::take(&mut self.deliveries)
    }

    /// The connections, lost ones too, for whose users something was kept since the last call.
    pub fn take_kept_for(&mut self) -> Vec<RoomConnectionId> {
        std::mem::take(&mut self.kept_for)
    }

    /// How many users and rooms there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.users.len(), self.rooms.len())
    }

    /// The user of a connection.
    #[must_use]
    pub fn user_of(&self, connection: RoomConnectionId) -> Option<&Arc<str>> {
        self.connections.get(&connection)
    }

    /// A connection has left: for good, or it was lost and its user may come back.
    pub fn gone(&mut self, connection: RoomConnectionId, for_good: bool, now: Instant) {
        let Some(id) = self.connections.get(&connection).cloned() else {
            return;
        };
        if for_good {
            return self.remove(&id);
        }
        if let Some(user) = self.users.get_mut(&id)
            && user.away.is_none()
        {
            user.away = Some(Away {
                until: now + AWAY,
                waiting: Vec::new(),
                bytes: 0,
                is_over: false,
            });
            self.away += 1;
        }
    }

    /// Removes the users who didn't come back in time, and those for whom too much is kept. Returns
    /// the connections of those who are still connected.
    pub fn expire(&mut self, now: Instant) -> Vec<RoomConnectionId> {
        if self.away == 0 && !self.is_any_over {
            return Vec::new();
        }
        self.is_any_over = false;
        let due = self.users.iter().filter(|(_, user)| user.is_due(now));
        let due: Vec<_> = due.map(|(id, _)| Arc::clone(id)).collect();
        let mut connected = Vec::new();
        for id in due {
            let user = self.users.get(&id).filter(|user| user.is_connected());
            connected.extend(user.map(|user| user.connection));
            self.remove(&id);
        }
        connected
    }

    pub(super) fn remove(&mut self, id: &Arc<str>) {
        let ties = match self.users.get_mut(id) {
            Some(user) => std::mem::take(&mut user.ties),
            None => return,
        };
        let left = values::event("user-disconnected", &[&quoted(id)]);
        for tied in &ties {
            if let Some(other) = self.users.get_mut(tied) {
                other.ties.remove(id);
            }
            self.emit(tied, Arc::clone(&left));
        }
        self.leave_broadcast(id);
        self.leave_room(id);
        if let Some(user) = self.users.remove(id) {
            self.connections.remove(&user.connection);
            self.secrets.remove(&user.secret);
            self.away -= usize::from(user.away.is_some());
        }
    }

    /// An event for one user.
    pub(super) fn emit(&mut self, id: &str, list: Arc<str>) {
        self.emit_on(id, None, list);
    }

    /// The same for a user that must be allowed to receive it.
    pub(super) fn emit_on(&mut self, id: &str, channel: Option<Arc<str>>, list: Arc<str>) {
        let Some(user) = self.users.get_mut(id) else {
            return;
        };
        if user.mailbox.is_some() {
            return self.post(id, channel, &format!("\"event\":{list}"));
        }
        let delivery = Delivery {
            to: user.connection,
            channel,
            list,
        };
        match &mut user.away {
            None => self.deliveries.push(delivery),
            Some(away) => {
                away.keep(delivery);
                self.kept_for.push(user.connection);
            }
        }
    }

    /// What a connection asks for. Returns the values of its acknowledgement, if it gets one. A
    /// connection that isn't a user gets nothing.
    pub fn take(&mut self, connection: RoomConnectionId, request: Request<'_>) -> Option<Answer> {
        let id = self.connections.get(&connection).cloned()?;
        match request {
            Request::Open(request) => Some(self.open(&id, &request)),
            Request::Join(request) => Some(self.join(&id, &request)),
            Request::Refused(why) => Some(refusal(why)),
            Request::Close => Some(self.close(&id)),
            Request::Presence(room) => Some(self.presence(room)),
            Request::SetPassword(password) => Some(self.set_password(&id, password)),
            Request::IsPassword { password, room } => Some(self.is_password(password, room)),
            Request::PublicRooms(identifier) => Some(self.public_rooms(identifier)),
            Request::Message(message) => self.message(&id, &message),
            Request::Undelivered(why) => {
                self.undelivered(&id, why);
                None
            }
            Request::Extra(extra) => {
                if extra.len() <= LONGEST_EXTRA {
                    self.set_extra(&id, extra);
                }
                None
            }
            Request::ExtraOf(user) => Some(self.extra_of(user)),
            Request::DisconnectWith(user) => Some(self.disconnect_with(&id, user)),
            Request::Rename(user) => self.rename(&id, user?).then(String::new),
            Request::AddEvent(event) => {
                let user = self.users.get_mut(&id)?;
                if user.events.len() < MOST_EVENTS {
                    user.events.insert(event?);
                }
                None
            }
            Request::Custom { event, value } => {
                self.custom(&id, &event, value);
                None
            }
            Request::JoinBroadcast {
                broadcast,
                user,
                streams,
            } => {
                self.join_broadcast(&id, broadcast, user, streams);
                None
            }
            Request::Relay(can) => {
                self.set_relay(&id, can);
                None
            }
            Request::BroadcastPresence(user) => Some(self.is_broadcasting(user).to_string()),
            Request::Viewers(broadcast) => Some(self.viewers_of(broadcast).to_string()),
            Request::Participants => Some(self.participants_before(&id)),
        }
    }

    /// Whether a connection may ask for this: it is a user, and has announced its custom events.
    #[must_use]
    pub fn knows(&self, connection: RoomConnectionId, request: &Request<'_>) -> bool {
        let id = self.connections.get(&connection);
        let user = id.and_then(|id| self.users.get(id));
        user.is_some_and(|user| match request {
            Request::Custom { event, .. } => user.events.contains(event),
            _ => true,
        })
    }

    /// Whether a user has this id.
    #[must_use]
    pub fn is_user(&self, id: &str) -> bool {
        self.users.contains_key(id)
    }

    /// What a connection's user costs, in bytes.
    #[must_use]
    pub fn cost(&self, connection: RoomConnectionId) -> usize {
        let Some((id, user)) = self
            .connections
            .get(&connection)
            .and_then(|id| self.users.get_key_value(id))
        else {
            return 0;
        };
        let room = user.room.as_ref().and_then(|room| self.rooms.get(room));
        let owned = room.filter(|room| room.owner == *id).map_or(0, |room| {
            room.extra.len() + room.session.len() + 4 * LONGEST_NAME
        });
        let lists = user.ties.len() + user.events.len();
        let mailbox = user.mailbox.as_ref().map_or(0, Mailbox::cost);
        let waiting = mailbox + user.away.as_ref().map_or(0, |away| away.bytes);
        USER + user.extra.len() + user.profile.extra.len() + owned + waiting + lists * ENTRY
    }
}

impl User {
    pub(super) fn is_connected(&self) -> bool {
        self.away.is_none()
    }

    fn is_due(&self, now: Instant) -> bool {
        let away = self.away.as_ref();
        away.is_some_and(|away| away.is_over || now >= away.until)
            || self.mailbox.as_ref().is_some_and(Mailbox::is_over)
    }
}

impl Away {
    fn keep(&mut self, delivery: Delivery) {
        self.bytes += delivery.list.len();
        let (most, most_bytes) = MOST_WAITING;
        self.is_over |= self.waiting.len() >= most || self.bytes > most_bytes;
        if self.is_over {
            self.waiting = Vec::new();
            self.bytes = 0;
        } else {
            self.waiting.push(delivery);
        }
    }
}

/// The acknowledgement of what failed.
pub(super) fn refusal(why: &str) -> Answer {
    format!("false,{}", quoted(why))
}
