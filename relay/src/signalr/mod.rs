//! SignalR: which addresses are those of hubs, and who answers there.
//!
//! | address | |
//! | --- | --- |
//! | `<space>/hub` | the hub for clients of ASP.NET Core SignalR ([`core`]) |
//! | `<space>/signalr`, `<space>/signalr/hubs` | the hub for clients of ASP.NET SignalR 2 ([`classic`]); the script at `/hubs` or `/js` is [`proxy`]'s |
//!
//! Both have the method `Send(string)` and call `onMessageReceived(string)` of their clients. The string is a frame of the plain protocol, and
//! clients of both are members of the space like all others.

pub mod classic;
mod classic_socket;
pub mod core;
mod core_socket;
pub mod history;
pub mod method;
mod negotiate;
pub mod proxy;
pub mod query;
pub mod records;
pub mod tickets;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

use self::classic_socket::Session;
use self::query::Query;
use self::tickets::{Secret, Tickets};
use crate::config::Config;
use crate::cors;
use crate::http::{refuse, wants_websocket};
use crate::server::Relay;

/// How long SignalR's clients and the relay wait for each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// From the negotiation to the WebSocket.
    pub ticket: Duration,
    /// Core: from the WebSocket to the handshake.
    pub handshake: Duration,
    /// Core: the relay says something at least so often, for its clients take it for lost after twice the time. More often if
    /// [`Config::ping`] is shorter.
    pub ping: Duration,
    /// Classic: clients take a relay for lost that was silent for so long. It says something twice as often, or as often as
    /// [`Config::ping`] has it if that is shorter.
    pub keep_alive: Duration,
    /// Classic: from a loss to the reconnection.
    pub resume: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            ticket: Duration::from_secs(15),
            handshake: Duration::from_secs(15),
            ping: Duration::from_secs(15),
            keep_alive: Duration::from_secs(20),
            resume: Duration::from_secs(30),
        }
    }
}

/// What a client is told that comes by another transport.
const WEBSOCKETS_ONLY: &str =
    "Only the transport webSockets is offered here, and this request isn't for a WebSocket.\n";

/// The longest text that a client may send at once: a frame of the greatest length, and what the protocols put around it. Within a string
/// each quotation mark and backslash of a JSON text takes two characters; there is nothing else in it that must be escaped.
fn longest(config: &Config) -> usize {
    config.max_frame.saturating_mul(2).saturating_add(4096)
}

/// What a ticket is good for.
#[derive(Debug)]
struct Admission {
    hub: Hub,
    space: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hub {
    Core,
    Classic,
}

/// What the relay remembers of SignalR's clients between their requests.
#[derive(Debug)]
pub(crate) struct Clients {
    tickets: Mutex<Tickets<Admission>>,
    /// The connections of SignalR 2, those included that were lost and may come back. Each holds a place of the relay's.
    sessions: Mutex<HashMap<Secret, Arc<Session>>>,
}

impl Clients {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            tickets: Mutex::new(Tickets::new(config.connections, config.signalr.ticket)),
            sessions: Mutex::default(),
        }
    }

    fn issue(&self, secret: Secret, hub: Hub, space: &str) {
        let admission = Admission {
            hub,
            space: space.into(),
        };
        self.tickets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .issue(secret, admission, Instant::now());
    }

    fn redeem(&self, digits: &str, hub: Hub, space: &str) -> Option<Secret> {
        let (secret, _) = self
            .tickets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .redeem(digits, Instant::now(), |admission| {
                admission.hub == hub && *admission.space == *space
            })?;
        Some(secret)
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Secret, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection of SignalR 2 that a request with this query is about.
    fn session(&self, space: &str, query: Query<'_>) -> Option<Arc<Session>> {
        let digits = query.get("connectionToken")?;
        let session = self.sessions().get(&*digits).cloned()?;
        (session.space() == space).then_some(session)
    }
}

/// An address of SignalR's.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    space: String,
    /// Where a hub of SignalR 2 is, as the client sees it.
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
    /// What only clients of other transports do.
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

/// The name of a space, of which the addresses leave out that of the root.
fn or_root(space: String) -> String {
    if space.is_empty() {
        "/".to_owned()
    } else {
        space
    }
}

/// Answers a request if it is for SignalR, and gives it back if it isn't.
pub(crate) fn answer(relay: &Arc<Relay>, request: Request) -> Result<Response, Box<Request>> {
    let Some(Address { space, base, step }) = Address::of(request.uri().path()) else {
        return Err(Box::new(request));
    };
    let (headers, method) = (request.headers().clone(), request.method().clone());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let query = Query::new(Some(&query));
    let websocket = wants_websocket(&headers);
    let preflight = cors::is_preflight(&method, &headers);
    let reading = matches!(method, Method::GET | Method::HEAD);
    let asking = preflight || reading || method == Method::POST;
    let ours = match step {
        Step::CoreNegotiate => !websocket && (preflight || method == Method::POST),
        // Without an id, and not for a WebSocket, it may be for a file of that name.
        Step::CoreConnect => websocket || !reading || query.get("id").is_some(),
        Step::Connect | Step::Reconnect => websocket || asking,
        Step::Negotiate | Step::Start | Step::Abort | Step::Ping | Step::Send => {
            !websocket && asking
        }
    };
    if !ours {
        return Err(Box::new(request));
    }
    if let Err(refusal) = relay.policy.check_origin(&headers) {
        return Ok(refuse(&refusal));
    }
    if preflight {
        return Ok(cors::preflight(&headers));
    }
    let websockets_only = || (StatusCode::BAD_REQUEST, WEBSOCKETS_ONLY).into_response();
    let response = match step {
        Step::CoreConnect if websocket => {
            core_socket::accept(relay, &space, query, request).unwrap_or_else(|refusal| *refusal)
        }
        Step::Connect if websocket => classic_socket::connect(relay, &space, query, request)
            .unwrap_or_else(|refusal| *refusal),
        Step::Reconnect if websocket => classic_socket::reconnect(relay, &space, query, request)
            .unwrap_or_else(|refusal| *refusal),
        Step::CoreConnect | Step::Connect | Step::Reconnect | Step::Send => websockets_only(),
        Step::CoreNegotiate => negotiate::core(relay, &space, query),
        Step::Negotiate => negotiate::classic(relay, &space, &base, query),
        Step::Ping => negotiate::word(query, "pong"),
        Step::Start => match relay.signalr.session(&space, query) {
            Some(_) => negotiate::word(query, "started"),
            None => negotiate::unknown(),
        },
        Step::Abort => {
            if let Some(session) = relay.signalr.session(&space, query) {
                session.end(&relay.signalr);
            }
            StatusCode::OK.into_response()
        }
    };
    Ok(cors::allow(&headers, response))
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
