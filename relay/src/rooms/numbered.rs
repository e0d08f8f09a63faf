//! Users whose deliveries are numbered: those with a mailbox. Pure.

use std::sync::Arc;

use super::entrant::RoomConnectionId;
use super::mailbox::Mailbox;
use super::state::{Answer, Delivery, Rooms};

impl Rooms {
    /// The life of a connection's user, and the number of its last request, if its deliveries are
    /// numbered.
    #[must_use]
    pub fn numbered(&self, connection: RoomConnectionId) -> Option<(Arc<str>, u64)> {
        let user = self.users.get(self.connections.get(&connection)?)?;
        let mailbox = user.mailbox.as_ref()?;
        Some((Arc::clone(&mailbox.life), mailbox.asked()))
    }

    /// A connection's page has seen, in this life, all up to a number.
    pub fn see(&mut self, connection: RoomConnectionId, life: &str, seen: u64) {
        if let Some(mailbox) = self.mailbox(connection, life) {
            mailbox.see(seen);
        }
    }

    /// Delivers once more what a connection's page hasn't seen.
    pub(super) fn send_again(&mut self, to: RoomConnectionId) {
        let user = self.connections.get(&to).and_then(|id| self.users.get(id));
        let mailbox = user.and_then(|user| user.mailbox.as_ref());
        let kept = mailbox.into_iter().flat_map(|mailbox| &mailbox.kept);
        self.deliveries.extend(kept.map(|kept| Delivery {
            to,
            channel: kept.channel.clone(),
            list: Arc::clone(&kept.text),
        }));
    }

    /// Whether a page's request with this number is to be done: not if it belongs to another life,
    /// or was done before. The next one has a higher number.
    pub fn accepts(&mut self, connection: RoomConnectionId, life: &str, ask: u64) -> bool {
        let mailbox = self.mailbox(connection, life);
        mailbox.is_some_and(|mailbox| mailbox.accept(ask))
    }

    /// Delivers the answer to a request with this number.
    pub fn answer(&mut self, connection: RoomConnectionId, ask: u64, answer: &Answer) {
        if let Some(id) = self.connections.get(&connection).cloned() {
            self.post(
                &id,
                None,
                &format!("\"answer\":{ask},\"values\":[{answer}]"),
            );
        }
    }

    /// Sends a user with a mailbox something.
    pub(super) fn post(&mut self, id: &str, channel: Option<Arc<str>>, content: &str) {
        let Some(user) = self.users.get_mut(id) else {
            return;
        };
        let Some(mailbox) = &mut user.mailbox else {
            return;
        };
        let list = mailbox.keep(channel.as_ref(), content);
        self.is_any_over |= mailbox.is_over();
        self.kept_for.push(user.connection);
        if user.away.is_none() {
            self.deliveries.push(Delivery {
                to: user.connection,
                channel,
                list,
            });
        }
    }

    fn mailbox(&mut self, connection: RoomConnectionId, life: &str) -> Option<&mut Mailbox> {
        let user = self.users.get_mut(self.connections.get(&connection)?)?;
        user.mailbox
            .as_mut()
            .filter(|mailbox| *mailbox.life == *life)
    }
}
