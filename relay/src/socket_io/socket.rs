//! A session over a WebSocket: from the start, or changed over to from polling.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::engine::{PROBE, Packet, Version};
use super::session::{Session, Transport, longest_packet};
use super::{Problem, problem};
use crate::close::Ending;
use crate::server::Relay;
use crate::websocket::{self, Sink, Socket, Stream, part};

/// After so many packets the writer flushes and looks up.
const BATCH: usize = 64;
/// How long a client may try a WebSocket out before it changes over.
const UPGRADE: Duration = Duration::from_secs(10);

/// Answers a request for a WebSocket with a new session.
pub(crate) fn accept(relay: &Arc<Relay>, version: Version, request: Request) -> Response {
    let opened =
        websocket::open(request).and_then(|opening| Ok((opening, websocket::place(relay)?)));
    let (opening, place) = match opened {
        Ok(opened) => opened,
        Err(refusal) => return *refusal,
    };
    let connection = Arc::clone(relay);
    opening.start(
        relay,
        longest_packet(&relay.config),
        move |socket| async move {
            let Some(socket) = socket else { return };
            let Some(session) = Session::begin(&connection, version, Transport::WebSocket, place)
            else {
                return;
            };
            let (sink, stream) = socket.split();
            run(&connection, &session, sink, stream).await;
        },
    )
}

/// Answers a request for a WebSocket that a session by polling would like to change over to.
pub(crate) fn upgrade(relay: &Arc<Relay>, session: Arc<Session>, request: Request) -> Response {
    let opening = match websocket::open(request) {
        Ok(opening) => opening,
        Err(refusal) => return *refusal,
    };
    if !session.change(Transport::Polling, Transport::Upgrading) {
        return problem(Problem::BadRequest);
    }
    let connection = Arc::clone(relay);
    opening.start(
        relay,
        longest_packet(&relay.config),
        move |socket| async move {
            let changed = match socket {
                Some(socket) => try_out(&session, socket).await,
                None => Err(None),
            };
            match changed {
                Ok((sink, stream)) => {
                    session.change(Transport::Upgrading, Transport::WebSocket);
                    run(&connection, &session, sink, stream).await;
                }
                Err(rest) => {
                    session.change(Transport::Upgrading, Transport::Polling);
                    if let Some((sink, stream)) = rest {
                        part(
                            sink,
                            stream,
                            std::iter::empty(),
                            None,
                            connection.config.farewell,
                        )
                        .await;
                    }
                }
            }
        },
    )
}

type Halves = (Sink, Stream);

/// Answers the client's probe and waits until it changes over.
async fn try_out(session: &Session, socket: Socket) -> Result<Halves, Option<Halves>> {
    let (mut sink, mut stream) = socket.split();
    let trial = async {
        loop {
            let Some(Ok(message)) = stream.next().await else {
                return false;
            };
            let Message::Text(text) = message else {
                continue;
            };
            match Packet::parse(&text) {
                Ok(Packet::Ping(PROBE)) => {
                    if sink.send(Message::text(format!("3{PROBE}"))).await.is_err() {
                        return false;
                    }
                }
                Ok(Packet::Upgrade) => return true,
                Ok(Packet::Ping(_) | Packet::Pong | Packet::Noop) => {}
                Ok(Packet::Close | Packet::Message(_) | Packet::Binary) | Err(_) => return false,
            }
        }
    };
    let changed = tokio::select! {
        changed = timeout(UPGRADE, trial) => changed.unwrap_or(false),
        () = session.ended() => false,
    };
    if changed {
        Ok((sink, stream))
    } else {
        Err(Some((sink, stream)))
    }
}

async fn run(relay: &Arc<Relay>, session: &Session, mut sink: Sink, mut stream: Stream) {
    let ending = tokio::select! {
        ending = read(relay, session, &mut stream) => ending,
        ending = write(session, &mut sink) => ending,
        () = session.ended() => session.ending(),
    };
    session.end(ending);
    let rest: Vec<_> = std::iter::from_fn(|| session.next()).collect();
    part(
        sink,
        stream,
        rest.into_iter().map(Message::Text),
        session.ending().frame(),
        relay.config.farewell,
    )
    .await;
}

async fn read(relay: &Arc<Relay>, session: &Session, stream: &mut Stream) -> Ending {
    loop {
        match stream.next().await {
            Some(Ok(Message::Text(text))) => {
                if let Err(ending) = session.receive(relay, Packet::parse(&text)).await {
                    return ending;
                }
                // A sender that never lets up gives way to the others of its thread now and then.
                tokio::task::consume_budget().await;
            }
            Some(Ok(_)) => session.heard(),
            Some(Err(error)) => return Ending::from_error(error, relay.config.max_frame),
            None => return Ending::Gone,
        }
    }
}

async fn write(session: &Session, sink: &mut Sink) -> Ending {
    loop {
        if write_batch(session, sink).await.is_err() {
            return Ending::Gone;
        }
    }
}

async fn write_batch(session: &Session, sink: &mut Sink) -> Result<(), Error> {
    for _ in 0..BATCH {
        // A packet is taken only when it can be handed on at once: if this is dropped half-way, none is lost in between.
        poll_fn(|context| sink.poll_ready_unpin(context)).await?;
        let Some(packet) = session.next() else {
            sink.flush().await?;
            session.woken().await;
            return Ok(());
        };
        sink.start_send_unpin(Message::Text(packet))?;
    }
    sink.flush().await
}
