//! Misspelt members of a channel's config.
//!
//! Libraries pass configs with members of their own, so an unknown member is no error. But one that
//! differs from a known member by a letter or two is a mistake that would be hard to find: the page
//! would get no message, and no error either.

/// The members of a channel's config.
pub const CONFIG_MEMBERS: [&str; 5] = ["channel", "onmessage", "onopen", "callback", "ttl"];

/// A known member of at least this length may differ by two letters.
const LONG: usize = 8;

/// A known member shorter than this may differ only in capitals: too many words are near it.
const SHORT: usize = 4;

/// The known member that a misspelt one stands for; `None` if it is known, or like none.
pub fn misspelt(member: &str) -> Option<&'static str> {
    if CONFIG_MEMBERS.contains(&member) || !member.is_ascii() {
        return None;
    }
    let given = member.to_ascii_lowercase();
    CONFIG_MEMBERS.into_iter().find(|known| {
        // Two letters more or less are the most, so a long name is never compared.
        let is_near = given.len().abs_diff(known.len()) <= 2;
        let most = match known.len() {
            ..SHORT => 0,
            SHORT..LONG => 1,
            LONG.. => 2,
        };
        // Nobody misspells the first letter.
        is_near && given.get(..1) == known.get(..1) && distance(&given, known) <= most
    })
}

/// How many letters must be added, left out, replaced, or swapped with the next one.
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().enumerate() {
        let mut current = Vec::from([row + 1]);
        for (column, wanted) in other.iter().enumerate() {
            let at = |line: &[usize], place: usize| line.get(place).copied().unwrap_or(usize::MAX);
            let replaced = at(&last, column) + usize::from(letter != wanted);
            let left_out = at(&last, column + 1) + 1;
            let added = at(&current, column) + 1;
            let is_swapped = row > 0
                && column > 0
                && one.get(row - 1) == Some(wanted)
                && other.get(column - 1) == Some(letter);
            let swapped = if is_swapped {
                at(&before_last, column - 1) + 1
            } else {
                usize::MAX
            };
            current.push(replaced.min(left_out).min(added).min(swapped));
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    #[test]
    fn near_misses_are_recognised() {
        for (member, known) in [
            ("chanel", "channel"),
            ("Channel", "channel"),
            ("channels", "channel"),
            ("chnanel", "channel"),
            ("onMessage", "onmessage"),
            ("onmesage", "onmessage"),
            ("onMesage", "onmessage"),
            ("on_message", "onmessage"),
            ("onmessages", "onmessage"),
            ("onOpen", "onopen"),
            ("onOpened", ""),
            ("on_open", "onopen"),
            ("callBack", "callback"),
            ("Callback", "callback"),
            ("calback", "callback"),
            ("callbcak", "callback"),
        ] {
            assert_eq!(misspelt(member).unwrap_or_default(), known, "{member}");
        }
        for member in CONFIG_MEMBERS {
            assert_eq!(misspelt(member), None);
        }
    }

    /// Members of the configs and objects that RTCMultiConnection, DataChannel.js and the WebRTC
    /// experiments pass or keep, and words that are near by chance.
    #[test]
    fn other_members_are_left_alone() {
        for member in [
            "",
            "a",
            "on",
            "open",
            "message",
            "send",
            "close",
            "onclose",
            "onerror",
            "onleave",
            "onstream",
            "onstreamended",
            "onopening",
            "ondatachannel",
            "onremote",
            "onmute",
            "onNewSession",
            "onRemoteStream",
            "onRoomFound",
            "onRoomClosed",
            "onChannelClosed",
            "onChannelOpened",
            "channelId",
            "channelid",
            "channelName",
            "userid",
            "userToken",
            "extra",
            "session",
            "sessionid",
            "sender",
            "isInitiator",
            "isofferer",
            "transmitRoomOnce",
            "direction",
            "interval",
            "attachStream",
            "openSocket",
            "openSignalingChannel",
            "getLocalMediaStream",
            "socket",
            "index",
            "__push",
            "emit",
            "connection",
            "transport",
            "candidate",
            "fallback",
            "call",
            "caller",
            "back",
            "日本語",
            "ttl",
            "onicecandidate",
            "ongettingmessage",
        ] {
            assert_eq!(misspelt(member), None, "{member}");
        }
        assert_eq!(misspelt(&"c".repeat(1_000_000)), None);
    }

    #[test]
    fn the_distance_is_that_of_single_mistakes() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("abc", "ab", 1),
            ("abc", "xbc", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }
}
