//! What relays that share NATS agree on, in chains of notes, and what one says to another alone.
//!
//! A note is a key of the bucket of sessions, which is written only where there is none: of several
//! relays that do so at one time, one succeeds, also with NATS 2.9 and three servers. A relay receives
//! what others send it under a subject of its own.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_nats::jetstream::kv::CreateErrorKind;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use axum::body::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::sleep;

use super::{AGAIN, HEADERS, Shared, unavailable};
use crate::hub::store::{BoxFuture, Note, Notices, Peers};

/// How many letters may wait in this program. Further ones are lost.
const WAITING: usize = 4096;

type Listener = Box<dyn Fn(Bytes) + Send + Sync>;

/// A letter that is to be sent to a relay.
pub(super) type Letter = (u64, Bytes);

/// What is to be sent to other relays, and who takes what they send.
pub(super) struct Letters {
    written: Sender<Letter>,
    listener: OnceLock<Listener>,
}

impl Letters {
    pub(super) fn new() -> (Self, Receiver<Letter>) {
        let (written, waiting) = channel(WAITING);
        let listener = OnceLock::new();
        (Self { written, listener }, waiting)
    }
}

impl fmt::Debug for Letters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letters").finish_non_exhaustive()
    }
}

impl Shared {
    /// The subject under which a relay receives what others send it.
    fn letters_to(&self, relay: u64) -> String {
        format!("{}.relay.{relay:016x}", self.name)
    }

    /// Sends what is written. Without a connection it is lost: it would be old when there is one.
    pub(super) async fn send_letters(self: Arc<Self>, mut written: Receiver<Letter>) {
        while let Some((relay, letter)) = written.recv().await {
            if self.is_connected()
                && let Err(error) = self.client.publish(self.letters_to(relay), letter).await
            {
                tracing::debug!("a letter to a relay was lost: {error}");
            }
        }
    }

    /// Hands on what other relays send.
    pub(super) async fn receive_letters(self: Arc<Self>) {
        let subject = self.letters_to(self.spaces.relay());
        loop {
            match self.client.subscribe(subject.clone()).await {
                Ok(mut letters) => {
                    while let Some(letter) = letters.next().await {
                        if let Some(listener) = self.letters.listener.get() {
                            listener(letter.payload);
                        }
                    }
                }
                Err(error) => tracing::debug!("no letters of other relays: {error}"),
            }
            sleep(AGAIN).await;
        }
    }

    fn note(chain: &str, number: u64) -> String {
        format!("{chain}.{number}")
    }
}

impl Peers for Shared {
    fn write<'a>(&'a self, chain: &'a str, number: u64, text: String) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            if !self.is_connected() {
                // It would be written when there is a connection again, as if it were new.
                return Err(unavailable("there is no connection"));
            }
            let created = self.bucket.create(Self::note(chain, number), text.into());
            match created.await {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == CreateErrorKind::AlreadyExists => Ok(false),
                Err(error) => Err(unavailable(error)),
            }
        })
    }

    fn read<'a>(&'a self, chain: &'a str, number: u64) -> BoxFuture<'a, Option<Note>> {
        Box::pin(async move {
            let entry = self.bucket.entry(Self::note(chain, number)).await;
            let entry = entry.map_err(unavailable)?;
            Ok(entry.map(|entry| Note {
                number,
                text: String::from_utf8_lossy(&entry.value).into_owned(),
            }))
        })
    }

    fn last<'a>(&'a self, chain: &'a str) -> BoxFuture<'a, Option<Note>> {
        Box::pin(async move {
            let all = format!("$KV.{}.{chain}.*", self.bucket.name);
            let last = self
                .bucket
                .stream
                .get_last_raw_message_by_subject(&all)
                .await;
            let last = match last {
                Ok(last) => last,
                Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => {
                    return Ok(None);
                }
                Err(error) => return Err(unavailable(error)),
            };
            let number = last.subject.rsplit('.').next().map(str::parse);
            let Some(Ok(number)) = number else {
                return Err(unavailable("a note has no number"));
            };
            Ok(Some(Note {
                number,
                text: String::from_utf8_lossy(&last.payload).into_owned(),
            }))
        })
    }

    fn kept(&self) -> Duration {
        Shared::kept(self)
    }

    fn send(&self, relay: u64, message: Bytes) {
        if self.letters.written.try_send((relay, message)).is_err() {
            tracing::debug!("a letter to a relay was lost: too many wait");
        }
    }

    fn longest(&self) -> usize {
        let most = self.client.server_info().max_payload;
        most.saturating_sub(HEADERS)
    }

    fn listen(&self, listener: Listener) {
        // Only the first one counts.
        let _ = self.letters.listener.set(listener);
    }
}
