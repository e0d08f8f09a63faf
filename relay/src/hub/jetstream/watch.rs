//! Whether NATS still has what it had, and how far the clients of each relay have seen.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind};
use async_nats::jetstream::kv::{self, CreateErrorKind};
use tokio::time::{Instant, sleep};

use super::{Shared, unavailable};
use crate::hub::ids::MessageId;
use crate::hub::store::{Notices, StoreError};

/// How often a relay looks.
const WATCH: Duration = Duration::from_secs(5);
/// How long NATS may be silent before the relay says that it isn't ready.
const SILENCE: Duration = Duration::from_secs(15);
/// How often in a row it must seem that NATS has lost something before that is believed.
const DOUBTS: u32 = 2;
/// The key of the epoch.
pub(super) const EPOCH: &str = "epoch";
/// The key of the relays' secret.
pub(super) const SECRET: &str = "secret";

/// What is written under a key for all relays. The first one writes it.
pub(super) async fn find_or_write(
    bucket: &kv::Store,
    key: &str,
    made: &str,
) -> Result<Arc<str>, StoreError> {
    loop {
        match bucket.create(key, made.to_owned().into()).await {
            Ok(_) => return Ok(made.into()),
            Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {}
            Err(error) => return Err(unavailable(error)),
        }
        // It may have expired in between.
        if let Some(found) = bucket.get(key).await.map_err(unavailable)? {
            return Ok(String::from_utf8_lossy(&found).into());
        }
    }
}

/// How far the stream was at which time.
#[derive(Debug, Default)]
pub(super) struct Samples(VecDeque<(Instant, MessageId)>);

impl Samples {
    fn add(&mut self, tip: MessageId, now: Instant, longest: Duration) {
        self.0.push_back((now, tip));
        // One that is old enough stays.
        while self.0.get(1).is_some_and(|(at, _)| *at + longest <= now) {
            self.0.pop_front();
        }
    }

    /// How far the stream was so long ago.
    fn before(&self, age: Duration, now: Instant) -> MessageId {
        let mut old = self.0.iter().rev().filter(|(at, _)| *at + age <= now);
        old.next().map(|(_, tip)| *tip).unwrap_or_default()
    }
}

/// What is wrong with NATS.
enum Trouble {
    /// It doesn't answer as it should.
    Silent(StoreError),
    /// It answers, and seems to have lost what it had.
    Lost(&'static str),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Silent(error)
    }
}

/// Whether there is no such stream.
fn is_missing(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

impl Shared {
    /// How far the stream was before the longest time in which a message can fail to reach a client
    /// unnoticed. It decides only whether a client that resumes may have missed what is no longer
    /// kept.
    pub(super) fn seen(&self) -> MessageId {
        self.samples().before(self.unnoticed(), Instant::now())
    }

    /// For how long a message may not have reached a client without anything being noticed.
    fn unnoticed(&self) -> Duration {
        self.terms.unnoticed + WATCH
    }

    pub(super) fn is_ready(&self) -> bool {
        self.is_connected() && self.answered().elapsed() < SILENCE
    }

    fn answered(&self) -> MutexGuard<'_, Instant> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn keep_watch(self: Arc<Self>) {
        let (mut renewed, mut doubts) = (Instant::now(), 0);
        while !self.lost.is_cancelled() {
            match self.look(&mut renewed).await {
                Ok(()) => {
                    doubts = 0;
                    *self.answered() = Instant::now();
                }
                // A server that has just become the leader may not know everything yet.
                Err(Trouble::Lost(what)) if doubts < DOUBTS => {
                    doubts += 1;
                    tracing::warn!("it seems that {what}");
                }
                Err(Trouble::Lost(what)) => {
                    tracing::error!("{what}");
                    self.lost.cancel();
                }
                Err(Trouble::Silent(error)) => tracing::warn!("NATS can't be watched: {error}"),
            }
            self.unfollow_idle();
            sleep(WATCH).await;
        }
    }

    async fn look(&self, renewed: &mut Instant) -> Result<(), Trouble> {
        let tip = match self.context.get_stream(&self.name).await {
            Ok(stream) => stream.cached_info().state.last_sequence,
            Err(error) if is_missing(&error) => {
                return Err(Trouble::Lost("NATS has lost the stream"));
            }
            Err(error) => return Err(unavailable(error).into()),
        };
        if tip < self.tip.load(Ordering::Relaxed) {
            return Err(Trouble::Lost("NATS has lost the messages that it kept"));
        }
        self.tip.store(tip, Ordering::Relaxed);
        self.samples()
            .add(MessageId(tip), Instant::now(), self.unnoticed());
        let seen = self.seen().to_string();
        let key = Self::relay_key(self.spaces.relay());
        let kept = self.bucket.put(key, seen.into()).await;
        kept.map_err(unavailable)?;
        self.keep_epoch(renewed).await
    }

    fn samples(&self) -> MutexGuard<'_, Samples> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the epoch and the secret from expiring.
    async fn keep_epoch(&self, renewed: &mut Instant) -> Result<(), Trouble> {
        let epoch = self.bucket.get(EPOCH).await.map_err(unavailable)?;
        match epoch {
            Some(epoch) if *epoch != *self.epoch.as_bytes() => {
                return Err(Trouble::Lost("NATS has lost the sessions that it kept"));
            }
            Some(_) if renewed.elapsed() < self.terms.session_age / 3 => {}
            _ => {
                for (key, text) in [(EPOCH, &self.epoch), (SECRET, &self.secret)] {
                    let kept = self.bucket.put(key, text.to_string().into()).await;
                    kept.map_err(unavailable)?;
                }
                *renewed = Instant::now();
            }
        }
        Ok(())
    }

    /// The key under which a relay says how far its clients have seen.
    pub(super) fn relay_key(relay: u64) -> String {
        format!("relay.{relay:016x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_a_time_ago() {
        let (mut samples, start) = (Samples::default(), Instant::now());
        let second = Duration::from_secs(1);
        assert_eq!(samples.before(second, start), MessageId(0));
        for number in 0..100_u32 {
            samples.add(
                MessageId(number.into()),
                start + second * number,
                second * 10,
            );
            let expected = number.saturating_sub(10);
            let before = samples.before(second * 10, start + second * number);
            assert_eq!(before, MessageId(expected.into()));
            assert!(samples.0.len() <= 12);
        }
    }
}
