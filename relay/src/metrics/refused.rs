//! Which refusals are counted, and under which reason.

use axum::http::StatusCode;
use axum::response::Response;

/// Marks an answer as a refusal for a reason that its status doesn't tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refused(&'static str);

impl Refused {
    /// Marks an answer, unless it is marked.
    pub(crate) fn mark(mut response: Response, reason: &'static str) -> Response {
        let extensions = response.extensions_mut();
        if extensions.get::<Self>().is_none() {
            extensions.insert(Self(reason));
        }
        response
    }

    /// Why a request was refused, if it was.
    pub(crate) fn reason(response: &Response) -> Option<&'static str> {
        if let Some(Self(reason)) = response.extensions().get() {
            return Some(reason);
        }
        match response.status() {
            StatusCode::BAD_REQUEST => Some("bad request"),
            StatusCode::UNAUTHORIZED => Some("token"),
            StatusCode::FORBIDDEN => Some("forbidden"),
            StatusCode::REQUEST_TIMEOUT => Some("too slow"),
            StatusCode::PAYLOAD_TOO_LARGE => Some("too large"),
            StatusCode::URI_TOO_LONG => Some("space name too long"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Some("media type"),
            StatusCode::UPGRADE_REQUIRED => Some("no websocket"),
            StatusCode::TOO_MANY_REQUESTS => Some("rate"),
            StatusCode::SERVICE_UNAVAILABLE => Some("unavailable"),
            _ => None,
        }
    }
}
