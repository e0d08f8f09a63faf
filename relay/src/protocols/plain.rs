//! Plain WebSockets: each path is a space, and each text frame goes to the others in it.
//!
//! The first frame on each connection is a hello. A client that knows our relay answers with `open`
//! and speaks the protocol of [`signal_wire::frames`] from then on: it receives only the channels
//! that it has open, and may resume. Every other client takes the hello for somebody else's
//! message, and receives everything but control frames: those are the relay's alone.
//!
//! Pages of websocket-over-nodejs take every frame for a message of theirs. For them the hello may
//! wait until the client's first frame, which shows what it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use signal_wire::envelope::UNNAMED;
use signal_wire::frames::{VERSION, encode_ping, encode_pong};
use signal_wire::{ClientFrame, Envelope, Open, ServerFrame, Subscription};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::entry::{Entered, Entry};
use super::late::Late;
use super::route::Route;
use super::websocket_over_nodejs::OldPage;
use crate::auth::access::{Access, Forbidden, NOT_SUBSCRIBED};
use crate::auth::refusal::Refusal;
use crate::connection::{
    self, CloseReason, Connection, Heartbeat, Inbound, Outbound, READ_BUFFER, Upgrade, is_upgrade,
    no_randomness,
};
use crate::hub::frame::{Frame, PendingMessage};
use crate::hub::ids::Secret;
use crate::hub::membership::Membership;
use crate::hub::queue::Receiver;
use crate::hub::sessions::{Attached, Ends};
use crate::hub::store::Content;
use crate::limits::{Allowance, Limits};
use crate::metrics::Protocol;
use crate::relay::Relay;

/// Why a client that resumes a second session on one connection is closed.
const SECOND_SESSION: &str = "another session than the one that was opened first";

/// Every request for a WebSocket that is no other protocol's.
pub(crate) fn routes(relay: Arc<Relay>) -> Route {
    Route {
        matches: |request| is_upgrade(&request.headers),
        service: Router::new().fallback(accept).with_state(relay),
    }
}

async fn accept(State(relay): State<Arc<Relay>>, request: Request) -> Response {
    open(relay, request).unwrap_or_else(|refusal| *refusal)
}

fn open(relay: Arc<Relay>, request: Request) -> Result<Response, Box<Response>> {
    let space = request.uri().path().to_owned();
    let entry = Entry::of(&request, &space)?;
    let upgrade = Upgrade::new(request)?;
    let place = relay.admit(upgrade.address())?;
    let secret = Secret::random().map_err(no_randomness)?;
    let (connected, limits) = (Arc::clone(&relay), relay.limits());
    let (max_frame, allowance) = (limits.max_frame, place.allowance());
    Ok(
        upgrade.start(&relay, max_frame, allowance, move |connection| async move {
            if let Some(connection) = connection {
                run(&connected, limits, &space, secret, entry, connection).await;
            }
            drop(place);
        }),
    )
}

async fn run(
    relay: &Relay,
    limits: Limits,
    space: &str,
    secret: Secret,
    entry: Entry,
    mut connection: Connection,
) {
    let hello = ServerFrame::Hello {
        version: VERSION,
        session: secret.as_str().into(),
        epoch: relay.hub.epoch().into(),
        ping: milliseconds(limits.ping_interval),
    };
    let mut tracked = relay.track(Protocol::Plain, space, connection.address);
    let departure = relay.lifecycle.departure();
    let entered = tokio::select! {
        entered = entry.enter(&mut connection, space, hello.encode()) => entered,
        () = departure.due() => Err(CloseReason::ShuttingDown),
    };
    let Entered {
        access,
        greeting,
        first,
    } = match entered {
        Ok(entered) => entered,
        Err(reason) => {
            tracked.end(reason.name());
            return connection.close([], &reason).await;
        }
    };
    let mut greeting = greeting.map(Frame::from);
    let late = Late::new(limits.hello_delay, &mut greeting);
    let address = connection.address;
    let (membership, mut queue) =
        relay
            .hub
            .join_greeted(space, address, access.audience(), greeting);

    let subscribed = AtomicBool::new(false);
    let old_page = OldPage::default();
    let mut client = Client {
        relay,
        allowance: Arc::clone(&connection.allowance),
        access: access.clone(),
        membership,
        max_frame: limits.max_frame,
        secret,
        session: None,
        ends: Ends::default(),
        subscribed: &subscribed,
        old_page: &old_page,
        late: &late,
    };
    let mut output = Output {
        queue: &mut queue,
        subscribed: &subscribed,
        old_page: &old_page,
        late: &late,
        interval: limits.ping_interval,
        pings: 0,
    };
    let (overflowed, ends) = (output.queue.overflowed(), client.ends.clone());
    let closing = async {
        tokio::select! {
            biased;
            () = overflowed => CloseReason::SlowConsumer,
            () = ends.resumed.cancelled() => CloseReason::ResumedElsewhere,
            () = ends.evicted.cancelled() => CloseReason::OverMemory,
            () = access.expired() => Refusal::EXPIRED.into(),
            () = departure.due() => CloseReason::ShuttingDown,
        }
    };
    let heartbeat = Some(Heartbeat::new(&limits));
    let taken = match first {
        Some(first) => client.text(first).await,
        None => Ok(()),
    };
    let reason = match taken {
        Ok(()) => {
            connection::run(
                &mut connection,
                &mut client,
                &mut output,
                heartbeat,
                closing,
            )
            .await
        }
        Err(reason) => reason,
    };

    let Client {
        membership,
        session,
        ..
    } = client;
    drop(membership);
    if let Some(session) = session {
        session.leave().await;
    }
    tracked.end(reason.name());
    let rest: Vec<Frame> = match reason {
        _ if old_page.is_one() => Vec::new(),
        CloseReason::ShuttingDown => std::iter::from_fn(|| queue.pop()).collect(),
        // Without the acknowledgement, a client would blame the close on a message that was fine.
        _ => queue.pop_ack().into_iter().collect(),
    };
    drop(queue);
    let rest: Vec<_> = rest.iter().map(|frame| frame.text().clone()).collect();
    connection.close(rest, &reason).await;
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// One client: what comes in.
struct Client<'a> {
    relay: &'a Relay,
    access: Access,
    membership: Membership,
    allowance: Arc<Allowance>,
    max_frame: usize,
    /// The session's secret in the hello.
    secret: Secret,
    /// From the first `open` on.
    session: Option<Attached>,
    ends: Ends,
    /// Whether there is a session, for the writing half.
    subscribed: &'a AtomicBool,
    old_page: &'a OldPage,
    late: &'a Late,
}

impl Inbound for Client<'_> {
    async fn text(&mut self, text: Utf8Bytes) -> Result<(), CloseReason> {
        match &self.session {
            None => {
                let (membership, access) = (&self.membership, &self.access);
                let taken = self
                    .old_page
                    .take(&text, membership, access, self.max_frame);
                let is_old = taken.await?;
                if let Some(hello) = self.late.take().filter(|_| !is_old) {
                    self.membership.sender().push(hello);
                }
                if is_old {
                    return Ok(());
                }
                self.take_first(text).await
            }
            Some(session) => {
                let take = Take {
                    session,
                    access: &self.access,
                    membership: &self.membership,
                    allowance: &self.allowance,
                    max_frame: self.max_frame,
                };
                take.frame(&text).await
            }
        }
    }
}

impl Client<'_> {
    /// Takes a frame of a client that hasn't subscribed. Whatever it sends is for others, except for
    /// control frames.
    async fn take_first(&mut self, text: Utf8Bytes) -> Result<(), CloseReason> {
        let content = match ClientFrame::decode_first(&text) {
            ClientFrame::Open(open) => return self.subscribe(open).await,
            ClientFrame::Publish(envelope, _) => {
                let channel = envelope.channel.clone();
                match self.access.message(envelope, None, true) {
                    Ok(message) => {
                        check_length(&message, self.max_frame)?;
                        Content::Envelope(message)
                    }
                    Err(why) => {
                        refuse(&self.membership, &channel, why.as_str());
                        return Ok(());
                    }
                }
            }
            ClientFrame::Text if self.access.allows_texts() => Content::Text(own_frame(&text)),
            ClientFrame::Text => {
                refuse(&self.membership, UNNAMED, Forbidden::NoEnvelope.as_str());
                return Ok(());
            }
            ClientFrame::Token(token) => return renew(&self.access, Some(&token)).await,
            ClientFrame::Ping(number) => {
                answer_ping(&self.membership, number);
                return Ok(());
            }
            ClientFrame::Close(_) | ClientFrame::Pong => return Ok(()),
            ClientFrame::Invalid(problem) => {
                tracing::debug!(problem, "a control frame isn't handed on");
                return Ok(());
            }
        };
        let published = self.membership.publish(content).await;
        published.map_err(|_| CloseReason::StoreUnavailable)
    }

    /// Takes the first `open`: from now on the connection belongs to a session.
    async fn subscribe(&mut self, open: Open<'_>) -> Result<(), CloseReason> {
        self.allowance.charge_channels(open.channels.len());
        renew(&self.access, open.token.as_deref()).await?;
        let (secret, resumes) = match &open.session {
            Some(secret) => (&**secret, true),
            None => (self.secret.as_str(), false),
        };
        let sessions = self.relay.hub.sessions();
        let attached = sessions.attach(secret, resumes, &self.membership, self.ends.clone())?;
        let session = self.session.insert(attached);
        // Already now: what is written meanwhile may be of the replay.
        self.subscribed.store(true, Ordering::Relaxed);
        let (open, refused) = permitted(&self.access, open);
        session.open_first(&self.membership, &open, resumes).await?;
        refuse_all(&self.membership, &refused);
        announce_expiry(&self.access, &self.membership);
        Ok(())
    }
}

/// What a frame of a client that has subscribed acts on.
struct Take<'a> {
    session: &'a Attached,
    access: &'a Access,
    membership: &'a Membership,
    allowance: &'a Allowance,
    max_frame: usize,
}

impl Take<'_> {
    async fn frame(&self, text: &str) -> Result<(), CloseReason> {
        let Self {
            session,
            access,
            membership,
            ..
        } = self;
        match ClientFrame::decode(text) {
            ClientFrame::Publish(envelope, reference) => self.publish(envelope, reference).await?,
            ClientFrame::Open(open) => {
                self.allowance.charge_channels(open.channels.len());
                if open
                    .session
                    .as_ref()
                    .is_some_and(|secret| !session.is(secret))
                {
                    return Err(not_ours(SECOND_SESSION));
                }
                if open.token.is_some() {
                    renew(access, open.token.as_deref()).await?;
                    announce_expiry(access, membership);
                }
                let (open, refused) = permitted(access, open);
                session.open(membership, &open).await?;
                refuse_all(membership, &refused);
            }
            ClientFrame::Close(names) => {
                let names = names.iter().map(|name| Arc::from(&**name)).collect();
                session.close(membership, names).await?;
            }
            ClientFrame::Token(token) => {
                renew(access, Some(&token)).await?;
                announce_expiry(access, membership);
            }
            ClientFrame::Ping(number) => answer_ping(membership, number),
            ClientFrame::Pong => {}
            ClientFrame::Text => return Err(not_ours("a frame is a JSON object")),
            ClientFrame::Invalid(problem) => return Err(not_ours(problem)),
        }
        Ok(())
    }

    async fn publish(
        &self,
        envelope: Envelope<'_>,
        reference: Option<u64>,
    ) -> Result<(), CloseReason> {
        let (session, membership) = (self.session, self.membership);
        let channel = envelope.channel.clone();
        match self.access.message(envelope, None, reference.is_none()) {
            Ok(message) => {
                check_length(&message, self.max_frame)?;
                session.publish(membership, message, reference).await?;
            }
            Err(why) => {
                refuse(membership, &channel, why.as_str());
                if let Some(reference) = reference {
                    session.skip(membership, reference).await?;
                }
            }
        }
        Ok(())
    }
}

/// The user that the relay adds counts too.
fn check_length(message: &PendingMessage, max_frame: usize) -> Result<(), CloseReason> {
    if message.len() > max_frame {
        return Err(CloseReason::FrameTooLarge(max_frame));
    }
    Ok(())
}

fn answer_ping(membership: &Membership, number: &str) {
    membership.sender().push(Frame::from(encode_pong(number)));
}

/// Continues with a newer token, if there is one. The earlier one counts on if nobody can say
/// whether the newer one is good.
async fn renew(access: &Access, token: Option<&str>) -> Result<(), CloseReason> {
    let Some(token) = token else {
        return Ok(());
    };
    match access.renew(token).await {
        Err(refusal) if !refusal.is_temporary() => Err(refusal.into()),
        _ => Ok(()),
    }
}

/// The part of a request that is allowed, and the channels that aren't.
fn permitted<'a>(access: &Access, open: Open<'a>) -> (Open<'a>, Vec<Subscription<'a>>) {
    let (channels, refused) = open
        .channels
        .into_iter()
        .partition(|open| access.may_subscribe(&open.channel));
    (Open { channels, ..open }, refused)
}

fn refuse_all(membership: &Membership, refused: &[Subscription<'_>]) {
    for open in refused {
        refuse(membership, &open.channel, NOT_SUBSCRIBED);
    }
}

fn refuse(membership: &Membership, channel: &str, why: &str) {
    let refused = ServerFrame::Refused {
        channel: channel.into(),
        why: why.into(),
    };
    membership.sender().push(Frame::from(refused.encode()));
}

/// Tells a client how long its token is good, so that it can send another one before.
fn announce_expiry(access: &Access, membership: &Membership) {
    if let Some(left) = access.expires_in() {
        let expires = ServerFrame::Expires(milliseconds(left));
        membership.sender().push(Frame::from(expires.encode()));
    }
}

fn not_ours(problem: &'static str) -> CloseReason {
    CloseReason::NotProtocol {
        protocol: "the relay's protocol",
        problem,
    }
}

/// A short text gets memory of its own: as a slice of the read buffer it could keep the whole
/// buffer alive while it waits in a queue.
fn own_frame(text: &Utf8Bytes) -> Frame {
    if text.len() < READ_BUFFER {
        Frame::from(text.as_str())
    } else {
        Frame::new(text.clone())
    }
}

/// What goes out to one client: its queue, and pings that it can see. Pages don't see those of the
/// WebSocket.
struct Output<'a> {
    queue: &'a mut Receiver,
    subscribed: &'a AtomicBool,
    old_page: &'a OldPage,
    late: &'a Late,
    interval: Duration,
    pings: u64,
}

impl Outbound for Output<'_> {
    async fn ready(&mut self) {
        tokio::select! {
            () = self.queue.ready() => {}
            () = self.late.due() => {}
        }
    }

    fn next(&mut self) -> Option<Utf8Bytes> {
        if let Some(hello) = self.late.take_due() {
            return Some(hello.text().clone());
        }
        if self.old_page.is_one() {
            while let Some(frame) = self.queue.pop() {
                if let Some(text) = self.old_page.text(&frame) {
                    return Some(text);
                }
            }
            return None;
        }
        let frame = self.queue.pop()?;
        Some(if self.subscribed.load(Ordering::Relaxed) {
            frame.text().clone()
        } else {
            frame.unsubscribed_text()
        })
    }

    fn keep_alive_interval(&self) -> Option<Duration> {
        Some(self.interval)
    }

    fn keep_alive(&mut self) -> Option<Utf8Bytes> {
        if !self.subscribed.load(Ordering::Relaxed) {
            return None;
        }
        self.pings += 1;
        Some(encode_ping(self.pings).into())
    }
}
