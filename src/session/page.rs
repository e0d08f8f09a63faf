//! The page's calls: opening and closing channels, sending messages.

use std::mem;
use std::rc::Rc;

use super::machine::{Queued, Session};
use super::outbox::Overflow;
use super::state::{ChannelId, Closed, DropReason, SendError, State};
use super::{resume, size};
use crate::protocol::{Millis, Outgoing, Text};

impl<T: Text, S: Clone> Session<T, S> {
    /// Opens a channel. An earlier opening of the same name receives no more messages. The first
    /// channel starts the connection. Messages without a channel are received on the default channel,
    /// and sent on [`UNNAMED`](signal_wire::envelope::UNNAMED). Readiness comes with the next
    /// [`Input::Timeout`](super::Input::Timeout) at the earliest, because the page doesn't have its
    /// handle yet.
    pub fn open(&mut self, now: Millis, name: &str, subscriber: S) -> Result<ChannelId, Closed> {
        if self.state == State::Closed {
            return Err(Closed);
        }
        let id = self.channels.open(name, subscriber.clone());
        let due = now + self.config.delay();
        self.pending_opens.push(due, id, subscriber);
        if self.state == State::Idle {
            if !self.is_disconnected {
                self.attempt(now, "the first channel was opened");
            }
        } else if self.protocol().can_subscribe() {
            for name in self.channels.names_of(name, id) {
                self.subscribe_to(&name);
            }
        }
        Ok(id)
    }

    fn subscribe_to(&mut self, name: &str) {
        if let Some(channel) = self.channels.get_mut(name)
            && !mem::replace(&mut channel.subscribed, true)
        {
            let frame = self.protocol().subscribe(&resume::open_one(name));
            self.send_own(frame);
        }
    }

    /// The page is inside a call that opens a channel. Until it returns
    /// ([`open_returns`](Self::open_returns)), the page doesn't have its handle, so that nothing
    /// becomes ready: the connection of a transport may open at once.
    pub fn open_begins(&mut self) {
        self.open_calls += 1;
    }

    /// That call returns. Such calls may be nested.
    pub fn open_returns(&mut self) {
        self.open_calls = self.open_calls.saturating_sub(1);
    }

    /// Whether that opening of a channel is the one that receives.
    pub fn receives(&self, name: &str, id: ChannelId) -> bool {
        let open = self.channels.get(name);
        open.is_some_and(|channel| channel.id == id)
    }

    /// Closes that opening of a channel. Nothing happens if it was superseded or closed before.
    pub fn close_channel(&mut self, name: &str, id: ChannelId) {
        for closed in self.channels.close(name, id) {
            if self.protocol().can_subscribe() {
                let frame = self.protocol().unsubscribe(&closed);
                self.send_own(frame);
            }
        }
        self.pending_opens.remove(id);
        self.events
            .retain(|queued| !matches!(queued, Queued::Ready(of, _) if *of == id));
    }

    /// Sends a message on an open channel, after those sent before it. It is dropped when `ttl`
    /// passes first; an infinite `ttl` never does. With [`Overflow::DropOldest`], a full outbox is
    /// no error.
    ///
    /// Returns the message's number: [`Event::Dropped`](super::Event::Dropped) and
    /// [`Event::Refused`](super::Event::Refused) name it. Otherwise the server has accepted it when
    /// [`flushed`](Self::flushed) has come so far.
    pub fn send(
        &mut self,
        now: Millis,
        channel: &str,
        payload: T,
        ttl: Millis,
    ) -> Result<u64, SendError> {
        if self.state == State::Closed {
            return Err(SendError::SessionClosed);
        }
        let channel = self
            .channels
            .get(channel)
            .map(|channel| Rc::clone(&channel.name))
            .ok_or(SendError::ChannelClosed)?;
        let limit = self.longest_sent();
        let outgoing = Outgoing {
            sender: self.receiver.userid(),
            channel: &channel,
            number: self.outbox.last_number() + 1,
            payload: &payload,
        };
        if let Some(bytes) = size::excess_of_message(self.protocol(), &outgoing, limit) {
            return Err(SendError::TooLarge { bytes, limit });
        }
        let length = payload.length();
        self.expire(now, false);
        if self.config.outbox.overflow == Overflow::DropOldest {
            while let Some(message) = self.outbox.drop_oldest_for(length) {
                self.dropped(&message, DropReason::Overflow);
            }
        }
        if !self.outbox.has_room(length) {
            return self.refuse_for_room(&channel);
        }
        let expires = Some(now + ttl).filter(|at| at.is_finite());
        Ok(self.outbox.push(channel, payload, expires))
    }

    /// The page wants a message no longer. If it is in flight, it may still arrive.
    pub fn withdraw(&mut self, number: u64) {
        self.outbox.withdraw(number);
    }

    fn refuse_for_room(&mut self, channel: &str) -> Result<u64, SendError> {
        if self.config.outbox.overflow == Overflow::DropOldest {
            let number = self.outbox.skip_number();
            self.dropped_number(number, channel, DropReason::Overflow);
            return Ok(number);
        }
        Err(SendError::OutboxFull {
            messages: self.outbox.messages(),
            bytes: self.outbox.bytes(),
        })
    }

    /// The page is about to close it: what waits for the server, on an open connection, goes out.
    pub fn about_to_close(&mut self) {
        self.on_page_hiding();
    }

    /// Closes everything, for good.
    pub fn close(&mut self) {
        self.channels.clear();
        if self.state != State::Closed {
            let reason = if self.outbox.messages() > 0 {
                "closed by the page, with messages that the server hadn't taken"
            } else {
                "closed by the page"
            };
            self.finish(reason.into(), None);
        }
    }

    /// A mark for [`flushed`](Self::flushed): everything sent until now.
    pub fn flush(&self) -> u64 {
        self.outbox.last_number()
    }

    /// The last mark up to which every message was accepted by the server, or dropped.
    pub fn flushed(&self) -> u64 {
        self.outbox.flushed()
    }
}
