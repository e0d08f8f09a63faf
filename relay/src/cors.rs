//! What a browser wants to be told before a page of another origin may read an answer of the relay's.
//!
//! A WebSocket needs none of it, but Socket.IO's long-polling and SignalR's negotiation are plain requests. Whether the page may talk to the
//! relay at all was decided before, by [`crate::origin`]; here that decision is only put into headers. Cookies mean nothing to the relay,
//! but the clients of both protocols ask for permission to send them.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

/// Whether a browser asks here if its page may send a request.
pub(crate) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to that, for a page that may: it may, with whatever headers it asks for.
pub(crate) fn preflight(headers: &HeaderMap) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let answer = response.headers_mut();
    answer.insert(
        ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST"),
    );
    if let Some(wanted) = headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    // Two hours are the most that Chromium keeps it.
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
    allow(headers, response)
}

/// Lets the page that sent a request with these headers read the answer.
pub(crate) fn allow(headers: &HeaderMap, mut response: Response) -> Response {
    let answer = response.headers_mut();
    // Whatever lies in between must not give one page's answer to another.
    answer.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = headers.get(ORIGIN) {
        answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        answer.insert(
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
    }
    response
}
