//! One WebSocket of the plain protocol: from the request to the last byte.
//!
//! Reading and writing go on side by side, so that a member that doesn't read is still heard, and the other way round.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, OwnedSemaphorePermit};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::create_response;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;

use crate::close::Ending;
use crate::control::{self, Open, Said};
use crate::frame::Frame;
use crate::hub::Membership;
use crate::incoming;
use crate::queue::Head;
use crate::server::Relay;
use crate::session::Attached;
use crate::signalr::tickets::Secret;
use crate::store::Content;

/// Each connection keeps a buffer of this size from the start.
const READ_BUFFER: usize = 8 * 1024;
/// So much is put together before it is written.
const WRITE_BUFFER: usize = 32 * 1024;
/// After so many frames the writer flushes and looks up.
pub(crate) const BATCH: usize = 64;
/// The longest path that names a space.
const LONGEST_PATH: usize = 1024;

pub(crate) type Socket = WebSocketStream<TokioIo<Upgraded>>;
pub(crate) type Sink = SplitSink<Socket, Message>;
pub(crate) type Stream = SplitStream<Socket>;

/// Answers a request for a WebSocket of the plain protocol, and runs the connection once it is there.
pub(crate) fn accept(relay: &Arc<Relay>, request: Request) -> Response {
    let space = request.uri().path().to_owned();
    let opened = open(request).and_then(|opening| Ok((opening, place(relay)?)));
    let (opening, place) = match opened {
        Ok(opened) => opened,
        Err(refusal) => return *refusal,
    };
    let connection = Arc::clone(relay);
    opening.start(relay, relay.config.max_frame, |socket| async move {
        if let Some(socket) = socket {
            run(&connection, &space, socket).await;
        }
        drop(place);
    })
}

/// A request that can become a WebSocket.
pub(crate) struct Opening {
    response: Response,
    upgrade: hyper::upgrade::OnUpgrade,
}

/// Looks at a request for a WebSocket of whatever protocol. An error is the answer to one that can't become any.
pub(crate) fn open(request: Request) -> Result<Opening, Box<Response>> {
    let (mut head, _) = request.into_parts();
    let refuse = |status, sentence: String| Err(Box::new((status, sentence).into_response()));
    if head.uri.path().len() > LONGEST_PATH {
        return refuse(
            StatusCode::URI_TOO_LONG,
            format!("A space's name has at most {LONGEST_PATH} bytes.\n"),
        );
    }
    let Some(upgrade) = head.extensions.remove::<hyper::upgrade::OnUpgrade>() else {
        return refuse(
            StatusCode::UPGRADE_REQUIRED,
            "This connection can't become a WebSocket.\n".to_owned(),
        );
    };
    match create_response(&Request::from_parts(head, ())) {
        Ok(response) => Ok(Opening {
            response: response.map(|()| Body::empty()),
            upgrade,
        }),
        Err(error) => refuse(
            StatusCode::BAD_REQUEST,
            format!("That is no WebSocket handshake: {error}.\n"),
        ),
    }
}

/// One of the places that there are for WebSockets. An error is the answer to a client for whom there is none.
pub(crate) fn place(relay: &Relay) -> Result<OwnedSemaphorePermit, Box<Response>> {
    Arc::clone(&relay.places).try_acquire_owned().map_err(|_| {
        tracing::warn!(
            "refused: all {} connections are in use, --connections sets how many there may be",
            relay.config.connections
        );
        Box::new(
            (
                StatusCode::SERVICE_UNAVAILABLE,
                [(RETRY_AFTER, "10")],
                "The relay has all the connections it may have.\n",
            )
                .into_response(),
        )
    })
}

impl Opening {
    /// Makes it one, whose frames may have up to `max_frame` bytes. `run` gets it, or nothing if the client is gone before it is there.
    pub(crate) fn start<F>(
        self,
        relay: &Relay,
        max_frame: usize,
        run: impl FnOnce(Option<Socket>) -> F + Send + 'static,
    ) -> Response
    where
        F: Future<Output = ()> + Send,
    {
        let Self { response, upgrade } = self;
        relay.tasks.spawn(async move {
            let socket = match upgrade.await {
                Ok(upgraded) => {
                    let limits = WebSocketConfig::default()
                        .read_buffer_size(READ_BUFFER)
                        .write_buffer_size(WRITE_BUFFER)
                        .max_frame_size(Some(max_frame))
                        .max_message_size(Some(max_frame));
                    let io = TokioIo::new(upgraded);
                    Some(WebSocketStream::from_raw_socket(io, Role::Server, Some(limits)).await)
                }
                Err(error) => {
                    tracing::debug!(%error, "gone before the WebSocket was open");
                    None
                }
            };
            run(socket).await;
        });
        response
    }
}

/// Why a connection is over, once it is: the first reason counts.
#[derive(Debug, Default)]
struct Over {
    ending: OnceLock<Ending>,
    decided: CancellationToken,
}

impl Over {
    fn decide(&self, ending: Ending) {
        // The first reason stays.
        let _ = self.ending.set(ending);
        self.decided.cancel();
    }

    async fn decided(&self) {
        self.decided.cancelled().await;
    }
}

async fn run(relay: &Relay, space: &str, socket: Socket) {
    let Some(secret) = Secret::random() else {
        tracing::error!("refused: the system has no random numbers");
        return;
    };
    let (mut sink, mut stream) = socket.split();
    let hello = control::hello(secret.as_str(), relay.hub.epoch(), relay.config.ping);
    let (membership, mut queue) = relay.hub.join_greeted(space, hello);
    tracing::debug!(?space, "joined");

    let mut reader = Reader {
        relay,
        membership,
        secret,
        session: None,
        resumed: CancellationToken::new(),
    };
    let (over, ping, subscribed) = (Over::default(), Notify::new(), AtomicBool::new(false));
    let (overflow, resumed) = (queue.overflow(), reader.resumed.clone());
    let writing = async {
        let ending = tokio::select! {
            ending = write(&mut sink, &mut queue, &ping, &subscribed, relay.config.ping) => ending,
            () = overflow => Ending::TooSlow,
            () = resumed.cancelled() => Ending::Resumed,
            () = relay.stopping.cancelled() => Ending::ShuttingDown,
            () = over.decided() => return,
        };
        over.decide(ending);
    };
    // That the connection is over doesn't cut a turn short: see session.rs.
    let reading = async {
        let ending = reader.read(&mut stream, &ping, &subscribed, &over).await;
        over.decide(ending);
    };
    tokio::join!(reading, writing);

    let Reader {
        membership,
        session,
        ..
    } = reader;
    drop(membership);
    if let Some(session) = session {
        session.leave().await;
    }
    let ending = over.ending.into_inner().unwrap_or(Ending::Gone);
    if ending == Ending::TooSlow {
        tracing::info!(?space, "closed a connection that couldn't keep up");
    }
    tracing::debug!(?space, ?ending, "left");
    let rest: Vec<_> = match ending {
        Ending::ShuttingDown => std::iter::from_fn(|| queue.take()).collect(),
        // Else a client would take its end to be the fault of a message that was fine.
        _ => queue.take_acknowledgement().into_iter().collect(),
    };
    drop(queue);
    part(
        sink,
        stream,
        rest.into_iter().map(Message::from),
        ending.frame(),
        relay.config.farewell,
    )
    .await;
}

/// What comes in on one connection, and what is done about it.
struct Reader<'a> {
    relay: &'a Relay,
    membership: Membership,
    /// The name that the hello gave the session.
    secret: Secret,
    /// From the first `open` on.
    session: Option<Attached>,
    resumed: CancellationToken,
}

impl Reader<'_> {
    /// Takes what comes in.
    async fn read(
        &mut self,
        stream: &mut Stream,
        ping: &Notify,
        subscribed: &AtomicBool,
        over: &Over,
    ) -> Ending {
        let config = &self.relay.config;
        loop {
            let next = tokio::select! {
                biased;
                () = over.decided() => return Ending::Gone,
                next = incoming::text(stream, config.max_frame, ping, config) => next,
            };
            let taken = match next {
                Ok(text) => self.take(text).await,
                Err(ending) => Err(ending),
            };
            if let Err(ending) = taken {
                return ending;
            }
            subscribed.store(self.session.is_some(), Ordering::Relaxed);
            // A sender that never lets up gives way to the others of its thread now and then.
            tokio::task::consume_budget().await;
        }
    }

    async fn take(&mut self, text: Utf8Bytes) -> Result<(), Ending> {
        let Some(session) = &self.session else {
            let content = match control::read_first(&text) {
                Said::Open(open) => return self.subscribe(open).await,
                Said::Message(draft, _) => Content::Envelope(draft),
                _ => Content::Text(frame(text)),
            };
            let published = self.membership.publish(content).await;
            return published.map_err(|_| Ending::NoStore);
        };
        let membership = &self.membership;
        match control::read(&text) {
            Said::Message(draft, reference) => session.publish(membership, draft, reference).await,
            Said::Open(Open {
                session: Some(name),
                ..
            }) if !session.is(&name) => Err(Ending::NotForRelay(
                "another session than the one that was opened first",
            )),
            Said::Open(open) => session.open(membership, open).await,
            Said::Close(names) => session.close(membership, names).await,
            Said::Ping(number) => {
                membership.tail().push(control::pong(&number));
                Ok(())
            }
            Said::Pong => Ok(()),
            Said::Nothing(what) => Err(Ending::NotForRelay(what)),
        }
    }

    /// The first `open`: from now on this is a connection of a session.
    async fn subscribe(&mut self, open: Open) -> Result<(), Ending> {
        let (secret, named) = match &open.session {
            Some(named) => (&**named, true),
            None => (self.secret.as_str(), false),
        };
        let sessions = self.relay.hub.sessions();
        let attached = sessions.attach(secret, &self.membership, self.resumed.clone());
        let session = self.session.insert(attached);
        session.open_first(&self.membership, open, named).await
    }
}

/// A frame of its own memory if it is short: as a slice of the read buffer it could keep all of that alive while it waits in a queue.
fn frame(text: Utf8Bytes) -> Frame {
    if text.len() < READ_BUFFER {
        Frame::from(text.as_str())
    } else {
        Frame::new(text)
    }
}

/// Writes what the queue holds, and pings: of the WebSocket when nothing came for a while, and of the relay's own when it has nothing to write
/// to a client that knows them. The first shows the relay that the client is there, the other shows it to the client, which sees only text frames.
async fn write(
    sink: &mut Sink,
    queue: &mut Head,
    ping: &Notify,
    subscribed: &AtomicBool,
    silence: Duration,
) -> Ending {
    let mut deadline = Instant::now() + silence;
    let mut pings = 0;
    loop {
        let written = tokio::select! {
            biased;
            () = ping.notified() => sink.send(Message::Ping(Bytes::new())).await,
            () = queue.filled() => {
                let written = write_batch(sink, queue).await;
                deadline = Instant::now() + silence;
                written
            }
            () = sleep_until(deadline) => {
                deadline = Instant::now() + silence;
                if !subscribed.load(Ordering::Relaxed) {
                    continue;
                }
                pings += 1;
                sink.send(control::ping(pings).into()).await
            }
        };
        if written.is_err() {
            return Ending::Gone;
        }
    }
}

async fn write_batch(sink: &mut Sink, queue: &mut Head) -> Result<(), Error> {
    for _ in 0..BATCH {
        // A frame leaves the queue only when it can be handed on at once: if this is dropped half-way, none is lost in between.
        poll_fn(|context| sink.poll_ready_unpin(context)).await?;
        let Some(frame) = queue.take() else { break };
        sink.start_send_unpin(frame.into())?;
    }
    sink.flush().await
}

/// Says goodbye: sends the rest and the close frame, if there is one, and leaves the other side a little time to answer.
pub(crate) async fn part(
    sink: Sink,
    stream: Stream,
    rest: impl Iterator<Item = Message> + Send,
    close: Option<CloseFrame>,
    farewell: Duration,
) {
    if timeout(farewell, finish(sink, stream, rest, close))
        .await
        .is_err()
    {
        tracing::debug!("closed without the other side's answer");
    }
}

/// If the close frame isn't answered with another, reads on until the other side has closed all the same: when a socket is closed that has
/// unread input, the system resets the connection, and what was written last, the close code, is lost.
async fn finish(
    mut sink: Sink,
    mut stream: Stream,
    rest: impl Iterator<Item = Message> + Send,
    close: Option<CloseFrame>,
) -> Result<(), Error> {
    for message in rest {
        sink.feed(message).await?;
    }
    let mut answered = false;
    if let Some(frame) = close {
        sink.send(Message::Close(Some(frame))).await?;
        while let Some(Ok(message)) = stream.next().await {
            answered |= message.is_close();
        }
    } else {
        sink.flush().await?;
        answered = true;
    }
    let Ok(mut socket) = sink.reunite(stream) else {
        return Ok(());
    };
    let io = socket.get_mut();
    io.shutdown().await?;
    let mut rest = [0; 1024];
    while !answered && io.read(&mut rest).await? > 0 {}
    Ok(())
}
