//! What a plain WebSocket and the relay say to each other besides envelopes: JSON objects without the member `channel`.
//!
//! | frame | direction | meaning |
//! | --- | --- | --- |
//! | `{"signal":1,"session":"…","epoch":"…","ping":25000}` | to the client | the first frame: what resumes this session, what the ids belong to, how long the relay is silent at most
//! | `{"open":["a"],"after":{"a":"17"},"session":"…"}` | to the relay | open channels; from the first such frame on, deliver those only
//! | `{"close":["a"]}` | to the relay | close channels
//! | `{"ack":9}` | to the client | messages were taken, up to and including this `ref`
//! | `{"gap":"a"}` | to the client | what comes next on the channel isn't all that there was
//! | `{"ping":1}`, `{"pong":1}` | both | are you there; I am
//!
//! A client that has never opened a channel in this way knows nothing of it all; what it sends is for other pages, whatever it looks like.

use std::sync::Arc;
use std::time::Duration;

use signal_wasm::protocol::write_string;

use crate::frame::Frame;
use crate::translate::{Draft, Object};

/// The longest name of a session, in bytes.
const LONGEST_SESSION: usize = 64;
/// The longest number that a ping is answered with, in digits.
const LONGEST_NUMBER: usize = 32;

/// What a frame of a plain WebSocket says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A message for other members, with its number among those of its session, if it has one.
    Message(Draft, Option<u64>),
    /// Open channels.
    Open(Open),
    /// Close channels.
    Close(Vec<Arc<str>>),
    /// Are you there. The JSON text of the number is to be sent back.
    Ping(Box<str>),
    /// The answer to a ping.
    Pong,
    /// Nothing of these, with what is wrong.
    Nothing(&'static str),
}

/// Channels that are to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Their names, each with the id that its messages were seen up to, as the client says it.
    pub channels: Vec<(Arc<str>, Option<Box<str>>)>,
    /// The session that is to be resumed.
    pub session: Option<Box<str>>,
}

/// Reads a frame of a client that has opened channels before.
#[must_use]
pub fn read(text: &str) -> Said {
    let Some(object) = Object::read(text) else {
        return Said::Nothing("a frame is a JSON object");
    };
    if object.has_channel() {
        let reference = match object.reference().map(str::parse) {
            None => None,
            Some(Ok(reference)) => Some(reference),
            Some(Err(_)) => return Said::Nothing("ref is a whole number"),
        };
        return match object.draft(reference.is_none()) {
            Some(draft) => Said::Message(draft, reference),
            None => Said::Nothing("channel is a string or a number"),
        };
    }
    control(&object)
}

/// Reads a frame of a client that hasn't. Nothing but `open` is for the relay then, and a `ref` is like any member that pages have use for.
#[must_use]
pub fn read_first(text: &str) -> Said {
    const OTHER: Said = Said::Nothing("not for the relay");
    let Some(object) = Object::read(text) else {
        return OTHER;
    };
    if object.has_channel() {
        return object
            .draft(true)
            .map_or(OTHER, |draft| Said::Message(draft, None));
    }
    match object.member("open").and_then(names) {
        Some(_) => control(&object),
        None => OTHER,
    }
}

fn control(object: &Object<'_>) -> Said {
    if let Some(open) = object.member("open") {
        let Some(names) = names(open) else {
            return Said::Nothing("open is an array of strings");
        };
        let after = match object.member("after").map(pairs) {
            None => Vec::new(),
            Some(Some(after)) => after,
            Some(None) => {
                return Said::Nothing("after is an object with a string for each channel");
            }
        };
        let session = match object.member("session").map(crate::translate::text) {
            None => None,
            Some(Some(session)) if session.len() <= LONGEST_SESSION => Some(session.into()),
            Some(_) => return Said::Nothing("session is a string of up to 64 bytes"),
        };
        let mut after: std::collections::HashMap<_, _> = after.into_iter().collect();
        let channels = names
            .into_iter()
            .map(|name| {
                let id = after.remove(&*name);
                (name, id)
            })
            .collect();
        return Said::Open(Open { channels, session });
    }
    if let Some(close) = object.member("close") {
        return match names(close) {
            Some(names) => Said::Close(names),
            None => Said::Nothing("close is an array of strings"),
        };
    }
    if let Some(number) = object.member("ping") {
        return if is_number(number) && number.len() <= LONGEST_NUMBER {
            Said::Ping(number.into())
        } else {
            Said::Nothing("ping is a number")
        };
    }
    if object.member("pong").is_some_and(is_number) {
        return Said::Pong;
    }
    Said::Nothing("an object without channel, open, close, ping or pong")
}

fn is_number(json: &str) -> bool {
    json.starts_with(|first: char| first == '-' || first.is_ascii_digit())
}

fn names(json: &str) -> Option<Vec<Arc<str>>> {
    let items = crate::translate::items(json)?;
    items
        .into_iter()
        .map(|item| crate::translate::text(item).map(Arc::from))
        .collect()
}

fn pairs(json: &str) -> Option<Vec<(String, Box<str>)>> {
    let members = crate::translate::members(json)?;
    members
        .into_iter()
        .map(|(name, value)| Some((name, crate::translate::text(value)?.into())))
        .collect()
}

/// The first frame on each plain WebSocket.
#[must_use]
pub fn hello(session: &str, epoch: &str, ping: Duration) -> Frame {
    let mut text = format!("{{\"signal\":1,\"session\":\"{session}\",\"epoch\":");
    write_string(&mut text, epoch);
    text.push_str(&format!(",\"ping\":{}}}", ping.as_millis()));
    Frame::from(text.as_str())
}

/// What comes next on the channel isn't all that there was.
#[must_use]
pub fn gap(channel: &str) -> Frame {
    let mut text = "{\"gap\":".to_owned();
    write_string(&mut text, channel);
    text.push('}');
    Frame::from(text.as_str())
}

/// Are you there.
#[must_use]
pub fn ping(number: u64) -> Frame {
    Frame::from(format!("{{\"ping\":{number}}}").as_str())
}

/// I am.
#[must_use]
pub fn pong(number: &str) -> Frame {
    Frame::from(format!("{{\"pong\":{number}}}").as_str())
}
