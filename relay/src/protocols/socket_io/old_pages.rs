//! Events of pages that were written for other servers, and messages that aren't envelopes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use signal_wire::{Envelope, json};

use super::farewell::Farewell;
use super::form::Form;
use super::member::Member;
use super::packet::{self, EVENT, Event, MAIN};
use super::reliable_signaler::{Guest, KeptRooms, Links, TooMuch};
use super::session::{Session, Space, State};
use super::socketio_over_nodejs::Said;
use crate::auth::access::Access;
use crate::auth::refusal::Refusal;
use crate::connection::CloseReason;
use crate::hub::membership::Membership;
use crate::hub::store::Content;
use crate::protocols::bare;
use crate::protocols::referee::is_private;
use crate::relay::Relay;
use crate::rooms::registry::RoomMembership;

/// Why a room isn't kept or waited for.
const TOO_MUCH: &str =
    "A client keeps or waits for up to 64 rooms, with names of up to 1024 bytes.";

impl Session {
    /// Tells the session who it is, and where rooms are kept.
    pub(super) fn link(self: &Arc<Self>, rooms: &Arc<KeptRooms>) {
        let guest: Arc<dyn Guest> = Arc::<Self>::clone(self);
        let links = Links {
            own: Arc::downgrade(&guest),
            rooms: Arc::clone(rooms),
        };
        // There is one call for each session.
        let _ = self.links.set(links);
    }

    /// Takes an event, if it is one of those that old pages send. Returns whether it is.
    pub(super) async fn take_old(
        &self,
        relay: &Relay,
        member: &Member,
        list: &str,
        what: Event<'_>,
        id: Option<&str>,
    ) -> Result<bool, CloseReason> {
        let is_main = &*member.space == MAIN;
        if list.is_empty() || (is_main && matches!(what, Event::Message(_))) {
            return Ok(false);
        }
        let Some((name, arguments)) = packet::arguments(list) else {
            return Ok(false);
        };
        let Some(first) = arguments.first().copied() else {
            return Ok(false);
        };
        let done = match &*name {
            "new-channel" if is_main => {
                self.use_channels(relay);
                Ok(())
            }
            "presence" if is_main => {
                self.use_channels(relay);
                self.send(presence(member, first));
                Ok(())
            }
            EVENT => {
                let Some(said) = Said::read(first) else {
                    return Ok(false);
                };
                self.use_channels(relay);
                self.say(&member.space, &said).await?
            }
            "keep-in-server" => self.keep_room(member, first),
            "get-session-info" => {
                if let Err(why) = self.ask_for_room(member, first, id)
                    && let Some(id) = id
                {
                    self.send(packet::acknowledged(&member.space, id, Some(why)));
                }
                return Ok(true);
            }
            _ => return Ok(false),
        };
        if let Some(id) = id {
            self.send(packet::acknowledged(&member.space, id, done.err()));
        }
        Ok(true)
    }

    fn keep_room(&self, member: &Member, room: &str) -> Result<(), &'static str> {
        let Some((own, rooms)) = self.links() else {
            return Ok(());
        };
        let account = member.membership.account();
        let kept = rooms.keep(&own, &member.space, room, account);
        kept.map_err(|TooMuch| TOO_MUCH)
    }

    fn ask_for_room(
        &self,
        member: &Member,
        room: &str,
        id: Option<&str>,
    ) -> Result<(), &'static str> {
        let (Some((own, rooms)), Some(id)) = (self.links(), id) else {
            return Ok(());
        };
        let account = member.membership.account();
        let asked = rooms.ask(&own, &member.space, room, id, account);
        asked.map_err(|TooMuch| TOO_MUCH)
    }

    fn links(&self) -> Option<(Arc<dyn Guest>, &KeptRooms)> {
        let links = self.links.get()?;
        Some((links.own.upgrade()?, &links.rooms))
    }

    /// From now on, the client's namespaces are channels of the main space.
    fn use_channels(&self, relay: &Relay) {
        let mut state = self.state();
        if state.uses_channels || self.is_over() {
            return;
        }
        let main = state.spaces.iter().find(|space| &*space.name == MAIN);
        let access = main.map(|space| space.access.clone());
        let Some(access) = access.or_else(|| self.visitor.admission.enter(MAIN).ok()) else {
            return;
        };
        state.uses_channels = true;
        for space in &mut state.spaces {
            if &*space.name != MAIN {
                self.make_channel(relay, space, &access);
            } else if matches!(space.form, Form::AsSent) {
                space.form = Form::Silent;
            }
        }
    }

    /// What the client may do in a namespace. Channels are those of the main space.
    pub(super) async fn enter(
        &self,
        namespace: &str,
        token: Option<&str>,
    ) -> Result<Access, Refusal> {
        let main = if namespace == MAIN {
            None
        } else {
            let state = self.state();
            let mut spaces = state.spaces.iter().filter(|_| state.uses_channels);
            let main = spaces.find(|space| &*space.name == MAIN);
            main.map(|space| space.access.clone())
        };
        match main {
            Some(access) => Ok(access),
            None => self.visitor.admission.enter_with(token, namespace).await,
        }
    }

    /// The namespace that an event is for, if the client is in it.
    /// Of a page of RTCMultiConnection, its place in the rooms too.
    pub(super) fn member(&self, namespace: &str) -> Option<(Member, Option<Arc<RoomMembership>>)> {
        let state = self.state();
        let mut spaces = state.spaces.iter();
        let space = spaces.find(|space| *space.name == *namespace)?;
        let member = Member {
            space: Arc::clone(&space.name),
            membership: space.membership.clone()?,
            access: space.access.clone(),
            referee: Arc::clone(&space.referee),
        };
        Some((member, space.room_membership.clone()))
    }

    /// Leaves a namespace. What the others receive then is still to be published.
    pub(super) fn leave_space(&self, namespace: &str) {
        let mut state = self.state();
        let State {
            spaces, farewells, ..
        } = &mut *state;
        spaces.retain(|space| {
            let leaves = *space.name == *namespace;
            if leaves {
                farewells.extend(space.farewell());
                if let Some(room_membership) = &space.room_membership {
                    room_membership.leave();
                }
                space.referee.leave();
            }
            !leaves
        });
    }

    /// Makes a namespace a channel of the main space.
    pub(super) fn make_channel(&self, relay: &Relay, space: &mut Space, access: &Access) {
        let channel: Arc<str> = Arc::from(space.name.strip_prefix('/').unwrap_or(&space.name));
        let signals = self.signals.clone();
        let (audience, address) = (access.audience(), self.address());
        let (membership, queue) = relay.hub.join_with(MAIN, address, audience, signals);
        membership.listen(&[Arc::clone(&channel)]);
        space.membership = Some(Arc::new(membership));
        space.queue = queue;
        space.access = access.clone();
        let user = None;
        space.form = Form::Channel { channel, user };
    }

    /// Publishes what a page of socketio-over-nodejs says in a namespace, or returns why it can't.
    async fn say(
        &self,
        namespace: &str,
        said: &Said<'_>,
    ) -> Result<Result<(), &'static str>, CloseReason> {
        let (membership, access, channel) = {
            let mut state = self.state();
            let mut spaces = state.spaces.iter_mut();
            let space = spaces.find(|space| *space.name == *namespace);
            let Some(Space {
                membership: Some(membership),
                access,
                form: Form::Channel { channel, user },
                ..
            }) = space
            else {
                return Ok(Err("The token doesn't allow the space of the channels."));
            };
            if user.is_none() {
                *user = said.user();
            }
            (Arc::clone(membership), access.clone(), Arc::clone(channel))
        };
        let text = said.envelope(&channel);
        let failure = match Envelope::read(&text) {
            Some(envelope) => {
                self.publish_envelope(&membership, &access, envelope)
                    .await?
            }
            None => None,
        };
        Ok(failure.map_or(Ok(()), Err))
    }

    /// Publishes an event's message, or returns why it can't.
    pub(super) async fn publish(
        &self,
        member: &Member,
        what: Event<'_>,
    ) -> Result<Option<&'static str>, CloseReason> {
        let Event::Message(argument) = what else {
            return Ok(Some(
                "Only the event 'message' is relayed, with one argument that isn't binary.",
            ));
        };
        let envelope = Envelope::read(argument).filter(|envelope| !envelope.is_anonymous());
        self.note_form(&member.space, envelope.is_some());
        if let Some(envelope) = envelope
            .as_ref()
            .filter(|envelope| is_private(&envelope.channel))
        {
            let Member {
                membership,
                access,
                referee,
                ..
            } = member;
            referee
                .take(&envelope.channel, envelope.message(), membership, access)
                .await;
            if referee.is_used() {
                self.note_rooms();
            }
            return Ok(None);
        }
        let bare = bare::envelope(argument, self.sender);
        let envelope = envelope.or_else(|| bare::read(&bare));
        let Some(envelope) = envelope else {
            return Ok(None);
        };
        self.publish_envelope(&member.membership, &member.access, envelope)
            .await
    }

    async fn publish_envelope(
        &self,
        membership: &Membership,
        access: &Access,
        envelope: Envelope<'_>,
    ) -> Result<Option<&'static str>, CloseReason> {
        let message = match access.message(envelope, Some(self.sender), true) {
            Ok(message) => message,
            Err(why) => return Ok(Some(why.as_str())),
        };
        let max_frame = self.limits.max_frame;
        if message.len() > max_frame {
            return Err(CloseReason::FrameTooLarge(max_frame));
        }
        match membership.publish(Content::Envelope(message)).await {
            Ok(()) => Ok(None),
            Err(_) => Err(CloseReason::StoreUnavailable),
        }
    }

    /// Notes what the page in a namespace has sent.
    fn note_form(&self, namespace: &str, is_envelope: bool) {
        let mut state = self.state();
        let mut spaces = state.spaces.iter_mut();
        let Some(space) = spaces.find(|space| *space.name == *namespace) else {
            return;
        };
        match space.form {
            Form::Channel { .. } | Form::Envelopes => {}
            _ if is_envelope => space.form = Form::Envelopes,
            _ => space.form = Form::Bare,
        }
    }

    /// Tells the others in its channels that the page has left.
    pub(super) async fn say_farewell(&self) {
        let farewells = std::mem::take(&mut self.state().farewells);
        for Farewell {
            membership,
            content,
        } in farewells
        {
            if membership.publish(content).await.is_err() {
                tracing::debug!("user-left isn't published");
            }
        }
    }
}

impl Guest for Session {
    fn send(&self, packet: String) {
        Self::send(self, packet);
    }

    fn take_room(&self, most: usize) -> Option<()> {
        let more = |rooms| (rooms < most).then_some(rooms + 1);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        self.rooms.fetch_update(set, fetch, more).ok().map(|_| ())
    }

    fn free_room(&self) {
        self.rooms.fetch_sub(1, Ordering::Relaxed);
    }

    fn has_rooms(&self) -> bool {
        self.rooms.load(Ordering::Relaxed) > 0
    }
}

impl Space {
    /// What the others receive when the page leaves it, if anything.
    pub(super) fn farewell(&self) -> Option<Farewell> {
        let Form::Channel {
            channel,
            user: Some(user),
        } = &self.form
        else {
            return None;
        };
        let text = user.left(channel);
        let envelope = Envelope::read(&text)?;
        let message = self.access.message(envelope, None, true).ok()?;
        Some(Farewell {
            membership: self.membership.clone()?,
            content: Content::Envelope(message),
        })
    }
}

/// The answer to a page that asks whether a channel is present: somebody has it open.
fn presence(member: &Member, channel: &str) -> String {
    let name = json::string(channel).unwrap_or(channel.into());
    let present = member.access.may_subscribe(&name) && member.membership.is_open(&name);
    packet::event_packet(MAIN, &format!("[\"presence\",{present}]"))
}
