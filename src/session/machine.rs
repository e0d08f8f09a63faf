//! The state machine itself: what it holds, what comes out of it, and what its parts share.
//!
//! Its behaviour is in the files beside this one: `page` (what the page calls), `connection` (what happens to the connection), `conversation`
//! (what the protocol asks for) and `incoming` (frames).

use std::collections::VecDeque;
use std::rc::Rc;

use signal_wire::UserId;

use super::channels::Channels;
use super::config::{Config, OpenWhen};
use super::keepalive::Keepalive;
use super::outbox::{Outbox, Suspect, earliest};
use super::readiness::PendingOpens;
use super::receive::Receiver;
use super::reconnect::Reconnect;
use super::state::{Action, ChannelId, ConnectionId, DropReason, Event, State, Transmission};
use super::stats::{FrameKind, Stats};
use crate::protocol::{AnyProtocol, Credentials, Frame, Millis, Outgoing, Phase, Protocol, Text};

/// One logical connection. `T` is the host's text, `S` is whom a channel's messages are for; the session only hands it on.
#[derive(Debug)]
pub struct Session<T: Text, S> {
    pub(super) config: Config,
    pub(super) protocol: AnyProtocol,
    pub(super) state: State,
    pub(super) connection: ConnectionId,
    pub(super) reconnect: Reconnect,
    pub(super) keepalive: Keepalive,
    pub(super) channels: Channels<S>,
    pub(super) pending_opens: PendingOpens<S>,
    pub(super) outbox: Outbox<T>,
    pub(super) receiver: Receiver<T>,
    /// The credentials of the present attempt.
    pub(super) credentials: Option<Credentials>,
    /// The credentials that were refused last, and why.
    pub(super) refused: Option<(Option<Credentials>, String)>,
    pub(super) stats: Stats,
    /// Frames are shown to an inspector.
    pub(super) is_inspected: bool,
    pub(super) actions: VecDeque<Action<T>>,
    pub(super) frames: VecDeque<(FrameKind, Frame<T>)>,
    pub(super) events: VecDeque<Queued<T, S>>,
}

/// What the page is to be told.
#[derive(Debug)]
pub(super) enum Queued<T: Text, S> {
    /// That this opening of a channel is ready.
    Ready(ChannelId, S),
    /// A message, for whoever has its channel open by then.
    Message(Rc<str>, T::Value),
    /// Something else.
    Event(Event<T, S>),
}

impl<T: Text, S: Clone> Session<T, S> {
    /// A session of the page `userid`; `seed` is for the jitter of the backoff.
    pub fn new(config: Config, protocol: AnyProtocol, userid: UserId, seed: u64) -> Session<T, S> {
        Session {
            protocol,
            state: State::Idle,
            connection: 0,
            reconnect: Reconnect::new(config.reconnect, seed),
            keepalive: Keepalive::new(),
            channels: Channels::new(),
            pending_opens: PendingOpens::new(),
            outbox: Outbox::new(config.outbox),
            receiver: Receiver::new(userid),
            credentials: None,
            refused: None,
            stats: Stats::default(),
            is_inspected: false,
            actions: VecDeque::new(),
            frames: VecDeque::new(),
            events: VecDeque::new(),
            config,
        }
    }

    /// How it behaves.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The page's own `sender`.
    pub fn userid(&self) -> UserId {
        self.receiver.userid()
    }

    /// Where the connection stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Names the present connection, or the attempt at it: events of an earlier one are stale.
    pub fn connection(&self) -> ConnectionId {
        self.connection
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
            ..self.stats
        }
    }

    /// Whether [`poll_frame`](Self::poll_frame) shows frames, which costs time.
    pub fn inspect(&mut self, on: bool) {
        self.is_inspected = on;
    }

    // Outputs.

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<Action<T>> {
        if let Some(action) = self.actions.pop_front() {
            return Some(action);
        }
        if !self.state.is_open() || self.phase() != Phase::Ready {
            return None;
        }
        let sender = self.receiver.userid();
        let message = self.outbox.next_unsent()?;
        let frame = self.protocol.get_mut().encode(&Outgoing {
            sender,
            channel: &message.channel,
            number: message.number,
            payload: &message.payload,
        });
        Some(Action::Transmit(Transmission {
            frame,
            message: Some(message.number),
        }))
    }

    /// The next frame that was sent or received, for an inspector. Frames are shown before the events that they cause, and, unlike events, while
    /// the page handles another one.
    pub fn poll_frame(&mut self) -> Option<(FrameKind, Frame<T>)> {
        self.frames.pop_front()
    }

    /// The next thing to tell the page.
    pub fn poll_event(&mut self) -> Option<Event<T, S>> {
        loop {
            return Some(match self.events.pop_front()? {
                Queued::Ready(_, subscriber) => Event::Ready(subscriber),
                Queued::Event(event) => {
                    // From now on the page knows that it gets no more messages.
                    if let Event::State {
                        state: State::Closed,
                        ..
                    } = event
                    {
                        self.channels.clear();
                    }
                    event
                }
                Queued::Message(channel, message) => match self.channels.get(&channel) {
                    Some(channel) => Event::Message(channel.subscriber.clone(), message),
                    None => continue,
                },
            });
        }
    }

    /// When [`Input::Timeout`] is wanted; to be asked again after every input.
    pub fn poll_timeout(&self) -> Option<Millis> {
        let connection = match self.state {
            State::Waiting { until } => until,
            state if state.has_connection() => self.keepalive.due(),
            _ => None,
        };
        let readiness = if self.may_be_ready() {
            self.pending_opens.next_due()
        } else {
            None
        };
        earliest(earliest(connection, readiness), self.outbox.next_expiry())
    }

    // What the parts share.

    pub(super) fn may_be_ready(&self) -> bool {
        self.config.open_when == OpenWhen::Timer || self.state.is_open()
    }

    pub(super) fn release_ready(&mut self, now: Millis) {
        while self.may_be_ready()
            && let Some((id, subscriber)) = self.pending_opens.pop_due(now)
        {
            self.events.push_back(Queued::Ready(id, subscriber));
        }
    }

    pub(super) fn tell(&mut self, event: Event<T, S>) {
        self.events.push_back(Queued::Event(event));
    }

    pub(super) fn expire(&mut self, now: Millis, all: bool) {
        while let Some(channel) = self.outbox.expire(now, all) {
            self.dropped(channel, DropReason::Expired);
        }
    }

    pub(super) fn blame(&mut self, suspect: Suspect) {
        if let Some(channel) = self.outbox.record_send_failure(suspect) {
            self.dropped(channel, DropReason::GivenUp);
        }
    }

    pub(super) fn dropped(&mut self, channel: Rc<str>, why: DropReason) {
        self.stats.dropped += 1.0;
        self.tell(Event::Dropped { channel, why });
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
