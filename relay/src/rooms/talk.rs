//! What users tell each other: messages, extra data, custom events. Pure.
//!
//! A message says who sent it, and a page speaks only for its own user. A page that names an unused
//! id takes it, as some do after a lost connection. A user outside a room can't reach its
//! participants. To ask to participate, it must have joined, which checks the password.

use std::sync::Arc;

use signal_wire::json::{member, quoted};

use super::state::{Answer, NO_USER, Rooms};
use super::user_message::UserMessage;
use super::values::{event, has, name};

/// How many users a user has exchanged messages with, as far as the relay remembers them.
const MOST_TIES: usize = 1024;

impl Rooms {
    /// A message. Only questions of old pages to `system` are answered.
    pub(super) fn message(&mut self, id: &Arc<str>, text: &str) -> Option<Answer> {
        let content = member(text, "message")?;
        let to = name(member(text, "remoteUserId")?)?;
        let sender = member(text, "sender").filter(|sender| *sender != "null");
        let sender = match sender {
            Some(sender) => name(sender)?,
            None => Arc::clone(id),
        };
        if sender != *id
            && (self.users.contains_key(&sender) || !self.rename(id, Arc::clone(&sender)))
        {
            return None;
        }
        let id = &sender;
        if to == *id {
            return None;
        }
        if &*to == "system" && has(content, "detectPresence") {
            let asked = member(content, "userid")?;
            let user = name(asked)?;
            let is_there = user != *id && self.users.contains_key(&user);
            return Some(format!("{is_there},{asked}"));
        }
        let user = self.users.get(id)?;
        let relays = user.profile.relays.is_some();
        let message = UserMessage::new(text, id, &user.extra)?;
        if has(content, "newParticipationRequest") && !relays && self.rooms.contains_key(&to) {
            self.request_participation(id, &to, &message);
        } else if self.may_reach(id, &to, has(content, "userLeft")) {
            if !has(content, "userLeft") {
                self.tie(id, &to);
            }
            self.deliver(&to, &message);
        }
        None
    }

    /// Asks the participants of a room to connect with a new one; only the owner, if only the owner
    /// sends.
    fn request_participation(&mut self, id: &Arc<str>, room: &Arc<str>, message: &UserMessage) {
        let Some(room) = self.rooms.get(room) else {
            return;
        };
        if !room.participants.contains(id) {
            return;
        }
        let asked = if room.is_one_way {
            vec![Arc::clone(&room.owner)]
        } else {
            room.participants.clone()
        };
        for participant in asked.iter().filter(|participant| *participant != id) {
            self.deliver(participant, message);
        }
    }

    /// Whether a user's messages reach another. Those who have left may say so.
    fn may_reach(&self, id: &str, to: &str, says_goodbye: bool) -> bool {
        let (Some(from), Some(to_user)) = (self.users.get(id), self.users.get(to)) else {
            return false;
        };
        to_user.room.is_none()
            || from.room == to_user.room
            || (says_goodbye && from.ties.contains(to))
    }

    fn deliver(&mut self, to: &Arc<str>, message: &UserMessage) {
        if let Some(user) = self.users.get(to) {
            let list = message.list(&user.profile.message_event, to);
            self.emit(to, list);
        }
    }

    /// Each learns that the other is there, the first time.
    fn tie(&mut self, one: &Arc<str>, other: &Arc<str>) {
        let has_room = |id: &Arc<str>| {
            let user = self.users.get(id);
            user.is_some_and(|user| user.ties.len() < MOST_TIES)
        };
        if !has_room(one) || !has_room(other) {
            return;
        }
        for (id, with) in [(one, other), (other, one)] {
            if let Some(user) = self.users.get_mut(id)
                && user.ties.insert(Arc::clone(with))
            {
                self.emit(id, event("user-connected", &[&quoted(with)]));
            }
        }
    }

    /// `disconnect-with`: both learn it.
    pub(super) fn disconnect_with(&mut self, id: &Arc<str>, with: Option<Arc<str>>) -> Answer {
        if let Some(with) = with {
            for (one, other) in [(id, &with), (&with, id)] {
                if let Some(user) = self.users.get_mut(one)
                    && user.ties.remove(other)
                {
                    self.emit(one, event("user-disconnected", &[&quoted(other)]));
                }
            }
        }
        Answer::new()
    }

    /// `extra-data-updated`: those who know the user learn it. The owner's is also the room's.
    pub(super) fn set_extra(&mut self, id: &Arc<str>, extra: &str) {
        let Some(user) = self.users.get_mut(id) else {
            return;
        };
        user.extra = extra.into();
        let mut told = user.ties.clone();
        if let Some(room) = user.room.as_ref().and_then(|room| self.rooms.get_mut(room)) {
            if room.owner == *id {
                room.extra = extra.into();
            }
            told.extend(room.participants.iter().cloned());
        }
        told.remove(id);
        let list = event("extra-data-updated", &[&quoted(id), extra]);
        for other in told {
            self.emit(&other, Arc::clone(&list));
        }
    }

    /// `get-remote-user-extra-data`
    pub(super) fn extra_of(&self, asked: &str) -> Answer {
        let user = name(asked).and_then(|name| self.users.get(&name));
        match user {
            Some(user) => format!("{},{asked},null", user.extra),
            None => format!("{0},{asked},{0}", quoted(NO_USER)),
        }
    }

    /// A custom event goes to everybody else. Nobody takes it for a message.
    pub(super) fn custom(&mut self, id: &Arc<str>, name: &Arc<str>, value: &str) {
        let list = event(name, &[value]);
        let others = self
            .users
            .iter()
            .filter(|(other, user)| *other != id && user.profile.message_event != *name);
        let others: Vec<_> = others.map(|(other, _)| Arc::clone(other)).collect();
        for other in others {
            self.emit_on(&other, Some(Arc::clone(name)), Arc::clone(&list));
        }
    }
}
