//! GET: a stream of events.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::clients::{Desk, Reading};
use super::position::Positions;
use crate::address::ClientAddress;
use crate::auth::access::Access;
use crate::auth::refusal::Refusal;
use crate::connection::{CloseReason, no_randomness};
use crate::hub::budget;
use crate::hub::buffers::Buffer;
use crate::hub::frame::{Encoding, Frame};
use crate::hub::history::Since;
use crate::hub::ids::random_bits;
use crate::hub::queue::Receiver;
use crate::lifecycle::Departure;
use crate::limits::{HttpConnection, Place};
use crate::metrics::{Protocol, Refused, Tracked};
use crate::protocols::query::member;
use crate::protocols::referee::Referee;
use crate::relay::Relay;
use crate::rooms::registry::Liveness;

/// How envelopes are kept in the form of this protocol.
const ENCODING: Encoding = Encoding("sse");

/// The header in which browsers repeat the id of the last event.
const LAST_EVENT_ID: &str = "last-event-id";

/// A comment, which browsers ignore and proxies count as traffic.
const KEEP_ALIVE: &[u8] = b":\n\n";

/// signal-wasm knows our relay by its data.
const HELLO: &str = "event: hello\ndata: relay\n\n";
/// Messages before those that follow may have been missed.
const GAP: &str = "event: gap\ndata: messages may have been missed\n\n";

/// A browser connects again after at least this many milliseconds.
const SHORTEST_RETRY: u64 = 1000;
/// By so many milliseconds the times differ, so that clients don't all come back at once.
const RETRY_SPREAD: u64 = 2000;

const HEADERS: [(HeaderName, &str); 4] = [
    (CONTENT_TYPE, "text/event-stream"),
    (CACHE_CONTROL, "no-store"),
    // nginx would collect events otherwise.
    (HeaderName::from_static("x-accel-buffering"), "no"),
    (CONNECTION, "close"),
];

/// Answers with the events of a space. `client` is who reads.
pub(super) async fn open(
    relay: &Arc<Relay>,
    positions: &Arc<Positions>,
    space: &str,
    access: Access,
    client: Option<Reading>,
    request: Request,
) -> Result<Response, Box<Response>> {
    let address = ClientAddress::of(request.extensions());
    let place = relay.admit(address)?;
    let retry = SHORTEST_RETRY + random_bits().map_err(no_randomness)? % RETRY_SPREAD;
    let publisher = client.as_ref().map(|reading| reading.client.publisher);
    let publisher = publisher.unwrap_or_else(|| relay.hub.new_publisher());
    let since = since(positions, space, &request);
    let audience = access.audience();
    let joined = relay
        .hub
        .join_since(space, address, audience, publisher, since)
        .await;
    let (membership, queue, start) = joined.map_err(|error| {
        let headers = [(RETRY_AFTER, "5")];
        let sentence = format!("Try again later: {error}.\n");
        Box::new((StatusCode::SERVICE_UNAVAILABLE, headers, sentence).into_response())
    })?;
    let tracked = relay.track(Protocol::ServerSentEvents, space, address);
    let tracked = Arc::new(Mutex::new(tracked));

    let ended = CancellationToken::new();
    if let Some(http) = request.extensions().get::<HttpConnection>() {
        // The stream has a place instead.
        http.release();
        drop_if_stuck(relay, &queue, http.clone(), &tracked, ended.clone());
    }
    let interval = relay.limits().ping_interval;
    let membership = Arc::new(membership);
    let referee = Referee::queued(relay, &relay.limits(), membership.sender(), None);
    let referee = referee.unwatched(relay);
    let liveness = referee.liveness();
    let desk = Arc::new(Desk {
        membership,
        access: access.clone(),
        referee,
    });
    if let Some(reading) = &client {
        reading.client.sit_down(&desk);
    }
    let events = Events {
        access,
        liveness,
        first: Some(first_event(
            retry,
            start.gap,
            start.position.map(|id| positions.name(space, id)),
        )),
        space: space.into(),
        positions: Arc::clone(positions),
        desk: Some(desk),
        queue,
        interval,
        keep_alive_at: Instant::now() + interval,
        departure: relay.lifecycle.departure(),
        tracked,
        _client: client,
        _buffer: relay.hub.buffer(address, budget::CONNECTION),
        _place: place,
        _ended: ended.drop_guard(),
    };
    let body = stream::unfold(events, |mut events| async {
        let event = events.next().await?;
        Some((Ok::<_, Infallible>(event), events))
    });
    Ok((HEADERS, Body::from_stream(body)).into_response())
}

/// The answer to a page that isn't let in: a stream with the reason, and nothing else.
pub(super) fn refused(refusal: &Refusal) -> Response {
    tracing::debug!("refused: {refusal}");
    let response = (HEADERS, refused_event(refusal)).into_response();
    Refused::mark(response, "token")
}

/// The last event of a reader without a good token.
fn refused_event(refusal: &Refusal) -> String {
    format!("event: refused\ndata: {refusal}\n\n")
}

/// What a stream begins with. The id lets a reader that loses its connection before it has received
/// a message come back to the same place.
fn first_event(retry: u64, gap: bool, id: Option<String>) -> String {
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    let gap = if gap { GAP } else { "" };
    format!("retry: {retry}\n{id}{gap}{HELLO}")
}

/// How far the reader has seen the space.
fn since(positions: &Positions, space: &str, request: &Request) -> Since {
    let header = request.headers().get(LAST_EVENT_ID);
    let header = header.map(|id| id.to_str().unwrap_or_default().into());
    let last = header.or_else(|| member(request.uri(), "lastEventId"));
    last.map_or(Since::Now, |last| positions.read(space, &last))
}

/// Drops the connection when the queue overflows, or when the relay is shutting down and the reader
/// doesn't take what waits in time. The stream itself can't: nobody polls it while the connection
/// accepts nothing.
fn drop_if_stuck(
    relay: &Arc<Relay>,
    queue: &Receiver,
    http: HttpConnection,
    tracked: &Arc<Mutex<Tracked>>,
    ended: CancellationToken,
) {
    let (overflowed, shared) = (queue.overflowed(), Arc::clone(relay));
    let tracked = Arc::downgrade(tracked);
    relay.tasks.spawn(async move {
        let closing = async {
            shared.lifecycle.stopping().await;
            sleep(shared.limits().close_timeout).await;
        };
        tokio::select! {
            () = overflowed => {
                if let Some(tracked) = tracked.upgrade() {
                    end(&tracked, &CloseReason::SlowConsumer);
                }
                http.abort();
            }
            () = closing => http.abort(),
            () = ended.cancelled() => {}
        }
    });
}

/// The events of one reader.
struct Events {
    access: Access,
    space: Box<str>,
    positions: Arc<Positions>,
    first: Option<String>,
    /// `None` once the relay is shutting down, or the token has expired, and only what waits is
    /// still sent.
    desk: Option<Arc<Desk>>,
    /// Of its pages in rooms.
    liveness: Arc<Liveness>,
    queue: Receiver,
    interval: Duration,
    keep_alive_at: Instant,
    departure: Departure,
    tracked: Arc<Mutex<Tracked>>,
    _client: Option<Reading>,
    _buffer: Buffer,
    _place: Place,
    _ended: DropGuard,
}

impl Events {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first.into());
        }
        loop {
            while let Some(frame) = self.queue.pop() {
                if let Some(event) = event(&frame, &self.space, &self.positions) {
                    // The HTTP connection holds it until it is written.
                    self.queue.still_holds(frame.cost());
                    self.keep_alive_at = Instant::now() + self.interval;
                    return Some(event);
                }
            }
            self.desk.as_ref()?;
            tokio::select! {
                biased;
                () = self.departure.due() => {
                    end(&self.tracked, &CloseReason::ShuttingDown);
                    if let Some(desk) = self.desk.take() {
                        desk.referee.leave();
                    }
                }
                () = self.liveness.replaced.cancelled() => {
                    end(&self.tracked, &CloseReason::ResumedElsewhere);
                    self.desk = None;
                }
                () = self.access.expired() => {
                    end(&self.tracked, &Refusal::EXPIRED.into());
                    self.desk = None;
                    return Some(refused_event(&Refusal::EXPIRED).into());
                }
                () = sleep_until(self.keep_alive_at) => {
                    self.keep_alive_at = Instant::now() + self.interval;
                    return Some(Bytes::from_static(KEEP_ALIVE));
                }
                () = self.queue.ready() => {}
            }
        }
    }
}

fn end(tracked: &Mutex<Tracked>, reason: &CloseReason) {
    let mut tracked = tracked.lock().unwrap_or_else(PoisonError::into_inner);
    tracked.end(reason.name());
}

/// The event with a frame, which all readers share. `None`: the frame isn't an envelope.
fn event(frame: &Frame, space: &str, positions: &Positions) -> Option<Bytes> {
    let encode = |envelope: &str| {
        // A line break in JSON is always between its tokens, where a space means the same.
        let line = envelope.replace(['\n', '\r'], " ");
        let id = frame.id().map(|id| positions.name(space, id));
        let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
        format!("{id}data: {line}\n\n")
    };
    let text = frame.encoded(ENCODING, encode)?;
    let frame = frame.clone();
    Some(Bytes::from_owner(Event {
        text,
        _frame: frame,
    }))
}

/// An event, for which its frame pays until it is written.
struct Event {
    text: Utf8Bytes,
    _frame: Frame,
}

impl AsRef<[u8]> for Event {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}
