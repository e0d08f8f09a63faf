//! One client of Socket.IO: the spaces it is in, what waits to be sent to it, and when it ends. How it is reached, by polling or
//! a WebSocket, is the matter of [`super::polling`] and [`super::socket`]; a session may change from one to the other.
//!
//! What waits are frames, in one queue of the hub for each space, and before them the packets of the protocol itself. Both are bounded, and
//! a session over a bound ends, whether its client reads slowly or, polling, doesn't come.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use signal_wasm::protocol::UserId;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;

use super::engine::{self, Malformed, PING, Version};
use super::packet::{self, Body, Event, MAIN, Packet};
use crate::close::Ending;
use crate::config::Config;
use crate::hub::Membership;
use crate::queue::{Head, Signals};
use crate::server::Relay;
use crate::signalr::tickets::Secret;
use crate::store::Content;
use crate::translate::{Kind, canonical, random_sender};

/// A client has so long to join its first space, and one of version 3, which is in one from the start, to be heard from.
const CONFIRM: Duration = Duration::from_secs(10);
/// The longest name of a namespace, as that of any space.
const LONGEST_NAME: usize = 1024;
/// What an event adds to the envelope in it, at most.
const OVERHEAD: usize = LONGEST_NAME + 64;

/// The longest packet of a client's, where envelopes may have up to `max_frame` bytes.
pub(crate) fn longest_packet(config: &Config) -> usize {
    config.max_frame.saturating_add(OVERHEAD)
}

/// The sessions that there are, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<HashMap<Secret, Arc<Session>>>);

impl Sessions {
    fn map(&self) -> MutexGuard<'_, HashMap<Secret, Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one with this id.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Session>> {
        self.map().get(id).cloned()
    }
}

/// How the client is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Polling,
    /// By polling, while it tries out a WebSocket. Until it has made up its mind it is sent nothing.
    Upgrading,
    WebSocket,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) version: Version,
    id: Secret,
    /// The sender of messages that come without one.
    sender: UserId,
    state: Mutex<State>,
    signals: Signals,
    confirmed: AtomicBool,
    ending: OnceLock<Ending>,
    ended: CancellationToken,
    most_packets: usize,
    /// For the request that waits for packets.
    pub(crate) polls: Turn,
    /// For the request that brings packets.
    pub(crate) posts: Turn,
    _place: OwnedSemaphorePermit,
}

/// What one request at a time may do.
#[derive(Debug, Default)]
pub(crate) struct Turn(AtomicBool);

impl Turn {
    /// Takes it, if nobody has it, until what is returned is dropped.
    pub(crate) fn take(&self) -> Option<impl Drop> {
        struct Taken<'a>(&'a AtomicBool);
        impl Drop for Taken<'_> {
            fn drop(&mut self) {
                self.0.store(false, Ordering::Release);
            }
        }
        (!self.0.swap(true, Ordering::Acquire)).then(|| Taken(&self.0))
    }
}

#[derive(Debug)]
struct State {
    transport: Transport,
    heard: Instant,
    packets: VecDeque<Utf8Bytes>,
    spaces: Vec<Space>,
    /// Which space's turn it is to be sent from.
    turn: usize,
}

#[derive(Debug)]
struct Space {
    name: Arc<str>,
    /// Nothing once the session has ended and only what waits is still sent.
    membership: Option<Arc<Membership>>,
    queue: Head,
    _place: Option<OwnedSemaphorePermit>,
}

impl Session {
    /// Begins a session, if the system has a random number for its id. The packets that it begins with wait already.
    pub(crate) fn begin(
        relay: &Arc<Relay>,
        version: Version,
        transport: Transport,
        place: OwnedSemaphorePermit,
    ) -> Option<Arc<Self>> {
        let config = &relay.config;
        let id = Secret::random()?;
        let session = Arc::new(Self {
            version,
            sender: random_sender(),
            state: Mutex::new(State {
                transport,
                heard: Instant::now(),
                packets: VecDeque::new(),
                spaces: Vec::new(),
                turn: 0,
            }),
            signals: Signals::default(),
            confirmed: AtomicBool::new(
                version == Version::Three && transport == Transport::WebSocket,
            ),
            ending: OnceLock::new(),
            ended: CancellationToken::new(),
            most_packets: config.queue.frames,
            polls: Turn::default(),
            posts: Turn::default(),
            _place: place,
            id,
        });
        session.send(engine::open(
            version,
            session.id.as_str(),
            transport == Transport::Polling,
            config.ping,
            config.patience,
            longest_packet(config),
        ));
        if version == Version::Three {
            session.join(relay, MAIN);
        }
        relay
            .sessions
            .map()
            .insert(session.id.clone(), Arc::clone(&session));
        let (keeper, kept) = (Arc::clone(relay), Arc::clone(&session));
        relay.tasks.spawn(async move {
            let ending = tokio::select! {
                ending = kept.watch(&keeper.config) => ending,
                ending = kept.unconfirmed(&keeper.config) => ending,
                () = kept.signals.overflow() => Ending::TooSlow,
                () = keeper.stopping.cancelled() => Ending::ShuttingDown,
                () = kept.ended.cancelled() => Ending::Gone,
            };
            kept.end(ending);
            keeper.sessions.map().remove(&kept.id);
        });
        Some(session)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the session; what it ended with first is what counts.
    pub(crate) fn end(&self, ending: Ending) {
        if self.ending.set(ending).is_err() {
            return;
        }
        let ending = self.ending();
        let mut state = self.state();
        if ending == Ending::ShuttingDown {
            for space in &mut state.spaces {
                space.membership = None;
            }
        } else {
            state.spaces.clear();
            state.packets.clear();
        }
        drop(state);
        if ending == Ending::TooSlow {
            tracing::info!("closed a Socket.IO connection that couldn't keep up");
        }
        tracing::debug!(?ending, "a Socket.IO session ended");
        self.ended.cancel();
    }

    /// Resolves when the session has ended.
    pub(crate) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Whether it has.
    pub(crate) fn is_over(&self) -> bool {
        self.ending.get().is_some()
    }

    /// With what it ended.
    pub(crate) fn ending(&self) -> Ending {
        self.ending.get().cloned().unwrap_or(Ending::Gone)
    }

    /// How the client is reached.
    pub(crate) fn transport(&self) -> Transport {
        self.state().transport
    }

    /// Changes over from one transport to another, if it is the one.
    pub(crate) fn change(&self, from: Transport, to: Transport) -> bool {
        let mut state = self.state();
        if state.transport != from || self.is_over() {
            return false;
        }
        state.transport = to;
        drop(state);
        self.signals.wake();
        true
    }

    /// Notes that the client is there.
    pub(crate) fn heard(&self) {
        self.state().heard = Instant::now();
        if self.version == Version::Three {
            self.confirmed.store(true, Ordering::Relaxed);
        }
    }

    /// Puts a packet behind those that wait.
    fn send(&self, packet: String) {
        let mut state = self.state();
        if self.is_over() {
            return;
        }
        if state.packets.len() >= self.most_packets {
            drop(state);
            return self.end(Ending::TooSlow);
        }
        state.packets.push_back(packet.into());
        drop(state);
        self.signals.wake();
    }

    /// Takes what is to be sent next, if something waits.
    pub(crate) fn next(&self) -> Option<Utf8Bytes> {
        let mut state = self.state();
        if let Some(packet) = state.packets.pop_front() {
            return Some(packet);
        }
        let State { spaces, turn, .. } = &mut *state;
        for _ in 0..spaces.len() {
            *turn = turn.checked_rem(spaces.len()).unwrap_or_default();
            let space = spaces.get_mut(*turn)?;
            *turn += 1;
            // What is no envelope is for connections of the plain protocol.
            while let Some(frame) = space.queue.take() {
                if let Some(packet) =
                    frame.as_kind(Kind::SocketIo, |text| packet::message(&space.name, text))
                {
                    return Some(packet.clone());
                }
            }
        }
        None
    }

    /// Resolves when [`Session::next`] is to be asked again, or the transport has changed. One waiter at a time.
    pub(crate) async fn woken(&self) {
        self.signals.woken().await;
    }

    /// Takes one packet of the client's.
    pub(crate) async fn receive(
        &self,
        relay: &Arc<Relay>,
        packet: Result<engine::Packet<'_>, Malformed>,
    ) -> Result<(), Ending> {
        self.heard();
        match packet.map_err(not_socket_io)? {
            engine::Packet::Close => Err(Ending::Gone),
            engine::Packet::Ping(text) => {
                self.send(format!("3{text}"));
                Ok(())
            }
            engine::Packet::Message(text) => {
                self.receive_message(relay, Packet::parse(text).map_err(not_socket_io)?)
                    .await
            }
            // An attachment belongs to an event that isn't relayed.
            engine::Packet::Pong
            | engine::Packet::Upgrade
            | engine::Packet::Noop
            | engine::Packet::Binary => Ok(()),
        }
    }

    async fn receive_message(&self, relay: &Arc<Relay>, packet: Packet<'_>) -> Result<(), Ending> {
        let Packet { namespace, body } = packet;
        match body {
            Body::Connect => {
                if namespace.len() > LONGEST_NAME || namespace.chars().any(char::is_control) {
                    return Err(not_socket_io(Malformed(
                        "a namespace's name over 1024 bytes, or with control characters",
                    )));
                }
                self.join(relay, namespace);
                Ok(())
            }
            Body::Disconnect => {
                self.state()
                    .spaces
                    .retain(|space| *space.name != *namespace);
                Ok(())
            }
            Body::Answer => Ok(()),
            Body::Event { id, what } => {
                let membership = self
                    .state()
                    .spaces
                    .iter()
                    .find(|space| *space.name == *namespace)
                    .and_then(|space| space.membership.clone());
                let Some(membership) = membership else {
                    return Err(not_socket_io(Malformed(
                        "an event for a namespace that wasn't joined",
                    )));
                };
                let failure = self.publish(relay, &membership, what).await?;
                if let Some(id) = id {
                    self.send(packet::acknowledged(namespace, id, failure));
                }
                Ok(())
            }
        }
    }

    /// Publishes an event's envelope, or says why it doesn't.
    async fn publish(
        &self,
        relay: &Relay,
        membership: &Membership,
        what: Event<'_>,
    ) -> Result<Option<&'static str>, Ending> {
        let Event::Message(argument) = what else {
            return Ok(Some(
                "Only the event 'message' is relayed, with one argument that isn't binary.",
            ));
        };
        let Some(frame) = canonical(argument, self.sender) else {
            return Ok(Some(
                "Only envelopes are relayed: an object with the members channel and message.",
            ));
        };
        if frame.len() > relay.config.max_frame {
            return Err(Ending::TooLong(relay.config.max_frame));
        }
        match membership.publish(Content::Envelope(frame)).await {
            Ok(()) => Ok(None),
            Err(_) => Err(Ending::NoStore),
        }
    }

    fn join(&self, relay: &Arc<Relay>, name: &str) {
        match self.try_join(relay, name) {
            Ok(Some(id)) => self.send(packet::connected(self.version, name, id.as_str())),
            Ok(None) => {}
            Err(reason) => {
                tracing::debug!(?name, reason, "a namespace was refused");
                self.send(packet::refused(self.version, name, reason));
            }
        }
    }

    /// The id of a client that is in the space now and wasn't before. It's another than the session's: pages tell it each other.
    fn try_join(&self, relay: &Arc<Relay>, name: &str) -> Result<Option<Secret>, &'static str> {
        let mut state = self.state();
        if self.is_over() || state.spaces.iter().any(|space| *space.name == *name) {
            return Ok(None);
        }
        let id = Secret::random().ok_or("The relay has no random numbers.")?;
        let place = if state.spaces.is_empty() {
            None
        } else {
            let place = Arc::clone(&relay.places).try_acquire_owned();
            Some(place.map_err(|_| "The relay has all the connections it may have, and each namespace counts as one.")?)
        };
        let (membership, queue) = relay.hub.join_with(name, self.signals.clone());
        state.spaces.push(Space {
            name: Arc::from(name),
            membership: Some(Arc::new(membership)),
            queue,
            _place: place,
        });
        drop(state);
        if self.version == Version::Four {
            self.confirmed.store(true, Ordering::Relaxed);
        }
        tracing::debug!(space = ?name, "joined");
        Ok(Some(id))
    }

    /// Resolves when a client has joined nothing for too long: then it is none.
    async fn unconfirmed(&self, config: &Config) -> Ending {
        sleep(CONFIRM.min(config.ping + config.patience)).await;
        if self.confirmed.load(Ordering::Relaxed) {
            std::future::pending().await
        }
        Ending::Silent
    }

    /// Keeps the client alive and resolves when it isn't.
    ///
    /// Clients of version 4 wait for pings and answer them, those of version 3 ping by themselves. A relay that was itself stopped for a while
    /// gives everybody a little longer, for what came in meanwhile is still to be read.
    async fn watch(&self, config: &Config) -> Ending {
        let (ping, patience) = (config.ping, config.patience);
        let pings = self.version == Version::Four;
        let mut next_ping = Instant::now() + ping;
        // Since when something is to be heard.
        let mut since = if pings {
            None
        } else {
            Some(self.state().heard)
        };
        loop {
            let allowed = if pings { patience } else { ping + patience };
            let deadline = since.map(|since| since + allowed);
            let next = match (pings, deadline) {
                (true, Some(deadline)) => deadline.min(next_ping),
                (true, None) => next_ping,
                (false, Some(deadline)) => deadline,
                (false, None) => Instant::now() + allowed,
            };
            sleep_until(next).await;
            let (now, heard) = (Instant::now(), self.state().heard);
            if let (Some(from), Some(deadline)) = (since, deadline) {
                if heard > from {
                    since = if pings { None } else { Some(heard) };
                } else if now > deadline + patience / 2 {
                    since = Some(now);
                } else if now >= deadline {
                    return Ending::Silent;
                }
            }
            if pings && now >= next_ping {
                self.send(PING.to_owned());
                since = since.or(Some(now));
                next_ping = now + ping;
            }
        }
    }
}

fn not_socket_io(Malformed(what): Malformed) -> Ending {
    Ending::NotSocketIo(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_fits_around_the_longest_frame() {
        let name = format!("/{}", "a".repeat(LONGEST_NAME - 1));
        let event = packet::message(&name, "").len() + 16;
        assert!(event <= OVERHEAD, "{event}");
    }
}
