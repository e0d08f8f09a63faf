//! What is wrong with a request, in the numbers that clients know.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    UnknownTransport,
    UnknownSession,
    BadHandshake,
    BadRequest,
    UnknownVersion,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (code, message) = match self {
            Self::UnknownTransport => (0, "Transport unknown: polling and websocket are known"),
            Self::UnknownSession => (1, "Session ID unknown: connect again"),
            Self::BadHandshake => (2, "Bad handshake method: a session begins with GET"),
            Self::BadRequest => (3, "Bad request"),
            Self::UnknownVersion => (5, "Unsupported protocol version: EIO is 2, 3 or 4"),
        };
        let body = format!("{{\"code\":{code},\"message\":\"{message}\"}}");
        let headers = [(CONTENT_TYPE, "application/json")];
        (StatusCode::BAD_REQUEST, headers, body).into_response()
    }
}
