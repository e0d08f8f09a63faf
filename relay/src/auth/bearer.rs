//! Where a request carries its token: the query's `access_token` or `token`, or
//! `Authorization: Bearer`.

use std::borrow::Cow;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use signal_wire::frames::LONGEST_TOKEN;

/// The members of a query that may be a token. The first is SignalR's name for it.
const MEMBERS: [&str; 2] = ["access_token", "token"];

/// The token of a request. A token that is too long counts as missing.
pub(super) fn token(request: &Parts) -> Option<Cow<'_, str>> {
    header(request)
        .map(Cow::Borrowed)
        .or_else(|| member(request))
        .filter(|token| !token.is_empty() && token.len() <= LONGEST_TOKEN)
}

fn header(request: &Parts) -> Option<&str> {
    let value = request.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_matches(' '))
}

fn member(request: &Parts) -> Option<Cow<'_, str>> {
    let query = request.uri.query()?.as_bytes();
    MEMBERS.iter().find_map(|name| {
        form_urlencoded::parse(query).find_map(|(key, value)| (key == *name).then_some(value))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::http::Request;

    use super::*;

    fn found(uri: &str, authorization: Option<&str>) -> Option<String> {
        let mut request = Request::builder().uri(uri);
        if let Some(value) = authorization {
            request = request.header(AUTHORIZATION, value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        token(&head).map(Cow::into_owned)
    }

    #[test]
    fn a_token_is_in_the_query_or_the_header() {
        for (uri, authorization, expected) in [
            ("/", None, None),
            ("/?access_token=a%2Eb", None, Some("a.b")),
            ("/?x=1&token=a", None, Some("a")),
            ("/?token=a&access_token=b", None, Some("b")),
            ("/?token=a", Some("Bearer b"), Some("b")),
            ("/?token=a", Some("Basic b"), Some("a")),
            ("/", Some("bearer  a "), Some("a")),
            ("/", Some("Bearer"), None),
            ("/?token=", None, None),
            ("/?id=a&Token=b", None, None),
        ] {
            assert_eq!(
                found(uri, authorization).as_deref(),
                expected,
                "{uri} {authorization:?}"
            );
        }
        let long = format!("/?token={}", "a".repeat(LONGEST_TOKEN + 1));
        assert_eq!(found(&long, None), None);
    }
}
