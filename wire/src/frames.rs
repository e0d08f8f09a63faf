//! The frames of our relay's protocol over a plain WebSocket, besides envelopes: control frames, as
//! [`crate::control`] defines them.
//!
//! | frame | direction | meaning |
//! | --- | --- | --- |
//! | `{"signal":1,"version":2,"session":"…","epoch":"…","ping":25000}` | to the client | hello, the first frame: the version of this protocol; the secret that resumes this session; the epoch changes when the relay's memory does; milliseconds between signs of life |
//! | `{"open":["a","b"],"after":{"a":"17"},"session":"…"}` | to the relay | subscribe, and replay what came after these ids; with `session`, resume that session |
//! | `{"token":"…"}` | to the relay | a newer token; an `open` may have this member too |
//! | `{"close":["a"]}` | to the relay | unsubscribe |
//! | `{"sender":…,"channel":"a","ref":9,"message":…}` | to the relay | publish; `ref` rises within the session |
//! | `{"ack":9}` | to the client | accepted up to this `ref`; also the first answer to each `open`. The answer to a connection's first `open` has a member `session`, the session's secret |
//! | `{"sender":…,"channel":"a","id":"18","message":…}` | to the client | a message |
//! | `{"gap":"a"}` | to the client | messages on this channel may have been missed |
//! | `{"expires":60000}` | to the client | milliseconds until its token expires |
//! | `{"refused":"a","why":"…","ref":9}` | to the client | its token doesn't allow it to publish (`ref`: this message) or subscribe there |
//! | `{"ping":n}`, `{"pong":n}` | both | |
//!
//! Everything that a client sends before it subscribes is for other pages, except for control
//! frames. Those of a client are never handed on.
//!
//! # Versions
//!
//! Each side ignores members that it doesn't know. `signal` is always 1: by that, clients of every
//! version recognise a relay.
//!
//! | version | |
//! | --- | --- |
//! | 1 | the hello has no member `version`. The relay handed on control frames of clients that hadn't subscribed, so its answer to the first `open` can be forged |
//! | 2 | the relay hands on no control frames, and the answer to the first `open` has the session's secret, which only the relay and this client know |
//!
//! Messages without a channel, `{"sender":…,"message":…}`, are those of the channel
//! [`UNNAMED`](crate::envelope::UNNAMED). A client subscribes to it and publishes on it by that
//! name, and receives them as they were sent, with an `id`.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::control::{self, is_control};
use crate::envelope::Envelope;
use crate::json::{self, Member, find, write_number, write_string};

/// The version of this protocol.
pub const VERSION: u64 = 2;

/// The first version whose answer to the first `open` has the session's secret.
pub const PROVES_ANSWERS: u64 = 2;

/// The value of the hello's `signal`, by which clients recognise a relay.
const SIGNAL: u64 = 1;

/// The version of a relay whose hello names none.
const UNNAMED_VERSION: u64 = 1;

/// The longest secret of a session, in bytes.
const LONGEST_SESSION: usize = 64;

/// The longest token, in bytes.
pub const LONGEST_TOKEN: usize = 8192;

/// The longest number of a ping, in characters.
const LONGEST_NUMBER: usize = 32;

/// A frame of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientFrame<'a> {
    /// A message, with its `ref` within the session.
    Publish(Envelope<'a>, Option<u64>),
    /// Subscribe to channels.
    Open(Open<'a>),
    /// Unsubscribe from these channels.
    Close(Vec<Cow<'a, str>>),
    /// A newer token.
    Token(Cow<'a, str>),
    /// A ping. Its number, a JSON text, must be returned in a pong.
    Ping(&'a str),
    /// The answer to a ping.
    Pong,
    /// Text of another program. It is for the others in the space, if the client hasn't subscribed.
    Text,
    /// An invalid frame, and the reason.
    Invalid(&'static str),
}

/// A request to subscribe.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Open<'a> {
    /// The channels.
    pub channels: Vec<Subscription<'a>>,
    /// The secret of the session to resume. The list of channels is then complete.
    pub session: Option<Cow<'a, str>>,
    /// The client's token, if the relay asks for one.
    pub token: Option<Cow<'a, str>>,
}

/// One channel of a request to subscribe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription<'a> {
    /// Its name.
    pub channel: Cow<'a, str>,
    /// The id of the last message received on it. Later messages are replayed.
    pub after: Option<Cow<'a, str>>,
}

/// A frame of the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerFrame<'a> {
    /// The first frame on each plain WebSocket.
    Hello {
        /// The version of this protocol that the relay speaks.
        version: u64,
        /// The secret that resumes this session.
        session: Cow<'a, str>,
        /// The epoch of message ids and sessions. When it changes, the relay has lost its memory.
        epoch: Cow<'a, str>,
        /// The relay's ping interval, in milliseconds.
        ping: u64,
    },
    /// Messages were accepted.
    Ack {
        /// Up to and including this `ref`.
        accepted: u64,
        /// The session's secret, in the answer to the first `open` of a connection.
        session: Option<Cow<'a, str>>,
    },
    /// Messages on this channel may have been missed.
    Gap(Cow<'a, str>),
    /// The client's token expires in so many milliseconds.
    Expires(u64),
    /// The client's token doesn't allow it to publish or subscribe there.
    Refused {
        /// The channel.
        channel: Cow<'a, str>,
        /// What isn't allowed.
        why: Cow<'a, str>,
        /// The `ref` of the message that was refused, if it had one.
        reference: Option<u64>,
    },
    /// A ping. Its number, a JSON text, must be returned in a pong.
    Ping(Cow<'a, str>),
    /// The answer to a ping.
    Pong(Cow<'a, str>),
}

impl<'a> ClientFrame<'a> {
    /// Reads a frame of a client that has subscribed before: all its frames belong to this
    /// protocol.
    #[must_use]
    pub fn decode(text: &'a str) -> ClientFrame<'a> {
        let Some(members) = json::members(text) else {
            return ClientFrame::Text;
        };
        if find(&members, "channel").is_none() {
            return ClientFrame::control(&members);
        }
        let Some(envelope) = Envelope::of(members) else {
            return ClientFrame::Invalid("channel is a string or a number");
        };
        match envelope.reference().map(json::whole_number) {
            None => ClientFrame::Publish(envelope, None),
            Some(Some(reference)) => ClientFrame::Publish(envelope, Some(reference)),
            Some(None) => ClientFrame::Invalid("ref is a whole number"),
        }
    }

    /// Reads a frame of a client that has never subscribed. Control frames belong to this protocol.
    /// `ref` has no meaning in an envelope, and an envelope may have no channel.
    #[must_use]
    pub fn decode_first(text: &'a str) -> ClientFrame<'a> {
        let Some(members) = json::members(text) else {
            return if control::contains_control(text) {
                ClientFrame::Invalid("a control frame on one of several lines")
            } else {
                ClientFrame::Text
            };
        };
        if is_control(&members) {
            return ClientFrame::control(&members);
        }
        let envelope = Envelope::of(members).filter(|envelope| !envelope.is_anonymous());
        envelope.map_or(ClientFrame::Text, |envelope| {
            ClientFrame::Publish(envelope, None)
        })
    }

    fn control(members: &[Member<'a>]) -> ClientFrame<'a> {
        if let Some(open) = find(members, "open") {
            return match Open::decode(open, members) {
                Ok(open) => ClientFrame::Open(open),
                Err(why) => ClientFrame::Invalid(why),
            };
        }
        if let Some(close) = find(members, "close") {
            return match names(close) {
                Some(names) => ClientFrame::Close(names),
                None => ClientFrame::Invalid("close is an array of strings"),
            };
        }
        if let Some(number) = find(members, "ping") {
            return if json::is_number(number) && number.len() <= LONGEST_NUMBER {
                ClientFrame::Ping(number)
            } else {
                ClientFrame::Invalid("ping is a number")
            };
        }
        if find(members, "pong").is_some_and(json::is_number) {
            return ClientFrame::Pong;
        }
        match token(members) {
            Ok(Some(token)) => ClientFrame::Token(token),
            Ok(None) => {
                ClientFrame::Invalid("an object without channel, open, close, token, ping or pong")
            }
            Err(why) => ClientFrame::Invalid(why),
        }
    }
}

impl<'a> Open<'a> {
    fn decode(open: &'a str, members: &[Member<'a>]) -> Result<Open<'a>, &'static str> {
        let names = names(open).ok_or("open is an array of strings")?;
        let mut after = match find(members, "after").map(pairs) {
            None => Vec::new(),
            Some(Some(after)) => after,
            Some(None) => return Err("after is an object with a string for each channel"),
        };
        // Of two with the same name the last counts. Sorting keeps the cost low for long lists.
        after.reverse();
        after.sort_by(|(one, _), (other, _)| one.cmp(other));
        after.dedup_by(|(later, _), (earlier, _)| later == earlier);
        let session = match find(members, "session").map(json::string) {
            None => None,
            Some(Some(session)) if session.len() <= LONGEST_SESSION => Some(session),
            Some(_) => return Err("session is a string of up to 64 bytes"),
        };
        let channels = names
            .into_iter()
            .map(|channel| {
                let place = after.binary_search_by(|(name, _)| name.cmp(&channel));
                let after = place.ok().and_then(|place| after.get(place));
                Subscription {
                    after: after.map(|(_, id)| id.clone()),
                    channel,
                }
            })
            .collect();
        Ok(Open {
            channels,
            session,
            token: token(members)?,
        })
    }

    /// The frame.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::from("{\"open\":[");
        let mut after = String::new();
        for (place, subscription) in self.channels.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            write_string(&mut out, &subscription.channel);
            if let Some(id) = &subscription.after {
                if !after.is_empty() {
                    after.push(',');
                }
                write_string(&mut after, &subscription.channel);
                after.push(':');
                write_string(&mut after, id);
            }
        }
        out.push_str("],\"after\":{");
        out.push_str(&after);
        out.push('}');
        if let Some(session) = &self.session {
            out.push_str(",\"session\":");
            write_string(&mut out, session);
        }
        if let Some(token) = &self.token {
            out.push_str(",\"token\":");
            write_string(&mut out, token);
        }
        out.push('}');
        out
    }
}

/// The frame with a newer token.
#[must_use]
pub fn encode_token(token: &str) -> String {
    let mut out = String::from("{\"token\":");
    write_string(&mut out, token);
    out.push('}');
    out
}

/// The frame that unsubscribes from channels.
#[must_use]
pub fn encode_close<'a>(channels: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::from("{\"close\":[");
    for (place, channel) in channels.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        write_string(&mut out, channel);
    }
    out.push_str("]}");
    out
}

/// The frame of a ping.
#[must_use]
pub fn encode_ping(number: u64) -> String {
    let mut digits = String::new();
    write_number(&mut digits, number);
    ServerFrame::Ping(Cow::Owned(digits)).encode()
}

/// The frame of a pong. `number` is the ping's, as JSON text.
#[must_use]
pub fn encode_pong(number: &str) -> String {
    ServerFrame::Pong(Cow::Borrowed(number)).encode()
}

impl<'a> ServerFrame<'a> {
    /// Reads a frame. `None`: an envelope, or an unknown frame.
    #[must_use]
    pub fn decode(text: &'a str) -> Option<ServerFrame<'a>> {
        let members = control::members(text)?;
        let text = |name| find(&members, name).and_then(json::string);
        let whole_number = |name| find(&members, name).and_then(json::whole_number);
        if whole_number("signal") == Some(SIGNAL) {
            return Some(ServerFrame::Hello {
                version: whole_number("version").unwrap_or(UNNAMED_VERSION),
                session: text("session")?,
                epoch: text("epoch")?,
                ping: whole_number("ping").unwrap_or_default(),
            });
        }
        if find(&members, "ack").is_some() {
            return Some(ServerFrame::Ack {
                accepted: whole_number("ack")?,
                session: text("session"),
            });
        }
        if let Some(channel) = text("gap") {
            return Some(ServerFrame::Gap(channel));
        }
        if let Some(time) = find(&members, "expires") {
            return json::whole_number(time).map(ServerFrame::Expires);
        }
        if let Some(channel) = text("refused") {
            return Some(ServerFrame::Refused {
                channel,
                why: text("why")?,
                reference: whole_number("ref"),
            });
        }
        let number = |name| {
            let json = find(&members, name)?;
            (json::is_number(json) && json.len() <= LONGEST_NUMBER).then_some(Cow::Borrowed(json))
        };
        if let Some(number) = number("ping") {
            return Some(ServerFrame::Ping(number));
        }
        number("pong").map(ServerFrame::Pong)
    }

    /// The frame.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut out = String::from("{\"");
        match self {
            ServerFrame::Hello {
                version,
                session,
                epoch,
                ping,
            } => {
                out.push_str("signal\":");
                write_number(&mut out, SIGNAL);
                out.push_str(",\"version\":");
                write_number(&mut out, *version);
                out.push_str(",\"session\":");
                write_string(&mut out, session);
                out.push_str(",\"epoch\":");
                write_string(&mut out, epoch);
                out.push_str(",\"ping\":");
                write_number(&mut out, *ping);
            }
            ServerFrame::Ack { accepted, session } => {
                out.push_str("ack\":");
                write_number(&mut out, *accepted);
                if let Some(session) = session {
                    out.push_str(",\"session\":");
                    write_string(&mut out, session);
                }
            }
            ServerFrame::Gap(channel) => {
                out.push_str("gap\":");
                write_string(&mut out, channel);
            }
            ServerFrame::Expires(time) => {
                out.push_str("expires\":");
                write_number(&mut out, *time);
            }
            ServerFrame::Refused {
                channel,
                why,
                reference,
            } => {
                out.push_str("refused\":");
                write_string(&mut out, channel);
                out.push_str(",\"why\":");
                write_string(&mut out, why);
                if let Some(reference) = reference {
                    out.push_str(",\"ref\":");
                    write_number(&mut out, *reference);
                }
            }
            ServerFrame::Ping(number) => {
                out.push_str("ping\":");
                out.push_str(number);
            }
            ServerFrame::Pong(number) => {
                out.push_str("pong\":");
                out.push_str(number);
            }
        }
        out.push('}');
        out
    }
}

fn token<'a>(members: &[Member<'a>]) -> Result<Option<Cow<'a, str>>, &'static str> {
    match find(members, "token").map(json::string) {
        None => Ok(None),
        Some(Some(token)) if token.len() <= LONGEST_TOKEN => Ok(Some(token)),
        Some(_) => Err("token is a string of up to 8192 bytes"),
    }
}

fn names(json: &str) -> Option<Vec<Cow<'_, str>>> {
    json::items(json)?.into_iter().map(json::string).collect()
}

fn pairs(json: &str) -> Option<Vec<(Cow<'_, str>, Cow<'_, str>)>> {
    let members = json::members(json)?;
    members
        .into_iter()
        .map(|member| Some((member.name, json::string(member.value)?)))
        .collect()
}
