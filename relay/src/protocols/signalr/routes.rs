//! Which addresses are SignalR's, and what each is answered with.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::ACCESS_CONTROL_REQUEST_METHOD;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::classic::socket::WEBSOCKETS_ONLY;
use super::state::SignalR;
use super::timing::Timing;
use super::{classic, core, negotiate};
use crate::address::ClientAddress;
use crate::auth::admission::Admission;
use crate::base_path::BasePath;
use crate::connection::is_upgrade;
use crate::limits::LONGEST_SPACE;
use crate::protocols::query::member;
use crate::protocols::route::Route;
use crate::relay::Relay;

/// The addresses of both kinds of hub.
pub(crate) fn routes(relay: Arc<Relay>, timing: Timing, base_path: BasePath) -> Route {
    Route {
        matches,
        service: Router::new()
            .fallback(answer)
            .with_state(Arc::new(SignalR::new(relay, timing, base_path))),
    }
}

/// An address of SignalR.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    space: String,
    /// The address of a hub of SignalR 2, without the relay's base path.
    base: String,
    step: Step,
}

/// What a client does at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    CoreNegotiate,
    CoreConnect,
    Negotiate,
    Connect,
    Reconnect,
    Start,
    Abort,
    Ping,
    /// Requests of other transports.
    Send,
}

impl Address {
    fn of(path: &str) -> Option<Self> {
        let (base, last) = path.strip_suffix('/').unwrap_or(path).rsplit_once('/')?;
        let core = |base: &str| base.strip_suffix("/hub").map(str::to_owned);
        let (step, space) = match last {
            "hub" => (Step::CoreConnect, Some(base.to_owned())),
            "negotiate" if core(base).is_some() => (Step::CoreNegotiate, core(base)),
            "negotiate" => (Step::Negotiate, None),
            "connect" => (Step::Connect, None),
            "reconnect" => (Step::Reconnect, None),
            "start" => (Step::Start, None),
            "abort" => (Step::Abort, None),
            "ping" => (Step::Ping, None),
            "send" | "poll" => (Step::Send, None),
            _ => return None,
        };
        let space = match space {
            Some(space) => space,
            None => base
                .strip_suffix("/hubs")
                .unwrap_or(base)
                .strip_suffix("/signalr")?
                .to_owned(),
        };
        Some(Self {
            space: or_root(space),
            base: base.to_owned(),
            step,
        })
    }
}

/// The name of a space. Addresses leave out that of the root.
fn or_root(space: String) -> String {
    if space.is_empty() {
        "/".to_owned()
    } else {
        space
    }
}

fn matches(request: &Parts) -> bool {
    let Some(Address { step, .. }) = Address::of(request.uri.path()) else {
        return false;
    };
    let websocket = is_upgrade(&request.headers);
    let preflight = request.method == Method::OPTIONS
        && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let reading = matches!(request.method, Method::GET | Method::HEAD);
    let posting = request.method == Method::POST;
    match step {
        Step::CoreNegotiate => !websocket && (preflight || posting),
        // Without an id, and not for a WebSocket, it may be for a file of that name.
        Step::CoreConnect => websocket || !reading || member(&request.uri, "id").is_some(),
        Step::Connect | Step::Reconnect => websocket || preflight || reading || posting,
        Step::Negotiate | Step::Start | Step::Abort | Step::Ping | Step::Send => {
            !websocket && (preflight || reading || posting)
        }
    }
}

async fn answer(State(state): State<Arc<SignalR>>, request: Request) -> Response {
    match Address::of(request.uri().path()) {
        Some(address) => dispatch(&state, address, request).unwrap_or_else(|refusal| *refusal),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn dispatch(
    state: &Arc<SignalR>,
    Address { space, base, step }: Address,
    request: Request,
) -> Result<Response, Box<Response>> {
    let uri = request.uri().clone();
    if space.len() > LONGEST_SPACE {
        let sentence = format!("A space's name has at most {LONGEST_SPACE} bytes.\n");
        return Err(Box::new(
            (StatusCode::URI_TOO_LONG, sentence).into_response(),
        ));
    }
    let address = ClientAddress::of(request.extensions());
    let websocket = is_upgrade(request.headers());
    if websocket && step == Step::CoreConnect {
        return core::socket::accept(state, &space, request);
    }
    let access = Admission::of(request.extensions()).enter(&space)?;
    match step {
        Step::Connect if websocket => classic::socket::connect(state, &space, access, request),
        Step::Reconnect if websocket => classic::socket::reconnect(state, &space, access, request),
        Step::CoreConnect | Step::Connect | Step::Reconnect | Step::Send => {
            Ok((StatusCode::BAD_REQUEST, WEBSOCKETS_ONLY).into_response())
        }
        Step::CoreNegotiate => negotiate::core(state, &space, address, &uri),
        Step::Negotiate => {
            let base = format!("{}{base}", state.base_path.prefix());
            negotiate::classic(state, &space, address, &base, &uri)
        }
        Step::Ping => Ok(negotiate::word(&uri, "pong")),
        Step::Start => match state.session(&space, &uri) {
            Some(_) => Ok(negotiate::word(&uri, "started")),
            None => Ok(negotiate::unknown()),
        },
        Step::Abort => {
            if let Some(session) = state.session(&space, &uri) {
                state.sessions.end(&session);
            }
            Ok(StatusCode::OK.into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_name_the_space_and_the_step() {
        for (path, space, base, step) in [
            ("/hub", "/", "", Step::CoreConnect),
            ("/hub/", "/", "", Step::CoreConnect),
            ("/hub/negotiate", "/", "/hub", Step::CoreNegotiate),
            ("/my-room/hub", "/my-room", "/my-room", Step::CoreConnect),
            (
                "/a/b/hub/negotiate",
                "/a/b",
                "/a/b/hub",
                Step::CoreNegotiate,
            ),
            ("/signalr/negotiate", "/", "/signalr", Step::Negotiate),
            (
                "/signalr/hubs/negotiate",
                "/",
                "/signalr/hubs",
                Step::Negotiate,
            ),
            ("/a/signalr/connect", "/a", "/a/signalr", Step::Connect),
            (
                "/a/signalr/hubs/reconnect",
                "/a",
                "/a/signalr/hubs",
                Step::Reconnect,
            ),
            ("/signalr/start", "/", "/signalr", Step::Start),
            ("/signalr/abort", "/", "/signalr", Step::Abort),
            ("/signalr/ping", "/", "/signalr", Step::Ping),
            ("/signalr/poll", "/", "/signalr", Step::Send),
            ("/signalr/send", "/", "/signalr", Step::Send),
        ] {
            let (space, base) = (space.to_owned(), base.to_owned());
            assert_eq!(
                Address::of(path),
                Some(Address { space, base, step }),
                "{path}"
            );
        }
        for path in [
            "/",
            "",
            "/github",
            "/hubs",
            "/signalr",
            "/signalr/hubs",
            "/negotiate",
            "/xsignalr/negotiate",
            "/hub/connect",
            "/hub/x",
            "/ping",
        ] {
            assert_eq!(Address::of(path), None, "{path}");
        }
    }
}
