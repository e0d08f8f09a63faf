//! Plain WebSockets: each path is a space, and each text frame goes to the others in it.
//!
//! The first frame on each connection is a hello. A client that knows our relay answers with `open`
//! and speaks the protocol of [`signal_wire::frames`] from then on: it receives only the channels
//! that it has open, and may resume. Every other client takes the hello for somebody else's
//! message, and receives everything but control frames: those are the relay's alone.
//!
//! Pages of websocket-over-nodejs take every frame for a message of theirs. For them the hello may
//! wait until the client's first frame, which shows what it is.

mod output;
mod subscribed;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use signal_wire::envelope::UNNAMED;
use signal_wire::frames::VERSION;
use signal_wire::{ClientFrame, Open, ServerFrame};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use self::output::Output;
use self::subscribed::{
    Take, announce_expiry, answer_ping, check_length, milliseconds, permitted, refuse, refuse_all,
    renew,
};
use super::entry::{Entered, Entry};
use super::late::Late;
use super::referee::{Referee, is_private};
use super::route::Route;
use super::websocket_over_nodejs::OldPage;
use crate::address::ClientAddress;
use crate::auth::access::{Access, Forbidden};
use crate::auth::refusal::Refusal;
use crate::connection::{
    self, CloseReason, Connection, Heartbeat, Inbound, Upgrade, is_upgrade, no_randomness,
};
use crate::hub::frame::Frame;
use crate::hub::ids::Secret;
use crate::hub::membership::Membership;
use crate::hub::queue::Receiver;
use crate::hub::sessions::{Attached, Ends};
use crate::hub::store::Content;
use crate::lifecycle::Departure;
use crate::limits::{Allowance, Limits, Place};
use crate::metrics::Protocol;
use crate::relay::Relay;

/// Texts of fewer bytes are copied out of the read buffer.
const COPIED: usize = 4 * 1024;

/// Every request for a WebSocket that is no other protocol's.
pub(crate) fn routes(relay: Arc<Relay>) -> Route {
    Route {
        matches: |request| is_upgrade(&request.headers),
        service: Router::new().fallback(accept).with_state(relay),
    }
}

async fn accept(State(relay): State<Arc<Relay>>, request: Request) -> Response {
    open(relay, request)
        .await
        .unwrap_or_else(|refusal| *refusal)
}

async fn open(relay: Arc<Relay>, request: Request) -> Result<Response, Box<Response>> {
    let space = request.uri().path().to_owned();
    let entry = Entry::of(&request, &space)?;
    let upgrade = Upgrade::new(request)?;
    let place = relay.admit(upgrade.address())?;
    let secret = Secret::random().map_err(no_randomness)?;
    let (limits, allowance) = (relay.limits(), place.allowance());
    let max_frame = limits.max_frame;
    let mut context = Box::new(Context {
        relay: Arc::clone(&relay),
        entry,
        heartbeat: Heartbeat::new(&limits),
        limits,
        space,
        address: upgrade.address(),
        secret,
        _place: place,
        subscribed: AtomicBool::new(false),
        old_page: OldPage::default(),
        joined: None,
    });
    if let Entry::Open(access) = &context.entry {
        // Before the client can know that its WebSocket is open, and let others publish.
        let entered = Entered {
            access: access.clone(),
            greeting: Some(context.hello()),
            first: None,
        };
        relay.hub.settle(&context.space).await;
        context.joined = Some(Box::new(context.join(entered)));
    }
    Ok(
        upgrade.start(&relay, max_frame, allowance, move |connection| {
            context.run(connection)
        }),
    )
}

/// What belongs to one client as long as it has its WebSocket. On the heap, because an asynchronous
/// function has room for its arguments twice.
struct Context {
    relay: Arc<Relay>,
    entry: Entry,
    limits: Limits,
    heartbeat: Heartbeat,
    space: String,
    address: ClientAddress,
    /// The session's secret in the hello.
    secret: Secret,
    _place: Place,
    /// Whether there is a session, for the writing half.
    subscribed: AtomicBool,
    old_page: OldPage,
    /// Its place in the space, until the WebSocket is open.
    joined: Option<Box<Joined>>,
}

/// A client that has joined its space.
struct Joined {
    access: Access,
    membership: Membership,
    queue: Receiver,
    late: Late,
    /// The client's first frame, if it was read to enter.
    first: Option<Utf8Bytes>,
}

impl Context {
    async fn run(mut self: Box<Self>, connection: Option<Box<Connection>>) {
        let Some(mut connection) = connection else {
            return;
        };
        let (relay, address) = (Arc::clone(&self.relay), connection.address);
        let mut tracked = relay.track(Protocol::Plain, &self.space, address);
        let (rest, reason) = self.serve(&mut connection).await;
        tracked.end(reason.name());
        connection.close(rest, &reason).await;
    }

    /// Returns why the connection is to close, and what is to be written before that.
    async fn serve(&mut self, connection: &mut Connection) -> (Vec<Utf8Bytes>, CloseReason) {
        let joined = self.joined.take();
        let context = &*self;
        let relay = &*context.relay;
        let departure = relay.lifecycle.departure();
        let Joined {
            access,
            membership,
            mut queue,
            late,
            first,
        } = match joined {
            Some(joined) => *joined,
            // On the heap: most clients have entered at once.
            None => match Box::pin(context.enter(connection, &departure)).await {
                Ok(entered) => {
                    relay.hub.settle(&context.space).await;
                    context.join(entered)
                }
                Err(reason) => return (Vec::new(), reason),
            },
        };
        let (referee, answers) = Referee::plain(relay, &context.limits);
        let mut client = Client {
            context,
            allowance: Arc::clone(&connection.allowance),
            access: access.clone(),
            membership,
            first,
            session: None,
            ends: Ends::default(),
            late: &late,
            referee,
        };
        let liveness = client.referee.liveness();
        let mut output = Output {
            queue: &mut queue,
            context,
            late: &late,
            answers: &answers,
            pings: 0,
        };
        let (overflowed, ends) = (output.queue.overflowed(), client.ends.clone());
        let closing = Box::pin(async {
            tokio::select! {
                biased;
                () = overflowed => CloseReason::SlowConsumer,
                end = ends.ended() => end.into(),
                () = liveness.replaced.cancelled() => CloseReason::ResumedElsewhere,
                () = access.expired() => Refusal::EXPIRED.into(),
                () = departure.due() => CloseReason::ShuttingDown,
            }
        });
        let reason = connection::run(
            connection,
            &mut client,
            &mut output,
            Some(&context.heartbeat),
            closing,
        )
        .await;

        if reason == CloseReason::ShuttingDown {
            client.referee.leave();
        }
        drop(client.referee);
        drop(client.membership);
        if let Some(session) = client.session {
            session.leave().await;
        }
        let rest: Vec<Frame> = match reason {
            CloseReason::ShuttingDown => std::iter::from_fn(|| queue.pop()).collect(),
            // Without the acknowledgement, a client would blame the close on a message that was fine.
            _ => queue.pop_ack().into_iter().collect(),
        };
        let rest = rest.iter().filter_map(|frame| context.text(frame));
        (rest.collect(), reason)
    }

    async fn enter(
        &self,
        connection: &mut Connection,
        departure: &Departure,
    ) -> Result<Entered, CloseReason> {
        tokio::select! {
            entered = self.entry.enter(connection, &self.space, self.hello()) => entered,
            () = departure.due() => Err(CloseReason::ShuttingDown),
        }
    }

    fn join(&self, entered: Entered) -> Joined {
        let Entered {
            access,
            greeting,
            first,
        } = entered;
        let mut greeting = greeting.map(Frame::from);
        let late = Late::new(self.limits.hello_delay, &mut greeting);
        let hub = &self.relay.hub;
        let (membership, queue) =
            hub.join_greeted(&self.space, self.address, access.audience(), greeting);
        Joined {
            access,
            membership,
            queue,
            late,
            first,
        }
    }

    /// The text of a frame for this client. `None`: it wouldn't understand it.
    fn text(&self, frame: &Frame) -> Option<Utf8Bytes> {
        if self.old_page.is_one() {
            self.old_page.text(frame)
        } else if self.subscribed.load(Ordering::Relaxed) {
            Some(frame.text().clone())
        } else {
            Some(frame.unsubscribed_text())
        }
    }

    /// The first frame on each connection.
    fn hello(&self) -> String {
        let epoch = self.relay.hub.epoch();
        let hello = ServerFrame::Hello {
            version: VERSION,
            session: self.secret.as_str().into(),
            epoch: (&*epoch).into(),
            ping: milliseconds(self.limits.ping_interval),
        };
        hello.encode()
    }
}

/// One client: what comes in.
struct Client<'a> {
    context: &'a Context,
    access: Access,
    membership: Membership,
    allowance: Arc<Allowance>,
    /// The first frame, if it was read to enter.
    first: Option<Utf8Bytes>,
    /// From the first `open` on.
    session: Option<Attached>,
    ends: Ends,
    late: &'a Late,
    /// Of its pages in rooms.
    referee: Referee,
}

impl Inbound for Client<'_> {
    async fn text(&mut self, text: Utf8Bytes) -> Result<(), CloseReason> {
        self.referee.heard();
        let max_frame = self.context.limits.max_frame;
        match &self.session {
            None => {
                let hello = self.late.take();
                let (membership, access) = (&self.membership, &self.access);
                let old_page = &self.context.old_page;
                let taken = old_page.take(&text, membership, access, max_frame);
                let is_old = taken.await?;
                if let Some(hello) = hello.filter(|_| !is_old) {
                    self.membership.sender().greet(hello);
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
                    max_frame,
                    referee: &self.referee,
                };
                take.frame(&text).await
            }
        }
    }

    fn has_more(&self) -> bool {
        self.first.is_some()
    }

    async fn more(&mut self) -> Result<(), CloseReason> {
        match self.first.take() {
            Some(first) => self.text(first).await,
            None => Ok(()),
        }
    }

    fn heartbeat(&self) -> Option<&Heartbeat> {
        self.referee.heartbeat()
    }
}

impl Client<'_> {
    /// Takes a frame of a client that hasn't subscribed. Whatever it sends is for others, except for
    /// control frames.
    async fn take_first(&mut self, text: Utf8Bytes) -> Result<(), CloseReason> {
        let content = match ClientFrame::decode_first(&text) {
            ClientFrame::Open(open) => return self.subscribe(open).await,
            // They aren't for others, and only a session makes sure that they come once.
            ClientFrame::Publish(envelope, _) if is_private(&envelope.channel) => return Ok(()),
            ClientFrame::Publish(envelope, _) => {
                let channel = envelope.channel.clone();
                match self.access.message(envelope, None, true) {
                    Ok(message) => {
                        check_length(&message, self.context.limits.max_frame)?;
                        Content::Envelope(message)
                    }
                    Err(why) => {
                        refuse(&self.membership, &channel, why.as_str(), None);
                        return Ok(());
                    }
                }
            }
            ClientFrame::Text if self.access.allows_texts() => Content::Text(own_frame(&text)),
            ClientFrame::Text => {
                refuse(
                    &self.membership,
                    UNNAMED,
                    Forbidden::NoEnvelope.as_str(),
                    None,
                );
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
            None => (self.context.secret.as_str(), false),
        };
        let sessions = self.context.relay.hub.sessions();
        if resumes {
            sessions.bring(secret, &self.membership).await?;
        }
        let attached = sessions.attach(secret, resumes, &self.membership, self.ends.clone())?;
        let session = self.session.insert(attached);
        // Already now: what is written meanwhile may be of the replay.
        self.context.subscribed.store(true, Ordering::Relaxed);
        let (open, refused) = permitted(&self.access, open);
        session.open_first(&self.membership, &open, resumes).await?;
        refuse_all(&self.membership, &refused);
        announce_expiry(&self.access, &self.membership);
        Ok(())
    }
}

/// A text shorter than [`COPIED`] gets memory of its own: as a slice of the read buffer it could keep
/// the whole buffer alive while it waits in a queue.
fn own_frame(text: &Utf8Bytes) -> Frame {
    if text.len() < COPIED {
        Frame::from(text.as_str())
    } else {
        Frame::new(text.clone())
    }
}
