//! What a page on a private channel is sent: numbered, and kept until the page has seen it. Pure.
//!
//! The page numbers its requests too. So whatever a lost connection took with it is sent again by
//! one side or the other, and nothing happens twice. The numbers count within one *life* of the
//! user, from its entering to its removal: the page learns by another life that the relay has
//! forgotten it, and the relay ignores what belongs to an earlier one.

use std::collections::VecDeque;
use std::sync::Arc;

use super::entrant::RoomConnectionId;
use super::state::{Answer, Delivery, Rooms};

/// How many deliveries are kept for one page, and how many bytes.
const MOST_KEPT: (usize, usize) = (1024, 1024 * 1024);
/// What a delivery costs besides its text, in bytes.
const DELIVERY: usize = 64;

/// What one user's page was sent and hasn't seen.
#[derive(Debug)]
pub(super) struct Mailbox {
    life: Arc<str>,
    /// The number of the page's last request.
    asked: u64,
    /// The number of the last delivery.
    sent: u64,
    kept: VecDeque<Kept>,
    bytes: usize,
    is_over: bool,
}

#[derive(Debug)]
struct Kept {
    number: u64,
    channel: Option<Arc<str>>,
    text: Arc<str>,
}

impl Mailbox {
    pub(super) fn new(life: Arc<str>) -> Self {
        Self {
            life,
            asked: 0,
            sent: 0,
            kept: VecDeque::new(),
            bytes: 0,
            is_over: false,
        }
    }

    /// Whether more was to be kept than there is room for. Its user has to go.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// What it costs, in bytes.
    pub(super) fn cost(&self) -> usize {
        self.bytes + self.kept.len() * DELIVERY
    }

    /// Numbers a delivery and keeps it. `content` are the members that say what it is. Returns the
    /// text for the page.
    pub(super) fn keep(&mut self, channel: Option<&Arc<str>>, content: &str) -> Arc<str> {
        self.sent += 1;
        let number = self.sent;
        let text: Arc<str> = format!("{{\"number\":{number},{content}}}").into();
        let (most, most_bytes) = MOST_KEPT;
        self.is_over |= self.kept.len() >= most || self.bytes + text.len() > most_bytes;
        if self.is_over {
            self.kept = VecDeque::new();
            self.bytes = 0;
        } else {
            self.bytes += text.len();
            self.kept.push_back(Kept {
                number,
                channel: channel.cloned(),
                text: Arc::clone(&text),
            });
        }
        text
    }

    fn see(&mut self, seen: u64) {
        while let Some(first) = self.kept.front()
            && first.number <= seen
        {
            self.bytes -= first.text.len();
            self.kept.pop_front();
        }
    }

    fn accept(&mut self, ask: u64) -> bool {
        let is_new = ask > self.asked;
        self.asked = self.asked.max(ask);
        is_new
    }
}

impl Rooms {
    /// The life of a connection's user, if its deliveries are numbered.
    #[must_use]
    pub fn life_of(&self, connection: RoomConnectionId) -> Option<&Arc<str>> {
        let user = self.users.get(self.connections.get(&connection)?)?;
        user.mailbox.as_ref().map(|mailbox| &mailbox.life)
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
