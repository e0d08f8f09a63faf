//! A page's connection, and what it asks of the rooms.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::request::Request;
use super::state::Answer;
use super::wire::Rights;
use crate::auth::access::Access;
use crate::hub::frame::Frame;
use crate::hub::queue::Sender;

/// A page in rooms is pinged at least this often, and answers within this time: the others wait for
/// a new owner when one has vanished.
pub(crate) const PING: Duration = Duration::from_secs(5);
/// How long the user of an id may take for a sign of life when another connection would have the
/// id.
pub(super) const LIVENESS_TIMEOUT: Duration = Duration::from_secs(3);

/// The signs of life of a connection, and whether another one has replaced it.
#[derive(Debug, Default)]
pub(crate) struct Liveness {
    /// Something was received.
    pub(crate) heard: Notify,
    /// Another connection is the user now, or the rooms are lost that the page is in.
    pub(crate) replaced: CancellationToken,
    /// How often it waits for a relay that keeps rooms. Meanwhile nothing of it is heard.
    waits: AtomicUsize,
}

impl Liveness {
    /// Whether it waits for a relay that keeps rooms. Then its silence means nothing.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waits.load(Ordering::Relaxed) > 0
    }

    /// It waits for a relay that keeps rooms until what is returned is dropped.
    pub(super) fn wait(&self) -> impl Drop + use<'_> {
        struct Waiting<'a>(&'a Liveness);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.waits.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.waits.fetch_add(1, Ordering::Relaxed);
        Waiting(self)
    }
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
        if self.liveness.is_waiting() {
            return true;
        }
        let heard = self.liveness.heard.notified();
        self.sender.push(Frame::direct(ping.into()));
        timeout(LIVENESS_TIMEOUT, heard).await.is_ok()
    }

    /// Delivers something, if the connection may receive what is on its channel.
    pub(super) fn receives(&self, channel: Option<&str>) -> bool {
        channel.is_none_or(|channel| self.access.may_subscribe(channel))
    }
}

/// Whether a token allows what a page asks for, as far as that doesn't depend on the rooms. A room is
/// a channel with the room's name.
pub(super) fn may_enter(access: &Access, request: &Request<'_>) -> bool {
    let publishes = |channel: &str| access.may_publish(channel);
    let receives = |channel: &str| access.may_subscribe(channel);
    match request {
        Request::Custom { event, .. } => publishes(event),
        request => request
            .channel()
            .is_none_or(|channel| publishes(channel) && receives(channel)),
    }
}

/// Who decides what a page may do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Permission {
    /// Its token, which is here.
    Token,
    /// The relay that has its token has said this.
    Told(Rights),
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Is called with what a connection is, and with the name of whoever keeps the rooms, before
/// something is delivered to it.
pub(crate) type Greet = Box<dyn FnOnce(Standing, &str) + Send>;
