//! The path under which a relay is found, where a proxy in front of it gives it only a part of a
//! site: `--base-path /signal`.
//!
//! A proxy may pass such requests on as they are, or remove the prefix first. Both work, because the
//! relay removes the prefix where a path has it, before anything else looks at the path: protocols,
//! spaces and files know nothing of it. Only addresses that the relay itself hands out begin with
//! it: redirects of folders, and those of ASP.NET SignalR.
//!
//! So the same request means the same with and without the prefix, and the checks of a proxy on the
//! same machine need none.

use std::fmt;
use std::str::FromStr;

use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// The path under which a relay is found from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(
    /// Without a slash at its end, so it is empty for `/`.
    String,
);

/// Why a text isn't a base path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BasePathError(String);

impl fmt::Display for BasePathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BasePathError {}

impl FromStr for BasePath {
    type Err = BasePathError;

    fn from_str(text: &str) -> Result<Self, BasePathError> {
        if !text.starts_with('/') {
            return Err(BasePathError(format!(
                "a base path begins with a slash: did you mean /{text}?"
            )));
        }
        let path = text.strip_suffix('/').unwrap_or(text);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_~!$'()*+,;@:.".contains(c);
        let named =
            |part: &str| !part.is_empty() && !matches!(part, "." | "..") && part.chars().all(plain);
        if !path.split('/').skip(1).all(named) {
            return Err(BasePathError(format!(
                "{text} isn't a path that a proxy passes on as it is: use letters, digits, hyphens \
                 and single slashes, for example /signal"
            )));
        }
        Ok(Self(path.to_owned()))
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "/" } else { &self.0 })
    }
}

/// What a request's address is, seen from inside.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Inside {
    /// It has no prefix.
    Same,
    /// It is this one.
    Uri(Uri),
    /// It is the base path without its last slash, and this is the address with it. The relative
    /// links of a page at the first would lead elsewhere.
    Folder(String),
}

impl BasePath {
    /// What addresses begin with that the relay hands out: empty, or a path without a slash at its
    /// end.
    pub(crate) fn prefix(&self) -> &str {
        &self.0
    }

    /// Whether a path begins with it, unless it is `/`.
    pub(crate) fn covers(&self, path: &str) -> bool {
        self.rest(path).is_some()
    }

    /// What follows the prefix in a path.
    fn rest<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(&*self.0)?;
        let whole = rest.is_empty() || rest.starts_with('/');
        (whole && !self.0.is_empty()).then_some(rest)
    }

    /// Removes the prefix from the address of a request.
    pub(crate) fn inside(&self, uri: &Uri) -> Inside {
        let Some(rest) = self.rest(uri.path()) else {
            return Inside::Same;
        };
        let query = uri.query().map(|query| format!("?{query}"));
        let query = query.unwrap_or_default();
        if rest.is_empty() {
            return Inside::Folder(format!("{}/{query}", self.0));
        }
        match PathAndQuery::try_from(format!("{rest}{query}")) {
            Ok(inside) => Inside::Uri(Uri::from(inside)),
            Err(_) => Inside::Same,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_base_path_is_a_plain_path() {
        for (text, canonical) in [
            ("/", "/"),
            ("/signal", "/signal"),
            ("/signal/", "/signal"),
            ("/apps/signal-1.0", "/apps/signal-1.0"),
        ] {
            assert_eq!(text.parse::<BasePath>().unwrap().to_string(), canonical);
        }
        for text in [
            "",
            "signal",
            "//",
            "//signal",
            "/a//b",
            "/a b",
            "/a%20b",
            "/a?b",
            "/a#b",
            "/..",
            "/a/./b",
            "/ä",
            "/a\"b",
            "https://example.org/signal",
        ] {
            assert!(text.parse::<BasePath>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_prefix_is_removed_where_it_is() {
        let same = || Inside::Same;
        let inside = |text: &str| Inside::Uri(text.parse().unwrap());
        let folder = |text: &str| Inside::Folder(text.to_owned());
        for (base, outside, expected) in [
            ("/signal", "/signal/", inside("/")),
            (
                "/signal",
                "/signal/room?a=/signal",
                inside("/room?a=/signal"),
            ),
            ("/signal", "/signal/signal/room", inside("/signal/room")),
            ("/signal", "/signal//room", inside("//room")),
            ("/signal", "/signal", folder("/signal/")),
            ("/signal", "/signal?a=1", folder("/signal/?a=1")),
            ("/signal", "/", same()),
            ("/signal", "/room", same()),
            ("/signal", "/signals/room", same()),
            ("/signal", "/room/signal/", same()),
            ("/a/b", "/a/b/c", inside("/c")),
            ("/a/b", "/a/c", same()),
            ("/", "/", same()),
            ("/", "/room", same()),
            ("/signal", "*", same()),
        ] {
            let base: BasePath = base.parse().unwrap();
            assert_eq!(
                base.inside(&outside.parse().unwrap()),
                expected,
                "{outside}"
            );
        }
    }
}
