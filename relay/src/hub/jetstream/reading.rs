//! Reading a space from the stream: what a relay has missed, or what was published before it
//! followed the space.
//!
//! Every message comes from NATS' leader, which is asked what comes next after the one before. That
//! takes a round trip for each. So a consumer lists where many of them are, and the leader is asked
//! for these at one time. The list is only a hint: the consumer may be on a server of NATS that is
//! behind the others, or has missed messages.

use std::iter::once;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_nats::jetstream::consumer::{AckPolicy, Consumer, DeliverPolicy, pull};
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use futures_util::StreamExt;
use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use super::space::{Entry, Following};
use super::{REQUEST, Shared, unavailable};
use crate::hub::ids::MessageId;
use crate::hub::store::StoreError;

/// How many messages are read one by one, before a list is asked for.
const FEW: u32 = 16;
/// How many messages are asked for at one time.
const MOST: usize = 64;
/// How many bytes they have together, unless it is one message. They wait in this program.
const MOST_BYTES: usize = 1024 * 1024;
/// For how long NATS keeps a list that nobody uses.
const LIST_KEPT: Duration = Duration::from_secs(30);
/// The header by which a consumer that gives headers only says how long a message is, in bytes.
const SIZE: &str = "Nats-Msg-Size";

/// Where a message is, and how long.
#[derive(Clone, Copy, Debug)]
struct Listed {
    id: u64,
    bytes: usize,
}

/// How many of these are asked for at one time: at least one.
fn at_one_time(listed: &[Listed]) -> usize {
    let mut bytes = 0_usize;
    let fitting = listed.iter().take_while(|listed| {
        bytes = bytes.saturating_add(listed.bytes);
        bytes <= MOST_BYTES
    });
    fitting.count().max(1).min(listed.len())
}

/// A time of NATS as one of this program.
fn at(time: SystemTime) -> Instant {
    let age = SystemTime::now().duration_since(time).unwrap_or_default();
    let now = Instant::now();
    now.checked_sub(age).unwrap_or(now)
}

impl Shared {
    /// Takes what the stream has after the last message that came here. Returns whether it had any.
    pub(super) async fn read(
        &self,
        space: &Arc<str>,
        following: &Following,
    ) -> Result<bool, StoreError> {
        let subject = self.said(space);
        let mut has_read = false;
        let mut few = 0..FEW;
        loop {
            if few.next().is_none() {
                if let Err(error) = self.read_many(space, &subject, following).await {
                    tracing::debug!(%space, "messages are read one by one: {error}");
                }
                few = 0..FEW;
            }
            let next = following.last().0.saturating_add(1);
            let Some(message) = self.first_from(&subject, next).await? else {
                return Ok(has_read);
            };
            has_read = true;
            self.take_read(space, following, &message);
        }
    }

    /// Takes messages after the last one that came here, as far as a list of them goes.
    async fn read_many(
        &self,
        space: &Arc<str>,
        subject: &str,
        following: &Following,
    ) -> Result<(), StoreError> {
        let config = pull::Config {
            filter_subject: subject.to_owned(),
            deliver_policy: DeliverPolicy::ByStartSequence {
                start_sequence: following.last().0.saturating_add(1),
            },
            ack_policy: AckPolicy::None,
            headers_only: true,
            inactive_threshold: LIST_KEPT,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let created = self.stream.create_consumer(config).await;
        let consumer = created.map_err(unavailable)?;
        let read = self.read_listed(space, subject, following, &consumer).await;
        // NATS drops it by itself otherwise.
        let name = &consumer.cached_info().name;
        let _ = self.stream.delete_consumer(name).await;
        read
    }

    /// Takes the messages that a consumer lists, until the leader has another one than that says.
    async fn read_listed(
        &self,
        space: &Arc<str>,
        subject: &str,
        following: &Following,
        consumer: &Consumer<pull::Config>,
    ) -> Result<(), StoreError> {
        loop {
            // What NATS would answer may be lost with a connection.
            let listed = timeout(REQUEST, list(consumer))
                .await
                .map_err(unavailable)??;
            let mut rest = &*listed;
            while !rest.is_empty() {
                let (now, later) = rest.split_at(at_one_time(rest));
                if !self
                    .read_at_one_time(space, subject, following, now)
                    .await?
                {
                    return Ok(());
                }
                rest = later;
            }
            if listed.len() < MOST {
                return Ok(());
            }
        }
    }

    /// Takes the next messages, which are listed. Returns whether the leader has these: if it has
    /// another one, what is listed after that isn't taken.
    async fn read_at_one_time(
        &self,
        space: &Arc<str>,
        subject: &str,
        following: &Following,
        listed: &[Listed],
    ) -> Result<bool, StoreError> {
        let next = following.last().0.saturating_add(1);
        let after = listed.iter().map(|listed| listed.id.saturating_add(1));
        let from: Vec<_> = once(next).chain(after).take(listed.len()).collect();
        let reads = from.into_iter().map(|id| self.first_from(subject, id));
        for (read, listed) in join_all(reads).await.into_iter().zip(listed) {
            let Some(message) = read? else {
                return Ok(false);
            };
            self.take_read(space, following, &message);
            if message.sequence != listed.id {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The first message of a subject from this one on, as NATS' leader has it.
    async fn first_from(
        &self,
        subject: &str,
        id: u64,
    ) -> Result<Option<StreamMessage>, StoreError> {
        let read = self
            .stream
            .get_first_raw_message_by_subject(subject, id)
            .await;
        match read {
            Ok(message) => Ok(Some(message)),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    fn take_read(&self, space: &Arc<str>, following: &Following, message: &StreamMessage) {
        let entry = Entry {
            id: MessageId(message.sequence),
            headers: &message.headers,
            payload: &message.payload,
            since: at(message.time.into()),
        };
        self.take(space, following, &entry);
    }
}

/// Where the next messages of a consumer are.
async fn list(consumer: &Consumer<pull::Config>) -> Result<Vec<Listed>, StoreError> {
    let batch = consumer.fetch().max_messages(MOST).messages().await;
    let mut batch = batch.map_err(unavailable)?;
    let mut listed = Vec::new();
    while let Some(message) = batch.next().await {
        let message = message.map_err(unavailable)?;
        let headers = message.headers.as_ref();
        let size = headers.and_then(|headers| headers.get(SIZE)?.as_str().parse().ok());
        listed.push(Listed {
            id: message.info().map_err(unavailable)?.stream_sequence,
            bytes: size.unwrap_or(MOST_BYTES),
        });
    }
    Ok(listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_bytes_are_asked_for_at_one_time_or_one_message() {
        for (bytes, expected) in [
            (&[][..], 0),
            (&[0, 0, 0], 3),
            (&[MOST_BYTES / 2, MOST_BYTES / 2, 1], 2),
            (&[MOST_BYTES + 1, 1], 1),
            (&[1, usize::MAX, 1], 1),
        ] {
            let listed = bytes.iter().map(|bytes| Listed {
                id: 1,
                bytes: *bytes,
            });
            assert_eq!(
                at_one_time(&listed.collect::<Vec<_>>()),
                expected,
                "{bytes:?}"
            );
        }
    }
}
