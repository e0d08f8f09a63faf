//! Patterns of names, for spaces and channels. Pure.
//!
//! A pattern is compared with a whole name, and `/` separates segments. Two wildcards exist:
//!
//! * `*` at the end matches the rest of the name, whatever that is: `*` matches every name,
//!   `/rooms/*` every name that begins with `/rooms/`, `user-*` every name that begins with `user-`.
//! * `*` as a whole segment before the end matches one segment: `/rooms/*/chat` matches
//!   `/rooms/5/chat`, but not `/rooms/5/6/chat`.
//!
//! Any other `*` is an error. All other characters match themselves.

use std::fmt;

/// The longest pattern, in bytes.
const LONGEST: usize = 1024;
/// How many patterns a list may have.
const MOST: usize = 256;

/// A list of patterns. A name matches it if it matches one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patterns(Vec<Pattern>);

/// Why a list isn't one of patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError(&'static str);

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for PatternError {}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    text: Box<str>,
    /// It ends in `*`, which `text` leaves out.
    is_prefix: bool,
}

impl Patterns {
    /// Every name matches.
    #[must_use]
    pub fn all() -> Self {
        Self(Vec::from([Pattern {
            text: "".into(),
            is_prefix: true,
        }]))
    }

    /// Reads a list.
    ///
    /// # Errors
    /// A pattern has a `*` in a place where it has no meaning, or is too long, or there are too
    /// many.
    pub fn read<P: AsRef<str>>(patterns: &[P]) -> Result<Self, PatternError> {
        if patterns.len() > MOST {
            return Err(PatternError("a list has at most 256 patterns"));
        }
        let patterns = patterns.iter().map(|text| Pattern::read(text.as_ref()));
        patterns.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a name matches.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(name))
    }
}

impl Pattern {
    fn read(text: &str) -> Result<Self, PatternError> {
        if text.len() > LONGEST {
            return Err(PatternError("a pattern has at most 1024 bytes"));
        }
        let (text, is_prefix) = match text.strip_suffix('*') {
            Some(text) => (text, true),
            None => (text, false),
        };
        if text
            .split('/')
            .any(|segment| segment != "*" && segment.contains('*'))
        {
            return Err(PatternError(
                "in a pattern, * is a whole segment or the last character",
            ));
        }
        // What is before the last character is not a whole segment: `**`.
        if is_prefix && text.ends_with('*') {
            return Err(PatternError("a pattern has no **"));
        }
        Ok(Self {
            text: text.into(),
            is_prefix,
        })
    }

    fn matches(&self, name: &str) -> bool {
        let mut wanted = self.text.split('/').peekable();
        let mut rest = Some(name);
        while let Some(segment) = wanted.next() {
            let Some(left) = rest else { return false };
            if self.is_prefix && wanted.peek().is_none() {
                return left.starts_with(segment);
            }
            let (found, after) = match left.split_once('/') {
                Some((found, after)) => (found, Some(after)),
                None => (left, None),
            };
            if segment != "*" && segment != found {
                return false;
            }
            rest = after;
        }
        rest.is_none()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Patterns::read(&[pattern]).unwrap().matches(name)
    }

    #[test]
    fn wildcards_match_as_documented() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*", "a/b", true),
            ("/", "/", true),
            ("/", "/a", false),
            ("a", "a", true),
            ("a", "A", false),
            ("a", "ab", false),
            ("/rooms/*", "/rooms/", true),
            ("/rooms/*", "/rooms/5/6", true),
            ("/rooms/*", "/rooms", false),
            ("/rooms/*", "/roomsx", false),
            ("user-*", "user-", true),
            ("user-*", "user-5/6", true),
            ("user-*", "users", false),
            ("/rooms/*/chat", "/rooms/5/chat", true),
            ("/rooms/*/chat", "/rooms//chat", true),
            ("/rooms/*/chat", "/rooms/5/6/chat", false),
            ("/rooms/*/chat", "/rooms/5/chat/", false),
            ("*/b", "a/b", true),
            ("*/b", "b", false),
            ("*/b*", "a/bc/d", true),
            ("/*/b/*", "/a/b/c", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn other_asterisks_are_errors() {
        for pattern in ["a*b", "*a", "a*/b", "**", "a**", "/**/b", "/a/**", "*a*"] {
            assert!(Patterns::read(&[pattern]).is_err(), "{pattern}");
        }
        assert!(Patterns::read(&["a".repeat(1025)]).is_err());
        assert!(Patterns::read(&vec!["a"; 257]).is_err());
        assert!(!Patterns::default().matches(""));
    }

    /// The same by regular means: each segment is one of the pattern's, the rest is anything.
    fn expected(pattern: &str, name: &str) -> bool {
        let (pattern, is_prefix) = match pattern.strip_suffix('*') {
            Some(pattern) => (pattern, true),
            None => (pattern, false),
        };
        let wanted: Vec<&str> = pattern.split('/').collect();
        let found: Vec<&str> = name.split('/').collect();
        let (last, before) = wanted.split_last().unwrap();
        if found.len() < wanted.len() || (!is_prefix && found.len() > wanted.len()) {
            return false;
        }
        let (head, rest) = found.split_at(before.len());
        let segments = before.iter().zip(head);
        let rest = rest.join("/");
        segments
            .into_iter()
            .all(|(wanted, found)| *wanted == "*" || wanted == found)
            && if is_prefix {
                rest.starts_with(last)
            } else {
                *last == "*" || rest == *last
            }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn matching_is_by_segments(pattern in "(/?(\\*|a|b|ab)){0,4}(/|a|\\*)?", name in "[ab/*]{0,8}") {
            if let Ok(patterns) = Patterns::read(&[&pattern]) {
                prop_assert_eq!(patterns.matches(&name), expected(&pattern, &name));
            }
        }

        #[test]
        fn a_name_without_asterisks_matches_itself_alone(name in "[^*]{0,20}", other in "[^*]{0,20}") {
            prop_assert!(matches(&name, &name));
            prop_assert_eq!(matches(&name, &other), name == other);
            prop_assert!(matches("*", &name));
            let (prefix, longer) = (format!("{name}*"), format!("{name}{other}"));
            prop_assert!(matches(&prefix, &longer));
        }

        #[test]
        fn a_list_matches_as_its_patterns_do(one in "[ab/]{0,3}\\*?", two in "[ab/]{0,3}\\*?", name in "[ab/]{0,4}") {
            let both = Patterns::read(&[&one, &two]).unwrap();
            prop_assert_eq!(both.matches(&name), matches(&one, &name) || matches(&two, &name));
        }

        #[test]
        fn no_text_panics(pattern: String, name: String) {
            if let Ok(patterns) = Patterns::read(&[pattern]) {
                let _ = patterns.matches(&name);
            }
        }
    }
}
