//! What a request gets: a WebSocket, a file, or a sentence.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{UPGRADE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};

use crate::origin::Refusal;
use crate::server::Relay;
use crate::signalr;
use crate::socket_io;
use crate::websocket;

/// The service that answers every request to a relay.
pub(crate) fn router(relay: Arc<Relay>) -> Router {
    Router::new()
        .fallback(answer)
        .layer(middleware::from_fn_with_state(Arc::clone(&relay), guard))
        .with_state(relay)
}

/// What holds for every request and every answer.
async fn guard(State(relay): State<Arc<Relay>>, request: Request, next: Next) -> Response {
    let mut response = match relay.policy.check_host(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refuse(&refusal),
    };
    response
        .headers_mut()
        .insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn answer(State(relay): State<Arc<Relay>>, request: Request) -> Response {
    if socket_io::is_ours(request.uri()) {
        return socket_io::answer(&relay, request).await;
    }
    let request = match signalr::answer(&relay, request) {
        Ok(response) => return response,
        Err(request) => *request,
    };
    if wants_websocket(request.headers()) {
        return match relay.policy.check_origin(request.headers()) {
            Ok(()) => websocket::accept(&relay, request),
            Err(refusal) => refuse(&refusal),
        };
    }
    let path = request.uri().path().to_owned();
    let reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let response = relay.files.serve(request).await;
    match path.as_str() {
        _ if response.status() != StatusCode::NOT_FOUND || !reading => response,
        "/healthz" => "ok\n".into_response(),
        "/" if !relay.files.covers("/") => ABOUT.into_response(),
        path => signalr::proxy::answer(path).unwrap_or(response),
    }
}

const ABOUT: &str = concat!(
    "This is signal-relay ",
    env!("CARGO_PKG_VERSION"),
    ".\n\n\
     It relays WebRTC signaling: each text frame of a WebSocket goes to all others that are connected under the same path.\n\
     Connect with new WebSocket('ws://…/my-room'), with io('http://…/my-room') of Socket.IO, or to the SignalR hub http://…/my-room/hub.\n\
     To see pages here, start it with --mount /=FOLDER.\n"
);

pub(crate) fn wants_websocket(headers: &HeaderMap) -> bool {
    let values = headers
        .get_all(UPGRADE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values
        .flat_map(|value| value.split(','))
        .any(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
}

pub(crate) fn refuse(refusal: &Refusal) -> Response {
    tracing::warn!("refused: {:?}", refusal.to_string());
    (StatusCode::FORBIDDEN, format!("{refusal}\n")).into_response()
}
