//! One client of SignalR 2: its WebSockets, and the session that outlives each of them.
//!
//! A session is a member of the hub from its first WebSocket on. When that is lost the client has a time to come back with another one and
//! the cursor of what it saw last: what it missed is sent again from the history, and what came meanwhile waits in the queue.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::{SinkExt, StreamExt};
use signal_wasm::protocol::UserId;
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedSemaphorePermit, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;

use super::classic::{self, Hubs, Step};
use super::history::History;
use super::method::NO_ENVELOPE;
use super::query::Query;
use super::tickets::Secret;
use super::{Clients, Hub, longest, negotiate};
use crate::close::Ending;
use crate::config::Config;
use crate::frame::Frame;
use crate::hub::Membership;
use crate::incoming;
use crate::queue::{self, Head, Level, Tail};
use crate::server::Relay;
use crate::store::Content;
use crate::translate::{Kind, canonical, quoted, random_sender};
use crate::websocket::{self, BATCH, Sink, Socket, Stream};

/// A client, from its first WebSocket until it leaves or doesn't come back.
#[derive(Debug)]
pub(super) struct Session {
    secret: Secret,
    space: Box<str>,
    hubs: Hubs,
    sender: UserId,
    membership: Membership,
    /// Held by the WebSocket that the client is connected with.
    outbox: Arc<AsyncMutex<Outbox>>,
    /// Counts the WebSockets: each takes over from the one before.
    turn: watch::Sender<u64>,
    /// The relay's place that the session keeps while it has no WebSocket.
    kept: Mutex<Option<OwnedSemaphorePermit>>,
    over: CancellationToken,
}

/// What a client is still to get, and what it may have to get again.
#[derive(Debug)]
struct Outbox {
    queue: Head,
    history: History,
}

impl Session {
    pub(super) fn space(&self) -> &str {
        &self.space
    }

    /// Ends it for good, with the WebSocket that it may have.
    pub(super) fn end(&self, clients: &Clients) {
        clients.sessions().remove(self.secret.as_str());
        self.over.cancel();
    }

    fn kept(&self) -> Option<OwnedSemaphorePermit> {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    fn keep(&self, place: OwnedSemaphorePermit) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }
}

fn bad_request(sentence: String) -> Box<Response> {
    Box::new((StatusCode::BAD_REQUEST, sentence).into_response())
}

fn check_transport(query: Query<'_>) -> Result<(), Box<Response>> {
    match query.get("transport").as_deref() {
        None | Some("webSockets") => Ok(()),
        Some(_) => Err(bad_request(super::WEBSOCKETS_ONLY.to_owned())),
    }
}

/// Answers the request for a client's first WebSocket.
pub(super) fn connect(
    relay: &Arc<Relay>,
    space: &str,
    query: Query<'_>,
    request: Request,
) -> Result<Response, Box<Response>> {
    check_transport(query)?;
    let hubs = Hubs::read(query.get("connectionData").as_deref()).map_err(bad_request)?;
    let opening = websocket::open(request)?;
    let place = websocket::place(relay)?;
    let secret = query
        .get("connectionToken")
        .and_then(|digits| relay.signalr.redeem(&digits, Hub::Classic, space))
        .ok_or_else(|| Box::new(negotiate::unknown()))?;
    let (relay, space) = (Arc::clone(relay), Box::from(space));
    let tasks = Arc::clone(&relay);
    Ok(
        opening.start(&tasks, longest(&relay.config), |socket| async move {
            let Some(socket) = socket else { return };
            let config = &relay.config;
            let (membership, queue) = relay.hub.join(&space);
            // A client that is back counts from when it last heard of the relay.
            let life = config.signalr.keep_alive + config.signalr.resume;
            let session = Arc::new(Session {
                secret: secret.clone(),
                space,
                hubs,
                sender: random_sender(),
                membership,
                outbox: Arc::new(AsyncMutex::new(Outbox {
                    queue,
                    history: History::new(config.queue, life),
                })),
                turn: watch::Sender::new(0),
                kept: Mutex::default(),
                over: CancellationToken::new(),
            });
            relay
                .signalr
                .sessions()
                .insert(secret, Arc::clone(&session));
            run(&relay, session, socket, place, None).await;
        }),
    )
}

/// Answers the request for a further WebSocket of a client that is known.
pub(super) fn reconnect(
    relay: &Arc<Relay>,
    space: &str,
    query: Query<'_>,
    request: Request,
) -> Result<Response, Box<Response>> {
    check_transport(query)?;
    let seen = classic::cursor(query.get("messageId").as_deref()).ok_or_else(|| {
        bad_request("The query's messageId is to be the last C that came here.\n".to_owned())
    })?;
    let opening = websocket::open(request)?;
    let session = relay
        .signalr
        .session(space, query)
        .ok_or_else(|| Box::new(negotiate::unknown()))?;
    let place = match session.kept() {
        Some(place) => place,
        None => websocket::place(relay)?,
    };
    let relay = Arc::clone(relay);
    let tasks = Arc::clone(&relay);
    Ok(
        opening.start(&tasks, longest(&relay.config), move |socket| async move {
            match socket {
                Some(socket) => run(&relay, session, socket, place, Some(seen)).await,
                None => session.keep(place),
            }
        }),
    )
}

/// How a WebSocket ends.
enum End {
    /// The client may come back.
    Lost(Ending),
    /// So does the session. The frame tells the client why, if there is anything to tell.
    Over(Ending, Option<String>),
    /// The client has come back already.
    TakenOver,
}

async fn run(
    relay: &Relay,
    session: Arc<Session>,
    socket: Socket,
    place: OwnedSemaphorePermit,
    seen: Option<u64>,
) {
    let config = &relay.config;
    let mut mine = 0;
    session.turn.send_modify(|turn| {
        *turn += 1;
        mine = *turn;
    });
    let mut turn = session.turn.subscribe();
    let mut taken_over = pin!(turn.wait_for(|turn| *turn != mine));
    let (mut sink, mut stream) = socket.split();
    let mut outbox = tokio::select! {
        outbox = Arc::clone(&session.outbox).lock_owned() => outbox,
        _ = &mut taken_over => return,
    };
    tracing::debug!(space = ?session.space, again = seen.is_some(), "joined by SignalR 2");

    let (answers, mut answered) = queue::queue(config.queue);
    let again = match seen {
        None => {
            answers.push(Frame::from(
                classic::welcome(outbox.history.cursor()).as_str(),
            ));
            Ok(Vec::new())
        }
        Some(seen) => outbox.history.after(seen),
    };
    let end = match again {
        Err(_) => {
            let error = "What was sent meanwhile is no longer kept here: connect anew.";
            End::Over(Ending::Said, Some(classic::stop(error)))
        }
        Ok(again) => {
            let ping = Notify::new();
            let (overflow, unread) = (outbox.queue.overflow(), answered.overflow());
            let mut writer = Writer {
                sink: &mut sink,
                outbox: &mut outbox,
                answers: &mut answered,
                hubs: &session.hubs,
                config,
            };
            tokio::select! {
                end = read(&mut stream, &session, &answers, &ping, config) => end,
                () = writer.write(again, &ping) => End::Lost(Ending::Gone),
                () = overflow => End::Over(Ending::TooSlow, None),
                () = unread => End::Over(Ending::TooSlow, None),
                _ = &mut taken_over => End::TakenOver,
                () = session.over.cancelled() => End::Over(Ending::Said, None),
                () = relay.stopping.cancelled() => End::Over(Ending::ShuttingDown, None),
            }
        }
    };

    let mut rest: Vec<Message> = std::iter::from_fn(|| answered.take())
        .map(Message::from)
        .collect();
    let lost = match end {
        End::Lost(ending) => {
            tracing::debug!(space = ?session.space, ?ending, "lost");
            let overflow = outbox.queue.overflow();
            drop(outbox);
            session.keep(place);
            let parting = websocket::part(
                sink,
                stream,
                rest.into_iter(),
                ending.frame(),
                config.farewell,
            );
            tokio::join!(parting, wait(relay, &session, taken_over, overflow));
            return;
        }
        End::TakenOver => Ending::Said,
        End::Over(ending, last) => {
            session.end(&relay.signalr);
            if ending == Ending::ShuttingDown {
                let Outbox { queue, history } = &mut *outbox;
                while let Some(frame) = queue.take() {
                    rest.extend(delivery(&session.hubs, history, frame));
                }
            }
            if ending == Ending::TooSlow {
                tracing::info!(space = ?session.space, "closed a SignalR connection that couldn't keep up");
            }
            tracing::debug!(space = ?session.space, ?ending, "left");
            rest.extend(last.map(Message::text));
            ending
        }
    };
    // With these the membership goes, if the session is over.
    drop(outbox);
    drop(session);
    websocket::part(
        sink,
        stream,
        rest.into_iter(),
        lost.frame(),
        config.farewell,
    )
    .await;
    drop(place);
}

/// Waits for the client to come back, and ends the session if it doesn't.
async fn wait(
    relay: &Relay,
    session: &Session,
    taken_over: impl Future,
    overflow: impl Future<Output = ()>,
) {
    let why = tokio::select! {
        _ = taken_over => return,
        () = session.over.cancelled() => "it said so",
        () = relay.stopping.cancelled() => "the relay stops",
        () = overflow => "too much waited for it",
        () = sleep(relay.config.signalr.resume) => "it didn't come back",
    };
    tracing::debug!(space = ?session.space, why, "left");
    session.end(&relay.signalr);
}

/// Does what comes in asks for. Clients of SignalR 2 never say anything of themselves, but their browsers answer pings.
async fn read(
    stream: &mut Stream,
    session: &Session,
    answers: &Tail,
    ping: &Notify,
    config: &Config,
) -> End {
    loop {
        let text = match incoming::text(stream, longest(config), ping, config).await {
            Ok(text) => text,
            Err(Ending::NotText) => return End::Over(Ending::NotText, None),
            Err(ending) => return End::Lost(ending),
        };
        if let Err(end) = act(classic::read(&text), session, answers, config).await {
            return end;
        }
        // A sender that never lets up gives way to the others of its thread now and then.
        tokio::task::consume_budget().await;
    }
}

async fn act(step: Step, session: &Session, answers: &Tail, config: &Config) -> Result<(), End> {
    let answer = match step {
        Step::Nothing => None,
        Step::Answer(answer) => Some(answer),
        Step::Refuse(last) => return Err(End::Over(Ending::Said, Some(last))),
        Step::Publish { text, receipt } => {
            let too_long = || End::Lost(Ending::TooLong(config.max_frame));
            if text.len() > config.max_frame {
                return Err(too_long());
            }
            match canonical(&text, session.sender) {
                None => receipt.answer(Err(NO_ENVELOPE)),
                // The sender that was added counts too.
                Some(frame) if frame.len() > config.max_frame => return Err(too_long()),
                Some(frame) => {
                    if session
                        .membership
                        .publish(Content::Envelope(frame))
                        .await
                        .is_err()
                    {
                        return Err(End::Lost(Ending::NoStore));
                    }
                    receipt.answer(Ok(()))
                }
            }
        }
    };
    if let Some(answer) = answer
        && answers.push(Frame::new(Utf8Bytes::from(answer))) == Level::Overflowed
    {
        return Err(End::Over(Ending::TooSlow, None));
    }
    Ok(())
}

/// What goes out.
struct Writer<'a> {
    sink: &'a mut Sink,
    outbox: &'a mut Outbox,
    answers: &'a mut Head,
    hubs: &'a Hubs,
    config: &'a Config,
}

impl Writer<'_> {
    /// Writes what is to be sent again, and then the answers, what the queue holds, pings, and that the relay is there when there was nothing
    /// else for a while. Returns when the connection is broken.
    async fn write(&mut self, again: Vec<(u64, Frame)>, ping: &Notify) {
        if self.repeat(again).await.is_err() {
            return;
        }
        let silence = (self.config.signalr.keep_alive / 2).min(self.config.ping);
        let mut deadline = Instant::now() + silence;
        loop {
            let written = tokio::select! {
                biased;
                () = ping.notified() => self.sink.send(Message::Ping(Bytes::new())).await.map(|()| false),
                () = self.answers.filled() => self.answer().await,
                // Before what others say, which may never end and have nothing for this client.
                () = sleep_until(deadline) => {
                    self.outbox.history.forget(Instant::now());
                    self.sink.send(Message::text(classic::KEEP_ALIVE)).await.map(|()| true)
                }
                () = self.outbox.queue.filled() => self.deliver().await,
            };
            match written {
                Ok(true) => deadline = Instant::now() + silence,
                Ok(false) => {}
                Err(_) => return,
            }
        }
    }

    async fn repeat(&mut self, again: Vec<(u64, Frame)>) -> Result<(), Error> {
        for (cursor, frame) in again {
            if let Some(message) = message(self.hubs, cursor, &frame) {
                self.sink.feed(message).await?;
            }
        }
        self.sink.flush().await
    }

    async fn answer(&mut self) -> Result<bool, Error> {
        let mut any = false;
        for _ in 0..BATCH {
            // As in `deliver`.
            poll_fn(|context| self.sink.poll_ready_unpin(context)).await?;
            let Some(answer) = self.answers.take() else {
                break;
            };
            self.sink.start_send_unpin(answer.into())?;
            any = true;
        }
        self.sink.flush().await?;
        Ok(any)
    }

    /// Writes what the queue holds, and tells whether there was anything for this client.
    async fn deliver(&mut self) -> Result<bool, Error> {
        let Outbox { queue, history } = &mut *self.outbox;
        let mut any = false;
        for _ in 0..BATCH {
            // A frame leaves the queue only when it can be handed on at once: if this is dropped half-way, none is lost in between.
            poll_fn(|context| self.sink.poll_ready_unpin(context)).await?;
            let Some(frame) = queue.take() else { break };
            if let Some(message) = delivery(self.hubs, history, frame) {
                self.sink.start_send_unpin(message)?;
                any = true;
            }
        }
        self.sink.flush().await?;
        Ok(any)
    }
}

/// The message with a frame that is sent for the first time. Frames that are no envelopes have none, nor has a client without hubs.
fn delivery(hubs: &Hubs, history: &mut History, frame: Frame) -> Option<Message> {
    if hubs.is_empty() || !frame.is_envelope() {
        return None;
    }
    let cursor = history.keep(frame.clone(), Instant::now());
    message(hubs, cursor, &frame)
}

fn message(hubs: &Hubs, cursor: u64, frame: &Frame) -> Option<Message> {
    // All clients share the frame's text as a JSON string, which is most of their messages.
    let quoted = frame.as_kind(Kind::SignalRClassic, quoted)?;
    Some(Message::text(hubs.delivery(cursor, quoted.as_str())))
}
