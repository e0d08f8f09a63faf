//! The WebSockets of SignalR 2: a client's first one, and those with which it comes back.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use signal_wire::Envelope;
use signal_wire::json::quoted;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::history::History;
use super::protocol::{self, Hubs, Step};
use super::session::{Outbox, Session};
use crate::address::ClientAddress;
use crate::auth::access::Access;
use crate::auth::refusal::Refusal;
use crate::connection::{
    self, CloseReason, Connection, Heartbeat, Inbound, Outbound, Upgrade, no_randomness,
};
use crate::hub::frame::{Encoding, Frame};
use crate::hub::ids::random_user_id;
use crate::hub::queue::{self, Level, Receiver, Sender};
use crate::hub::store::Content;
use crate::limits::Place;
use crate::metrics::Protocol;
use crate::protocols::query::member;
use crate::protocols::referee::{Referee, is_private};
use crate::protocols::signalr::method::NO_ENVELOPE;
use crate::protocols::signalr::negotiate;
use crate::protocols::signalr::state::{Kind, SignalR};
use crate::protocols::signalr::timing::longest_text;

/// How envelopes are kept for SignalR 2: as a JSON string, which is most of each message.
const ENCODING: Encoding = Encoding("signalr classic");

/// Why a connection ends whose client has come back on another one.
const TAKEN_OVER: &str = "resumed elsewhere";

/// The answer to a request for another transport.
pub(in crate::protocols::signalr) const WEBSOCKETS_ONLY: &str =
    "Only the transport webSockets is offered here, and this request isn't for a WebSocket.\n";

fn bad_request(sentence: String) -> Box<Response> {
    Box::new((StatusCode::BAD_REQUEST, sentence).into_response())
}

fn check_transport(uri: &Uri) -> Result<(), Box<Response>> {
    match member(uri, "transport").as_deref() {
        None | Some("webSockets") => Ok(()),
        Some(_) => Err(bad_request(WEBSOCKETS_ONLY.to_owned())),
    }
}

/// Answers the request for a client's first WebSocket.
pub(in crate::protocols::signalr) fn connect(
    state: &Arc<SignalR>,
    space: &str,
    access: Access,
    request: Request,
) -> Result<Response, Box<Response>> {
    let uri = request.uri().clone();
    check_transport(&uri)?;
    let hubs = Hubs::read(member(&uri, "connectionData").as_deref()).map_err(bad_request)?;
    let address = ClientAddress::of(request.extensions());
    let upgrade = Upgrade::new(request)?;
    let place = state.relay.admit(upgrade.address())?;
    let sender = random_user_id().map_err(no_randomness)?;
    let secret = member(&uri, "connectionToken")
        .and_then(|digits| state.redeem(&digits, Kind::Classic, space))
        .ok_or_else(|| Box::new(negotiate::unknown()))?;
    let (state, space) = (Arc::clone(state), Box::from(space));
    let relay = Arc::clone(&state.relay);
    let longest = longest_text(relay.limits().max_frame);
    Ok(upgrade.start(
        &relay,
        longest,
        place.allowance(),
        move |connection| async move {
            let Some(connection) = connection else { return };
            state.relay.hub.settle(&space).await;
            let (membership, queue) = state.relay.hub.join(&space, address, access.audience());
            // A client counts its time to come back from when it last heard from the relay.
            let lifetime = state.timing.keep_alive + state.timing.resume;
            let history = History::new(state.relay.limits().queue, lifetime);
            let outbox = Outbox { queue, history };
            let session = Session::new(secret, space, hubs, sender, access, membership, outbox);
            let session = Arc::new(session);
            state.sessions.insert(Arc::clone(&session));
            run(&state, session, connection, place, None).await;
        },
    ))
}

/// Answers the request for a further WebSocket of a known client.
pub(in crate::protocols::signalr) fn reconnect(
    state: &Arc<SignalR>,
    space: &str,
    access: Access,
    request: Request,
) -> Result<Response, Box<Response>> {
    let uri = request.uri().clone();
    check_transport(&uri)?;
    let seen = protocol::cursor(member(&uri, "messageId").as_deref()).ok_or_else(|| {
        bad_request("The query's messageId must be the last C that was received.\n".to_owned())
    })?;
    let upgrade = Upgrade::new(request)?;
    let session = state
        .session(space, &uri)
        .ok_or_else(|| Box::new(negotiate::unknown()))?;
    session.access.continue_as(&access)?;
    let place = match session.take_place() {
        Some(place) => place,
        None => state.relay.admit(upgrade.address())?,
    };
    let state = Arc::clone(state);
    let relay = Arc::clone(&state.relay);
    let longest = longest_text(relay.limits().max_frame);
    Ok(upgrade.start(
        &relay,
        longest,
        place.allowance(),
        move |connection| async move {
            match connection {
                Some(connection) => run(&state, session, connection, place, Some(seen)).await,
                None => session.keep_place(place),
            }
        },
    ))
}

/// Runs one WebSocket of a session. `seen` is the cursor of a client that has come back.
async fn run(
    state: &SignalR,
    session: Arc<Session>,
    mut connection: Box<Connection>,
    place: Place,
    seen: Option<u64>,
) {
    let relay = &state.relay;
    let limits = relay.limits();
    let departure = relay.lifecycle.departure();
    let mut tracked = relay.track(Protocol::ClassicSignalR, &session.space, connection.address);
    let mut mine = 0;
    session.generation.send_modify(|generation| {
        *generation += 1;
        mine = *generation;
    });
    let mut generation = session.generation.subscribe();
    let mut taken_over = pin!(generation.wait_for(|generation| *generation != mine));
    let mut outbox = tokio::select! {
        outbox = Arc::clone(&session.outbox).lock_owned() => outbox,
        _ = &mut taken_over => {
            tracked.end(TAKEN_OVER);
            return;
        }
    };

    let signals = outbox.queue.signals_beside();
    let account = Arc::clone(session.membership.account());
    let (answers, mut answered) = queue::queue_with(limits.queue, account, signals);
    let replay = match seen {
        None => {
            let welcome = protocol::welcome(outbox.history.cursor());
            answers.push(Frame::from(welcome));
            Ok(Vec::new())
        }
        Some(seen) => outbox.history.after(seen),
    };
    let referee = Referee::queued(relay, &limits, session.membership.sender(), None);
    let liveness = referee.liveness();
    let (mut last, was_taken_over) = (None, AtomicBool::new(false));
    let reason = match replay {
        Err(_) => {
            let error = "What was sent meanwhile is no longer kept here: connect again.";
            last = Some(protocol::stop(error));
            CloseReason::Normal
        }
        Ok(replay) => {
            let (overflowed, unread) = (outbox.queue.overflowed(), answered.overflowed());
            let closing = Box::pin(async {
                tokio::select! {
                    biased;
                    () = overflowed => CloseReason::SlowConsumer,
                    () = unread => CloseReason::SlowConsumer,
                    _ = &mut taken_over => {
                        was_taken_over.store(true, Ordering::Relaxed);
                        CloseReason::Normal
                    }
                    () = session.over.cancelled() => CloseReason::Normal,
                    () = liveness.replaced.cancelled() => CloseReason::ResumedElsewhere,
                    () = session.access.expired() => Refusal::EXPIRED.into(),
                    () = departure.due() => CloseReason::ShuttingDown,
                }
            });
            let mut input = Input {
                session: &session,
                answers: &answers,
                referee: &referee,
                max_frame: limits.max_frame,
                last: &mut last,
            };
            let mut output = Output {
                replay: replay.into_iter(),
                outbox: &mut outbox,
                answers: &mut answered,
                hubs: &session.hubs,
                interval: (state.timing.keep_alive / 2).min(limits.ping_interval),
            };
            let heartbeat = Heartbeat::new(&limits);
            let heartbeat = Some(&heartbeat);
            connection::run(&mut connection, &mut input, &mut output, heartbeat, closing).await
        }
    };

    if reason == CloseReason::ShuttingDown {
        referee.leave();
    }
    drop(referee);
    let mut rest: Vec<_> = std::iter::from_fn(|| answered.pop())
        .map(|answer| answer.text().clone())
        .collect();
    if was_taken_over.into_inner() {
        tracked.end(TAKEN_OVER);
        drop(outbox);
        drop(session);
        connection.close(rest, &reason).await;
        drop(place);
        return;
    }
    tracked.end(reason.name());
    if may_come_back(&reason) {
        drop(tracked);
        let overflowed = outbox.queue.overflowed();
        drop(outbox);
        session.keep_place(place);
        let waiting = wait(state, &session, taken_over, overflowed);
        tokio::join!(connection.close(rest, &reason), waiting);
        return;
    }
    state.sessions.end(&session);
    if reason == CloseReason::ShuttingDown {
        let Outbox { queue, history } = &mut *outbox;
        while let Some(frame) = queue.pop() {
            rest.extend(deliver(&session.hubs, history, frame));
        }
    }
    rest.extend(last.map(Utf8Bytes::from));
    // With these the membership ends.
    drop(outbox);
    drop(session);
    connection.close(rest, &reason).await;
    drop(place);
}

/// Whether a session stays when its WebSocket closes for this reason.
fn may_come_back(reason: &CloseReason) -> bool {
    !matches!(
        reason,
        CloseReason::Normal
            | CloseReason::BinaryFrame
            | CloseReason::SlowConsumer
            | CloseReason::ResumedElsewhere
            | CloseReason::ShuttingDown
    )
}

/// Waits for the client to come back, and ends the session if it doesn't.
async fn wait(
    state: &SignalR,
    session: &Session,
    taken_over: impl Future,
    overflowed: impl Future<Output = ()>,
) {
    let why = tokio::select! {
        _ = taken_over => return,
        () = session.over.cancelled() => "it has left",
        () = state.relay.lifecycle.draining() => "the relay is shutting down",
        () = overflowed => "its queue overflowed",
        () = sleep(state.timing.resume) => "it didn't come back",
    };
    tracing::debug!(space = ?session.space, why, "left");
    state.sessions.end(session);
}

/// What comes in. Clients of SignalR 2 send nothing by themselves, but their browsers answer pings.
struct Input<'a> {
    session: &'a Session,
    answers: &'a Sender,
    referee: &'a Referee,
    max_frame: usize,
    /// The last frame, for a client that doesn't speak the protocol.
    last: &'a mut Option<String>,
}

impl Inbound for Input<'_> {
    fn heartbeat(&self) -> Option<&Heartbeat> {
        self.referee.heartbeat()
    }

    async fn text(&mut self, text: Utf8Bytes) -> Result<(), CloseReason> {
        self.referee.heard();
        let answer = match protocol::read(&text) {
            Step::Nothing => None,
            Step::Answer(answer) => Some(answer),
            Step::Refuse(last) => {
                *self.last = Some(last);
                return Err(CloseReason::Normal);
            }
            Step::Publish { text, receipt } => receipt.answer(self.publish(&text).await?),
        };
        if let Some(answer) = answer
            && self.answers.push(Frame::from(answer)) == Level::Overflowed
        {
            return Err(CloseReason::SlowConsumer);
        }
        Ok(())
    }
}

impl Input<'_> {
    async fn publish(&self, text: &str) -> Result<Result<(), &'static str>, CloseReason> {
        let too_large = CloseReason::FrameTooLarge(self.max_frame);
        if text.len() > self.max_frame {
            return Err(too_large);
        }
        let Some(envelope) = Envelope::read(text) else {
            return Ok(Err(NO_ENVELOPE));
        };
        let Session {
            access,
            sender,
            membership,
            ..
        } = self.session;
        if is_private(&envelope.channel) {
            let (channel, message) = (&envelope.channel, envelope.message());
            self.referee
                .take(channel, message, membership, access)
                .await;
            return Ok(Ok(()));
        }
        let message = match access.message(envelope, Some(*sender), true) {
            Ok(message) => message,
            Err(why) => return Ok(Err(why.as_str())),
        };
        // The sender that was added counts too.
        if message.len() > self.max_frame {
            return Err(too_large);
        }
        let content = Content::Envelope(message);
        let published = membership.publish(content).await;
        published.map_err(|_| CloseReason::StoreUnavailable)?;
        Ok(Ok(()))
    }
}

/// What goes out: the replay first, then answers before frames.
struct Output<'a> {
    replay: std::vec::IntoIter<(u64, Frame)>,
    outbox: &'a mut Outbox,
    answers: &'a mut Receiver,
    hubs: &'a Hubs,
    interval: Duration,
}

impl Outbound for Output<'_> {
    async fn ready(&mut self) {
        if !self.replay.as_slice().is_empty() {
            return;
        }
        tokio::select! {
            biased;
            () = self.answers.ready() => {}
            () = self.outbox.queue.ready() => {}
        }
    }

    fn next(&mut self) -> Option<Utf8Bytes> {
        if let Some((cursor, frame)) = self.replay.next() {
            return message(self.hubs, cursor, &frame);
        }
        if let Some(answer) = self.answers.pop() {
            return Some(answer.text().clone());
        }
        let Outbox { queue, history } = &mut *self.outbox;
        let message =
            std::iter::from_fn(|| queue.pop()).find_map(|frame| deliver(self.hubs, history, frame));
        queue.still_holds(history.cost());
        message
    }

    fn keep_alive_interval(&self) -> Option<Duration> {
        Some(self.interval)
    }

    fn keep_alive(&mut self) -> Option<Utf8Bytes> {
        self.outbox.history.evict_expired(Instant::now());
        Some(Utf8Bytes::from_static(protocol::KEEP_ALIVE))
    }
}

/// The message with a frame that is sent for the first time. `None`: the frame isn't an envelope,
/// or the client has no hubs.
fn deliver(hubs: &Hubs, history: &mut History, frame: Frame) -> Option<Utf8Bytes> {
    if hubs.is_empty() || !frame.is_envelope() {
        return None;
    }
    // The relay's own envelopes are kept elsewhere, if at all.
    let cursor = match frame.id() {
        Some(_) => history.keep(frame.clone(), Instant::now()),
        None => history.cursor(),
    };
    message(hubs, cursor, &frame)
}

fn message(hubs: &Hubs, cursor: u64, frame: &Frame) -> Option<Utf8Bytes> {
    let quoted = frame.encoded(ENCODING, quoted)?;
    Some(hubs.delivery(cursor, &quoted).into())
}
