//! The hub's one method, `Send(string)`: reading a call of it, and the answers to invalid calls.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The client's method that the hub calls.
pub const TARGET: &str = "onMessageReceived";

/// The answer to a call whose string isn't an envelope.
pub const NO_ENVELOPE: &str = "The string is no envelope: Send takes the JSON text of {message, channel}, where channel is the channel's name.";

/// The arguments of a call: the first of them, and how many there are.
#[derive(Debug)]
pub struct Arguments<'a> {
    first: Option<&'a RawValue>,
    count: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Arguments<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Arguments<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Arguments<'de>, A::Error> {
                let first: Option<&RawValue> = list.next_element()?;
                let mut count = usize::from(first.is_some());
                while list.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Arguments { first, count })
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// The string that a call sends. An error is the answer to an invalid call: the method isn't
/// `Send`, in whatever case, or its arguments aren't one string.
pub fn sent(method: &str, arguments: Option<Arguments<'_>>) -> Result<String, Cow<'static, str>> {
    if !method.eq_ignore_ascii_case("send") {
        let method = excerpt(method);
        return Err(format!("The hub has no method '{method}'. It has Send(string).").into());
    }
    match arguments {
        Some(Arguments { first: Some(argument), count: 1 }) => serde_json::from_str(argument.get()).map_err(|_| {
            "The argument of Send must be a string, the JSON text of {message, channel}: use JSON.stringify.".into()
        }),
        arguments => {
            let count = arguments.map_or(0, |arguments| arguments.count);
            Err(format!("Send takes one argument, a string, and got {count}.").into())
        }
    }
}

/// The beginning of a name, short enough for a sentence.
#[must_use]
pub fn excerpt(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(64) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()).into(),
        None => name.into(),
    }
}
