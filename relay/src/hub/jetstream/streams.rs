//! The streams in NATS, which a relay finds when it starts, or makes: one of publications, and two
//! that are key-value buckets. One bucket has what expires, such as the records of sessions. The other
//! one has what all relays have in common for as long as NATS keeps it.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::kv::{self, CreateErrorKind, UpdateErrorKind};
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{self, Config, DiscardPolicy, Republish, StorageType};
use async_nats::jetstream::{self, Error, ErrorCode};
use serde_json::Value;
use tokio::time::sleep;

use super::settings::Settings;
use super::{AGAIN, Terms, unavailable};
use crate::hub::ids::{Secret, random_bits};
use crate::hub::store::StoreError;

/// The key of the epoch.
const EPOCH: &str = "epoch";
/// The key of the relays' secret.
const SECRET: &str = "secret";
/// How often NATS must say that it has no such stream: a server that has just become the leader may not
/// know everything yet.
const SURE: u32 = 6;
/// How long a relay waits before it asks again.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// How often a relay tries to write what others may write too.
const TRIES: u32 = 50;
/// Settings that matter also where they are the defaults of the client. Others are left to operators.
const ALWAYS: [&str; 2] = ["discard", "max_age"];
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
        let common = format!("{name}-common");
        let bucket = bucket_config(settings, &common, "What all signal-relays have in common");
        // A server by itself knows at once what it has.
        let sure = if settings.replicas > 1 { SURE } else { 1 };
        if !find(context, sure, &bucket).await? {
            make(context, &bucket).await?;
        }
        let mut common = Common::find(context, &common).await?;

        let said = Config {
            subjects: vec![format!("{name}.said.*")],
            republish: Some(Republish {
                source: format!("{name}.said.*"),
                destination: format!("{name}.heard.{{{{wildcard(1)}}}}"),
                headers_only: false,
            }),
            max_age: terms.history.age.max(SHORTEST),
            max_bytes: i64::try_from(terms.history.total).unwrap_or(i64::MAX),
            discard: DiscardPolicy::Old,
            ..config(
                settings,
                name,
                "What the pages of signal-relay have published",
            )
        };
        let sessions = format!("{name}-sessions");
        let expiring = Config {
            max_age: terms.kept(),
            ..bucket_config(
                settings,
                &sessions,
                "What relays know of pages that may come back",
            )
        };
        // It isn't asked as often where no relay has been before.
        let sure = if common.epoch.is_empty() { 1 } else { SURE };
        for config in [&said, &expiring] {
            if !find(context, sure, config).await? {
                // Before the stream is made: if that fails, the next try finds it missing again.
                common.begin_epoch().await?;
                make(context, config).await?;
            }
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
    async fn find(context: &jetstream::Context, name: &str) -> Result<Self, StoreError> {
        let bucket = context.get_key_value(name).await.map_err(unavailable)?;
        let epoch = bucket
            .get(EPOCH)
            .await
            .map_err(unavailable)?
            .unwrap_or_default();
        Ok(Self {
            bucket,
            epoch: String::from_utf8_lossy(&epoch).into(),
            secret: Arc::default(),
        })
    }

    /// The name of its stream.
    pub(super) fn stream(&self) -> &str {
        &self.bucket.stream_name
    }

    /// Whether another epoch has begun.
    pub(super) async fn has_another_epoch(&self) -> Result<bool, StoreError> {
        let epoch = self.bucket.get(EPOCH).await.map_err(unavailable)?;
        Ok(epoch.is_none_or(|epoch| *epoch != *self.epoch.as_bytes()))
    }

    /// Begins another epoch, unless that has been done. (Three servers of NATS 2.9 may take two such
    /// writes in the same moment. Then the relay with the first one learns it when it looks.)
    pub(super) async fn begin_epoch(&self) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            let entry = self.bucket.entry(EPOCH).await.map_err(unavailable)?;
            let Some(entry) = entry.filter(|entry| *entry.value == *self.epoch.as_bytes()) else {
                return Ok(());
            };
            let written = self
                .bucket
                .update(EPOCH, new_epoch()?.into(), entry.revision);
            match written.await {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == UpdateErrorKind::WrongLastRevision => {}
                Err(error) => return Err(unavailable(error)),
            }
            sleep(AGAIN).await;
        }
        Err(unavailable("NATS takes no new epoch"))
    }

    /// What is written under a key for all relays. The first one writes it.
    async fn find_or_write(&self, key: &str, made: &str) -> Result<Arc<str>, StoreError> {
        for _ in 0..TRIES {
            match self.bucket.create(key, made.to_owned().into()).await {
                Ok(_) => return Ok(made.into()),
                Err(error) if error.kind() == CreateErrorKind::AlreadyExists => {}
                Err(error) => return Err(unavailable(error)),
            }
            if let Some(found) = self.bucket.get(key).await.map_err(unavailable)? {
                return Ok(String::from_utf8_lossy(&found).into());
            }
            sleep(AGAIN).await;
        }
        Err(unavailable(format!(
            "NATS neither takes nor has the key {key}"
        )))
    }
}

fn new_epoch() -> Result<String, StoreError> {
    Ok(format!("{:016x}", random_bits().map_err(unavailable)?))
}

fn config(settings: &Settings, name: &str, description: &str) -> Config {
    Config {
        name: name.into(),
        description: Some(description.into()),
        num_replicas: settings.replicas,
        storage: if settings.in_memory {
            StorageType::Memory
        } else {
            StorageType::File
        },
        // Relays give messages no ids by which NATS could recognise them.
        duplicate_window: SHORTEST,
        ..Config::default()
    }
}

/// As a key-value bucket is kept. (`create_key_value` doesn't understand servers before 2.10.)
fn bucket_config(settings: &Settings, name: &str, description: &str) -> Config {
    Config {
        subjects: vec![format!("$KV.{name}.>")],
        max_messages_per_subject: 1,
        discard: DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        ..config(settings, &format!("KV_{name}"), description)
    }
}

/// Finds a stream, and changes what a relay sets there if that is different. Returns whether there is one:
/// `sure` is how often NATS must say that there is none.
async fn find(
    context: &jetstream::Context,
    sure: u32,
    wanted: &Config,
) -> Result<bool, StoreError> {
    let name = &wanted.name;
    let mut missing = 0;
    loop {
        match request(context, format!("STREAM.INFO.{name}"), &Value::Null).await? {
            Ok(found) => {
                let known = found.get("config").unwrap_or(&Value::Null);
                // Each update is a decision of the whole cluster.
                if let Some(changed) = changed(known, wanted)? {
                    let updated = request(context, format!("STREAM.UPDATE.{name}"), &changed);
                    updated.await?.map_err(unavailable)?;
                }
                return Ok(true);
            }
            Err(error) if error.error_code() != ErrorCode::STREAM_NOT_FOUND => {
                return Err(unavailable(error));
            }
            Err(_) => missing += 1,
        }
        if missing >= sure {
            return Ok(false);
        }
        sleep(ASK_AGAIN).await;
    }
}

async fn make(context: &jetstream::Context, config: &Config) -> Result<(), StoreError> {
    let made = context.create_stream(config).await;
    made.map(drop).map_err(unavailable)
}

/// The settings of a stream with those that a relay wants, if it has others. Settings that this program
/// doesn't know stay as they are.
fn changed(known: &Value, wanted: &Config) -> Result<Option<Value>, StoreError> {
    // As this program writes them: NATS leaves others out.
    let as_written: Config = serde_json::from_value(known.clone()).map_err(unavailable)?;
    if as_written.storage != wanted.storage {
        let (kept, way_out) = match as_written.storage {
            StorageType::File => ("files", "without"),
            StorageType::Memory => ("memory", "with"),
        };
        return Err(unavailable(format!(
            "the stream {} is kept in {kept}, which can't be changed; start the relay {way_out} \
             --store-in-memory, or remove the stream",
            wanted.name
        )));
    }
    let as_written = serde_json::to_value(as_written).map_err(unavailable)?;
    let default = serde_json::to_value(Config::default()).map_err(unavailable)?;
    let Value::Object(wanted) = serde_json::to_value(wanted).map_err(unavailable)? else {
        return Ok(None);
    };
    let mut all = known.clone();
    let mut is_different = false;
    for (name, value) in wanted {
        let matters = default.get(&name) != Some(&value) || ALWAYS.contains(&&*name);
        if matters && as_written.get(&name) != Some(&value) {
            is_different = true;
            if let Some(all) = all.as_object_mut() {
                all.insert(name, value);
            }
        }
    }
    Ok(is_different.then_some(all))
}

async fn request(
    context: &jetstream::Context,
    subject: String,
    payload: &Value,
) -> Result<Result<Value, Error>, StoreError> {
    match context
        .request(subject, payload)
        .await
        .map_err(unavailable)?
    {
        Response::Err { error } => Ok(Err(error)),
        Response::Ok(value) => Ok(Ok(value)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    /// What NATS says of a stream, with settings of later versions.
    fn known() -> Value {
        json!({
            "name": "a", "subjects": ["a.said.*"], "max_age": 7_000_000_000_u64, "max_bytes": 4096,
            "max_msgs": -1, "max_msgs_per_subject": -1, "max_consumers": -1, "max_msg_size": -1,
            "retention": "limits", "discard": "old", "storage": "file", "num_replicas": 3,
            "duplicate_window": 100_000_000, "republish": {"src": "a.said.*", "dest": "a.heard.*"},
            "allow_direct": true, "compression": "s2", "metadata": {"team": "calls"}, "placement": {"tags": ["ssd"]},
        })
    }

    fn wanted() -> Config {
        Config {
            name: "a".into(),
            subjects: vec!["a.said.*".into()],
            max_age: Duration::from_secs(7),
            max_bytes: 4096,
            num_replicas: 3,
            duplicate_window: SHORTEST,
            republish: Some(Republish {
                source: "a.said.*".into(),
                destination: "a.heard.*".into(),
                headers_only: false,
            }),
            ..Config::default()
        }
    }

    #[test]
    fn what_is_as_wanted_isnt_changed() {
        assert_eq!(changed(&known(), &wanted()).unwrap(), None);
    }

    #[test]
    fn what_is_different_is_changed_and_nothing_else() {
        let change = |name: &str, value: Value, wanted| {
            let mut expected = known();
            expected[name] = value;
            assert_eq!(changed(&known(), &wanted).unwrap(), Some(expected));
        };
        let max_age = Duration::ZERO;
        change(
            "max_age",
            json!(0),
            Config {
                max_age,
                ..wanted()
            },
        );
        let num_replicas = 1;
        change(
            "num_replicas",
            json!(1),
            Config {
                num_replicas,
                ..wanted()
            },
        );
        let description = Some("d".to_owned());
        change(
            "description",
            json!("d"),
            Config {
                description,
                ..wanted()
            },
        );
        let deny_delete = true;
        change(
            "deny_delete",
            json!(true),
            Config {
                deny_delete,
                ..wanted()
            },
        );
    }

    #[test]
    fn another_storage_is_an_error_that_names_the_way_out() {
        let wanted = Config {
            storage: StorageType::Memory,
            ..wanted()
        };
        let problem = changed(&known(), &wanted).unwrap_err().to_string();
        assert!(
            problem.contains("start the relay without --store-in-memory"),
            "{problem}"
        );
    }

    #[test]
    fn what_describes_no_stream_is_an_error() {
        for no_stream in [json!(null), json!([]), json!({"name": 1})] {
            assert!(changed(&no_stream, &wanted()).is_err(), "{no_stream}");
        }
    }
}
