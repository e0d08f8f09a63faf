//! Presence on private channels: pages of `signal-wasm/room` ask the relay who is on a channel.
//!
//! Their private channels are named `signal-wasm-presence/<token>`. What a page says on one:
//!
//! | member | |
//! | --- | --- |
//! | `present`, `on` | it has this id, on this channel. It says so on each of its connections |
//! | `absent` | it leaves for good |
//!
//! | to the page | |
//! | --- | --- |
//! | `{"present":["…"],"shown":true,"relay":"…"}` | the answer: the ids of the others, whether the others know of it too, and the relay, which names itself otherwise when it is started again. It doesn't name itself when it shares a store and may not have heard of all yet: `came` follows for each |
//! | `{"came":"…"}`, `{"gone":"…"}` | a page with this id has come, or has gone: it was without a connection for 5 s |
//! | `{"refused":"…"}` | it hears of nobody, for this reason |

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_wire::json::{self, find, quoted, string};
use signal_wire::private::PRESENCE;

use super::{MOST_SEATS, TOKEN, envelope};
use crate::auth::access::Access;
use crate::hub::budget::Purpose;
use crate::hub::frame::Frame;
use crate::hub::membership::Membership;
use crate::presence::{Entrant, Presence, Refused, Seat, TAKEN};

/// The most bytes of a page's id.
const LONGEST_ID: usize = 64;
/// The most bytes of the name of a channel that pages are on.
const LONGEST_CHANNEL: usize = 256;

/// The pages of one connection that want to know of others.
#[derive(Debug)]
pub(super) struct PresentPages {
    presence: Arc<Presence>,
    /// Whether the relay notices soon when the connection is lost.
    is_watched: bool,
    /// By their private channels.
    seats: Mutex<HashMap<Arc<str>, Seat>>,
}

impl PresentPages {
    pub(super) fn new(presence: &Arc<Presence>, is_watched: bool) -> Self {
        Self {
            presence: Arc::clone(presence),
            is_watched,
            seats: Mutex::default(),
        }
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<Arc<str>, Seat>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there are any.
    pub(super) fn is_used(&self) -> bool {
        !self.seats().is_empty()
    }

    /// They have lost their connection.
    pub(super) fn forget(&self) {
        let seats = std::mem::take(&mut *self.seats());
        drop(seats);
    }

    /// Takes what a page says.
    pub(super) fn take(
        &self,
        secret: &str,
        message: &str,
        membership: &Membership,
        access: &Access,
    ) {
        let Some(said) = Said::read(message) else {
            return;
        };
        let Said::Present { id, on } = said else {
            let seat = self.seats().remove(secret);
            if let Some(seat) = seat {
                seat.leave();
            }
            return;
        };
        if let Err(why) = self.enter(secret, &id, &on, membership, access) {
            let refused = format!("{{\"refused\":{}}}", quoted(why));
            membership.sender().push(encode(secret, &refused));
        }
    }

    /// A page comes, or comes back. An error says why it may not.
    fn enter(
        &self,
        secret: &str,
        id: &str,
        on: &str,
        membership: &Membership,
        access: &Access,
    ) -> Result<(), &'static str> {
        let token = secret.strip_prefix(PRESENCE).unwrap_or_default();
        if !TOKEN.contains(&token.len()) {
            return Err("The token of a private channel has 16 to 128 bytes.");
        }
        if !(1..=LONGEST_ID).contains(&id.len()) {
            return Err("The id of a page has 1 to 64 bytes.");
        }
        if on.len() > LONGEST_CHANNEL {
            return Err("The channel of a page has at most 256 bytes.");
        }
        if !(access.may_subscribe(on) && access.may_publish(on)) {
            return Err("The token doesn't allow to be on this channel.");
        }
        let mut seats = self.seats();
        if seats.len() >= MOST_SEATS && !seats.contains_key(secret) {
            return Err("One connection has at most 32 pages on channels.");
        }
        let secret: Arc<str> = secret.into();
        let entrant = Entrant {
            space: Arc::clone(membership.space()),
            channel: on.into(),
            id: id.into(),
            secret: Arc::clone(&secret),
            is_shown: self.is_watched,
            sender: membership.sender().clone(),
            encode,
            charge: membership.account().charge(Purpose::Connections, 0),
        };
        let entered = self
            .presence
            .enter(entrant, |others, are_all| self.written(others, are_all));
        let seat = entered.map_err(|refused| match refused {
            Refused::Full => "There are 1024 pages on this channel.",
            Refused::Taken => TAKEN,
        })?;
        let earlier = seats.insert(secret, seat);
        drop(seats);
        // The page has left what it was on before, if that was another channel.
        if let Some(earlier) = earlier {
            earlier.leave();
        }
        Ok(())
    }

    fn written(&self, others: &[Arc<str>], are_all: bool) -> String {
        let ids: Vec<_> = others.iter().map(|id| quoted(id)).collect();
        let (ids, is_shown) = (ids.join(","), self.is_watched);
        let relay = if are_all {
            format!(",\"relay\":{}", quoted(self.presence.relay()))
        } else {
            String::new()
        };
        format!("{{\"present\":[{ids}],\"shown\":{is_shown}{relay}}}")
    }
}

/// What a page says.
enum Said<'a> {
    Present { id: Cow<'a, str>, on: Cow<'a, str> },
    Absent,
}

impl<'a> Said<'a> {
    fn read(message: &'a str) -> Option<Self> {
        let members = json::members(message)?;
        if find(&members, "absent").is_some() {
            return Some(Self::Absent);
        }
        let text = |name| find(&members, name).and_then(string);
        Some(Self::Present {
            id: text("present")?,
            on: text("on")?,
        })
    }
}

fn encode(secret: &str, message: &str) -> Frame {
    Frame::to_one(envelope(secret, message).into())
}
