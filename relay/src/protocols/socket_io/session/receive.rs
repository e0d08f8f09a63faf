//! What a client sends.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use signal_wire::Envelope;

use super::{Session, Space, Transport};
use crate::auth::access::Access;
use crate::auth::refusal::Refusal;
use crate::connection::CloseReason;
use crate::hub::budget::Purpose;
use crate::hub::frame::Frame;
use crate::hub::ids::Secret;
use crate::hub::membership::Membership;
use crate::limits::{LONGEST_SPACE, NAMESPACES};
use crate::protocols::referee::Referee;
use crate::protocols::socket_io::engine::{self, Malformed, PING, Version};
use crate::protocols::socket_io::form::Form;
use crate::protocols::socket_io::packet::{self, Body, MAIN, Packet};
use crate::relay::Relay;
use crate::rooms::entrant::Entrant;
use crate::rooms::registry::{Answered, RoomConnection, RoomMembership, Standing};

impl Session {
    /// Takes one packet of the client.
    pub(in crate::protocols::socket_io) async fn receive(
        &self,
        relay: &Relay,
        packet: Result<engine::Packet<'_>, Malformed>,
    ) -> Result<(), CloseReason> {
        self.heard();
        match packet.map_err(not_socket_io)? {
            engine::Packet::Close => {
                self.leave();
                Err(CloseReason::Gone)
            }
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

    async fn receive_message(&self, relay: &Relay, packet: Packet<'_>) -> Result<(), CloseReason> {
        let Packet {
            namespace,
            body,
            list,
        } = packet;
        match body {
            Body::Connect(credentials) => {
                if namespace.len() > LONGEST_SPACE || namespace.chars().any(char::is_control) {
                    return Err(not_socket_io(Malformed(
                        "a namespace's name over 1024 bytes, or with control characters",
                    )));
                }
                let token = credentials.and_then(packet::token);
                let access = self.enter(namespace, token.as_deref()).await;
                let shown = credentials.and_then(packet::earlier_secret);
                let entrant = self.visitor.entrant(shown, access.as_ref().ok());
                let entrant = entrant.map_err(|_| CloseReason::StoreUnavailable)?;
                // Who may not enter disturbs nobody.
                let may_join = self.state().spaces.len() < NAMESPACES;
                if let (Some(entrant), Ok(_), true) = (&entrant, &access, may_join) {
                    let own = &self.liveness;
                    if !relay.rooms.is_ready(namespace, own).await {
                        return Err(CloseReason::StoreUnavailable);
                    }
                    relay.rooms.wait_for_user_id(namespace, entrant, own).await;
                }
                self.join(relay, namespace, access, entrant).await;
                // Nothing was read while it waited.
                self.heard();
                Ok(())
            }
            Body::Disconnect => {
                self.leave_space(namespace);
                self.say_farewell().await;
                Ok(())
            }
            Body::Answer => Ok(()),
            Body::Event { id, what } => {
                let Some((member, room_membership)) = self.member(namespace) else {
                    return Err(not_socket_io(Malformed(
                        "an event for a namespace that wasn't joined",
                    )));
                };
                let membership = &member.membership;
                let answered = match room_membership {
                    Some(room_membership) => {
                        let answered = ask(&room_membership, membership, list).await;
                        // Nothing was read while it waited.
                        self.heard();
                        answered
                    }
                    None => Answered::Unknown,
                };
                if let Answered::Known(answer) = answered {
                    if let (Some(id), Some(values)) = (id, answer) {
                        self.send(packet::answered(namespace, id, &values));
                    }
                    return Ok(());
                }
                if self.take_old(relay, &member, list, what, id).await? {
                    return Ok(());
                }
                let failure = self.publish(&member, what).await?;
                if let Some(id) = id {
                    self.send(packet::acknowledged(namespace, id, failure));
                }
                Ok(())
            }
        }
    }

    /// Joins a space, and its rooms as this entrant if there is one.
    pub(super) async fn join(
        &self,
        relay: &Relay,
        name: &str,
        access: Result<Access, Refusal>,
        entrant: Option<Entrant>,
    ) {
        let joined = match access {
            Ok(access) => {
                if self.state().spaces.len() < NAMESPACES {
                    relay.hub.settle(name).await;
                }
                self.try_join(relay, name, access)
            }
            Err(refusal) => Err(refusal.to_string().into()),
        };
        match joined {
            Ok(Some(id)) => {
                let secret = entrant.as_ref().map(|entrant| &*entrant.secret);
                self.send(packet::connected(self.version, name, id.as_str(), secret));
                if let Some(entrant) = entrant {
                    self.enter_rooms(relay, name, entrant).await;
                }
            }
            Ok(None) => {}
            Err(reason) => {
                tracing::debug!(?name, %reason, "a namespace was refused");
                self.send(packet::refused(self.version, name, &reason));
            }
        }
    }

    async fn enter_rooms(&self, relay: &Relay, name: &str, entrant: Entrant) {
        let connect = |space: &Space| {
            let membership = space.membership.as_ref()?;
            let connection = RoomConnection {
                space: Arc::clone(&space.name),
                address: Arc::clone(&space.name),
                sender: membership.sender().clone(),
                encode: |namespace, list| {
                    Frame::direct(packet::event_packet(namespace, list).into())
                },
                // Clients of version 3 answer no pings.
                ping: (self.version == Version::Four).then_some(PING),
                access: space.access.clone(),
                liveness: Arc::clone(&self.liveness),
            };
            Some((
                connection,
                membership.account().charge(Purpose::Connections, 0),
            ))
        };
        let connection = {
            let state = self.state();
            let space = state.spaces.iter().find(|space| *space.name == *name);
            space.and_then(connect)
        };
        let Some((connection, charge)) = connection else {
            return;
        };
        let (sender, address) = (connection.sender.clone(), Arc::clone(&connection.address));
        let greet = Box::new(move |standing, _: &str| {
            if let Standing::Taken(list) = standing {
                let packet = packet::event_packet(&address, &list);
                sender.push(Frame::direct(packet.into()));
            }
        });
        // Clients of version 3 wait for nothing before they are in.
        let waits = self.version == Version::Four;
        let entering = relay.rooms.enter(entrant, connection, charge, waits, greet);
        let Some(room_membership) = entering.await else {
            return;
        };
        let room_membership = Arc::new(room_membership);
        let mut state = self.state();
        let mut spaces = state.spaces.iter_mut();
        if let Some(space) = spaces.find(|space| *space.name == *name) {
            space.room_membership = Some(room_membership);
        }
    }

    /// Joins a space, if it isn't in it. Returns the client's id there, which isn't the session's:
    /// pages tell it to each other.
    fn try_join(
        &self,
        relay: &Relay,
        name: &str,
        access: Access,
    ) -> Result<Option<Secret>, Cow<'static, str>> {
        let mut state = self.state();
        if self.is_over() || state.spaces.iter().any(|space| *space.name == *name) {
            return Ok(None);
        }
        if state.spaces.len() >= NAMESPACES {
            return Err("This client is in as many namespaces as it may be in.".into());
        }
        let id = Secret::random().map_err(|_| "The relay has no random numbers.")?;
        let place = if state.spaces.is_empty() {
            None
        } else {
            let place = relay.places.take_another(&self.place);
            Some(place.ok_or("The relay has as many connections as it may have, and each namespace counts as one.")?)
        };
        let (membership, queue) = relay.hub.join_with(
            name,
            self.address(),
            access.audience(),
            self.signals.clone(),
        );
        // Clients of version 3 answer no pings.
        let ping = (self.version == Version::Four).then_some(PING);
        let referee = Referee::queued(relay, &self.limits, membership.sender(), ping)
            .with_liveness(Arc::clone(&self.liveness));
        let mut space = Space {
            name: Arc::from(name),
            membership: Some(Arc::new(membership)),
            queue,
            access: access.clone(),
            room_membership: None,
            referee: Arc::new(referee),
            form: Form::default(),
            _place: place,
        };
        if state.uses_channels && name != MAIN {
            self.make_channel(relay, &mut space, &access);
        }
        state.spaces.push(space);
        // A client of version 3 that polls is in a space by its first request alone.
        let is_sure = self.version == Version::Four || state.transport == Transport::WebSocket;
        drop(state);
        self.joined.notify_one();
        if is_sure {
            self.confirmed.store(true, Ordering::Relaxed);
        }
        let mut tracked = self.tracked.lock().unwrap_or_else(PoisonError::into_inner);
        tracked.enter(name);
        Ok(Some(id))
    }
}

/// Hands an event to the rooms. Envelopes aren't theirs.
async fn ask(room_membership: &RoomMembership, membership: &Membership, list: &str) -> Answered {
    let Some((name, arguments)) = packet::arguments(list) else {
        return Answered::Unknown;
    };
    let is_envelope = || {
        let envelope = arguments.first().and_then(|value| Envelope::read(value));
        envelope.is_some_and(|envelope| !envelope.is_anonymous())
    };
    if name == packet::EVENT && is_envelope() {
        return Answered::Unknown;
    }
    let answered = room_membership.take(&name, &arguments).await;
    if answered != Answered::Unknown {
        membership.count(list.len());
        membership.relieve();
    }
    answered
}

fn not_socket_io(Malformed(problem): Malformed) -> CloseReason {
    CloseReason::NotProtocol {
        protocol: "Socket.IO",
        problem,
    }
}
