//! What relays say to each other besides. A notice goes out under the subject under which a space's
//! messages come, so that those who follow the space hear it, and isn't in the stream.

use std::fmt;
use std::sync::{Arc, OnceLock};

use async_nats::HeaderMap;
use async_nats::connection::State;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::Shared;
use crate::hub::store::{Notice, Notices};

/// The relay that sends a notice.
const RELAY: &str = "Signal-Relay";
/// How many notices may wait in this program. Further ones are lost.
const WAITING: usize = 4096;

type Listener = Box<dyn Fn(Notice<'_>) + Send + Sync>;

/// A notice that is to be sent.
pub(super) struct Posted {
    space: Arc<str>,
    text: String,
}

/// What is to be sent, and who hears what others send.
pub(super) struct Outbox {
    posted: Sender<Posted>,
    listener: OnceLock<Listener>,
}

impl Outbox {
    pub(super) fn new() -> (Self, Receiver<Posted>) {
        let (posted, waiting) = channel(WAITING);
        let listener = OnceLock::new();
        (Self { posted, listener }, waiting)
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").finish_non_exhaustive()
    }
}

impl Shared {
    /// Sends what is posted. Without a connection it is lost: it would be old when there is one.
    pub(super) async fn send_posted(self: Arc<Self>, mut posted: Receiver<Posted>) {
        while let Some(Posted { space, text }) = posted.recv().await {
            if !self.is_connected() {
                continue;
            }
            let mut headers = HeaderMap::new();
            headers.insert(RELAY, format!("{:016x}", self.spaces.relay()));
            let (subject, text) = (self.heard(&space), text.into());
            let sent = self
                .client
                .publish_with_headers(subject, headers, text)
                .await;
            if let Err(error) = sent {
                tracing::debug!(%space, "a notice was lost: {error}");
            }
        }
    }

    /// Takes what came under a space's subject and isn't of the stream.
    pub(super) fn take_notice(&self, space: &Arc<str>, headers: &HeaderMap, payload: &[u8]) {
        let relay = headers.get(RELAY).map(|relay| relay.as_str());
        let relay = relay.and_then(|relay| u64::from_str_radix(relay, 16).ok());
        if let (Some(from), Ok(text)) = (relay, std::str::from_utf8(payload))
            && from != self.spaces.relay()
        {
            self.hear(Notice::Heard { space, from, text });
        }
    }

    pub(super) fn hear(&self, notice: Notice<'_>) {
        if let Some(listener) = self.outbox.listener.get() {
            listener(notice);
        }
    }
}

impl Notices for Shared {
    fn post(&self, space: &Arc<str>, text: String) {
        let space = Arc::clone(space);
        if self.outbox.posted.try_send(Posted { space, text }).is_err() {
            tracing::debug!("a notice was lost: too many wait");
        }
    }

    fn listen(&self, listener: Listener) {
        // Only the first one counts.
        let _ = self.outbox.listener.set(listener);
    }

    fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    fn has_room(&self) -> bool {
        self.outbox.posted.capacity() > WAITING / 2
    }
}
