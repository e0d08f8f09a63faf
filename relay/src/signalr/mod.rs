//! SignalR: which addresses are those of hubs, and who answers there.
//!
//! | address | |
//! | --- | --- |
//! | `<space>/hub` | the hub for clients of ASP.NET Core SignalR ([`core`]) |
//! | `<space>/signalr`, `<space>/signalr/hubs` | the hub for clients of ASP.NET SignalR 2 |
//!
//! Both have the method `Send(string)` and call `onMessageReceived(string)` of their clients. The string is a frame of the plain protocol, and
//! clients of both are members of the space like all others.

pub mod core;
mod core_socket;
mod negotiate;
pub mod query;
pub mod records;
pub mod tickets;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::Instant;

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
    /// Core: the relay says something at least so often.
    pub ping: Duration,
    /// Core: a client that was silent for so long is dropped.
    pub silence: Duration,
    /// Classic: clients take a relay for lost that was silent for so long. It says something twice as often.
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
            silence: Duration::from_secs(30),
            keep_alive: Duration::from_secs(20),
            resume: Duration::from_secs(30),
        }
    }
}

/// What a client is told whose string can't be published.
const NO_ENVELOPE: &str = "The string is no envelope: Send takes the JSON text of {message, channel}, where channel is the channel's name.";
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
    #[expect(dead_code, reason = "its hub comes with the next commit")]
    Classic,
}

/// What the relay remembers of SignalR's clients between their requests.
#[derive(Debug)]
pub(crate) struct Clients {
    tickets: Mutex<Tickets<Admission>>,
}

impl Clients {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            tickets: Mutex::new(Tickets::new(config.connections, config.signalr.ticket)),
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

    fn redeem(&self, digits: &str, hub: Hub, space: &str) -> bool {
        self.tickets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .redeem(digits, Instant::now(), |admission| {
                admission.hub == hub && *admission.space == *space
            })
            .is_some()
    }
}

/// An address of SignalR's.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Address {
    space: String,
    step: Step,
}

/// What a client does at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    CoreNegotiate,
    CoreConnect,
}

impl Address {
    fn of(path: &str) -> Option<Self> {
        let hub = path.strip_suffix('/').unwrap_or(path);
        let (space, step) = if let Some(space) = path.strip_suffix("/hub/negotiate") {
            (space, Step::CoreNegotiate)
        } else {
            (hub.strip_suffix("/hub")?, Step::CoreConnect)
        };
        let space = if space.is_empty() { "/" } else { space };
        Some(Self {
            space: space.to_owned(),
            step,
        })
    }
}

/// Answers a request if it is for SignalR, and gives it back if it isn't.
pub(crate) fn answer(relay: &Arc<Relay>, request: Request) -> Result<Response, Box<Request>> {
    let Some(Address { space, step }) = Address::of(request.uri().path()) else {
        return Err(Box::new(request));
    };
    let (headers, method) = (request.headers().clone(), request.method().clone());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let query = Query::new(Some(&query));
    let websocket = wants_websocket(&headers);
    let preflight = cors::is_preflight(&method, &headers);
    let reading = matches!(method, Method::GET | Method::HEAD);
    let ours = match step {
        Step::CoreNegotiate => !websocket && (preflight || method == Method::POST),
        // Without an id, and not for a WebSocket, it may be for a file of that name.
        Step::CoreConnect => websocket || !reading || query.get("id").is_some(),
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
    let response = match step {
        Step::CoreNegotiate => negotiate::core(relay, &space, query),
        Step::CoreConnect if websocket => {
            core_socket::accept(relay, &space, query, request).unwrap_or_else(|refusal| *refusal)
        }
        Step::CoreConnect => (StatusCode::BAD_REQUEST, WEBSOCKETS_ONLY).into_response(),
    };
    Ok(cors::allow(&headers, response))
}
