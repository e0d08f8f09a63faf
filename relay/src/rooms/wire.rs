//! What relays say to each other of rooms, on their links.
//!
//! A message has a head, which is JSON, and texts, which are mostly JSON of pages and are not
//! written into JSON once more.

use std::sync::Arc;

use axum::body::Bytes;
use serde::{Deserialize, Serialize};

use super::connection::{Answered, Standing};
use super::entrant::Entrant;

/// How many texts a message has at most.
const MOST_TEXTS: usize = 64;

/// What the relay of pages says to the one that keeps their rooms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Told {
    /// The first message: the term in which that one keeps rooms.
    Hello { term: u64 },
    /// A page would enter the rooms of a space.
    Enter(Box<Entering>),
    /// A page's event. The texts are the arguments.
    Take {
        page: u64,
        ask: u64,
        event: String,
        rights: Rights,
    },
    /// What a page on a private channel says. The texts are the arguments.
    Numbered {
        page: u64,
        ask: u64,
        life: String,
        seen: u64,
        request: Option<(u64, String)>,
        rights: Rights,
    },
    /// What is the page?
    Standing { page: u64, ask: u64 },
    /// The page is gone.
    Gone { page: u64, for_good: bool },
    /// Whether a page is alive.
    Alive { ask: u64, is_alive: bool },
}

/// What the relay that keeps rooms says to that of the pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Said {
    /// The answer to the first message: it keeps rooms in that term.
    Welcome,
    /// A page is in the rooms, or is nobody there. The name is that of the keeping.
    Entered {
        page: u64,
        standing: Standing,
        keeping: Arc<str>,
    },
    /// Another relay keeps the rooms of the space, or may.
    Elsewhere { page: u64 },
    /// The answer to an event. The text is what acknowledges it.
    Answered {
        ask: u64,
        is_known: bool,
        /// The page's new id is its own.
        is_renamed: bool,
    },
    /// What the page is.
    Standing {
        ask: u64,
        standing: Standing,
        keeping: Arc<str>,
    },
    /// An event for these pages, if they may receive it. The text is the list.
    Deliver {
        pages: Vec<u64>,
        channel: Option<String>,
    },
    /// Another connection is the page's user now, or its user was removed.
    Over { page: u64 },
    /// Is the page alive?
    IsAlive { page: u64, ask: u64 },
}

/// What a page's token allows, as far as it doesn't depend on the rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rights {
    /// To publish and to receive on the channel of the request.
    pub(super) may_enter: bool,
    /// To have the id that the request names, if nobody has it.
    pub(super) may_be: bool,
}

/// A page that would enter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entering {
    pub(super) page: u64,
    pub(super) space: Arc<str>,
    /// The client's address, which pays.
    pub(super) address: std::net::IpAddr,
    /// Whether the id is waited for.
    pub(super) waits: bool,
    /// Whether it may have the id that it names, if nobody has it.
    pub(super) may_be: bool,
    pub(super) entrant: Entrant,
}

/// The answer to an event, of which the text is here.
pub(super) fn answered(is_known: bool, text: Option<&&str>) -> Answered {
    if is_known {
        Answered::Known(text.map(|text| (*text).to_owned()))
    } else {
        Answered::Unknown
    }
}

/// A message as bytes.
pub(super) fn encode<'a>(head: &impl Serialize, texts: impl IntoIterator<Item = &'a str>) -> Bytes {
    let head = serde_json::to_string(head).unwrap_or_default();
    let mut bytes = Vec::new();
    let mut add = |text: &str| {
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
        bytes.extend(length.to_be_bytes());
        bytes.extend(text.as_bytes());
    };
    add(&head);
    texts.into_iter().for_each(add);
    bytes.into()
}

/// A message that has come. `None`: it is none.
pub(super) fn decode<'a, Head: Deserialize<'a>>(bytes: &'a [u8]) -> Option<(Head, Vec<&'a str>)> {
    let mut rest = bytes;
    let mut texts = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (text, after) = after.split_at_checked(length)?;
        texts.push(std::str::from_utf8(text).ok()?);
        rest = after;
        if texts.len() > MOST_TEXTS {
            return None;
        }
    }
    if !rest.is_empty() || texts.is_empty() {
        return None;
    }
    let head = texts.remove(0);
    Some((serde_json::from_str(head).ok()?, texts))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::rooms::entrant::Numbered;
    use crate::rooms::profile::Profile;

    #[test]
    fn what_is_written_is_read() {
        let told = Told::Take {
            page: 1,
            ask: 2,
            event: "open-room \"ä\"".into(),
            rights: Rights {
                may_enter: true,
                may_be: false,
            },
        };
        let bytes = encode(&told, ["{\"a\":1}", "", "\"ä\n\""]);
        let (read, texts) = decode::<Told>(&bytes).unwrap();
        assert_eq!((read, texts), (told, vec!["{\"a\":1}", "", "\"ä\n\""]));
        for length in 0..bytes.len() {
            let short = decode::<Told>(bytes.get(..length).unwrap());
            assert!(short.is_none_or(|(_, texts)| texts.len() < 3));
        }
        let many = encode(&Said::Welcome, std::iter::repeat_n("", MOST_TEXTS + 1));
        assert!(decode::<Said>(&many).is_none());
    }

    #[test]
    fn a_page_that_enters_is_the_same_elsewhere() {
        let profile = Profile::read("userid=u&msgEvent=m&enableScalableBroadcast=true").unwrap();
        for numbered in [
            None,
            Some(Numbered {
                life: "l".into(),
                seen: Some(("k".into(), 7)),
            }),
        ] {
            let entrant = Entrant {
                profile: profile.clone(),
                shown: Some("s".into()),
                secret: "t".into(),
                token_user: None,
                numbered,
            };
            let entering = Entering {
                page: 1,
                space: "/".into(),
                address: std::net::Ipv4Addr::LOCALHOST.into(),
                waits: true,
                may_be: true,
                entrant,
            };
            let bytes = encode(&Told::Enter(Box::new(entering.clone())), []);
            let Some((Told::Enter(read), _)) = decode(&bytes) else {
                panic!("{bytes:?}");
            };
            assert_eq!(*read, entering);
        }
    }
}
