//! What the page calls: channels are opened and closed, messages are sent.

use std::mem;
use std::rc::Rc;

use super::machine::{Queued, Session};
use super::resume;
use super::state::{ChannelId, Closed, SendError, State};
use crate::protocol::{Millis, Text};

impl<T: Text, S: Clone> Session<T, S> {
    /// Opens a channel; an earlier opening of the same name gets no more messages. The first one connects. It is never ready before the next
    /// [`Input::Timeout`], however soon that is: the page doesn't have its handle yet.
    pub fn open(&mut self, now: Millis, name: &str, subscriber: S) -> Result<ChannelId, Closed> {
        if self.state == State::Closed {
            return Err(Closed);
        }
        let id = self.channels.open(name, subscriber.clone());
        let due = now + self.config.delay();
        self.pending_opens.push(due, id, subscriber);
        if self.state == State::Idle {
            self.connect(now, "the first channel was opened");
        } else if self.protocol().subscribes()
            && let Some(channel) = self.channels.get_mut(name)
            && !mem::replace(&mut channel.subscribed, true)
        {
            let frame = self.protocol().subscribe(&resume::open_one(name));
            self.send_own(frame);
        }
        Ok(id)
    }

    /// Closes that opening of a channel; one that was superseded or closed before stays as it is.
    pub fn close_channel(&mut self, name: &str, id: ChannelId) {
        if self.channels.close(name, id) && self.protocol().subscribes() {
            let frame = self.protocol().unsubscribe(name);
            self.send_own(frame);
        }
        self.pending_opens.remove(id);
        self.events
            .retain(|queued| !matches!(queued, Queued::Ready(of, _) if *of == id));
    }

    /// Takes a message for an open channel. It goes out behind those that were sent before it, unless `ttl` passes first; infinite: it waits for ever.
    pub fn send(
        &mut self,
        now: Millis,
        channel: &str,
        payload: T,
        ttl: Millis,
    ) -> Result<(), SendError> {
        if self.state == State::Closed {
            return Err(SendError::SessionClosed);
        }
        let channel = self
            .channels
            .get(channel)
            .map(|channel| Rc::clone(&channel.name))
            .ok_or(SendError::ChannelClosed)?;
        let length = payload.length();
        if length > self.config.max_message {
            return Err(SendError::TooLarge { length });
        }
        self.expire(now, false);
        let expires = Some(now + ttl).filter(|at| at.is_finite());
        self.outbox.push(channel, payload, expires)
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

    /// Marks what was sent until now, for [`is_flushed`](Self::is_flushed).
    pub fn flush(&self) -> u64 {
        self.outbox.last_number()
    }

    /// Whether the server has accepted everything up to that mark, apart from what was dropped.
    pub fn is_flushed(&self, mark: u64) -> bool {
        self.outbox.is_flushed(mark)
    }
}
