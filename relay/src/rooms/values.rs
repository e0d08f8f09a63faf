//! Names and values in the JSON of pages. Values are kept as the JSON text that the page wrote.

use std::sync::Arc;

use serde_json::value::RawValue;
use signal_wire::json::{self, member, quoted};

/// The longest id of a user or a room, password, identifier or name of an event, in bytes.
pub const LONGEST_NAME: usize = 256;

/// A name: a string or a number that isn't empty or too long. JavaScript's objects, in which
/// rtcmulticonnection-server keeps everything, have the same member for `5` and `"5"`.
#[must_use]
pub fn name(json: &str) -> Option<Arc<str>> {
    let name = if json::is_number(json) {
        json.into()
    } else {
        json::string(json)?
    };
    (1..=LONGEST_NAME)
        .contains(&name.len())
        .then(|| Arc::from(&*name))
}

/// Whether JavaScript takes a value for true.
#[must_use]
pub fn is_truthy(json: &str) -> bool {
    match json {
        "false" | "null" | "\"\"" => false,
        number if json::is_number(number) => {
            number.parse::<f64>().is_ok_and(|number| number != 0.0)
        }
        _ => true,
    }
}

/// Whether an object's member is true for JavaScript.
#[must_use]
pub fn has(object: &str, name: &str) -> bool {
    member(object, name).is_some_and(is_truthy)
}

/// The text, if it is JSON and not too long.
#[must_use]
pub fn valid(text: &str, longest: usize) -> Option<Arc<str>> {
    let value: &RawValue = serde_json::from_str(text).ok()?;
    (value.get().len() <= longest).then(|| value.get().into())
}

/// The JSON text of a list: an event's name and its arguments.
pub(super) fn event(name: &str, arguments: &[&str]) -> Arc<str> {
    let mut list = format!("[{}", quoted(name));
    for argument in arguments {
        list.push(',');
        list.push_str(argument);
    }
    list.push(']');
    list.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_strings_and_numbers() {
        for (json, expected) in [
            ("\"a\"", Some("a")),
            ("\"\\u0061\"", Some("a")),
            ("17", Some("17")),
            ("\"\"", None),
            ("null", None),
            ("true", None),
            ("[1]", None),
            ("{}", None),
        ] {
            assert_eq!(name(json).as_deref(), expected, "{json}");
        }
        assert!(name(&quoted(&"a".repeat(LONGEST_NAME))).is_some());
        assert!(name(&quoted(&"a".repeat(LONGEST_NAME + 1))).is_none());
    }

    #[test]
    fn truth_is_javascripts() {
        for json in ["false", "null", "\"\"", "0", "-0", "0.0"] {
            assert!(!is_truthy(json), "{json}");
        }
        for json in ["true", "1", "\"0\"", "\"false\"", "[]", "{}", "1e400"] {
            assert!(is_truthy(json), "{json}");
        }
        assert!(has(r#"{"a":0,"a":1}"#, "a"));
        assert!(!has(r#"{"a":1,"\u0061":0}"#, "a"));
        assert!(!has("[1]", "a"));
    }
}
