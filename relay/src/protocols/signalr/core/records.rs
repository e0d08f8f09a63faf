//! Splits frames into records: the JSON hub protocol ends each of its messages with the character
//! U+001E, and a frame may hold several, or a part of one.

use std::borrow::Cow;
use std::fmt;

/// Ends each record.
pub const SEPARATOR: char = '\u{1e}';

/// A record is longer than the limit, which is this many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong(pub usize);

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a record is longer than {} bytes", self.0)
    }
}

impl std::error::Error for TooLong {}

/// Splits frames into records. It keeps the beginning of an unfinished record, up to the limit.
#[derive(Clone, Debug)]
pub struct Splitter {
    longest: usize,
    begun: String,
}

impl Splitter {
    /// Records may have up to `longest` bytes.
    #[must_use]
    pub fn new(longest: usize) -> Self {
        Self {
            longest,
            begun: String::new(),
        }
    }

    /// How many bytes it keeps of an unfinished record.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.begun.capacity()
    }

    /// The records that end in this frame. They are slices of it, except for a first one that began
    /// in an earlier frame. What [`Records::rest`] returns at last must be split, too. Nothing
    /// follows an error.
    pub fn split<'a>(&'a mut self, frame: &'a str) -> Records<'a> {
        Records {
            splitter: self,
            rest: frame,
        }
    }
}

/// The records of one frame; see [`Splitter::split`].
#[derive(Debug)]
pub struct Records<'a> {
    splitter: &'a mut Splitter,
    rest: &'a str,
}

impl<'a> Records<'a> {
    /// What follows the last record.
    #[must_use]
    pub fn rest(&self) -> &'a str {
        self.rest
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Cow<'a, str>, TooLong>;

    fn next(&mut self) -> Option<Self::Item> {
        let Splitter { longest, begun } = &mut *self.splitter;
        let (part, ended) = match self.rest.split_once(SEPARATOR) {
            Some((part, rest)) => {
                self.rest = rest;
                (part, true)
            }
            None => (std::mem::take(&mut self.rest), false),
        };
        if begun.len() + part.len() > *longest {
            self.rest = "";
            *begun = String::new();
            return Some(Err(TooLong(*longest)));
        }
        if ended && begun.is_empty() {
            return Some(Ok(Cow::Borrowed(part)));
        }
        begun.push_str(part);
        ended.then(|| Ok(Cow::Owned(std::mem::take(begun))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn all(splitter: &mut Splitter, frame: &str) -> Result<Vec<String>, TooLong> {
        splitter
            .split(frame)
            .map(|record| record.map(Cow::into_owned))
            .collect()
    }

    #[test]
    fn whole_records_are_not_copied() {
        let mut splitter = Splitter::new(100);
        let frame = "one\u{1e}two\u{1e}";
        let records: Vec<_> = splitter
            .split(frame)
            .map(Result::unwrap_or_default)
            .collect();
        assert_eq!(records, ["one", "two"]);
        assert!(
            records
                .iter()
                .all(|record| matches!(record, Cow::Borrowed(_)))
        );
    }

    #[test]
    fn the_limit_holds_for_each_record_and_for_what_is_kept() {
        let mut splitter = Splitter::new(4);
        assert_eq!(
            all(&mut splitter, "1234\u{1e}1234\u{1e}12"),
            Ok(vec!["1234".into(), "1234".into()])
        );
        assert_eq!(all(&mut splitter, "34\u{1e}"), Ok(vec!["1234".into()]));
        assert_eq!(all(&mut splitter, "12345\u{1e}"), Err(TooLong(4)));
        assert_eq!(all(&mut splitter, "123"), Ok(vec![]));
        assert_eq!(all(&mut splitter, "45"), Err(TooLong(4)));
        // An emoji has four bytes.
        assert_eq!(all(&mut Splitter::new(3), "😀\u{1e}"), Err(TooLong(3)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_split_of_any_stream_gives_the_same_records(
            records in vec("[^\u{1e}]{0,20}", 0..8),
            cuts in vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let stream: String = records.iter().flat_map(|record| [record.as_str(), "\u{1e}"]).collect();
            let characters: Vec<char> = stream.chars().collect();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(characters.len() + 1)).collect();
            places.extend([0, characters.len()]);
            places.sort_unstable();

            let mut splitter = Splitter::new(stream.len());
            let mut found = Vec::new();
            for pair in places.windows(2) {
                if let [from, to] = *pair {
                    let frame: String = characters.iter().skip(from).take(to - from).collect();
                    found.extend(all(&mut splitter, &frame)?);
                }
            }
            prop_assert_eq!(found, records);
        }

        #[test]
        fn no_frames_panic_and_nothing_over_the_limit_is_kept(frames in vec(any::<String>(), 0..20), longest in 0..40_usize) {
            let mut splitter = Splitter::new(longest);
            for frame in frames {
                for record in splitter.split(&frame) {
                    prop_assert!(record.map_or(0, |record| record.len()) <= longest);
                }
                prop_assert!(splitter.begun.len() <= longest);
            }
        }
    }
}
