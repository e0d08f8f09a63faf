//! One WebSocket of ASP.NET Core SignalR: from the request to the last byte.

use std::future::poll_fn;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::{SinkExt, StreamExt};
use signal_wasm::protocol::UserId;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::core::{self, Protocol, Step};
use super::method::NO_ENVELOPE;
use super::query::Query;
use super::records::Splitter;
use super::{Hub, longest};
use crate::close::Ending;
use crate::config::Config;
use crate::frame::Frame;
use crate::hub::Membership;
use crate::incoming;
use crate::queue::{self, Head, Level, Tail};
use crate::server::Relay;
use crate::store::Content;
use crate::translate::{Kind, canonical, random_sender};
use crate::websocket::{self, BATCH, Sink, Socket, Stream};

/// Answers a request for a WebSocket of the hub. A client that has negotiated shows its secret; one that skipped that has none.
pub(super) fn accept(
    relay: &Arc<Relay>,
    space: &str,
    query: Query<'_>,
    request: Request,
) -> Result<Response, Box<Response>> {
    let opening = websocket::open(request)?;
    let place = websocket::place(relay)?;
    if let Some(id) = query.get("id")
        && relay.signalr.redeem(&id, Hub::Core, space).is_none()
    {
        return Err(Box::new(
            (
                StatusCode::NOT_FOUND,
                "No connection with that id waits here: it was used already, or its time is over. Negotiate again.\n",
            )
                .into_response(),
        ));
    }
    let (connection, space) = (Arc::clone(relay), space.to_owned());
    Ok(
        opening.start(relay, longest(&relay.config), |socket| async move {
            if let Some(socket) = socket {
                run(&connection, &space, socket).await;
            }
            drop(place);
        }),
    )
}

/// How a connection ends, and the record that its client is told that with.
struct Farewell {
    ending: Ending,
    record: Option<String>,
}

impl Farewell {
    /// The end of a connection that is past its handshake.
    fn new(ending: Ending) -> Self {
        let record = ending.frame().map(|frame| {
            let come_back = matches!(
                ending,
                Ending::ShuttingDown | Ending::NoStore | Ending::TooSlow | Ending::Silent
            );
            let error = (ending != Ending::ShuttingDown).then(|| frame.reason.as_str());
            core::close(error, come_back)
        });
        Self { ending, record }
    }

    /// The end of a connection before it.
    fn at_handshake(ending: Ending) -> Self {
        let record = ending
            .frame()
            .map(|frame| core::handshake_error(frame.reason.as_str()));
        Self { ending, record }
    }

    /// The client was answered with this record, and there is nothing to add.
    fn said(record: Option<String>) -> Self {
        Self {
            ending: Ending::Said,
            record,
        }
    }
}

async fn run(relay: &Relay, space: &str, socket: Socket) {
    let (mut sink, mut stream) = socket.split();
    let mut reader = Reader {
        protocol: Protocol::default(),
        splitter: Splitter::new(longest(&relay.config)),
    };
    let shaken = tokio::select! {
        shaken = reader.shake(&mut stream, &relay.config) => shaken,
        () = relay.stopping.cancelled() => Err(Farewell::at_handshake(Ending::ShuttingDown)),
    };
    let (farewell, rest) = match shaken {
        Err(farewell) => (farewell, Vec::new()),
        Ok(more) => {
            let (membership, mut queue) = relay.hub.join(space);
            let (answers, mut answered) = queue::queue(relay.config.queue);
            answers.push(Frame::from(core::WELCOME));
            tracing::debug!(?space, "joined by SignalR");
            let seat = Seat {
                sender: random_sender(),
                membership: &membership,
                answers: &answers,
                config: &relay.config,
            };
            let (overflow, unread) = (queue.overflow(), answered.overflow());
            let ping = Notify::new();
            let farewell = tokio::select! {
                farewell = reader.read(&mut stream, more, &seat, &ping) => farewell,
                ending = write(&mut sink, &mut queue, &mut answered, &ping, &relay.config) => Farewell::new(ending),
                () = overflow => Farewell::new(Ending::TooSlow),
                () = unread => Farewell::new(Ending::TooSlow),
                () = relay.stopping.cancelled() => Farewell::new(Ending::ShuttingDown),
            };
            drop(membership);
            let mut rest: Vec<Message> = std::iter::from_fn(|| answered.take())
                .map(Message::from)
                .collect();
            if farewell.ending == Ending::ShuttingDown {
                rest.extend(
                    std::iter::from_fn(|| queue.take()).filter_map(|frame| delivery(&frame)),
                );
            }
            (farewell, rest)
        }
    };
    let Farewell { ending, record } = farewell;
    if ending == Ending::TooSlow {
        tracing::info!(?space, "closed a SignalR connection that couldn't keep up");
    }
    tracing::debug!(?space, ?ending, "left");
    let rest = rest.into_iter().chain(record.map(Message::text));
    websocket::part(sink, stream, rest, ending.frame(), relay.config.farewell).await;
}

/// What comes in.
struct Reader {
    protocol: Protocol,
    splitter: Splitter,
}

impl Reader {
    /// Reads up to the handshake, and gives what came in one frame with it.
    async fn shake(
        &mut self,
        stream: &mut Stream,
        config: &Config,
    ) -> Result<Vec<String>, Farewell> {
        let deadline = Instant::now() + config.signalr.handshake;
        loop {
            let text = match timeout_at(deadline, stream.next()).await {
                Ok(message) => match incoming::read(message, longest(config)) {
                    Ok(Some(text)) => text,
                    Ok(None) => continue,
                    Err(ending) => return Err(Farewell::at_handshake(ending)),
                },
                Err(_) => {
                    let seconds = config.signalr.handshake.as_secs_f64();
                    let error = format!("No handshake came within {seconds} seconds.");
                    return Err(Farewell::said(Some(core::handshake_error(&error))));
                }
            };
            let mut more = Vec::new();
            for record in self.splitter.split(&text) {
                let Ok(record) = record else {
                    return Err(Farewell::at_handshake(Ending::TooLong(longest(config))));
                };
                if self.protocol.is_shaken() {
                    more.push(record.into_owned());
                } else if let Step::Refuse(answer) = self.protocol.read(&record) {
                    return Err(Farewell::said(Some(answer)));
                }
            }
            if self.protocol.is_shaken() {
                return Ok(more);
            }
        }
    }

    /// Does what the records ask for, those first that came with the handshake. The silence in between is watched as for members of the plain
    /// protocol: when a client of SignalR pings is its own choice, and a browser may let a hidden page do so more rarely, but WebSockets answer
    /// pings at once.
    async fn read(
        &mut self,
        stream: &mut Stream,
        more: Vec<String>,
        seat: &Seat<'_>,
        ping: &Notify,
    ) -> Farewell {
        for record in more {
            if let Err(farewell) = seat.act(self.protocol.read(&record)).await {
                return farewell;
            }
        }
        let longest = longest(seat.config);
        loop {
            let text = match incoming::text(stream, longest, ping, seat.config).await {
                Ok(text) => text,
                Err(ending) => return Farewell::new(ending),
            };
            for record in self.splitter.split(&text) {
                let Ok(record) = record else {
                    return Farewell::new(Ending::TooLong(longest));
                };
                if let Err(farewell) = seat.act(self.protocol.read(&record)).await {
                    return farewell;
                }
            }
        }
    }
}

/// A client's place in the hub.
struct Seat<'a> {
    sender: UserId,
    membership: &'a Membership,
    answers: &'a Tail,
    config: &'a Config,
}

impl Seat<'_> {
    async fn act(&self, step: Step) -> Result<(), Farewell> {
        let answer = match step {
            Step::Nothing => None,
            Step::Answer(answer) => Some(answer),
            Step::Leave => return Err(Farewell::said(None)),
            Step::Refuse(last) => return Err(Farewell::said(Some(last))),
            Step::Publish { text, receipt } => receipt.answer(self.publish(&text).await?),
        };
        if let Some(answer) = answer
            && self.answers.push(Frame::new(Utf8Bytes::from(answer))) == Level::Overflowed
        {
            return Err(Farewell::new(Ending::TooSlow));
        }
        // A sender that never lets up gives way to the others of its thread now and then.
        tokio::task::consume_budget().await;
        Ok(())
    }

    async fn publish(&self, text: &str) -> Result<Result<(), &'static str>, Farewell> {
        let max_frame = self.config.max_frame;
        if text.len() > max_frame {
            return Err(Farewell::new(Ending::TooLong(max_frame)));
        }
        let Some(frame) = canonical(text, self.sender) else {
            return Ok(Err(NO_ENVELOPE));
        };
        // The sender that was added counts too.
        if frame.len() > max_frame {
            return Err(Farewell::new(Ending::TooLong(max_frame)));
        }
        match self.membership.publish(Content::Envelope(frame)).await {
            Ok(()) => Ok(Ok(())),
            Err(_) => Err(Farewell::new(Ending::NoStore)),
        }
    }
}

/// Writes the answers, what the queue holds, and pings: of the WebSocket when nothing came for a while, and of SignalR when there was nothing
/// else for the client, which doesn't see the others.
async fn write(
    sink: &mut Sink,
    queue: &mut Head,
    answers: &mut Head,
    ping: &Notify,
    config: &Config,
) -> Ending {
    let silence = config.signalr.ping.min(config.ping);
    let mut deadline = Instant::now() + silence;
    loop {
        let written = tokio::select! {
            biased;
            () = ping.notified() => sink.send(Message::Ping(Bytes::new())).await.map(|()| false),
            () = answers.filled() => batch(sink, answers, |frame| Some(frame.clone().into())).await,
            // Before what others say, which may never end and have nothing for this client.
            () = sleep_until(deadline) => sink.send(Message::text(core::PING)).await.map(|()| true),
            () = queue.filled() => batch(sink, queue, delivery).await,
        };
        match written {
            Ok(true) => deadline = Instant::now() + silence,
            Ok(false) => {}
            Err(_) => return Ending::Gone,
        }
    }
}

/// Writes what the queue holds, and tells whether there was anything for this client.
async fn batch(
    sink: &mut Sink,
    queue: &mut Head,
    message: impl Fn(&Frame) -> Option<Message>,
) -> Result<bool, Error> {
    let mut any = false;
    for _ in 0..BATCH {
        // A frame leaves the queue only when it can be handed on at once: if this is dropped half-way, none is lost in between.
        poll_fn(|context| sink.poll_ready_unpin(context)).await?;
        let Some(frame) = queue.take() else { break };
        if let Some(message) = message(&frame) {
            sink.start_send_unpin(message)?;
            any = true;
        }
    }
    sink.flush().await?;
    Ok(any)
}

/// The record with a frame, which all members of this kind share. Frames that are no envelopes have none.
fn delivery(frame: &Frame) -> Option<Message> {
    frame
        .as_kind(Kind::SignalR, core::delivery)
        .map(|record| Message::Text(record.clone()))
}
