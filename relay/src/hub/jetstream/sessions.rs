//! The records of sessions, for the relay on which a client resumes.
//!
//! A record is written when its channels change, now and then while its client is connected, and
//! when that leaves. NATS drops it when it wasn't written for as long as a session is kept. How far
//! a client has seen isn't written for each message: a record names its relay, and each relay says
//! every few seconds how far all its clients have seen.

use async_nats::jetstream::kv::UpdateErrorKind;
use axum::body::Bytes;
use serde::{Deserialize, Serialize};

use super::message::token;
use super::{Shared, unavailable};
use crate::hub::ids::MessageId;
use crate::hub::store::{BoxFuture, Revision, SessionRecord, SharedSessions, StoreError};

/// A record as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct Written {
    publisher: String,
    accepted: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<u64>,
    open: Vec<(String, u64)>,
    seen: Seen,
}

/// How far a client has seen.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Seen {
    /// As far as the clients of this relay, to which it is connected.
    Relay(u64),
    /// Up to this id. It is connected to none.
    Id(u64),
}

impl Written {
    fn new(record: SessionRecord, seen: Seen) -> Self {
        let open = record.open.into_iter();
        Self {
            publisher: record.publisher.to_string(),
            accepted: record.accepted,
            began: record.began.map(|id| id.0),
            open: open.map(|(name, id)| (name.to_string(), id.0)).collect(),
            seen,
        }
    }

    fn read(self, seen: u64) -> Option<SessionRecord> {
        let owed = |id: u64| MessageId(id.max(seen));
        let open = self.open.into_iter();
        Some(SessionRecord {
            publisher: self.publisher.parse().ok()?,
            accepted: self.accepted,
            began: self.began.map(MessageId),
            open: open.map(|(name, id)| (name.into(), owed(id))).collect(),
        })
    }
}

impl Shared {
    fn session_key(space: &str, secret: &str) -> String {
        // No space's name has such a character.
        format!("session.{}", token(&format!("{space}\n{secret}")))
    }

    /// What is written under a key, and in which version.
    async fn written(&self, key: String) -> Result<Option<(Bytes, Revision)>, StoreError> {
        let entry = self.bucket.entry(key).await.map_err(unavailable)?;
        Ok(entry.map(|entry| (entry.value, Revision(entry.revision))))
    }

    async fn write(&self, key: &str, text: Bytes, known: Revision) -> Result<Revision, StoreError> {
        let kept = self.bucket.update(key, text, known.0).await;
        kept.map(Revision).map_err(|error| match error.kind() {
            UpdateErrorKind::WrongLastRevision => StoreError::Taken,
            _ => unavailable(error),
        })
    }

    /// How far the clients of a relay have seen.
    async fn seen_on(&self, relay: u64) -> Result<u64, StoreError> {
        let written = self.written(Self::relay_key(relay)).await?;
        let text = written.map(|(text, _)| text).unwrap_or_default();
        let text = std::str::from_utf8(&text).unwrap_or_default();
        Ok(text.parse().unwrap_or_default())
    }
}

impl SharedSessions for Shared {
    fn find<'a>(
        &'a self,
        space: &'a str,
        secret: &'a str,
    ) -> BoxFuture<'a, Option<(SessionRecord, Revision)>> {
        Box::pin(async move {
            let written = self.written(Self::session_key(space, secret)).await?;
            let Some((text, revision)) = written else {
                return Ok(None);
            };
            let Ok(written) = serde_json::from_slice::<Written>(&text) else {
                return Ok(None);
            };
            let seen = match written.seen {
                Seen::Relay(relay) => self.seen_on(relay).await?,
                Seen::Id(id) => id,
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
            let seen = if is_connected {
                Seen::Relay(self.spaces.relay())
            } else {
                Seen::Id(self.seen().0)
            };
            let written = serde_json::to_vec(&Written::new(record, seen)).map_err(unavailable)?;
            let written = Bytes::from(written);
            let key = Self::session_key(space, secret);
            match self.write(&key, written.clone(), known).await {
                // It has expired, and no other relay has the session.
                Err(StoreError::Taken) if self.written(key.clone()).await?.is_none() => {
                    self.write(&key, written, Revision::default()).await
                }
                kept => kept,
            }
        })
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
        };
        let text = serde_json::to_vec(&Written::new(record.clone(), Seen::Relay(5))).unwrap();
        let written: Written = serde_json::from_slice(&text).unwrap();
        assert!(matches!(written.seen, Seen::Relay(5)));
        let read = written.read(6).unwrap();
        let positions: Vec<_> = read.open.iter().map(|(_, id)| id.0).collect();
        assert_eq!(positions, [6, 9], "what it has seen since then isn't owed");
        assert_eq!((read.publisher, read.accepted), (record.publisher, 7));
    }
}
