//! What a page's address says of it. The library writes it into the query, unescaped.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::values::{LONGEST_NAME, valid};

/// The longest extra data of a user, in bytes.
pub const LONGEST_EXTRA: usize = 16 * 1024;
/// How many participants a room has at most, and has if its owner's page doesn't say.
pub const MOST_PARTICIPANTS: usize = 1000;

/// What a page's address says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The id that it chose.
    pub user: Arc<str>,
    /// The event by which it sends and receives messages.
    pub message_event: Arc<str>,
    /// The event that it sends to everybody.
    pub custom_event: Arc<str>,
    /// The JSON text of its extra data.
    pub extra: Arc<str>,
    /// Whether its rooms close when it leaves.
    pub closes: bool,
    /// How many participants its rooms have at most.
    pub most: usize,
    /// In scalable broadcasts: to how many each viewer relays.
    pub relays: Option<usize>,
}

impl Profile {
    /// Reads a query. `None`: it isn't that of such a page, which has a user and a session or
    /// an event for messages.
    #[must_use]
    pub fn read(query: &str) -> Option<Self> {
        let members: HashMap<_, Cow<'_, str>> = form_urlencoded::parse(query.as_bytes()).collect();
        let value = |name| members.get(name).map(|value| &**value);
        let short = |name| {
            let value = value(name).filter(|value| !value.is_empty())?;
            (value.len() <= LONGEST_NAME).then(|| Arc::<str>::from(value))
        };
        value("sessionid").or(value("msgEvent"))?;
        let number = |name| {
            let number = value(name)?.parse::<usize>().ok()?;
            (number > 0).then_some(number)
        };
        let is_on = |name| value(name) == Some("true");
        let most = number("maxParticipantsAllowed").unwrap_or(MOST_PARTICIPANTS);
        Some(Self {
            user: short("userid")?,
            message_event: short("msgEvent").unwrap_or_else(|| "RTCMultiConnection-Message".into()),
            custom_event: short("socketCustomEvent").unwrap_or_else(|| "custom-message".into()),
            extra: value("extra")
                .and_then(|extra| valid(extra, LONGEST_EXTRA))
                .unwrap_or_else(|| "{}".into()),
            closes: is_on("autoCloseEntireSession"),
            most: most.min(MOST_PARTICIPANTS),
            relays: is_on("enableScalableBroadcast")
                .then(|| number("maxRelayLimitPerUser").unwrap_or(2)),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_query_of_the_library() {
        let profile = Profile::read(
            "EIO=4&transport=polling&userid=u1&sessionid=s&msgEvent=RTCMultiConnection-Message&socketCustomEvent=RTCMultiConnection-Custom-Message&autoCloseEntireSession=true&oneToMany=true&maxParticipantsAllowed=3&enableScalableBroadcast=true&maxRelayLimitPerUser=5&extra=%7B%22a%22%3A%22%26%22%7D",
        )
        .unwrap();
        assert_eq!(&*profile.user, "u1");
        assert_eq!(&*profile.custom_event, "RTCMultiConnection-Custom-Message");
        assert_eq!(&*profile.extra, r#"{"a":"&"}"#);
        assert_eq!(
            (profile.closes, profile.most, profile.relays),
            (true, 3, Some(5))
        );
    }

    #[test]
    fn what_is_missing_or_wrong_has_a_default() {
        let profile =
            Profile::read("userid=u&sessionid=&maxParticipantsAllowed=-1&extra={broken").unwrap();
        assert_eq!(&*profile.message_event, "RTCMultiConnection-Message");
        assert_eq!(&*profile.custom_event, "custom-message");
        assert_eq!(&*profile.extra, "{}");
        assert_eq!(
            (profile.closes, profile.most, profile.relays),
            (false, 1000, None)
        );
        let giant = format!(
            "userid=u&msgEvent=m&extra=\"{}\"",
            "x".repeat(LONGEST_EXTRA)
        );
        assert_eq!(&*Profile::read(&giant).unwrap().extra, "{}");
    }

    #[test]
    fn other_clients_are_no_such_pages() {
        let long = format!("userid={}&sessionid=s", "u".repeat(257));
        for query in [
            "",
            "EIO=4",
            "userid=u",
            "sessionid=s&msgEvent=m",
            "userid=&sessionid=s",
            &long,
        ] {
            assert_eq!(Profile::read(query), None, "{query}");
        }
    }
}
