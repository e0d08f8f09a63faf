//! The WebSockets of ASP.NET Core SignalR.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::ORIGIN;
use axum::response::{IntoResponse, Response};
use signal_wire::{Envelope, UserId};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::protocol::{self, Protocol, Step};
use super::records::Splitter;
use crate::auth::access::Access;
use crate::auth::admission::Admission;
use crate::auth::refusal::Refusal;
use crate::connection::{
    self, CloseReason, Connection, Heartbeat, Inbound, Meter, Outbound, Upgrade, no_randomness,
};
use crate::hub::frame::{Encoding, Frame};
use crate::hub::ids::random_user_id;
use crate::hub::membership::Membership;
use crate::hub::queue::{self, Level, Receiver, Sender};
use crate::hub::store::Content;
use crate::metrics;
use crate::protocols::query::member;
use crate::protocols::referee::{Referee, is_private};
use crate::protocols::signalr::method::NO_ENVELOPE;
use crate::protocols::signalr::state::{Kind, SignalR};
use crate::protocols::signalr::timing::longest_text;

/// How envelopes are kept in the form of this protocol.
const ENCODING: Encoding = Encoding("signalr");

/// Answers a request for a WebSocket. A client that has negotiated shows its ticket; a client that
/// skipped the negotiation has none.
pub(in crate::protocols::signalr) fn accept(
    state: &Arc<SignalR>,
    space: &str,
    request: Request,
) -> Result<Response, Box<Response>> {
    let ticket = member(request.uri(), "id").map(|id| id.into_owned());
    let access = match Admission::of(request.extensions()).enter(space) {
        Err(refusal) if request.headers().contains_key(ORIGIN) => Err(refusal),
        access => Ok(access?),
    };
    let upgrade = Upgrade::new(request)?;
    let place = state.relay.admit(upgrade.address())?;
    let sender = random_user_id().map_err(no_randomness)?;
    if let Some(ticket) = ticket
        && state.redeem(&ticket, Kind::Core, space).is_none()
    {
        let sentence = "No connection with that id waits here: it was used already, or it has expired. Negotiate again.\n";
        return Err(Box::new((StatusCode::NOT_FOUND, sentence).into_response()));
    }
    let (state, space) = (Arc::clone(state), space.to_owned());
    let relay = Arc::clone(&state.relay);
    let longest = longest_text(relay.limits().max_frame);
    Ok(upgrade.start(
        &relay,
        longest,
        place.allowance(),
        move |connection| async move {
            if let Some(connection) = connection {
                run(&state, &space, access, sender, connection).await;
            }
            drop(place);
        },
    ))
}

async fn run(
    state: &SignalR,
    space: &str,
    access: Result<Access, Refusal>,
    sender: UserId,
    mut connection: Box<Connection>,
) {
    let relay = &state.relay;
    let limits = relay.limits();
    let longest = longest_text(limits.max_frame);
    let mut tracked = relay.track(metrics::Protocol::SignalR, space, connection.address);
    let access = match access {
        Ok(access) => access,
        // A page can't read the status of a refused request.
        Err(refusal) => {
            let reason = CloseReason::from(refusal);
            tracked.end(reason.name());
            return connection.close([], &reason).await;
        }
    };
    let departure = relay.lifecycle.departure();
    let mut handshake = Handshake {
        protocol: Protocol::default(),
        splitter: Splitter::new(longest),
        longest,
        last: None,
    };
    let done = tokio::select! {
        done = handshake.run(&mut connection, state.timing.handshake) => done,
        () = departure.due() => Err(CloseReason::ShuttingDown),
    };
    let early = match done {
        Ok(early) => early,
        Err(reason) => {
            let reason_text = || Some(protocol::handshake_error(&reason.frame()?.reason));
            let last = handshake.last.or_else(reason_text);
            tracked.end(reason.name());
            return connection.close(last.map(Utf8Bytes::from), &reason).await;
        }
    };

    relay.hub.settle(space).await;
    let (membership, mut queue) = relay.hub.join(space, connection.address, access.audience());
    let account = Arc::clone(membership.account());
    let signals = queue.signals_beside();
    let (answers, mut answered) = queue::queue_with(limits.queue, account, signals);
    answers.push(Frame::from(protocol::WELCOME));
    let referee = Referee::queued(relay, &limits, membership.sender(), None);
    let liveness = referee.liveness();
    let mut client = Client {
        handshake,
        frame: early,
        split: 0,
        member: Member {
            sender,
            access: &access,
            membership: &membership,
            answers: &answers,
            referee: &referee,
            max_frame: limits.max_frame,
        },
        meter: Arc::clone(connection.meter()),
    };
    let (overflowed, unread) = (queue.overflowed(), answered.overflowed());
    let closing = Box::pin(async {
        tokio::select! {
            biased;
            () = overflowed => CloseReason::SlowConsumer,
            () = unread => CloseReason::SlowConsumer,
            () = liveness.replaced.cancelled() => CloseReason::ResumedElsewhere,
            () = access.expired() => Refusal::EXPIRED.into(),
            () = departure.due() => CloseReason::ShuttingDown,
        }
    });
    let mut output = Output {
        queue: &mut queue,
        answers: &mut answered,
        interval: state.timing.ping.min(limits.ping_interval),
    };
    let heartbeat = Heartbeat::new(&limits);
    let reason = connection::run(
        &mut connection,
        &mut client,
        &mut output,
        Some(&heartbeat),
        closing,
    )
    .await;
    let last = client.handshake.last.or_else(|| close_record(&reason));
    if reason == CloseReason::ShuttingDown {
        referee.leave();
    }
    drop(referee);
    drop(membership);

    let mut rest: Vec<_> = std::iter::from_fn(|| answered.pop())
        .map(|answer| answer.text().clone())
        .collect();
    if reason == CloseReason::ShuttingDown {
        rest.extend(std::iter::from_fn(|| queue.pop()).filter_map(|frame| encoded(&frame)));
    }
    tracked.end(reason.name());
    rest.extend(last.map(Utf8Bytes::from));
    connection.close(rest, &reason).await;
}

/// The record that tells a client why its connection closes, if that isn't told already.
fn close_record(reason: &CloseReason) -> Option<String> {
    let frame = reason.frame().filter(|_| *reason != CloseReason::Normal)?;
    let may_reconnect = matches!(
        reason,
        CloseReason::ShuttingDown
            | CloseReason::StoreUnavailable
            | CloseReason::SlowConsumer
            | CloseReason::OverMemory
            | CloseReason::PingTimeout
            | CloseReason::RateExceeded(_)
            | CloseReason::TokenRefused(_)
    );
    // For some clients an error blames what they sent last.
    let is_blameless = matches!(
        reason,
        CloseReason::ShuttingDown | CloseReason::TokenRefused(_)
    );
    let error = (!is_blameless).then(|| frame.reason.as_str());
    Some(protocol::close(error, may_reconnect))
}

/// Reading records, and the handshake that comes first.
struct Handshake {
    protocol: Protocol,
    splitter: Splitter,
    /// The longest record, in bytes.
    longest: usize,
    /// The last record, for a client that breaks the protocol.
    last: Option<String>,
}

impl Handshake {
    /// Reads up to the handshake. Returns what came after it in the same frame.
    async fn run(
        &mut self,
        connection: &mut Connection,
        time: Duration,
    ) -> Result<Utf8Bytes, CloseReason> {
        let deadline = Instant::now() + time;
        loop {
            let Ok(text) = timeout_at(deadline, connection.read_text()).await else {
                let seconds = time.as_secs_f64();
                let error = format!("No handshake came within {seconds} seconds.");
                self.last = Some(protocol::handshake_error(&error));
                return Err(CloseReason::Normal);
            };
            let text = text?;
            let mut records = self.splitter.split(&text);
            let Some(record) = records.next() else {
                continue;
            };
            let record = record.map_err(|_| CloseReason::FrameTooLarge(self.longest))?;
            let step = self.protocol.read(&record);
            if let Step::Refuse(answer) = step {
                self.last = Some(answer);
                return Err(CloseReason::Normal);
            }
            return Ok(records.rest().into());
        }
    }
}

/// One client: what comes in. Its silence is watched as that of plain WebSockets: when a client of
/// SignalR pings is its own choice, and browsers let hidden pages do so more rarely, but WebSockets
/// answer pings at once.
struct Client<'a> {
    handshake: Handshake,
    /// The last frame, and how much of it was split into records that were taken.
    frame: Utf8Bytes,
    split: usize,
    member: Member<'a>,
    meter: Arc<Meter>,
}

/// What a client's records act on.
struct Member<'a> {
    /// The sender of messages that come without one.
    sender: UserId,
    access: &'a Access,
    membership: &'a Membership,
    answers: &'a Sender,
    referee: &'a Referee,
    max_frame: usize,
}

impl Inbound for Client<'_> {
    async fn text(&mut self, text: Utf8Bytes) -> Result<(), CloseReason> {
        self.member.referee.heard();
        self.frame = text;
        self.split = 0;
        self.more().await
    }

    fn heartbeat(&self) -> Option<&Heartbeat> {
        self.member.referee.heartbeat()
    }

    fn has_more(&self) -> bool {
        self.split < self.frame.len()
    }

    async fn more(&mut self) -> Result<(), CloseReason> {
        let Handshake {
            protocol,
            splitter,
            longest,
            last,
        } = &mut self.handshake;
        let rest = self.frame.get(self.split..).unwrap_or_default();
        let mut records = splitter.split(rest);
        let record = records.next().transpose();
        let record = record.map_err(|_| CloseReason::FrameTooLarge(*longest))?;
        let step = record.map(|record| protocol.read(&record));
        self.split = self.frame.len() - records.rest().len();
        if self.split == self.frame.len() {
            // The frame would keep the read buffer alive.
            self.frame = Utf8Bytes::default();
            self.split = 0;
            self.meter.hold_record(splitter.kept());
        }
        match step {
            Some(step) => self.member.take(step, last).await,
            None => Ok(()),
        }
    }
}

impl Member<'_> {
    /// Does what a record asks for. For a client that breaks the protocol, `last` is set to its
    /// last record.
    async fn take(&self, step: Step, last: &mut Option<String>) -> Result<(), CloseReason> {
        let answer = match step {
            Step::Nothing => None,
            Step::Answer(answer) => Some(answer),
            Step::Leave => return Err(CloseReason::Normal),
            Step::Refuse(record) => {
                *last = Some(record);
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

    async fn publish(&self, text: &str) -> Result<Result<(), &'static str>, CloseReason> {
        let too_large = CloseReason::FrameTooLarge(self.max_frame);
        if text.len() > self.max_frame {
            return Err(too_large);
        }
        let Some(envelope) = Envelope::read(text) else {
            return Ok(Err(NO_ENVELOPE));
        };
        if is_private(&envelope.channel) {
            let (channel, message) = (&envelope.channel, envelope.message());
            let taken = self
                .referee
                .take(channel, message, self.membership, self.access);
            taken.await;
            return Ok(Ok(()));
        }
        let message = match self.access.message(envelope, Some(self.sender), true) {
            Ok(message) => message,
            Err(why) => return Ok(Err(why.as_str())),
        };
        // The sender that was added counts too.
        if message.len() > self.max_frame {
            return Err(too_large);
        }
        let published = self.membership.publish(Content::Envelope(message)).await;
        published.map_err(|_| CloseReason::StoreUnavailable)?;
        Ok(Ok(()))
    }
}

/// What goes out: answers before frames.
struct Output<'a> {
    queue: &'a mut Receiver,
    answers: &'a mut Receiver,
    interval: Duration,
}

impl Outbound for Output<'_> {
    async fn ready(&mut self) {
        tokio::select! {
            biased;
            () = self.answers.ready() => {}
            () = self.queue.ready() => {}
        }
    }

    fn next(&mut self) -> Option<Utf8Bytes> {
        if let Some(answer) = self.answers.pop() {
            return Some(answer.text().clone());
        }
        std::iter::from_fn(|| self.queue.pop()).find_map(|frame| encoded(&frame))
    }

    fn keep_alive_interval(&self) -> Option<Duration> {
        Some(self.interval)
    }

    fn keep_alive(&mut self) -> Option<Utf8Bytes> {
        Some(Utf8Bytes::from_static(protocol::PING))
    }
}

/// The record with a frame, which all clients of this kind share. `None`: the frame isn't an
/// envelope.
fn encoded(frame: &Frame) -> Option<Utf8Bytes> {
    frame.encoded(ENCODING, protocol::delivery)
}
