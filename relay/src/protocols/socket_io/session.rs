//! One Socket.IO client: the spaces it is in, what waits for it, and when it ends. How it is
//! reached, by polling or by WebSocket, is in [`super::polling`] and [`super::socket`]; a session
//! may change from one to the other.
//!
//! What waits are frames, in one queue of the hub for each space, and before them the packets of
//! the protocol itself. All of it has one bound. A session over it ends, whether its client reads
//! slowly or doesn't poll.
//!
//! What a client sends is taken in `receive`; `visitor` is what is known of it before.

mod receive;
mod visitor;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use signal_wire::UserId;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;

pub(super) use self::visitor::Visitor;
use super::engine::{self, Version};
use super::farewell::Farewell;
use super::form::Form;
use super::one_at_a_time::OneAtATime;
use super::packet::MAIN;
use super::reliable_signaler::Links;
use crate::address::ClientAddress;
use crate::auth::access::{self, Access};
use crate::connection::CloseReason;
use crate::hub::ids::{NoRandomness, Secret, random_user_id};
use crate::hub::membership::Membership;
use crate::hub::queue::{Level, Receiver, Signals};
use crate::limits::{Allowance, LONGEST_SPACE, Limits, Place};
use crate::metrics::{Protocol, Tracked};
use crate::protocols::referee::Referee;
use crate::relay::Relay;
use crate::rooms::registry::{Liveness, PING, RoomMembership};

/// What an event adds to the envelope in it, at most.
const OVERHEAD: usize = LONGEST_SPACE + 64;

/// The longest packet of a client, in bytes.
pub(super) fn longest_packet(limits: &Limits) -> usize {
    limits.max_frame.saturating_add(OVERHEAD)
}

/// How the client is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Polling,
    /// By polling, while it tries a WebSocket. Until it has decided, it is sent nothing.
    Upgrading,
    WebSocket,
}

/// One Socket.IO client.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) version: Version,
    /// The form of the payloads that it polls.
    pub(super) payload_form: engine::PayloadForm,
    pub(super) visitor: Visitor,
    /// The sender of messages that come without one.
    pub(super) sender: UserId,
    pub(super) state: Mutex<State>,
    pub(super) signals: Signals,
    confirmed: AtomicBool,
    /// It has said that it leaves.
    has_left: AtomicBool,
    /// What the rooms that it is in know of it.
    liveness: Arc<Liveness>,
    /// It has, or had, a page on a private channel.
    is_in_rooms: AtomicBool,
    pings_changed: Notify,
    /// It has joined a space.
    joined: Notify,
    reason: OnceLock<CloseReason>,
    ended: CancellationToken,
    /// After its end, a polling client has fetched the rest.
    emptied: CancellationToken,
    /// The limits that it began with. The client learns some of them.
    pub(super) limits: Limits,
    tracked: Mutex<Tracked>,
    /// For the request that waits for packets.
    pub(super) polls: OneAtATime,
    /// For the request that brings packets.
    pub(super) posts: OneAtATime,
    place: Place,
    /// What the client may send.
    pub(super) allowance: Arc<Allowance>,
    pub(super) links: OnceLock<Links>,
    /// How many rooms of reliable-signaler it keeps or waits for.
    pub(super) rooms: AtomicUsize,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) transport: Transport,
    pub(super) last_heard: Instant,
    pub(super) packets: VecDeque<Utf8Bytes>,
    pub(super) spaces: Vec<Space>,
    /// The space that is written from next.
    pub(super) next_space: usize,
    /// Whether its namespaces are channels of the main space.
    pub(super) uses_channels: bool,
    /// What is still to be published of a session that has ended.
    pub(super) farewells: Vec<Farewell>,
}

#[derive(Debug)]
pub(super) struct Space {
    pub(super) name: Arc<str>,
    /// `None` once the session has ended and only what waits is still sent.
    pub(super) membership: Option<Arc<Membership>>,
    pub(super) queue: Receiver,
    pub(super) access: Access,
    /// Of a page of RTCMultiConnection: its place in the rooms.
    pub(super) room_membership: Option<Arc<RoomMembership>>,
    /// For its pages on private channels.
    pub(super) referee: Arc<Referee>,
    pub(super) form: Form,
    _place: Option<Place>,
}

impl Session {
    /// A new session. The packets that it begins with are waiting already.
    pub(super) fn new(
        relay: &Relay,
        version: Version,
        transport: Transport,
        id: &Secret,
        visitor: Visitor,
        place: Place,
    ) -> Result<Self, NoRandomness> {
        let limits = visitor.limits(relay.limits());
        let address = visitor.address;
        let session = Self {
            version,
            payload_form: engine::PayloadForm::of(version, !visitor.polls_text),
            visitor,
            sender: random_user_id()?,
            state: Mutex::new(State {
                transport,
                last_heard: Instant::now(),
                packets: VecDeque::new(),
                spaces: Vec::new(),
                next_space: 0,
                uses_channels: false,
                farewells: Vec::new(),
            }),
            signals: Signals::default(),
            confirmed: AtomicBool::new(false),
            has_left: AtomicBool::new(false),
            liveness: Arc::default(),
            is_in_rooms: AtomicBool::new(false),
            pings_changed: Notify::new(),
            joined: Notify::new(),
            reason: OnceLock::new(),
            ended: CancellationToken::new(),
            emptied: CancellationToken::new(),
            limits,
            tracked: Mutex::new(relay.track(Protocol::SocketIo, MAIN, address)),
            polls: OneAtATime::default(),
            posts: OneAtATime::default(),
            allowance: place.allowance(),
            place,
            links: OnceLock::new(),
            rooms: AtomicUsize::new(0),
        };
        session.send(engine::open(
            version,
            id.as_str(),
            transport == Transport::Polling,
            limits.ping_interval,
            limits.ping_timeout,
            longest_packet(&limits),
        ));
        Ok(session)
    }

    /// Joins the space that clients of version 3 are in from the start.
    pub(super) async fn begin(&self, relay: &Relay) -> Result<(), NoRandomness> {
        if self.version != Version::Four {
            let access = self.visitor.admission.enter(MAIN);
            let entrant = self.visitor.entrant(None, access.as_ref().ok())?;
            self.join(relay, MAIN, access, entrant).await;
        }
        Ok(())
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address of its client.
    pub(super) fn address(&self) -> ClientAddress {
        self.visitor.address
    }

    /// Notes that the client leaves for good.
    pub(super) fn leave(&self) {
        self.has_left.store(true, Ordering::Relaxed);
    }

    /// Resolves when another connection is the user of its rooms.
    pub(super) async fn replaced(&self) {
        self.liveness.replaced.cancelled().await;
    }

    /// Ends the session. The first reason counts.
    pub(super) fn end(&self, reason: CloseReason) {
        if self.reason.set(reason).is_err() {
            return;
        }
        let reason = self.reason();
        let mut state = self.state();
        let leaves = reason == CloseReason::ShuttingDown || self.has_left.load(Ordering::Relaxed);
        if leaves {
            for space in &state.spaces {
                if let Some(room_membership) = &space.room_membership {
                    room_membership.leave();
                }
                space.referee.leave();
            }
        }
        if reason == CloseReason::ShuttingDown {
            for space in &mut state.spaces {
                space.membership = None;
                space.room_membership = None;
                space.referee.forget();
            }
        } else {
            let State {
                spaces, farewells, ..
            } = &mut *state;
            farewells.extend(spaces.drain(..).filter_map(|space| space.farewell()));
            state.packets.clear();
        }
        drop(state);
        let mut tracked = self.tracked.lock().unwrap_or_else(PoisonError::into_inner);
        tracked.end(reason.name());
        drop(tracked);
        self.ended.cancel();
    }

    /// Resolves when the token of one of its spaces has expired. One waiter at a time.
    pub(super) async fn expired(&self) {
        loop {
            let accesses: Vec<_> = self
                .state()
                .spaces
                .iter()
                .map(|space| space.access.clone())
                .collect();
            tokio::select! {
                () = access::any_expired(&accesses) => return,
                () = self.joined.notified() => {}
            }
        }
    }

    /// Resolves when the session has ended.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Notes that a polling client has fetched the rest.
    pub(super) fn empty(&self) {
        self.emptied.cancel();
    }

    /// Resolves when a polling client has fetched the rest.
    pub(super) async fn emptied(&self) {
        self.emptied.cancelled().await;
    }

    /// Resolves when a queue has overflowed. One waiter at a time.
    pub(super) async fn overflowed(&self) {
        self.signals.overflowed().await;
    }

    pub(super) fn is_over(&self) -> bool {
        self.reason.get().is_some()
    }

    /// Why it has ended.
    pub(super) fn reason(&self) -> CloseReason {
        self.reason.get().cloned().unwrap_or(CloseReason::Gone)
    }

    pub(super) fn transport(&self) -> Transport {
        self.state().transport
    }

    /// Changes from one transport to another, if it has the one.
    pub(super) fn change_transport(&self, from: Transport, to: Transport) -> bool {
        let mut state = self.state();
        if state.transport != from || self.is_over() {
            return false;
        }
        state.transport = to;
        drop(state);
        self.signals.wake();
        true
    }

    /// Notes that the client is alive.
    pub(super) fn heard(&self) {
        let mut state = self.state();
        state.last_heard = Instant::now();
        let is_inside = !state.spaces.is_empty();
        drop(state);
        self.liveness.heard.notify_waiters();
        if self.version != Version::Four && is_inside {
            self.confirmed.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn last_heard(&self) -> Instant {
        if self.liveness.is_waiting() {
            // Nothing is read meanwhile.
            return Instant::now();
        }
        self.state().last_heard
    }

    /// The limits for its pings. A client of version 3 pings by itself, as it was told.
    pub(super) fn limits_of_pings(&self) -> Limits {
        if self.is_in_rooms.load(Ordering::Relaxed) && self.version == Version::Four {
            self.limits.with_pings(PING)
        } else {
            self.limits
        }
    }

    /// Notes that it has pages in rooms.
    pub(super) fn note_rooms(&self) {
        if !self.is_in_rooms.swap(true, Ordering::Relaxed) {
            self.pings_changed.notify_one();
        }
    }

    /// Resolves when the limits for its pings have changed. One waiter at a time.
    pub(super) async fn pings_change(&self) {
        self.pings_changed.notified().await;
    }

    /// Whether the client has done enough to be taken for one.
    pub(super) fn is_confirmed(&self) -> bool {
        self.confirmed.load(Ordering::Relaxed)
    }

    /// Appends a packet of the protocol itself.
    pub(super) fn send(&self, packet: String) {
        let mut state = self.state();
        if self.is_over() {
            return;
        }
        if self.signals.room().take(self.limits.queue, packet.len()) == Level::Overflowed {
            drop(state);
            return self.end(CloseReason::SlowConsumer);
        }
        state.packets.push_back(packet.into());
        drop(state);
        self.signals.wake();
    }

    /// Takes the next packet: those of the protocol itself first, then frames of each space in
    /// turn.
    pub(super) fn next(&self) -> Option<Utf8Bytes> {
        let mut state = self.state();
        if let Some(packet) = state.packets.pop_front() {
            self.signals.room().free(1, packet.len());
            return Some(packet);
        }
        let State {
            spaces, next_space, ..
        } = &mut *state;
        for _ in 0..spaces.len() {
            *next_space = next_space.checked_rem(spaces.len()).unwrap_or_default();
            let Space {
                name, queue, form, ..
            } = spaces.get_mut(*next_space)?;
            *next_space += 1;
            while let Some(frame) = queue.pop() {
                let packet = if frame.is_direct() {
                    Some(frame.text().clone())
                } else {
                    form.packet(name, &frame)
                };
                if packet.is_some() {
                    return packet;
                }
            }
        }
        None
    }

    /// Resolves when [`Session::next`] may have something. One waiter at a time.
    pub(super) async fn ready(&self) {
        while self.is_empty() {
            self.signals.woken().await;
        }
    }

    fn is_empty(&self) -> bool {
        let state = self.state();
        state.packets.is_empty() && state.spaces.iter().all(|space| space.queue.is_empty())
    }

    /// Resolves when something was added, or the transport has changed. One waiter at a time.
    pub(super) async fn woken(&self) {
        self.signals.woken().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_fits_around_the_longest_frame() {
        let name = format!("/{}", "a".repeat(LONGEST_SPACE - 1));
        let event = super::super::packet::message(&name, "").len() + 16;
        assert!(event <= OVERHEAD, "{event}");
    }
}
