//! All Socket.IO sessions of a relay, by their ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::response::Response;

use super::engine::Version;
use super::heartbeat::{unconfirmed, watch};
use super::reliable_signaler::{Guest, KeptRooms};
use super::session::{Session, Transport, Visitor};
use crate::auth::refusal::Refusal;
use crate::connection::{CloseReason, no_randomness};
use crate::hub::ids::Secret;
use crate::limits::Place;
use crate::relay::Relay;

/// All Socket.IO sessions of a relay.
#[derive(Debug)]
pub(super) struct Sessions {
    pub(super) relay: Arc<Relay>,
    by_id: Mutex<HashMap<Secret, Arc<Session>>>,
    rooms: Arc<KeptRooms>,
}

impl Sessions {
    pub(super) fn new(relay: Arc<Relay>) -> Self {
        Self {
            relay,
            by_id: Mutex::default(),
            rooms: Arc::default(),
        }
    }

    fn by_id(&self) -> MutexGuard<'_, HashMap<Secret, Arc<Session>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session with this id.
    pub(super) fn find(&self, id: &str) -> Option<Arc<Session>> {
        self.by_id().get(id).cloned()
    }

    /// Begins a session. Its first packets are waiting already. An error is the answer to a request
    /// for which there are no random numbers.
    pub(super) async fn begin(
        self: &Arc<Self>,
        version: Version,
        transport: Transport,
        visitor: Visitor,
        place: Place,
    ) -> Result<Arc<Session>, Box<Response>> {
        let id = Secret::random().map_err(no_randomness)?;
        let session = Session::new(&self.relay, version, transport, &id, visitor, place);
        let session = Arc::new(session.map_err(no_randomness)?);
        session.begin(&self.relay).await.map_err(no_randomness)?;
        session.link(&self.rooms);
        self.by_id().insert(id.clone(), Arc::clone(&session));
        let (sessions, kept) = (Arc::clone(self), Arc::clone(&session));
        self.relay.tasks.spawn(async move {
            let lifecycle = &sessions.relay.lifecycle;
            let (limits, departure) = (&kept.limits, lifecycle.departure());
            let leaving = async {
                lifecycle.draining().await;
                // A client that polls may need new connections, which are no longer accepted.
                if kept.transport() == Transport::WebSocket {
                    departure.due().await;
                }
            };
            let reason = tokio::select! {
                reason = watch(&kept) => reason,
                reason = unconfirmed(&kept, limits) => reason,
                () = kept.overflowed() => CloseReason::SlowConsumer,
                () = kept.replaced() => CloseReason::ResumedElsewhere,
                () = kept.expired() => Refusal::EXPIRED.into(),
                () = leaving => CloseReason::ShuttingDown,
                () = kept.ended() => CloseReason::Gone,
            };
            kept.end(reason);
            let guest: Arc<dyn Guest> = Arc::<Session>::clone(&kept);
            sessions.rooms.forget(&guest);
            kept.say_farewell().await;
            if kept.reason() == CloseReason::ShuttingDown
                && kept.transport() != Transport::WebSocket
            {
                // A client between two polls fetches what waits for it with the next one.
                tokio::select! {
                    () = kept.emptied() => {}
                    () = lifecycle.stopping() => {}
                }
            }
            sessions.by_id().remove(&id);
        });
        Ok(session)
    }
}
