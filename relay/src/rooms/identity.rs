//! How a connection becomes a user: with an id that it names, or as the user that it was before its
//! connection was lost. Pure.

use std::collections::HashSet;
use std::sync::Arc;

use signal_wire::json::quoted;

use super::entrant::{Claim, Entrant, Entry, RoomConnectionId};
use super::mailbox::Mailbox;
use super::state::{Delivery, Rooms, User};
use super::values;

impl Rooms {
    /// Whether a connection that would be a user can be.
    #[must_use]
    pub fn claim(&self, entrant: &Entrant) -> Claim {
        if self.proven(entrant).is_some() {
            return Claim::Continues;
        }
        match self.users.get(&entrant.profile.user) {
            None => Claim::Free,
            // A token's user has its ids to itself.
            Some(user) if user.token_user != entrant.token_user => Claim::AnothersToken,
            Some(user) if user.is_connected() => Claim::Connected(user.connection),
            Some(_) => Claim::Free,
        }
    }

    /// The user whose secret a connection shows, if its token isn't another user's and it receives
    /// in the same way.
    fn proven(&self, entrant: &Entrant) -> Option<&Arc<str>> {
        let id = self.secrets.get(entrant.shown.as_ref()?)?;
        let user = self.users.get(id)?;
        let is_same = user.token_user == entrant.token_user
            && user.mailbox.is_some() == entrant.numbered.is_some();
        is_same.then_some(id)
    }

    /// A connection begins as a user, if its claim allows it.
    pub fn enter(&mut self, connection: RoomConnectionId, entrant: Entrant) -> Entry {
        if let Claim::Connected(_) | Claim::AnothersToken = self.claim(&entrant) {
            return Entry::Taken;
        }
        if let Some(id) = self.proven(&entrant).cloned() {
            return Entry::Entered(self.resume(connection, id, entrant));
        }
        let id = Arc::clone(&entrant.profile.user);
        self.remove(&id);
        self.insert(connection, id, entrant);
        Entry::Entered(None)
    }

    /// A user continues on another connection. Returns the one before, if it isn't gone yet.
    fn resume(
        &mut self,
        connection: RoomConnectionId,
        id: Arc<str>,
        entrant: Entrant,
    ) -> Option<RoomConnectionId> {
        let user = self.users.get_mut(&id)?;
        let earlier = std::mem::replace(&mut user.connection, connection);
        let secret = std::mem::replace(&mut user.secret, Arc::clone(&entrant.secret));
        user.profile.message_event = entrant.profile.message_event;
        let away = user.away.take();
        self.secrets.remove(&secret);
        self.secrets.insert(entrant.secret, Arc::clone(&id));
        self.connections.remove(&earlier);
        self.connections.insert(connection, id);
        if let Some((life, seen)) = entrant.numbered.and_then(|numbered| numbered.seen) {
            self.see(connection, &life, seen);
        }
        self.send_again(connection);
        let Some(away) = away else {
            return Some(earlier);
        };
        self.away -= 1;
        let waiting = away.waiting.into_iter();
        let waiting = waiting.map(|delivery| Delivery {
            to: connection,
            ..delivery
        });
        self.deliveries.extend(waiting);
        None
    }

    fn insert(&mut self, connection: RoomConnectionId, id: Arc<str>, entrant: Entrant) {
        let Entrant {
            profile,
            secret,
            token_user,
            numbered,
            ..
        } = entrant;
        self.connections.insert(connection, Arc::clone(&id));
        self.secrets.insert(Arc::clone(&secret), Arc::clone(&id));
        let mut events = HashSet::from([Arc::clone(&profile.custom_event)]);
        if profile.relays.is_some() {
            events.insert("scalable-broadcast-message".into());
        }
        let user = User {
            extra: Arc::clone(&profile.extra),
            profile,
            secret,
            token_user,
            connection,
            away: None,
            mailbox: numbered.map(|numbered| Mailbox::new(numbered.life)),
            room: None,
            is_new: false,
            ties: HashSet::new(),
            events,
        };
        self.users.insert(id, user);
    }

    /// Renames a user, and everything that names it. `false`: the id is another user's, and the
    /// page was informed.
    pub(super) fn rename(&mut self, id: &Arc<str>, new: Arc<str>) -> bool {
        if *id == new {
            return true;
        }
        if self.users.contains_key(&new) {
            self.emit(id, self.taken(&new));
            return false;
        }
        let Some(user) = self.users.remove(id) else {
            return false;
        };
        for tied in &user.ties {
            if let Some(other) = self.users.get_mut(tied)
                && other.ties.remove(id)
            {
                other.ties.insert(Arc::clone(&new));
            }
        }
        if let Some(room) = user.room.as_ref().and_then(|room| self.rooms.get_mut(room)) {
            let own = room.participants.iter_mut();
            for participant in own.filter(|participant| *participant == id) {
                *participant = Arc::clone(&new);
            }
            if room.owner == *id {
                room.owner = Arc::clone(&new);
            }
        }
        self.rename_viewer(id, &new);
        self.connections.insert(user.connection, Arc::clone(&new));
        self.secrets
            .insert(Arc::clone(&user.secret), Arc::clone(&new));
        self.users.insert(new, user);
        true
    }

    /// The event that tells a page that an id is taken, with another that is free.
    #[must_use]
    pub fn taken(&self, id: &str) -> Arc<str> {
        let free = (2_u64..)
            .map(|number| format!("{id}-{number}"))
            .find(|free| !self.users.contains_key(free.as_str()));
        let free = free.unwrap_or_default();
        values::event("userid-already-taken", &[&quoted(id), &quoted(&free)])
    }
}
