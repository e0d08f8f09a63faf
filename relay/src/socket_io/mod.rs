//! Socket.IO: which requests are its own, and what each gets.
//!
//! Clients of Socket.IO 1 to 4 connect to `/socket.io/`, by long-polling, over a WebSocket, or by the one first and the other then, as they do by
//! themselves. A namespace is a space. The event `message` with an envelope as its argument is a frame of the hub; other events aren't relayed.
//!
//! ```text
//! polling / socket ─ engine (packets of Engine.IO) ─ packet (of Socket.IO) ─ session ─ hub
//! ```
//!
//! Not socketioxide, whose server counts what waits for a client in packets and not in bytes, writes an event anew for each receiver, hands
//! each event to a task of its own, and (0.18.9) neither closes nor forgets a client that has stopped reading: its writer waits for
//! the connection without looking up. All of that is settled here by what the plain protocol has already: the hub's queues and its WebSockets.

pub mod engine;
pub mod packet;
mod polling;
mod session;
mod socket;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use self::engine::Version;
use self::session::{Session, Transport};
use crate::cors;
use crate::http::{refuse, wants_websocket};
use crate::server::Relay;
use crate::websocket;

pub(crate) use self::session::Sessions;

/// What is wrong with a request, in the numbers that clients know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    UnknownTransport,
    UnknownSession,
    BadHandshake,
    BadRequest,
    UnknownVersion,
}

fn problem(problem: Problem) -> Response {
    let (code, message) = match problem {
        Problem::UnknownTransport => (0, "Transport unknown: polling and websocket are known"),
        Problem::UnknownSession => (1, "Session ID unknown: connect anew"),
        Problem::BadHandshake => (2, "Bad handshake method: a session begins with GET"),
        Problem::BadRequest => (3, "Bad request"),
        Problem::UnknownVersion => (5, "Unsupported protocol version: EIO is 3 or 4"),
    };
    let body = format!("{{\"code\":{code},\"message\":\"{message}\"}}");
    let headers = [(CONTENT_TYPE, "application/json")];
    (StatusCode::BAD_REQUEST, headers, body).into_response()
}

/// Whether a request is Socket.IO's. A page may be served its client, `/socket.io/socket.io.js`, from a mount.
pub(crate) fn is_ours(uri: &Uri) -> bool {
    matches!(uri.path(), "/socket.io/" | "/socket.io") && member(uri, "EIO").is_some()
}

fn member<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    uri.query()?.split('&').find_map(|member| {
        let (key, value) = member.split_once('=')?;
        (key == name).then_some(value)
    })
}

/// Answers a request that is.
pub(crate) async fn answer(relay: &Arc<Relay>, request: Request) -> Response {
    if let Err(refusal) = relay.policy.check_origin(request.headers()) {
        return refuse(&refusal);
    }
    if wants_websocket(request.headers()) {
        return accept(relay, request);
    }
    let headers = request.headers().clone();
    if cors::is_preflight(request.method(), &headers) {
        return cors::preflight(&headers);
    }
    cors::allow(&headers, exchange(relay, request).await)
}

fn accept(relay: &Arc<Relay>, request: Request) -> Response {
    let uri = request.uri();
    let Some(version) = member(uri, "EIO").and_then(Version::from_query) else {
        return problem(Problem::UnknownVersion);
    };
    if member(uri, "transport") != Some("websocket") {
        return problem(Problem::UnknownTransport);
    }
    match member(uri, "sid") {
        None => socket::accept(relay, version, request),
        Some(id) => match relay.sessions.find(id) {
            Some(session) => socket::upgrade(relay, session, request),
            None => problem(Problem::UnknownSession),
        },
    }
}

async fn exchange(relay: &Arc<Relay>, request: Request) -> Response {
    let uri = request.uri();
    let Some(version) = member(uri, "EIO").and_then(Version::from_query) else {
        return problem(Problem::UnknownVersion);
    };
    match member(uri, "transport") {
        Some("polling") => {}
        Some("websocket") => return problem(Problem::BadRequest),
        _ => return problem(Problem::UnknownTransport),
    }
    let session = match member(uri, "sid").map(|id| relay.sessions.find(id)) {
        None => None,
        Some(Some(session)) => Some(session),
        Some(None) => return problem(Problem::UnknownSession),
    };
    match (request.method().clone(), session) {
        (Method::GET, None) => match websocket::place(relay) {
            Err(refusal) => *refusal,
            Ok(place) => match Session::begin(relay, version, Transport::Polling, place) {
                Some(session) => polling::first(&session),
                None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            },
        },
        (Method::GET, Some(session)) => polling::poll(&session, request.extensions().get()).await,
        (Method::POST, Some(session)) => {
            let (head, body) = request.into_parts();
            polling::post(relay, &session, &head.headers, body).await
        }
        _ => problem(Problem::BadHandshake),
    }
}
