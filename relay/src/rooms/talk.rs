//! What users tell each other: messages, extra data, custom events. Pure.
//!
//! A message says who sent it, and a page speaks only for its own user. A page that names an unused
//! id takes it, as some do after a lost connection. A user outside a room can't reach its
//! participants. To ask to participate, it must have joined, which checks the password.

use std::sync::Arc;

use signal_wire::json::quoted;

use super::state::{Answer, NO_USER, Rooms};
use super::user_message::{MessageError, UserMessage};
use super::values::{event, name};

/// How many users a user has exchanged messages with, as far as the relay remembers them.
const MOST_TIES: usize = 1024;
/// The longest value of a custom event, in bytes: it goes to everybody in the space.
const LONGEST_CUSTOM: usize = 64 * 1024;
/// How long all copies of it are together, at most.
const MOST_CUSTOM: usize = 32 * 1024 * 1024;

impl Rooms {
    /// A message. Only questions of old pages to `system` are answered.
    pub(super) fn message(&mut self, id: &Arc<str>, message: &UserMessage) -> Option<Answer> {
        let from = message.from.as_ref().unwrap_or(id);
        if from != id && (self.users.contains_key(from) || !self.rename(id, Arc::clone(from))) {
            return None;
        }
        let to = &message.to;
        if to == from {
            return None;
        }
        if let Some((asked, user)) = message.asks_presence.as_ref().filter(|_| &**to == "system") {
            let is_there = user != from && self.users.contains_key(user);
            return Some(format!("{is_there},{asked}"));
        }
        let user = self.users.get(from)?;
        let relays = user.profile.relays.is_some();
        let extra = Arc::clone(&user.extra);
        if message.is_request && !relays && self.rooms.contains_key(to) {
            for participant in self.others_to_ask(from, to) {
                self.deliver(&participant, message, from, &extra);
            }
        } else if self.may_reach(from, to, message.is_goodbye) {
            if !message.is_goodbye {
                self.tie(from, to);
            }
            self.deliver(to, message, from, &extra);
        }
        None
    }

    /// Whom a participant of a room asks to connect: those who were there before it, or once more
    /// all others; or only the owner, if only the owner sends. Who joins later asks by itself. Two who
    /// ask each other at one moment would never be connected: each drops what it offers for the
    /// other's offer.
    fn others_to_ask(&mut self, id: &Arc<str>, room: &Arc<str>) -> Vec<Arc<str>> {
        let room = self.rooms.get(room);
        let Some(room) = room.filter(|room| room.participants.contains(id)) else {
            return Vec::new();
        };
        let user = self.users.get_mut(id);
        let is_new = user.is_some_and(|user| std::mem::take(&mut user.is_new));
        let asked = room.participants.iter();
        asked
            .take_while(|other| !is_new || *other != id)
            .filter(|other| *other != id && (!room.is_one_way || **other == room.owner))
            .cloned()
            .collect()
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

    fn deliver(&mut self, to: &Arc<str>, message: &UserMessage, from: &str, extra: &str) {
        if let Some(user) = self.users.get(to) {
            let list = message.list(&user.profile.message_event, to, from, extra);
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

    /// A message or an event that goes nowhere: its page learns why.
    pub(super) fn undelivered(&mut self, id: &Arc<str>, why: MessageError) {
        self.emit(
            id,
            event("error", &[&quoted(&format!("Not delivered: {why}."))]),
        );
    }

    /// A custom event goes to everybody else. Nobody takes it for a message.
    pub(super) fn custom(&mut self, id: &Arc<str>, name: &Arc<str>, value: &str) {
        // Each page whose deliveries are numbered has a text of its own.
        let texts = self.users.values().filter(|user| user.mailbox.is_some());
        let longest = LONGEST_CUSTOM.min(MOST_CUSTOM / texts.count().max(1));
        if value.len() > longest {
            return self.undelivered(id, MessageError::TooLong(longest));
        }
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
