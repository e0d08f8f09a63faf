//! The session's fields, its outputs, and helpers that its parts share.
//!
//! Its behaviour is in the files beside this one: `page` (what the page calls), `connection`
//! (connecting and losing), `on_demand` (the page connects and disconnects), `takeover` (a second
//! connection), `conversation` (the protocol's
//! outputs), `incoming` (frames) and `surroundings` (the page is hidden, the network changes).

use std::collections::VecDeque;
use std::rc::Rc;

use signal_wire::UserId;

use super::channels::Channels;
use super::config::{Config, OpenWhen};
use super::keepalive::Keepalive;
use super::message::Message;
use super::outbox::{Outbox, Suspect, earliest};
use super::pending::PendingSends;
use super::readiness::{EarlyMessages, PendingOpens};
use super::receive::Receiver;
use super::reconnect::Reconnect;
use super::refusal::Refusals;
use super::size;
use super::standby::Standby;
use super::state::{Action, ChannelId, ConnectionId, DropReason, Event, State, Transmission};
use super::stats::{FrameKind, Stats};
use crate::protocol::{
    AnyProtocol, Credentials, Frame, Millis, Phase, Protocol, SHORTEST_SECRET, Text, Trouble,
    without_secret, without_secrets,
};

/// One logical connection. `T` is the host's string type. `S` identifies the receiver of a
/// channel's messages; the session only stores it.
#[derive(Debug)]
pub struct Session<T: Text, S> {
    pub(super) config: Config,
    pub(super) protocol: AnyProtocol,
    pub(super) state: State,
    pub(super) connection: ConnectionId,
    /// The last that was given to a connection.
    pub(super) last_connection: ConnectionId,
    /// The second connection, if there is one.
    pub(super) standby: Option<Standby<T>>,
    /// The browser was asked for a WebSocket, and hasn't opened it.
    pub(super) is_opening: bool,
    pub(super) reconnect: Reconnect,
    pub(super) keepalive: Keepalive,
    pub(super) channels: Channels<S>,
    pub(super) pending_opens: PendingOpens<S>,
    pub(super) early_messages: EarlyMessages<T::Value>,
    /// How many calls that open a channel the page is in, whose handles it doesn't have yet.
    pub(super) open_calls: u32,
    pub(super) outbox: Outbox<T>,
    pub(super) receiver: Receiver<T>,
    /// The credentials of the current attempt.
    pub(super) credentials: Option<Credentials>,
    pub(super) refusals: Refusals,
    /// When the page is asked for another token, because the current one expires.
    pub(super) renewal_due: Option<Millis>,
    /// The server wants no attempt to connect before this time.
    pub(super) not_before: Option<Millis>,
    /// How many attempts failed before any succeeded.
    pub(super) failures: u32,
    /// What is to be told about them.
    pub(super) trouble: Option<Trouble>,
    pub(super) stats: Stats,
    /// The page has disconnected: only itself connects again.
    pub(super) is_disconnected: bool,
    /// The page is being hidden: the number of the last message that it sent before.
    pub(super) hiding: Option<u64>,
    /// Nothing is sent before this time, because the server didn't accept a message.
    pub(super) paused_until: Option<Millis>,
    pub(super) pending_sends: PendingSends,
    /// Frames are shown to an inspector.
    pub(super) is_inspected: bool,
    pub(super) actions: VecDeque<Action<T>>,
    pub(super) frames: VecDeque<(FrameKind, Frame<T>)>,
    pub(super) events: VecDeque<Queued<T, S>>,
}

/// An event that waits in the queue.
#[derive(Debug)]
pub(super) enum Queued<T: Text, S> {
    /// This opening of a channel is ready.
    Ready(ChannelId, S),
    /// A message. It goes to the receiver that its channel has when it is polled.
    Message(Rc<str>, T::Value),
    /// Any other event.
    Event(Event<T, S>),
}

impl<T: Text, S: Clone> Session<T, S> {
    /// A session of the page `userid`; `seed` is for the jitter of the backoff.
    pub fn new(config: Config, protocol: AnyProtocol, userid: UserId, seed: u64) -> Session<T, S> {
        Session {
            protocol,
            state: State::Idle,
            connection: 0,
            last_connection: 0,
            standby: None,
            is_opening: false,
            reconnect: Reconnect::new(config.reconnect, seed),
            keepalive: Keepalive::new(),
            channels: Channels::new(config.default_channel.as_deref()),
            pending_opens: PendingOpens::new(),
            early_messages: EarlyMessages::new(),
            open_calls: 0,
            outbox: Outbox::new(config.outbox),
            receiver: Receiver::new(userid),
            credentials: None,
            refusals: Refusals::new(),
            renewal_due: None,
            not_before: None,
            failures: 0,
            trouble: None,
            stats: Stats::default(),
            is_disconnected: false,
            hiding: None,
            paused_until: None,
            pending_sends: PendingSends::new(),
            is_inspected: false,
            actions: VecDeque::new(),
            frames: VecDeque::new(),
            events: VecDeque::new(),
            config,
        }
    }

    /// Its configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The page's own `sender`.
    pub fn userid(&self) -> UserId {
        self.receiver.userid()
    }

    /// The state of the connection.
    pub fn state(&self) -> State {
        self.state
    }

    /// The current connection or attempt. Events of an earlier one are stale.
    pub fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// The second connection, which is being made to take the place of the current one.
    pub fn standby(&self) -> Option<ConnectionId> {
        self.standby.as_ref().map(Standby::connection)
    }

    /// The name under which the page knows a channel on which it sends.
    pub fn shown_name<'a>(&'a self, channel: &'a str) -> &'a str {
        self.channels.shown_name(channel)
    }

    /// The server's address, for people to read.
    pub fn url(&self) -> &str {
        self.protocol().url()
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        Stats {
            queued: self.outbox.messages() as f64,
            queued_bytes: self.outbox.bytes() as f64,
            channels: self.channels.len() as f64,
            protocol: self.spoken(),
            relay: self.state.is_open() && self.protocol().is_relay(),
            ..self.stats
        }
    }

    /// The name of the protocol spoken on the open connection.
    fn spoken(&self) -> Option<&'static str> {
        let name = Some(self.protocol.name()).filter(|_| self.state.is_open())?;
        self.protocol().spoken(name)
    }

    /// Turns [`poll_frame`](Self::poll_frame) on or off. It costs time on every frame.
    pub fn inspect(&mut self, on: bool) {
        self.is_inspected = on;
    }

    // Outputs.

    /// The next action to perform. A message in it counts as in flight.
    pub fn poll_action(&mut self) -> Option<Action<T>> {
        let must_wait = !self.pending_sends.is_empty() && !self.config.pipelines;
        if must_wait && matches!(self.actions.front(), None | Some(Action::Transmit(_))) {
            return None;
        }
        if let Some(action) = self.actions.pop_front() {
            return Some(action);
        }
        while self.may_send() {
            let sender = self.receiver.userid();
            let limit = self.longest_sent();
            let message = self.outbox.next_unsent()?;
            let number = message.number;
            let protocol: &mut dyn Protocol<T> = self.protocol.get_mut();
            let frame = protocol.encode(&message.outgoing(sender));
            if size::excess(&frame, limit).is_none() {
                protocol.on_sending(number);
                return Some(Action::Transmit(Transmission {
                    frame,
                    message: Some(number),
                    post_url: protocol.post_url(number),
                }));
            }
            // The server has announced its limit after the message was queued.
            if let Some(message) = self.outbox.take(number) {
                self.dropped(&message, DropReason::TooLarge { limit });
            }
        }
        None
    }

    /// The longest frame with a message that may be sent, in bytes of UTF-8.
    pub(super) fn longest_sent(&self) -> usize {
        let announced = self.protocol().max_frame();
        announced.map_or(self.config.max_message, |bytes| {
            bytes.min(self.config.max_message)
        })
    }

    fn may_send(&self) -> bool {
        if self.state == State::Idle {
            return false;
        }
        let protocol = self.protocol();
        let is_open = self.state.is_open();
        // A goodbye, and what was sent before it, can't wait. A page that says none keeps its order.
        if self
            .hiding
            .is_some_and(|last| self.outbox.last_number() > last)
        {
            return is_open || (self.stats.connects > 0.0 && !protocol.needs_socket());
        }
        is_open && self.paused_until.is_none() && !self.must_wait()
    }

    /// Whether messages wait for the server. A connection in doubt may lose them, but a page that is
    /// being hidden may never come back: it would lose a goodbye in `beforeunload` for certain.
    fn must_wait(&self) -> bool {
        let protocol = self.protocol();
        // A socket keeps their order.
        if self.hiding.is_some() && protocol.needs_socket() {
            return false;
        }
        protocol.is_busy() || (self.keepalive.is_doubted() && !protocol.acknowledges())
    }

    /// The next frame for the inspector. Frames come before the events that they cause. Unlike
    /// events, they are also emitted while the page handles an event.
    pub fn poll_frame(&mut self) -> Option<(FrameKind, Frame<T>)> {
        self.frames.pop_front()
    }

    /// Whether a channel is open.
    pub fn has_channels(&self) -> bool {
        self.channels.len() > 0
    }

    /// Whether there are events that the page doesn't know.
    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// The next event for the page.
    pub fn poll_event(&mut self) -> Option<Event<T, S>> {
        loop {
            return Some(match self.events.pop_front()? {
                Queued::Ready(id, subscriber) => {
                    self.channels.set_ready(id);
                    Event::Ready(subscriber)
                }
                Queued::Event(event) => {
                    // After this event the page expects no more messages.
                    if let Event::State {
                        state: State::Closed,
                        ..
                    } = event
                    {
                        self.channels.clear();
                    }
                    event
                }
                Queued::Message(channel, message) => {
                    let Some(open) = self.channels.get(&channel) else {
                        continue;
                    };
                    if open.is_ready || self.config.open_when == OpenWhen::Timer {
                        return Some(Event::Message(open.subscriber.clone(), message));
                    }
                    // The page learns first that the channel is ready.
                    let id = open.id;
                    self.events.push_front(Queued::Message(channel, message));
                    if self.open_calls > 0 {
                        return None;
                    }
                    self.make_ready(id);
                    continue;
                }
            });
        }
    }

    /// A server that never could be reached, after the second failed attempt. Returned once.
    pub fn poll_trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    /// When to deliver [`Input::Timeout`](super::Input::Timeout). It may change with every input.
    pub fn poll_timeout(&self) -> Option<Millis> {
        let connection_due = match self.state {
            State::Waiting { until } => until,
            state if state.has_connection() => earliest(
                earliest(self.keepalive.due(), self.paused_until),
                earliest(self.pending_sends.due(), self.renewal_due),
            ),
            _ => None,
        };
        let readiness = if self.may_be_ready() {
            self.pending_opens.next_due()
        } else {
            None
        };
        let outbox = earliest(self.outbox.next_expiry(), self.outbox.next_settled());
        earliest(earliest(connection_due, readiness), outbox)
    }

    // Shared by the parts.

    pub(super) fn may_be_ready(&self) -> bool {
        self.config.open_when == OpenWhen::Timer || self.state.is_open()
    }

    pub(super) fn release_ready(&mut self, now: Millis) {
        while self.may_be_ready()
            && self.open_calls == 0
            && let Some((id, subscriber)) = self.pending_opens.pop_due(now)
        {
            self.events.push_back(Queued::Ready(id, subscriber));
        }
    }

    /// The next event is the readiness of this opening, whether or not it is due.
    fn make_ready(&mut self, id: ChannelId) {
        let queued = |queued: &Queued<T, S>| matches!(queued, Queued::Ready(of, _) if *of == id);
        let ready = match self.events.iter().position(queued) {
            Some(place) => self.events.remove(place),
            None => self
                .pending_opens
                .take(id)
                .map(|subscriber| Queued::Ready(id, subscriber)),
        };
        match ready {
            Some(ready) => self.events.push_front(ready),
            None => self.channels.set_ready(id),
        }
    }

    /// Queues an event. Its text may come from the server, the browser or the page.
    pub(super) fn emit(&mut self, mut event: Event<T, S>) {
        if let Event::State { reason, .. }
        | Event::Failed { reason, .. }
        | Event::Refused { why: reason, .. } = &mut event
        {
            *reason = self.without_secrets(reason);
        }
        self.events.push_back(Queued::Event(event));
    }

    /// The text without addresses' secrets and the credentials of the current attempt.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        let mut text = without_secrets(text);
        let credentials = self.credentials.as_ref();
        let secrets = credentials.map_or_else(Vec::new, Credentials::secrets);
        for secret in secrets
            .iter()
            .filter(|secret| secret.len() >= SHORTEST_SECRET)
        {
            text = without_secret(&text, secret);
        }
        text
    }

    /// Drops messages that have expired. `all`: also those that an earlier connection had in flight.
    pub(super) fn expire(&mut self, now: Millis, all: bool) {
        if !all && self.outbox.next_expiry().is_none_or(|next| next > now) {
            return;
        }
        while let Some((message, why)) = self.outbox.expire(now, all) {
            self.dropped(&message, why);
        }
    }

    pub(super) fn blame(&mut self, suspect: Suspect) {
        if let Some(message) = self.outbox.record_send_failure(suspect) {
            self.dropped(&message, DropReason::GivenUp);
        }
    }

    /// The server closed the connection over a message that it didn't acknowledge. `is_too_large`:
    /// because of its size; otherwise any message may be the cause.
    pub(super) fn blame_unconfirmed(&mut self, is_too_large: bool) {
        let sender = self.receiver.userid();
        let protocol: &dyn Protocol<T> = self.protocol.get();
        let bytes = |message: &Message<T>| protocol.encode(&message.outgoing(sender)).utf8_length();
        let unconfirmed = self.outbox.unconfirmed();
        let verdict = if is_too_large {
            unconfirmed.blame_largest(bytes)
        } else {
            unconfirmed.blame_any()
        };
        self.outbox.put_back(verdict.unread);
        for message in verdict.uncertain {
            self.dropped(&message, DropReason::Uncertain);
        }
        if let Some(message) = verdict.culprit {
            self.dropped(&message, DropReason::Blamed);
        }
    }

    pub(super) fn dropped(&mut self, message: &Message<T>, why: DropReason) {
        self.dropped_number(message.number, &message.channel, why);
    }

    pub(super) fn dropped_number(&mut self, number: u64, channel: &str, why: DropReason) {
        self.stats.dropped += 1.0;
        let channel = self.channels.shown_name(channel).into();
        self.emit(Event::Dropped {
            number,
            channel,
            why,
        });
    }

    pub(super) fn protocol(&self) -> &dyn Protocol<T> {
        self.protocol.get()
    }

    pub(super) fn phase(&self) -> Phase {
        self.protocol().phase()
    }

    pub(super) fn count(&mut self, kind: FrameKind, frame: impl FnOnce() -> Frame<T>) {
        self.stats.count(kind);
        self.inspect_frame(kind, frame);
    }

    pub(super) fn inspect_frame(&mut self, kind: FrameKind, frame: impl FnOnce() -> Frame<T>) {
        if self.is_inspected {
            self.frames.push_back((kind, frame()));
        }
    }
}
