//! Which requests are Socket.IO's, and what each is answered with.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::engine::Version;
use super::problem::Problem;
use super::session::{Transport, Visitor};
use super::sessions::Sessions;
use super::{polling, socket};
use crate::connection::is_upgrade;
use crate::protocols::query::member;
use crate::protocols::route::Route;
use crate::relay::Relay;

/// `/socket.io/`, except for plain WebSockets: those ask for nothing in the query. Socket.IO's
/// client is a file, `/socket.io/socket.io.js`.
pub(crate) fn routes(relay: Arc<Relay>) -> Route {
    Route {
        matches,
        service: Router::new()
            .fallback(answer)
            .with_state(Arc::new(Sessions::new(relay))),
    }
}

fn matches(request: &Parts) -> bool {
    let asks = |name: &&str| member(&request.uri, name).is_some();
    matches!(request.uri.path(), "/socket.io/" | "/socket.io")
        && (!is_upgrade(&request.headers) || ["EIO", "transport", "sid"].iter().any(asks))
}

async fn answer(State(sessions): State<Arc<Sessions>>, request: Request) -> Response {
    let answered = if is_upgrade(request.headers()) {
        websocket(&sessions, request)
    } else {
        exchange(&sessions, request).await
    };
    answered.unwrap_or_else(|refusal| *refusal)
}

fn refuse<T>(problem: Problem) -> Result<T, Box<Response>> {
    Err(Box::new(problem.into_response()))
}

fn version(request: &Request) -> Result<Version, Box<Response>> {
    let version = member(request.uri(), "EIO").and_then(|version| Version::from_query(&version));
    version.map_or_else(|| refuse(Problem::UnknownVersion), Ok)
}

fn websocket(sessions: &Arc<Sessions>, request: Request) -> Result<Response, Box<Response>> {
    let version = version(&request)?;
    if member(request.uri(), "transport").as_deref() != Some("websocket") {
        return refuse(Problem::UnknownTransport);
    }
    let session = match member(request.uri(), "sid") {
        None => return socket::accept(sessions, version, request),
        Some(id) => sessions.find(&id),
    };
    match session {
        Some(session) => socket::upgrade(&sessions.relay, session, request),
        None => refuse(Problem::UnknownSession),
    }
}

async fn exchange(sessions: &Arc<Sessions>, request: Request) -> Result<Response, Box<Response>> {
    let version = version(&request)?;
    match member(request.uri(), "transport").as_deref() {
        Some("polling") => {}
        Some("websocket") => return refuse(Problem::BadRequest),
        _ => return refuse(Problem::UnknownTransport),
    }
    let session = match member(request.uri(), "sid").map(|id| sessions.find(&id)) {
        None => None,
        Some(Some(session)) => Some(session),
        Some(None) => return refuse(Problem::UnknownSession),
    };
    if session
        .as_ref()
        .is_some_and(|session| session.transport() == Transport::WebSocket)
    {
        return refuse(Problem::BadRequest);
    }
    match (request.method().clone(), session) {
        (Method::GET, None) => {
            let place = sessions.relay.admit_session(request.extensions())?;
            let visitor = Visitor::of(&request);
            let begun = sessions.begin(version, Transport::Polling, visitor, place);
            let session = begun.await?;
            Ok(polling::first(&session))
        }
        (Method::GET, Some(session)) => {
            Ok(polling::poll(&session, request.extensions().get()).await)
        }
        (Method::POST, Some(session)) => {
            let (head, body) = request.into_parts();
            Ok(polling::post(&sessions.relay, &session, &head.headers, body).await)
        }
        _ => refuse(Problem::BadHandshake),
    }
}
