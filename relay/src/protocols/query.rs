//! Reading the query of an address.

use std::borrow::Cow;

use axum::http::Uri;

/// The value of the first member with this name, decoded.
pub(crate) fn member<'a>(uri: &'a Uri, name: &str) -> Option<Cow<'a, str>> {
    form_urlencoded::parse(uri.query()?.as_bytes())
        .find_map(|(key, value)| (key == name).then_some(value))
}
