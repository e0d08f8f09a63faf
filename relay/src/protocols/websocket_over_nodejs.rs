//! Pages written for *websocket-over-nodejs*: one WebSocket for each channel, and no envelopes.
//!
//! | the page sends | |
//! | --- | --- |
//! | `{"open":true,"channel":…}` | it receives this channel from now on |
//! | `{"data":…,"channel":…}` | published as an envelope on that channel |
//! | `{"checkPresence":true,"channel":…}` | answered with `{"isChannelPresent":…}` |
//!
//! It receives the bare message of each envelope on its channels, and nothing else. Its first frame
//! shows what it is: no other client sends an object with a channel whose `open` or `checkPresence`
//! is `true`. The relay's own `open` is a list, without a channel.
//!
//! A channel is present as long as a client has it open: such a page, a page of
//! socketio-over-nodejs, or a page with signal-wasm over a WebSocket. Other clients can't say which
//! channels they have open.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_wire::json::{self, Member};
use signal_wire::{Envelope, UserId};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::bare::{self, MESSAGE, find};
use crate::auth::access::Access;
use crate::connection::CloseReason;
use crate::hub::budget::{Charge, Purpose};
use crate::hub::frame::Frame;
use crate::hub::ids::random_user_id;
use crate::hub::membership::Membership;
use crate::hub::store::Content;
use crate::limits::{LONGEST_SPACE, NAMESPACES};

/// What an open channel costs besides its name, in bytes.
const CHANNEL: usize = 512;

/// What such a page sends.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Request<'a> {
    /// It receives this channel from now on.
    Open(Cow<'a, str>),
    /// Whether somebody has this channel open.
    Presence(Cow<'a, str>),
    /// A message, with the JSON text of its channel.
    Data { channel: &'a str, data: &'a str },
}

impl<'a> Request<'a> {
    /// Reads the first frame of a connection. `None`: it is no such page's.
    fn first(text: &'a str) -> Option<Self> {
        let members = json::members(text)?;
        let is_true = |name| find(&members, name) == Some("true");
        if find(&members, "message").is_some() || !(is_true("open") || is_true("checkPresence")) {
            return None;
        }
        Self::of(&members)
    }

    /// Reads a later frame. `None`: it means nothing.
    fn of(members: &[Member<'a>]) -> Option<Self> {
        let json = find(members, "channel")?;
        let channel = if json::is_number(json) {
            Cow::Borrowed(json)
        } else {
            json::string(json)?
        };
        if find(members, "checkPresence").is_some_and(is_truthy) {
            Some(Self::Presence(channel))
        } else if find(members, "open").is_some_and(is_truthy) {
            Some(Self::Open(channel))
        } else {
            let data = find(members, "data")?;
            let channel = json;
            Some(Self::Data { channel, data })
        }
    }
}

/// Whether JavaScript takes this JSON text's value for true.
fn is_truthy(json: &str) -> bool {
    let is_zero = json.parse::<f64>().is_ok_and(|number| number == 0.0);
    !is_zero && !matches!(json, "false" | "null" | "\"\"")
}

/// Whether the client of one WebSocket is such a page, and what it has open then.
#[derive(Debug, Default)]
pub(super) struct OldPage {
    is_one: AtomicBool,
    /// Whether the client has sent a frame.
    has_sent: AtomicBool,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    channels: HashSet<Arc<str>>,
    sender: Option<UserId>,
    charge: Option<Charge>,
}

impl OldPage {
    /// Whether the client is such a page.
    pub(super) fn is_one(&self) -> bool {
        self.is_one.load(Ordering::Relaxed)
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a frame, if the client is such a page. Returns whether it is.
    pub(super) async fn take(
        &self,
        text: &str,
        membership: &Membership,
        access: &Access,
        max_frame: usize,
    ) -> Result<bool, CloseReason> {
        let request = if self.is_one() {
            json::members(text).and_then(|members| Request::of(&members))
        } else if self.has_sent.swap(true, Ordering::Relaxed) {
            return Ok(false);
        } else {
            let Some(first) = Request::first(text) else {
                return Ok(false);
            };
            let sender = random_user_id().map_err(|_| CloseReason::StoreUnavailable)?;
            self.open().sender = Some(sender);
            self.is_one.store(true, Ordering::Relaxed);
            membership.listen(&[]);
            Some(first)
        };
        match request {
            Some(Request::Open(channel)) => self.listen(&channel, membership)?,
            Some(Request::Presence(channel)) => {
                let present = access.may_subscribe(&channel) && membership.is_open(&channel);
                let answer = format!("{{\"isChannelPresent\":{present}}}");
                membership.sender().push(Frame::from(answer));
            }
            Some(Request::Data { channel, data }) => {
                self.publish(channel, data, membership, access, max_frame)
                    .await?;
            }
            None => tracing::debug!("a frame of a page of websocket-over-nodejs means nothing"),
        }
        Ok(true)
    }

    fn listen(&self, channel: &str, membership: &Membership) -> Result<(), CloseReason> {
        let mut open = self.open();
        if open.channels.contains(channel) {
            return Ok(());
        }
        if open.channels.len() >= NAMESPACES {
            return Err(CloseReason::TooManyChannels(NAMESPACES));
        }
        if channel.len() > LONGEST_SPACE {
            return Err(CloseReason::NotProtocol {
                protocol: "websocket-over-nodejs",
                problem: "a channel's name over 1024 bytes",
            });
        }
        let channel: Arc<str> = Arc::from(channel);
        open.channels.insert(Arc::clone(&channel));
        let cost = open.channels.iter().map(|name| name.len() + CHANNEL).sum();
        let account = membership.account();
        open.charge = Some(account.charge(Purpose::Connections, cost));
        drop(open);
        membership.listen(&[channel]);
        Ok(())
    }

    async fn publish(
        &self,
        channel: &str,
        data: &str,
        membership: &Membership,
        access: &Access,
        max_frame: usize,
    ) -> Result<(), CloseReason> {
        let sender = self.open().sender;
        let text = format!("{{\"channel\":{channel},{MESSAGE}{data}}}");
        let Some(envelope) = Envelope::read(&text) else {
            return Ok(());
        };
        let message = match access.message(envelope, sender, true) {
            Ok(message) => message,
            // There is no answer that the page would understand.
            Err(why) => {
                tracing::debug!(why = why.as_str(), "a message isn't published");
                return Ok(());
            }
        };
        if message.len() > max_frame {
            return Err(CloseReason::FrameTooLarge(max_frame));
        }
        let published = membership.publish(Content::Envelope(message)).await;
        published.map_err(|_| CloseReason::StoreUnavailable)
    }

    /// What the page is sent of a frame, if anything. Frames that aren't envelopes are answers.
    pub(super) fn text(&self, frame: &Frame) -> Option<Utf8Bytes> {
        match frame.channel() {
            None => Some(frame.text().clone()),
            Some(channel) if self.open().channels.contains(channel) => bare::message(frame),
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_first_frame_shows_such_a_page() {
        let open = |channel: &'static str| Some(Request::Open(channel.into()));
        let presence = |channel: &'static str| Some(Request::Presence(channel.into()));
        for (text, request) in [
            (r#"{"open":true,"channel":"a"}"#, open("a")),
            (r#"{ "channel" : "\u0061", "open" : true }"#, open("a")),
            (r#"{"open":true,"channel":5}"#, open("5")),
            (r#"{"checkPresence":true,"channel":"a"}"#, presence("a")),
            (
                r#"{"open":true,"checkPresence":true,"channel":"a"}"#,
                presence("a"),
            ),
            (r#"{"open":["a"]}"#, None),
            (r#"{"open":["a"],"channel":"a"}"#, None),
            (r#"{"open":true}"#, None),
            (r#"{"open":true,"channel":null}"#, None),
            (r#"{"open":1,"channel":"a"}"#, None),
            (
                r#"{"sender":1,"channel":"a","message":{},"open":true}"#,
                None,
            ),
            (r#"{"data":1,"channel":"a"}"#, None),
            ("open", None),
        ] {
            assert_eq!(Request::first(text), request, "{text}");
        }
    }

    #[test]
    fn later_frames_are_read_as_that_server_reads_them() {
        let read = |text| Request::of(&json::members(text).unwrap());
        assert_eq!(
            read(r#"{"open":1,"channel":"a"}"#),
            Some(Request::Open("a".into()))
        );
        for text in [
            r#"{"data":[1, 2],"channel":"a"}"#,
            r#"{"data":[1, 2],"channel":"a","open":false,"checkPresence":0}"#,
            r#"{"data":[1, 2],"channel":"a","open":null,"checkPresence":""}"#,
        ] {
            let (channel, data) = ("\"a\"", "[1, 2]");
            assert_eq!(read(text), Some(Request::Data { channel, data }), "{text}");
        }
        assert_eq!(read(r#"{"channel":"a"}"#), None);
        assert_eq!(read(r#"{"data":1}"#), None);
    }
}
