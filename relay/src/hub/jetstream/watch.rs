//! Whether NATS still has what it had, and how far the clients of each relay have seen.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use tokio::time::{Instant, sleep};

use super::{Shared, unavailable};
use crate::hub::ids::MessageId;
use crate::hub::store::{Notices, StoreError};

/// How often a relay looks.
const WATCH: Duration = Duration::from_secs(5);
/// How long NATS may be silent before the relay says that it isn't ready.
const SILENCE: Duration = Duration::from_secs(15);
/// How often in a row it must seem that NATS has lost something before that is believed.
const SURE: u32 = 3;

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
    /// It answers, and seems to have lost what it had, as this says.
    Lost(&'static str),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Silent(error)
    }
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
        let mut seen_lost = 0;
        while !self.lost.is_cancelled() {
            match self.look().await {
                Ok(()) => {
                    seen_lost = 0;
                    *self.answered() = Instant::now();
                }
                Err(Trouble::Lost(what)) => {
                    seen_lost += 1;
                    // A server that has just become the leader may not know everything yet.
                    if seen_lost < SURE {
                        tracing::warn!("it seems that {what}");
                    } else {
                        self.conclude(what).await;
                    }
                }
                Err(Trouble::Silent(error)) => {
                    seen_lost = 0;
                    tracing::warn!("NATS can't be watched: {error}");
                }
            }
            self.unfollow_idle();
            sleep(WATCH).await;
        }
    }

    /// Ends the relay, once those that start from now on know that something was lost.
    async fn conclude(&self, what: &str) {
        if let Err(error) = self.common.begin_epoch().await
            // Without its stream the next relay begins an epoch in any case.
            && !self.is_missing(self.common.stream()).await
        {
            tracing::warn!("{what}, but there is no new epoch yet: {error}");
            return;
        }
        tracing::error!("{what}");
        self.lost.cancel();
    }

    async fn look(&self) -> Result<(), Trouble> {
        match self.ask().await {
            Err(Trouble::Silent(error)) => match self.missing().await {
                Some(what) => Err(Trouble::Lost(what)),
                None => Err(Trouble::Silent(error)),
            },
            known => known,
        }
    }

    async fn ask(&self) -> Result<(), Trouble> {
        let stream = self.context.get_stream(&self.name).await;
        let tip = stream
            .map_err(unavailable)?
            .cached_info()
            .state
            .last_sequence;
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
        if self.common.has_another_epoch().await? {
            return Err(Trouble::Lost("another epoch has begun in NATS"));
        }
        Ok(())
    }

    /// Which stream NATS says it doesn't have.
    async fn missing(&self) -> Option<&'static str> {
        for (stream, what) in [
            (&*self.name, "NATS has lost the stream"),
            (
                &*self.bucket.stream_name,
                "NATS has lost the sessions that it kept",
            ),
            (self.common.stream(), "NATS has lost the epoch"),
        ] {
            if self.is_missing(stream).await {
                return Some(what);
            }
        }
        None
    }

    async fn is_missing(&self, stream: &str) -> bool {
        let found = self.context.get_stream(stream).await;
        found.is_err_and(|error| {
            matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
        })
    }

    fn samples(&self) -> MutexGuard<'_, Samples> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
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
