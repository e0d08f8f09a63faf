//! Reading the query of a URL.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The members of a query, as they are written.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    /// The query of a URL that has one, or none.
    #[must_use]
    pub fn new(query: Option<&'a str>) -> Self {
        Self(query.unwrap_or_default())
    }

    /// The value of the first member of this name, decoded; what isn't UTF-8 in it becomes replacement characters.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Cow<'a, str>> {
        self.0.split('&').find_map(|member| {
            let (key, value) = member.split_once('=').unwrap_or((member, ""));
            (decoded(key) == name).then(|| decoded(value))
        })
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        return Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned());
    }
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_and_decoded() {
        let query = Query::new(Some("a=1&b=%7B%22x%22+%2b%7d&=3&c&a=2&d=e=f&%67=h"));
        let get = |name| query.get(name).map(Cow::into_owned);
        assert_eq!(get("a").as_deref(), Some("1"));
        assert_eq!(get("b").as_deref(), Some("{\"x\" +}"));
        assert_eq!(get("c").as_deref(), Some(""));
        assert_eq!(get("d").as_deref(), Some("e=f"));
        assert_eq!(get("g").as_deref(), Some("h"));
        assert_eq!(get("A"), None);
        assert_eq!(Query::new(None).get("a"), None);
        assert_eq!(
            Query::new(Some("a=%ff%")).get("a").as_deref(),
            Some("\u{fffd}%")
        );
    }
}
