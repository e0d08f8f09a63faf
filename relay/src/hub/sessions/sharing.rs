//! What other relays know of the sessions here, and sessions that come from them, where several
//! relays share a store.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{Instant, timeout};

use super::channels::Channels;
use super::{Attached, End, Name, Session, SessionError, Sessions};
use crate::hub::budget::Account;
use crate::hub::ids::MessageId;
use crate::hub::membership::Membership;
use crate::hub::store::{OpenChannel, Revision, SessionRecord, SharedSessions, Store, StoreError};

/// How many sessions are renewed in a shared store at one time.
const RENEWALS: usize = 32;
/// How often a relay tries again to take a session over.
const ATTEMPTS: u32 = 3;
/// How long the end of a connection may take because a shared store doesn't answer.
const LEAVING: Duration = Duration::from_secs(1);

/// The record of a session that other relays can find.
#[derive(Clone, Copy, Debug)]
pub(super) struct SharedAs {
    revision: Revision,
    since: Instant,
    /// Whether this relay has written it: another one had the session before.
    is_ours: bool,
    /// How far its client had seen when it left, if other relays don't know yet that it did.
    left: Option<MessageId>,
}

impl SharedAs {
    /// No other relay knows the session.
    pub(super) fn unknown() -> Self {
        Self {
            revision: Revision::default(),
            since: Instant::now(),
            is_ours: true,
            left: None,
        }
    }
}

impl Session {
    /// A session that was on another relay.
    fn brought(
        name: Name,
        account: &Arc<Account>,
        record: SessionRecord,
        revision: Revision,
    ) -> Self {
        let accepted = tokio::sync::Mutex::new(record.accepted);
        let session = Self::new(name, record.publisher, Channels::brought(account, record));
        *session.shared() = SharedAs {
            revision,
            since: Instant::now(),
            is_ours: false,
            left: None,
        };
        Self {
            accepted,
            ..session
        }
    }

    fn record(
        &self,
        accepted: u64,
        requested: &[OpenChannel],
        position: MessageId,
    ) -> SessionRecord {
        let channels = self.channels();
        SessionRecord {
            publisher: self.publisher,
            accepted,
            began: Some(channels.began.unwrap_or(position)),
            open: channels.all(requested, position),
            seen: channels.seen(),
        }
    }

    /// Lets other relays know it, with these channels, which are about to be opened. `left`: its client
    /// has left, and had seen as far as that. To be called in its turn.
    async fn share(
        &self,
        store: &dyn Store,
        accepted: u64,
        left: Option<MessageId>,
        requested: &[OpenChannel],
    ) -> Result<(), SessionError> {
        let Some(sessions) = store.sessions() else {
            return Ok(());
        };
        let position = sessions.position(&self.name.space).await;
        let position = position.map_err(|_| SessionError::StoreUnavailable)?;
        let mut record = self.record(accepted, requested, position);
        record.seen = record.seen.max(left.unwrap_or_default());
        let is_connected = left.is_none();
        let SharedAs {
            mut revision,
            is_ours,
            ..
        } = *self.shared();
        let Name { space, secret } = &self.name;
        let mut attempts = 0..ATTEMPTS;
        let revision = loop {
            let kept = sessions.keep(space, secret, record.clone(), is_connected, revision);
            match kept.await {
                Ok(revision) => break revision,
                Err(StoreError::Taken) if is_ours => return Err(SessionError::ResumedElsewhere),
                // The relay that had the session may just have written that its client left.
                Err(StoreError::Taken) if attempts.next().is_some() => {
                    let found = sessions.find(space, secret).await;
                    let found = found.map_err(|_| SessionError::StoreUnavailable)?;
                    revision = found.map(|(_, revision)| revision).unwrap_or_default();
                }
                Err(_) => return Err(SessionError::StoreUnavailable),
            }
        };
        *self.shared() = SharedAs {
            revision,
            since: Instant::now(),
            is_ours: true,
            left: None,
        };
        Ok(())
    }
}

impl Sessions {
    /// Brings a session here that a client names, if it is on another relay, or was since it was
    /// here.
    pub(crate) async fn bring(
        &self,
        secret: &str,
        membership: &Membership,
    ) -> Result<(), SessionError> {
        let Some(sessions) = self.store.sessions() else {
            return Ok(());
        };
        let space = membership.space();
        let found = sessions.find(space, secret).await;
        let found = found.map_err(|_| SessionError::StoreUnavailable)?;
        let Some((record, revision)) = found else {
            return Ok(());
        };
        let name = Name {
            space: Arc::clone(space),
            secret: secret.into(),
        };
        let mut registry = self.registry();
        let known = registry.sessions.get(&name);
        if known.is_some_and(|known| known.shared().revision >= revision) {
            return Ok(());
        }
        let brought = Session::brought(name.clone(), membership.account(), record, revision);
        let stale = registry.sessions.insert(name, Arc::new(brought));
        if let Some(stale) = &stale {
            let mut holder = stale.holder();
            holder.ends.end(End::Resumed);
            if let Some(place) = holder.kept.take() {
                registry.kept.remove(place);
            }
        }
        drop(registry);
        self.close(stale.into_iter().collect());
        Ok(())
    }

    /// Lets other relays know of the sessions here before what they know expires, and of clients that
    /// have left while the store didn't answer. To be called regularly.
    pub async fn renew(&self) {
        let Some(sessions) = self.store.sessions() else {
            return;
        };
        let due = futures_util::stream::iter(self.due(sessions.kept() / 3));
        due.for_each_concurrent(RENEWALS, async |session| {
            // One that is busy is renewed the next time.
            let Ok(accepted) = session.accepted.try_lock() else {
                return;
            };
            let is_kept = session.holder().kept.is_some();
            // The client may have come back before its departure was written.
            let left = session.shared().left.filter(|_| is_kept);
            if is_kept && left.is_none() {
                return;
            }
            let shared = session.share(&*self.store, *accepted, left, &[]).await;
            if shared == Err(SessionError::ResumedElsewhere) {
                session.shared().left = None;
                session.holder().ends.end(End::Resumed);
            }
        })
        .await;
    }

    /// The sessions of connected clients whose records are older than this, and those of clients that
    /// have left without a record of it.
    fn due(&self, renewal: Duration) -> Vec<Arc<Session>> {
        let is_due = |session: &Session| {
            let SharedAs { since, left, .. } = *session.shared();
            left.is_some() || (since.elapsed() >= renewal && session.holder().kept.is_none())
        };
        let registry = self.registry();
        let due = registry.sessions.values().filter(|session| is_due(session));
        due.cloned().collect()
    }
}

impl Attached {
    /// Lets other relays know the session, whose client is connected. To be called in its turn.
    pub(super) async fn share(
        &self,
        accepted: u64,
        requested: &[OpenChannel],
    ) -> Result<(), SessionError> {
        let store = &*self.sessions.store;
        self.session.share(store, accepted, None, requested).await
    }

    /// Lets other relays know that the client has left. If the store doesn't answer now, they are to
    /// know it [later](Sessions::renew): until then they take it that the client sees what all clients
    /// here see. To be called in its turn.
    pub(super) async fn share_departure(&self, accepted: u64) {
        let store = &*self.sessions.store;
        let Some(seen) = store.sessions().map(SharedSessions::seen) else {
            return;
        };
        let shared = self.session.share(store, accepted, Some(seen), &[]);
        let shared = timeout(LEAVING, shared).await;
        tracing::debug!("a session is left: {shared:?}");
        match shared {
            Ok(Ok(()) | Err(SessionError::ResumedElsewhere)) => {}
            _ => self.session.shared().left = Some(seen),
        }
    }
}
