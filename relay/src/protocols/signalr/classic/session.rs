//! Sessions of SignalR 2, each of which outlives its WebSockets.
//!
//! A session is a member of its space from its first WebSocket on. When that is lost, the client
//! may come back for a while with another WebSocket and the cursor of the last message that it saw:
//! later messages are replayed from the history, and what was published meanwhile waits in the
//! queue.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_wire::UserId;
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio_util::sync::CancellationToken;

use super::history::History;
use super::protocol::Hubs;
use crate::auth::access::Access;
use crate::hub::ids::Secret;
use crate::hub::membership::Membership;
use crate::hub::queue::Receiver;
use crate::limits::Place;

/// A client, from its first WebSocket until it leaves or doesn't come back in time.
#[derive(Debug)]
pub(in crate::protocols::signalr) struct Session {
    pub(super) secret: Secret,
    pub(super) space: Box<str>,
    pub(super) hubs: Hubs,
    /// The sender of messages that come without one.
    pub(super) sender: UserId,
    pub(super) access: Access,
    pub(super) membership: Membership,
    /// Locked by the WebSocket that the client is connected with.
    pub(super) outbox: Arc<AsyncMutex<Outbox>>,
    /// Counts the WebSockets: each takes over from the one before.
    pub(super) generation: watch::Sender<u64>,
    /// The connection's place that the session keeps while it has no WebSocket.
    place: Mutex<Option<Place>>,
    pub(super) over: CancellationToken,
}

/// What a client is still to receive, and what it may have to receive again.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) queue: Receiver,
    pub(super) history: History,
}

impl Session {
    pub(super) fn new(
        secret: Secret,
        space: Box<str>,
        hubs: Hubs,
        sender: UserId,
        access: Access,
        membership: Membership,
        outbox: Outbox,
    ) -> Self {
        Self {
            secret,
            space,
            hubs,
            sender,
            access,
            membership,
            outbox: Arc::new(AsyncMutex::new(outbox)),
            generation: watch::Sender::new(0),
            place: Mutex::default(),
            over: CancellationToken::new(),
        }
    }

    /// The place that it keeps, if it has no WebSocket.
    pub(super) fn take_place(&self) -> Option<Place> {
        self.place().take()
    }

    pub(super) fn keep_place(&self, place: Place) {
        *self.place() = Some(place);
    }

    fn place(&self) -> MutexGuard<'_, Option<Place>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All sessions of a relay, by their secrets.
#[derive(Debug, Default)]
pub(in crate::protocols::signalr) struct Sessions(Mutex<HashMap<Secret, Arc<Session>>>);

impl Sessions {
    fn by_secret(&self) -> MutexGuard<'_, HashMap<Secret, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn insert(&self, session: Arc<Session>) {
        let secret = session.secret.clone();
        self.by_secret().insert(secret, session);
    }

    /// The session with this secret in this space.
    pub(in crate::protocols::signalr) fn find(
        &self,
        space: &str,
        secret: &str,
    ) -> Option<Arc<Session>> {
        let session = self.by_secret().get(secret).cloned()?;
        (*session.space == *space).then_some(session)
    }

    /// Ends a session for good, with the WebSocket that it may have.
    pub(in crate::protocols::signalr) fn end(&self, session: &Session) {
        self.by_secret().remove(session.secret.as_str());
        session.over.cancel();
    }
}
