//! Long-polling: the client's packets come in POST requests; packets for the client are the answers
//! of GET requests, which wait until there are some.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::engine::{CLOSE, NOOP, Packets, PayloadForm};
use super::problem::Problem;
use super::session::{Session, Transport, longest_packet};
use crate::connection::{BodyError, CloseReason, read_body};
use crate::limits::{HttpConnection, too_many};
use crate::relay::Relay;

/// An answer collects packets until it has so many bytes.
const BATCH: usize = 64 * 1024;
/// A request that comes while the client tries a WebSocket waits this long for its decision.
const DECISION: Duration = Duration::from_millis(20);
/// How long the body of a POST may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// A client whose session ended because it sent too much may begin another after this time.
const RETRY: Duration = Duration::from_secs(10);

/// Answers a GET: waits for packets and returns them. While it waits, its connection doesn't take
/// a place among HTTP connections: there is only one such request for each session.
pub(super) async fn poll(session: &Session, slot: Option<&HttpConnection>) -> Response {
    session.heard();
    let Some(_turn) = session.polls.take() else {
        session.end(at_one_time("two polls at one time"));
        return Problem::BadRequest.into_response();
    };
    let mut payload = Vec::new();
    if session.transport() == Transport::Upgrading {
        // The client changes when this is answered, so what comes first goes this way.
        let decided = async {
            while session.transport() == Transport::Upgrading && !session.is_over() {
                collect(session, &mut payload);
                if !payload.is_empty() {
                    break;
                }
                session.woken().await;
            }
        };
        // If it comes later, the answer is a noop.
        let _ = timeout(DECISION, decided).await;
        if session.transport() == Transport::WebSocket && payload.is_empty() {
            return Problem::BadRequest.into_response();
        }
    }
    while payload.is_empty() {
        if session.transport() != Transport::Polling && !session.is_over() {
            session.payload_form.append(&mut payload, NOOP);
            break;
        }
        collect(session, &mut payload);
        if session.is_over() {
            // The client that has closed the session needn't be told.
            let has_left = session.reason() == CloseReason::Gone;
            let last = if has_left { NOOP } else { CLOSE };
            session.payload_form.append(&mut payload, last);
            session.empty();
            break;
        }
        if !payload.is_empty() {
            break;
        }
        let news = async {
            tokio::select! {
                () = session.woken() => {}
                () = session.ended() => {}
            }
        };
        match slot {
            Some(slot) => slot.release_during(news).await,
            None => news.await,
        }
    }
    answer(session, payload)
}

/// The first answer of a session: its first packets.
pub(super) fn first(session: &Session) -> Response {
    let mut payload = Vec::new();
    collect(session, &mut payload);
    answer(session, payload)
}

fn collect(session: &Session, payload: &mut Vec<u8>) {
    // The last answer of a session that is over holds everything.
    while payload.len() < BATCH || session.is_over() {
        let Some(packet) = session.next() else { break };
        session.payload_form.append(payload, &packet);
    }
}

fn answer(session: &Session, payload: Vec<u8>) -> Response {
    respond(session.payload_form.content_type(), payload)
}

fn respond(content_type: &'static str, body: impl IntoResponse) -> Response {
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")];
    (headers, body).into_response()
}

/// Answers a POST: takes the packets in its body.
pub(super) async fn post(
    relay: &Relay,
    session: &Session,
    headers: &HeaderMap,
    body: Body,
) -> Response {
    session.heard();
    let Some(_turn) = session.posts.take() else {
        // Their order would be unknown.
        session.end(at_one_time("two posts at one time"));
        return Problem::BadRequest.into_response();
    };
    // Clients of version 3 put everything that waits into one body.
    let longest = longest_packet(&session.limits).max(session.limits.queue.bytes);
    let read = read_body(relay, session.address(), body, longest, BODY_TIMEOUT).await;
    let Ok(body) = read else {
        session.end(match read {
            Err(BodyError::OverMemory) => CloseReason::OverMemory,
            _ => CloseReason::FrameTooLarge(longest),
        });
        return (
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "A request's body has at most {longest} bytes and comes within {} s.\n",
                BODY_TIMEOUT.as_secs()
            ),
        )
            .into_response();
    };
    let binary = headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/octet-stream"));
    let mut bytes = body.len();
    for packet in Packets::new(PayloadForm::of(session.version, binary), &body) {
        if let Err(exceeded) = session.allowance.ready().await {
            session.end(exceeded.into());
            return *too_many(RETRY);
        }
        session.allowance.charge(std::mem::take(&mut bytes));
        if session.is_over() {
            return Problem::UnknownSession.into_response();
        }
        if let Err(reason) = session.receive(relay, packet).await {
            let left = reason == CloseReason::Gone;
            session.end(reason);
            if left {
                break;
            }
            return Problem::BadRequest.into_response();
        }
    }
    respond("text/plain; charset=UTF-8", "ok")
}

fn at_one_time(problem: &'static str) -> CloseReason {
    CloseReason::NotProtocol {
        protocol: "Socket.IO",
        problem,
    }
}
