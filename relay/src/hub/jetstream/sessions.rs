//! The records of sessions, for the relay on which a client resumes.
//!
//! A record is written when its channels change, now and then while its client is connected, and
//! when that leaves. NATS drops it when it wasn't written for as long as a session is kept. How far
//! a client has seen isn't written for each message: a record names its relay, and each relay says
//! every few seconds how far all its clients have seen.
//!
//! A relay writes only over the version that it knows, and so learns when another one has the session.
//! Three servers of NATS 2.9 may take two such writes in the same moment. Then one of the relays
//! learns it with its next write: its client connects again, and loses nothing.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::kv::UpdateErrorKind;
use axum::body::Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep, timeout};

use super::{AGAIN, JetStream, PATIENCE, REQUEST, Shared, unavailable};
use crate::hub::ids::{MessageId, fingerprint};
use crate::hub::store::{BoxFuture, Revision, SessionRecord, SharedSessions, StoreError};

/// A record as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    publisher: String,
    accepted: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<u64>,
    open: Vec<(String, u64)>,
    /// The relay that wrote it.
    relay: u64,
    /// Whether its client is connected to that relay, and so has seen as much as all clients there.
    is_connected: bool,
    /// How far it has seen in any case.
    seen: u64,
}

impl Written {
    fn new(record: SessionRecord, relay: u64, is_connected: bool) -> Self {
        let open = record.open.into_iter();
        Self {
            publisher: record.publisher.to_string(),
            accepted: record.accepted,
            began: record.began.map(|id| id.0),
            open: open.map(|(name, id)| (name.to_string(), id.0)).collect(),
            relay,
            is_connected,
            seen: record.seen.0,
        }
    }

    fn read(self, seen: u64) -> Option<SessionRecord> {
        let open = self.open.into_iter();
        Some(SessionRecord {
            publisher: self.publisher.parse().ok()?,
            accepted: self.accepted,
            began: self.began.map(MessageId),
            open: open
                .map(|(name, id)| (name.into(), MessageId(id)))
                .collect(),
            seen: MessageId(seen.max(self.seen)),
        })
    }
}

impl Shared {
    fn session_key(space: &str, secret: &str) -> String {
        // No space's name has such a character.
        format!("session.{}", fingerprint(&format!("{space}\n{secret}")))
    }

    /// What is written under a key, and in which version.
    async fn written(&self, key: String) -> Result<Option<(Bytes, Revision)>, StoreError> {
        // Without a connection, requests wait for room among those that wait for it.
        let entry = timeout(REQUEST, self.bucket.entry(key)).await;
        let entry = entry.map_err(unavailable)?.map_err(unavailable)?;
        Ok(entry.map(|entry| (entry.value, Revision(entry.revision))))
    }

    async fn write(&self, key: &str, text: Bytes, known: Revision) -> Result<Revision, StoreError> {
        let kept = timeout(REQUEST, self.bucket.update(key, text, known.0)).await;
        let kept = kept.map_err(unavailable)?;
        kept.map(Revision).map_err(|error| match error.kind() {
            UpdateErrorKind::WrongLastRevision => StoreError::Taken,
            _ => unavailable(error),
        })
    }

    /// The version of a record of this relay: the answer to a write may have been lost. It is none if
    /// the record has expired. [`StoreError::Taken`]: another relay has written it.
    async fn own_revision(&self, key: &str) -> Result<Revision, StoreError> {
        let Some((text, revision)) = self.written(key.to_owned()).await? else {
            return Ok(Revision::default());
        };
        match serde_json::from_slice::<Written>(&text) {
            Ok(written) if written.relay == self.spaces.relay() => Ok(revision),
            _ => Err(StoreError::Taken),
        }
    }

    /// How far the clients of a relay have seen.
    async fn seen_on(&self, relay: u64) -> Result<u64, StoreError> {
        let written = self.written(Self::relay_key(relay)).await?;
        let text = written.map(|(text, _)| text).unwrap_or_default();
        let text = std::str::from_utf8(&text).unwrap_or_default();
        Ok(text.parse().unwrap_or_default())
    }
}

impl SharedSessions for JetStream {
    fn seen(&self) -> MessageId {
        self.shared.seen()
    }

    fn kept(&self) -> Duration {
        self.shared.kept()
    }

    fn find<'a>(
        &'a self,
        space: &'a str,
        secret: &'a str,
    ) -> BoxFuture<'a, Option<(SessionRecord, Revision)>> {
        Box::pin(async move {
            let written = self
                .shared
                .written(Shared::session_key(space, secret))
                .await?;
            let Some((text, revision)) = written else {
                return Ok(None);
            };
            let Ok(written) = serde_json::from_slice::<Written>(&text) else {
                return Ok(None);
            };
            let seen = if written.is_connected {
                self.shared.seen_on(written.relay).await?
            } else {
                0
            };
            Ok(written.read(seen).map(|record| (record, revision)))
        })
    }

    fn keep<'a>(
        &'a self,
        space: &'a str,
        secret: &'a str,
        record: SessionRecord,
        is_connected: bool,
        known: Revision,
    ) -> BoxFuture<'a, Revision> {
        Box::pin(async move {
            let written = Written::new(record, self.shared.spaces.relay(), is_connected);
            let written = Bytes::from(serde_json::to_vec(&written).map_err(unavailable)?);
            let key = Shared::session_key(space, secret);
            let (deadline, mut known) = (Instant::now() + PATIENCE, known);
            loop {
                match self.shared.write(&key, written.clone(), known).await {
                    Ok(revision) => return Ok(revision),
                    Err(StoreError::Taken) => known = self.shared.own_revision(&key).await?,
                    Err(error) if Instant::now() > deadline => return Err(error),
                    Err(_) => sleep(AGAIN).await,
                }
            }
        })
    }

    fn position<'a>(&'a self, space: &'a Arc<str>) -> BoxFuture<'a, MessageId> {
        Box::pin(async move { Ok(self.shared.ready(space).await?.last()) })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let record = SessionRecord {
            publisher: "1-2".parse().unwrap(),
            accepted: 7,
            began: Some(MessageId(3)),
            open: vec![("a".into(), MessageId(4)), ("ä\n".into(), MessageId(9))],
            seen: MessageId(5),
        };
        for (seen_there, seen) in [(4, 5), (6, 6)] {
            let text = serde_json::to_vec(&Written::new(record.clone(), 8, true)).unwrap();
            let written: Written = serde_json::from_slice(&text).unwrap();
            assert!((written.relay, written.is_connected) == (8, true));
            let seen = MessageId(seen);
            let expected = SessionRecord {
                seen,
                ..record.clone()
            };
            assert_eq!(written.read(seen_there), Some(expected));
        }
    }
}
