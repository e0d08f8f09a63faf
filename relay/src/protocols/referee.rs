//! Private channels, on which a page talks with the relay alone.
//!
//! The name of a private channel ends with a token, which is the page's secret, so nobody else knows
//! the channel. What is published on it is acknowledged and neither kept nor delivered. It needs no
//! permission; what the page asks for does. There are two kinds: presence, see [`present`], and the
//! rooms of a space for pages of RTCMultiConnection 3 with the adapter of signal-wasm, beside those
//! with Socket.IO. The latter are named `rtcmulticonnection-relay/<token>`. What such a page says:
//!
//! | member | |
//! | --- | --- |
//! | `query` | the query that the library makes for `io`. It enters the rooms, or continues as the user that it was, if this connection has not done so yet. A `group` in it means the rooms of this name, apart from those of the space |
//! | `life`, `seen` | the life of its user that the page knows, and the number up to which it has received all |
//! | `asked` | the number of the last request. The page wants to know which have come |
//! | `ask`, `event` | the number of a request, which rises within a life; the list of the event's name and arguments. A request of another life isn't done, nor one that was done already |
//!
//! A message with `query` or `asked`, and without `event`, is answered with the first or the second of
//! these. One with `asked` doesn't enter the rooms: if this connection has not done so, it is ignored.
//!
//! | to the page | |
//! | --- | --- |
//! | `{"user":"…","life":"…","asked":3,"relay":"…"}` | it is this user, in this life, whose requests up to this number have come, at this relay, which names itself otherwise when it is started again. Another life than before: the user was removed, and at the same relay the others know it |
//! | `{"taken":["userid-already-taken","…","…"]}` | it is nobody: its id is another user's |
//! | `{"refused":"…"}` | it is nobody, for this reason |
//! | `{"number":18,"event":["…",…]}` | an event |
//! | `{"number":19,"answer":3,"values":[…]}` | what the request with this number is acknowledged with |
//!
//! The first message on a connection is answered so too. In the relay's own protocol these answers
//! are written before the acknowledgement of the message: a page knows by an acknowledgement without
//! an answer that the relay is an older one. In the other protocols the relay says before, when a
//! client connects, that it is one. There a page sends once more what was lost with a connection:
//! its requests after `asked`. Numbered deliveries are kept until `seen` covers them, and are sent once
//! more when the page continues on another connection.
//!
//! The events are those of Socket.IO pages, and two more: `disconnect` leaves the rooms for good;
//! `participants` is answered with a list of those in the room whom the page would ask for
//! connections if it had just joined.

mod answers;
mod letter;
mod present;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_wire::json::quoted;
pub(super) use signal_wire::private::is_private;
use signal_wire::private::{PRESENCE, ROOMS};

pub(super) use self::answers::Answers;
use self::answers::Outlet;
use self::letter::Letter;
use self::present::PresentPages;
use crate::auth::access::Access;
use crate::connection::Heartbeat;
use crate::hub::budget::Purpose;
use crate::hub::frame::Frame;
use crate::hub::ids::Secret;
use crate::hub::membership::Membership;
use crate::hub::queue::Sender;
use crate::limits::Limits;
use crate::relay::Relay;
use crate::rooms::entrant::{Entrant, Numbered};
use crate::rooms::profile::Profile;
use crate::rooms::registry::{
    Liveness, NumberedRequest, PING, Registry, RoomConnection, RoomMembership, Standing,
};

/// The fewest and the most bytes of a token.
const TOKEN: std::ops::RangeInclusive<usize> = 16..=128;
/// The most bytes of a group's name.
const LONGEST_GROUP: usize = 256;
/// How many private channels one connection has at one time.
const MOST_SEATS: usize = 32;
/// The frame by which a client is asked for a sign of life.
const ALIVE: &str = "{\"ping\":0}";

/// The envelope of a message from the relay itself.
fn envelope(channel: &str, message: &str) -> String {
    let channel = quoted(channel);
    format!("{{\"sender\":\"relay\",\"channel\":{channel},\"message\":{message}}}")
}

/// The pages of one connection that are in rooms or on channels: one for each private channel.
#[derive(Debug)]
pub(super) struct Referee {
    registry: Arc<Registry>,
    outlet: Outlet,
    /// What the rooms know of the connection.
    liveness: Arc<Liveness>,
    /// The packet by which its client is asked for a sign of life, if there is one.
    ping: Option<&'static str>,
    heartbeat: Heartbeat,
    /// Those in rooms.
    seats: Mutex<Seats>,
    present: PresentPages,
}

type Seats = HashMap<Arc<str>, Arc<RoomMembership>>;

impl Referee {
    /// No page yet, on a plain WebSocket. What it answers is in the answers.
    pub(super) fn plain(relay: &Relay, limits: &Limits) -> (Self, Arc<Answers>) {
        let answers = Arc::<Answers>::default();
        let outlet = Outlet::First(Arc::clone(&answers));
        (Self::new(relay, limits, outlet, Some(ALIVE)), answers)
    }

    /// No page yet, on a connection of another protocol with this queue. `ping` is the packet by
    /// which its client is asked for a sign of life, if there is one.
    pub(super) fn queued(
        relay: &Relay,
        limits: &Limits,
        sender: &Sender,
        ping: Option<&'static str>,
    ) -> Self {
        Self::new(relay, limits, Outlet::Queue(sender.clone()), ping)
    }

    fn new(relay: &Relay, limits: &Limits, outlet: Outlet, ping: Option<&'static str>) -> Self {
        Self {
            registry: Arc::clone(&relay.rooms),
            outlet,
            liveness: Arc::default(),
            ping,
            heartbeat: Heartbeat::new(&limits.with_pings(PING)),
            seats: Mutex::default(),
            present: PresentPages::new(&relay.presence, true),
        }
    }

    /// The same, for a connection of which it isn't noticed soon when it is lost.
    pub(super) fn unwatched(self, relay: &Relay) -> Self {
        let present = PresentPages::new(&relay.presence, false);
        Self { present, ..self }
    }

    /// The same, for a connection of which the rooms know this.
    pub(super) fn with_liveness(self, liveness: Arc<Liveness>) -> Self {
        Self { liveness, ..self }
    }

    /// What the rooms know of the connection.
    pub(super) fn liveness(&self) -> Arc<Liveness> {
        Arc::clone(&self.liveness)
    }

    /// Whether it has any page.
    pub(super) fn is_used(&self) -> bool {
        !self.seats().is_empty() || self.present.is_used()
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The heartbeat that a connection with such pages needs.
    pub(super) fn heartbeat(&self) -> Option<&Heartbeat> {
        self.is_used().then_some(&self.heartbeat)
    }

    /// Notes that the client is alive.
    pub(super) fn heard(&self) {
        self.liveness.heard.notify_waiters();
    }

    /// Its pages in rooms don't come back.
    pub(super) fn leave(&self) {
        for seat in self.seats().values() {
            seat.leave();
        }
    }

    /// Its pages have no connection any more.
    pub(super) fn forget(&self) {
        let seats = std::mem::take(&mut *self.seats());
        drop(seats);
        self.present.forget();
    }

    /// Takes a message on a private channel.
    pub(super) async fn take(
        &self,
        channel: &str,
        message: Option<&str>,
        membership: &Membership,
        access: &Access,
    ) {
        if channel.starts_with(PRESENCE) {
            let message = message.unwrap_or_default();
            self.present.take(channel, message, membership, access);
            membership.count(message.len());
            return membership.relieve();
        }
        let Some(letter) = message.and_then(Letter::read) else {
            return;
        };
        let mut seat = self.seats().get(channel).cloned();
        let is_new = seat.is_none();
        if is_new && let Some(query) = &letter.query {
            match self
                .enter(channel, query, &letter, membership, access)
                .await
            {
                Ok(Some(entered)) => {
                    let entered = seat.insert(Arc::new(entered));
                    self.seats().insert(channel.into(), Arc::clone(entered));
                }
                // It comes back.
                Ok(None) => return,
                Err(why) => {
                    let refused = format!("{{\"refused\":{}}}", quoted(why));
                    return self.outlet.add(channel, &refused);
                }
            }
        }
        let Some(seat) = seat else {
            return;
        };
        let asks_itself =
            letter.event.is_none() && (letter.query.is_some() || letter.asked.is_some());
        if !is_new
            && asks_itself
            && let Some((standing, keeping)) = seat.standing().await
        {
            self.outlet.add(channel, &written(&standing, &keeping));
        }
        if letter.leaves() {
            seat.leave();
            self.seats().remove(channel);
        } else if let Some(life) = &letter.life {
            let event = letter.ask.zip(letter.event.as_ref());
            let asked = NumberedRequest {
                life,
                seen: letter.seen,
                event: event.map(|(ask, (name, arguments))| (ask, &**name, &**arguments)),
            };
            seat.take_numbered(asked).await;
        }
        membership.count(message.map_or(0, str::len));
        membership.relieve();
    }

    /// Enters the rooms. An error says why it may not. `None`: nobody keeps them now.
    async fn enter(
        &self,
        channel: &str,
        query: &str,
        letter: &Letter<'_>,
        membership: &Membership,
        access: &Access,
    ) -> Result<Option<RoomMembership>, &'static str> {
        let token = channel.strip_prefix(ROOMS).unwrap_or_default();
        if !TOKEN.contains(&token.len()) {
            return Err("The token of a private channel has 16 to 128 bytes.");
        }
        if self.seats().len() >= MOST_SEATS {
            return Err("One connection has at most 32 sockets in rooms.");
        }
        let profile = Profile::read(query).ok_or("The query must have a userid and a msgEvent.")?;
        let mut members = form_urlencoded::parse(query.as_bytes());
        let group = members.find(|(name, _)| name == "group");
        let group = group.map(|(_, group)| group);
        if group
            .as_ref()
            .is_some_and(|group| group.len() > LONGEST_GROUP)
        {
            return Err("The channel of the rooms has at most 256 bytes.");
        }
        let life = Secret::random().map_err(|_| "The relay has no random numbers.")?;
        let secret: Arc<str> = channel.into();
        let entrant = Entrant {
            profile,
            shown: Some(Arc::clone(&secret)),
            secret: Arc::clone(&secret),
            token_user: access.user(),
            numbered: Some(Numbered {
                life: life.as_str().into(),
                seen: letter
                    .life
                    .as_deref()
                    .map(|life| (life.into(), letter.seen)),
            }),
        };
        // No space's name has such a character.
        let space = group.map(|group| Arc::from(format!("{}\n{group}", membership.space())));
        let space = space.unwrap_or_else(|| Arc::clone(membership.space()));
        self.registry
            .wait_for_user_id(&space, &entrant, &self.liveness)
            .await;
        let connection = RoomConnection {
            sender: membership.sender().clone(),
            space,
            address: secret,
            encode: |channel, message| Frame::to_one(envelope(channel, message).into()),
            ping: self.ping,
            access: access.clone(),
            liveness: Arc::clone(&self.liveness),
        };
        let charge = membership.account().charge(Purpose::Connections, 0);
        let (outlet, channel) = (self.outlet.clone(), channel.to_owned());
        let greet = Box::new(move |standing, keeping: &str| {
            outlet.add(&channel, &written(&standing, keeping));
        });
        let entering = self
            .registry
            .enter(entrant, connection, charge, true, greet);
        Ok(entering.await)
    }
}

/// The answer to a page. `keeping` names the keeping of the rooms: that of the relay until it is
/// started again.
fn written(standing: &Standing, keeping: &str) -> String {
    match standing {
        Standing::User { id, numbered } => {
            let (life, asked) = numbered
                .as_ref()
                .map_or(("", 0), |(life, asked)| (&**life, *asked));
            let (user, life, relay) = (quoted(id), quoted(life), quoted(keeping));
            format!("{{\"user\":{user},\"life\":{life},\"asked\":{asked},\"relay\":{relay}}}")
        }
        Standing::Taken(event) => format!("{{\"taken\":{event}}}"),
    }
}
