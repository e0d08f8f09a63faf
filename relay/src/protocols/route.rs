//! The seam between protocols and the HTTP server: which requests are a protocol's, and what
//! answers them.

use axum::Router;
use axum::http::request::Parts;

/// The requests of one protocol.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// Whether a request is this protocol's.
    pub(crate) matches: fn(&Parts) -> bool,
    /// Answers such requests.
    pub(crate) service: Router,
}
