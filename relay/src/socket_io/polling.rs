//! Long-polling: the client's packets come in POST requests, and go out as the answers of GET requests, which wait until there is something.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use super::engine::{CLOSE, NOOP, Packets, append};
use super::session::{Session, Transport, longest_packet};
use super::{Problem, problem};
use crate::close::Ending;
use crate::server::{HttpPlace, Relay};

/// So much is put together into one answer, and the packet that goes over it.
const BATCH: usize = 64 * 1024;
/// How long the body of a POST may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Answers a GET: waits for packets and hands them over. While it waits, its connection doesn't count among those that are no WebSockets:
/// there is but one such request for each session.
pub(crate) async fn poll(session: &Session, place: Option<&HttpPlace>) -> Response {
    session.heard();
    let Some(_turn) = session.polls.take() else {
        session.end(Ending::NotSocketIo("two polls at one time"));
        return problem(Problem::BadRequest);
    };
    let mut payload = String::new();
    loop {
        if session.transport() != Transport::Polling {
            append(session.version, &mut payload, NOOP);
            break;
        }
        collect(session, &mut payload);
        if session.is_over() {
            append(session.version, &mut payload, CLOSE);
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
        match place {
            Some(place) => place.leave_during(news).await,
            None => news.await,
        }
    }
    answer(payload)
}

/// The first answer of a session: the packets that it begins with.
pub(crate) fn first(session: &Session) -> Response {
    let mut payload = String::new();
    collect(session, &mut payload);
    answer(payload)
}

fn collect(session: &Session, payload: &mut String) {
    // When it's over, this is the last answer that there is.
    while payload.len() < BATCH || session.is_over() {
        let Some(packet) = session.next() else { break };
        append(session.version, payload, &packet);
    }
}

fn answer(payload: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=UTF-8"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, payload).into_response()
}

/// Answers a POST: takes the packets in its body.
pub(crate) async fn post(
    relay: &Arc<Relay>,
    session: &Session,
    headers: &HeaderMap,
    body: Body,
) -> Response {
    session.heard();
    let Some(_turn) = session.posts.take() else {
        // They would come in an order that nobody knows.
        session.end(Ending::NotSocketIo("two posts at one time"));
        return problem(Problem::BadRequest);
    };
    // Clients of version 3 put all that waits into one body, however much it is.
    let longest = longest_packet(&relay.config).max(relay.config.queue.bytes);
    let Ok(Ok(body)) = timeout(BODY_TIMEOUT, to_bytes(body, longest)).await else {
        session.end(Ending::TooLong(longest));
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
    for packet in Packets::new(session.version, &body, binary) {
        if session.is_over() {
            return problem(Problem::UnknownSession);
        }
        if let Err(ending) = session.receive(relay, packet).await {
            let left = ending == Ending::Gone;
            session.end(ending);
            if left {
                break;
            }
            return problem(Problem::BadRequest);
        }
    }
    answer("ok".to_owned())
}
