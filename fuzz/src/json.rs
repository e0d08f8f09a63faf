//! JSON as serde_json reads it, which is what the targets are held against: members as they are
//! written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Whether the text is one JSON value.
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

/// The members of an object, their values as they are written; of those that are there twice the
/// last. None if it is no object, or a name has half a surrogate pair in it, which no `String` can
/// hold.
pub fn members(text: &str) -> Option<BTreeMap<String, &str>> {
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    Some(
        members
            .into_iter()
            .map(|(name, value)| (name, value.get()))
            .collect(),
    )
}

/// Whether the text is an object that names a member twice.
pub fn repeats_a_member(text: &str) -> bool {
    struct Names(bool);
    impl<'de> Deserialize<'de> for Names {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
            struct Object;
            impl<'de> Visitor<'de> for Object {
                type Value = Names;
                fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                    out.write_str("an object")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                    let mut names = BTreeSet::new();
                    let mut again = false;
                    while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                        again |= !names.insert(name);
                    }
                    Ok(Names(again))
                }
            }
            deserializer.deserialize_map(Object)
        }
    }
    serde_json::from_str::<Names>(text).is_ok_and(|Names(again)| again)
}

/// The text that a JSON string stands for.
pub fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}
