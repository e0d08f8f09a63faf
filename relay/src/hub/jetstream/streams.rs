//! The streams in NATS, which a relay finds when it starts, or makes: one of publications, and two
//! that are kept as key-value buckets are. One bucket has what expires, such as the records of
//! sessions. The other one has what all relays have in common for as long as NATS keeps it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind};
use async_nats::jetstream::kv::{self, CreateErrorKind, UpdateErrorKind};
use async_nats::jetstream::stream::{self, Config, DiscardPolicy, Republish, StorageType};
use async_nats::jetstream::{self, ErrorCode};
use tokio::time::sleep;

use super::settings::Settings;
use super::{SHORTEST_SESSIONS, Terms, unavailable};
use crate::hub::ids::{Secret, random_bits};
use crate::hub::store::StoreError;

/// The key of the epoch.
const EPOCH: &str = "epoch";
/// The key of the relays' secret.
const SECRET: &str = "secret";
/// How often a cluster must say that it has no such stream before that is made: a server that has just
/// become the leader may not know everything yet.
const DOUBTS: u32 = 5;
/// How long a relay waits before it asks again.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// The shortest time that NATS understands: it takes 0 for "no limit".
const SHORTEST: Duration = Duration::from_millis(100);

/// What NATS has.
pub(super) struct Streams {
    /// What was published.
    pub(super) said: stream::Stream<()>,
    /// What relays know of pages that may come back, and of each other. It expires.
    pub(super) bucket: kv::Store,
    pub(super) common: Common,
}

/// What all relays have in common. It doesn't expire.
#[derive(Debug)]
pub(super) struct Common {
    bucket: kv::Store,
    /// The epoch of what is in the streams, as this relay has found it.
    pub(super) epoch: Arc<str>,
    /// What all relays have, and nobody else.
    pub(super) secret: Arc<str>,
}

impl Streams {
    /// Finds the streams or makes them.
    pub(super) async fn find_or_make(
        context: &jetstream::Context,
        settings: &Settings,
        terms: Terms,
    ) -> Result<Self, StoreError> {
        let name = settings.name.as_str();
        let [sessions, common] = ["sessions", "common"].map(|what| format!("{name}-{what}"));
        make_bucket(context, settings, &common, |config| {
            config.description = Some("What all signal-relays have in common".into());
        })
        .await?;
        let common = context.get_key_value(common).await.map_err(unavailable)?;
        let old = common.get(EPOCH).await.map_err(unavailable)?;

        let said_is_new = make_stream(context, settings, name, |config| {
            config.description = Some("What the pages of signal-relay have published".into());
            config.subjects = vec![format!("{name}.said.*")];
            config.republish = Some(Republish {
                source: format!("{name}.said.*"),
                destination: format!("{name}.heard.{{{{wildcard(1)}}}}"),
                headers_only: false,
            });
            config.max_age = terms.history.age.max(SHORTEST);
            config.max_bytes = i64::try_from(terms.history.total).unwrap_or(i64::MAX);
            config.discard = DiscardPolicy::Old;
        });
        let said_is_new = said_is_new.await?;
        let sessions_are_new = make_bucket(context, settings, &sessions, |config| {
            config.description = Some("What relays know of pages that may come back".into());
            config.max_age = terms.session_age.max(SHORTEST_SESSIONS);
        });
        let sessions_are_new = sessions_are_new.await?;

        let mut common = Common {
            bucket: common,
            epoch: old
                .map(|old| String::from_utf8_lossy(&old).into())
                .unwrap_or_default(),
            secret: Arc::default(),
        };
        if said_is_new || sessions_are_new {
            common.begin_epoch().await?;
        }
        common.epoch = common.find_or_write(EPOCH, &new_epoch()?).await?;
        let secret = Secret::random().map_err(unavailable)?;
        common.secret = common.find_or_write(SECRET, secret.as_str()).await?;
        Ok(Self {
            said: context
                .get_stream_no_info(name)
                .await
                .map_err(unavailable)?,
            bucket: context.get_key_value(sessions).await.map_err(unavailable)?,
            common,
        })
    }
}

impl Common {
    /// The name of its stream.
    pub(super) fn stream(&self) -> &str {
        &self.bucket.stream_name
    }

    /// Whether another relay has begun another epoch.
    pub(super) async fn has_another_epoch(&self) -> Result<bool, StoreError> {
        let epoch = self.bucket.get(EPOCH).await.map_err(unavailable)?;
        Ok(epoch.is_none_or(|epoch| *epoch != *self.epoch.as_bytes()))
    }

    /// Begins another epoch, unless a relay has done so already.
    pub(super) async fn begin_epoch(&self) -> Result<(), StoreError> {
        let new = new_epoch()?;
        while let Some(entry) = self.bucket.entry(EPOCH).await.map_err(unavailable)?
            && *entry.value == *self.epoch.as_bytes()
        {
            let written = self
                .bucket
                .update(EPOCH, new.clone().into(), entry.revision);
            match written.await {
                Err(error) if error.kind() != UpdateErrorKind::WrongLastRevision => {
                    return Err(unavailable(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What is written under a key for all relays. The first one writes it.
    async fn find_or_write(&self, key: &str, made: &str) -> Result<Arc<str>, StoreError> {
        loop {
            match self.bucket.create(key, made.to_owned().into()).await {
                Ok(_) => return Ok(made.into()),
                Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {}
                Err(error) => return Err(unavailable(error)),
            }
            if let Some(found) = self.bucket.get(key).await.map_err(unavailable)? {
                return Ok(String::from_utf8_lossy(&found).into());
            }
        }
    }
}

fn new_epoch() -> Result<String, StoreError> {
    Ok(format!("{:016x}", random_bits().map_err(unavailable)?))
}

/// Finds a bucket or makes it, as [`make_stream`] does. (`create_key_value` doesn't understand
/// servers before 2.10.)
async fn make_bucket(
    context: &jetstream::Context,
    settings: &Settings,
    name: &str,
    set: impl Fn(&mut Config),
) -> Result<bool, StoreError> {
    let stream = format!("KV_{name}");
    make_stream(context, settings, &stream, |config| {
        config.subjects = vec![format!("$KV.{name}.>")];
        config.max_messages_per_subject = 1;
        config.discard = DiscardPolicy::New;
        config.allow_rollup = true;
        config.deny_delete = true;
        set(config);
    })
    .await
}

/// Finds a stream or makes it, and sets these limits where it has others. Returns whether it was made.
async fn make_stream(
    context: &jetstream::Context,
    settings: &Settings,
    name: &str,
    set: impl Fn(&mut Config),
) -> Result<bool, StoreError> {
    let set = |config: &mut Config| {
        config.num_replicas = settings.replicas;
        // No relay gives messages the ids that NATS would recognise for so long.
        config.duplicate_window = SHORTEST;
        set(config);
    };
    let mut doubts = if settings.replicas > 1 { DOUBTS } else { 0 };
    loop {
        match context.get_stream(name).await {
            Ok(found) => {
                let known = &found.cached_info().config;
                let mut wanted = known.clone();
                set(&mut wanted);
                // Each update is a decision of the whole cluster.
                if wanted != *known {
                    context.update_stream(wanted).await.map_err(unavailable)?;
                }
                return Ok(false);
            }
            Err(error) if is_missing(&error) && doubts == 0 => break,
            Err(error) if is_missing(&error) => doubts -= 1,
            Err(error) => return Err(unavailable(error)),
        }
        sleep(ASK_AGAIN).await;
    }
    let mut config = Config {
        name: name.into(),
        storage: if settings.in_memory {
            StorageType::Memory
        } else {
            StorageType::File
        },
        ..Config::default()
    };
    set(&mut config);
    context.create_stream(config).await.map_err(unavailable)?;
    Ok(true)
}

/// Whether there is no such stream.
pub(super) fn is_missing(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND)
}
