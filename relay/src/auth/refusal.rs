//! Why a token is refused.

use std::borrow::Cow;
use std::fmt;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};

use crate::metrics::Refused;

/// Why a connection is refused. The text never holds the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    kind: Kind,
    why: Cow<'static, str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Missing,
    Invalid,
    Forbidden,
    Unavailable,
}

impl Refusal {
    /// There is no token.
    pub const MISSING: Self = Self {
        kind: Kind::Missing,
        why: Cow::Borrowed("a token is needed here"),
    };
    /// The token has expired.
    pub const EXPIRED: Self = Self {
        kind: Kind::Invalid,
        why: Cow::Borrowed("the token has expired"),
    };
    /// The token is valid, but not for the space.
    pub const OTHER_SPACE: Self = Self {
        kind: Kind::Forbidden,
        why: Cow::Borrowed("the token isn't for this space"),
    };
    /// The token is another user's than the one before.
    pub const OTHER_USER: Self = Self {
        kind: Kind::Forbidden,
        why: Cow::Borrowed("the new token is another user's: connect again"),
    };

    /// The claims of the token have other types, or some are missing.
    pub(super) const WRONG_CLAIMS: Self = Self {
        kind: Kind::Invalid,
        why: Cow::Borrowed(
            "the token isn't valid: its claims must be sub (a string), exp (a number), spaces (a list of patterns) \
             and, if present, nbf (a number), publish and subscribe (lists of patterns)",
        ),
    };

    /// The token isn't valid.
    pub(super) fn invalid(why: impl fmt::Display) -> Self {
        Self {
            kind: Kind::Invalid,
            why: format!("the token isn't valid: {why}").into(),
        }
    }

    /// Whoever decides gave no answer.
    pub(super) fn unavailable(why: &'static str) -> Self {
        Self {
            kind: Kind::Unavailable,
            why: why.into(),
        }
    }

    /// Whether there is no token.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.kind == Kind::Missing
    }

    /// Whether a later attempt with the same token may succeed.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        self.kind == Kind::Unavailable
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, challenge) = match self.kind {
            Kind::Missing => (StatusCode::UNAUTHORIZED, "Bearer"),
            Kind::Invalid => (StatusCode::UNAUTHORIZED, "Bearer error=\"invalid_token\""),
            Kind::Forbidden => (StatusCode::FORBIDDEN, "Bearer error=\"insufficient_scope\""),
            Kind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Bearer"),
        };
        let headers = [(WWW_AUTHENTICATE, challenge), (CACHE_CONTROL, "no-store")];
        let response = (status, headers, format!("Refused: {self}.\n")).into_response();
        Refused::mark(response, "token")
    }
}

impl From<Refusal> for Box<Response> {
    fn from(refusal: Refusal) -> Self {
        tracing::debug!("refused: {refusal}");
        Self::new(refusal.into_response())
    }
}
