//! The session: one logical connection to a server, as a pure state machine.
//!
//! Inputs are methods that take the present time: [`open`](Session::open), [`send`](Session::send), [`opened`](Session::opened),
//! [`lost`](Session::lost), [`receive`](Session::receive), [`woken`](Session::woken) and so on. After each one the driver
//!
//! 1. performs every [`Action`] until [`next_action`](Session::next_action) is empty: they never involve the page,
//! 2. arms one timer for [`wake_at`](Session::wake_at),
//! 3. tells the page every [`Event`] of [`next_event`](Session::next_event), with no borrow of the session held: the page may call back,
//!    and then the driver goes through 1 and 2 at once, so that a `send` reaches an open socket before it returns.
//!
//! The session calls nobody, has no clock and makes no randomness of its own beyond the seed that it is given.

use alloc::string::String;
mod backoff;
mod channels;
mod liveness;
mod outbox;
mod queue;
mod stats;

pub use crate::protocol::Millis;
use crate::protocol::{Effect, Ending, Head, Link, Protocol, Texts, UserId, Value, fill, relay};
use alloc::rc::Rc;
use alloc::vec::Vec;
use backoff::Random;
pub use backoff::Reconnect;
pub use channels::ChannelId;
use channels::Channels;
use core::mem;
use liveness::Liveness;
use outbox::Outbox;
pub use outbox::{Bounds, Message};
use queue::Queue;
pub use stats::{FrameKind, Stats};

/// A connection that lasted this long was a working one: the next loss begins the backoff anew.
const STABLE: Millis = 5_000.0;

/// After the network or the page came back, all pages together would be a crowd at the server's door.
const SPREAD: Millis = 1_000.0;

/// From opening to readiness, as the shim has it.
const SHIM_DELAY: Millis = 1_000.0;

/// A frame may be longer than the longest message by this many characters, for the envelope without the channel's name.
const ENVELOPE_ROOM: usize = 1024;

/// What one character of a name may be in JSON: `\u0000`.
const LONGEST_ESCAPE: usize = 6;

/// A message's JSON text, which the session carries about and never reads. In a browser it stays a JavaScript string.
pub trait Payload: Clone {
    /// Its length in characters (UTF-16 units, as JavaScript counts).
    fn length(&self) -> usize;
}

impl Payload for String {
    fn length(&self) -> usize {
        self.encode_utf16().count()
    }
}

/// What readiness waits for; the option `openWhen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpenWhen {
    /// The timer alone, as with the shim.
    #[default]
    Timer,
    /// The timer and the connection.
    Connected,
}

/// What the page has to say of itself to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Credentials {
    /// Nothing.
    #[default]
    None,
    /// The same each time.
    Fixed,
    /// Something new each time, perhaps.
    Renewable,
}

/// How a session behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// How envelopes travel in frames.
    pub protocol: Protocol,
    /// The server: `ws:` or `wss:`. Empty: none that is known, since a transport of the page's carries frames, or the page is asked for it.
    pub url: String,
    /// The page is asked for the server on each attempt.
    pub asks_url: bool,
    /// What protocols take besides: see [`Link::new`].
    pub texts: Texts,
    /// SignalR: the socket is opened without negotiation.
    pub skip_negotiation: bool,
    /// What the page has to say of itself.
    pub credentials: Credentials,
    /// From `open` to readiness; `None`: a second if it waits for the timer alone, else nothing.
    pub open_delay: Option<Millis>,
    /// What readiness waits for.
    pub open_when: OpenWhen,
    /// The longest message in characters of its JSON text, sent or received.
    pub max_message: usize,
    /// Bounds of the outbox.
    pub outbox: Bounds,
    /// How to reconnect.
    pub reconnect: Reconnect,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            protocol: Protocol::default(),
            url: String::new(),
            asks_url: false,
            texts: Texts::default(),
            skip_negotiation: false,
            credentials: Credentials::None,
            open_delay: None,
            open_when: OpenWhen::Timer,
            max_message: 1_000_000,
            outbox: Bounds::default(),
            reconnect: Reconnect::default(),
        }
    }
}

/// Where the connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No channel was opened yet.
    Idle,
    /// A socket is being opened.
    Connecting,
    /// Messages go out at once.
    Open,
    /// The connection was lost; the next attempt has its time.
    Waiting,
    /// For good.
    Closed,
}

impl State {
    /// The name as the page sees it.
    pub fn name(self) -> &'static str {
        match self {
            State::Idle => "idle",
            State::Connecting => "connecting",
            State::Open => "open",
            State::Waiting => "waiting",
            State::Closed => "closed",
        }
    }
}

/// Why a message wasn't taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// It is longer than `max_message`.
    TooLarge {
        /// Its length in characters.
        length: usize,
    },
    /// It has no place in the outbox beside what waits there.
    OutboxFull {
        /// How many messages wait.
        messages: usize,
        /// How many bytes wait.
        bytes: usize,
    },
    /// Its channel isn't open.
    ChannelClosed,
    /// The session is closed.
    SessionClosed,
}

/// The session is closed, for good: no channel can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed;

/// How a connection ended, or why there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The WebSocket close code, if there was one.
    pub code: Option<u16>,
    /// Why, in words.
    pub reason: String,
    /// What may come of it.
    pub ending: Ending,
}

/// What the driver is to do. Performing an action never involves the page.
#[derive(Debug, Clone, PartialEq)]
pub enum Action<P> {
    /// Ask the page for the server, [`Session::located`], and for its credential, [`Session::provided`], whichever it has to give.
    Ask,
    /// What the conversation with the server takes: one of [`Effect::Get`], [`Effect::Post`], [`Effect::Socket`] and [`Effect::Say`]. Of
    /// what doesn't come about: [`Session::lost`].
    Converse(Effect, String),
    /// Close the socket, and hear nothing of it from now on.
    Disconnect,
    /// Hand this message to the socket, in a frame that is [wrapped](Session::wrap) around it: [`Session::taken`] or [`Session::not_taken`].
    Transmit(Message<P>),
}

/// What the page is to be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<S> {
    /// This opening of a channel is ready.
    Ready(S),
    /// The state changed.
    State {
        /// To this one.
        state: State,
        /// Why, in words.
        reason: String,
        /// The WebSocket close code, if one was the cause.
        code: Option<u16>,
        /// When the next attempt comes, if `Waiting`.
        retry_in: Option<Millis>,
    },
    /// The first frame that was no envelope; all of them are counted.
    BadFrame(&'static str),
    /// The server refused a message, and why in its words.
    Refused(String),
    /// Messages on this channel may have been missed.
    Gap(String),
    /// A message was dropped.
    Dropped {
        /// Its channel.
        channel: Rc<str>,
        /// It was worth nothing any more; else it brought the connection down twice.
        expired: bool,
    },
    /// The connection is lost for good, and this many messages with it.
    Failed {
        /// Because the server refused what the page said of itself.
        refused: bool,
        /// Why, in words.
        reason: String,
        /// Messages in the outbox that were never sent.
        unsent: usize,
    },
}

/// Whose a received frame is.
#[derive(Debug, Clone, PartialEq)]
pub enum Received<S> {
    /// A subscriber's. The message's JSON text runs from this UTF-16 unit up to the protocol's tail.
    Deliver(S, usize),
    /// Sent by this very page.
    Own,
    /// For a channel that isn't open here.
    Foreign,
    /// The head doesn't tell: read the whole frame and ask [`Session::receive_whole`].
    Unclear,
}

#[derive(Debug)]
struct Unready<S> {
    due: Millis,
    id: ChannelId,
    subscriber: S,
}

/// One logical connection. `P` is a message's JSON text, `S` whom a channel's messages are for; the session only hands both on.
#[derive(Debug)]
pub struct Session<P, S> {
    config: Config,
    userid: UserId,
    random: Random,
    state: State,
    /// When the connection came up, if `Open`; when to try again, if `Waiting`.
    since_or_until: Millis,
    /// Attempts since the last working connection.
    attempts: u32,
    link: Link,
    /// Tells one connection, and the attempt at it, from a later one.
    connection: u32,
    /// Which credential was refused last, and why.
    denied: Option<(String, String)>,
    /// The id of the last message on any channel, as our relay gives them. What came before it on a channel that is opened now is nobody's.
    last_id: String,
    liveness: Liveness,
    channels: Channels<S>,
    /// Openings that aren't ready yet, in the order of their times, which is the order in which they came.
    unready: Vec<Unready<S>>,
    /// How many of these, from the front, the page is to be told of now.
    ripe: usize,
    outbox: Outbox<P>,
    counters: Stats,
    /// What [`next_action`](Self::next_action) has yet to ask for, before messages go.
    actions: Queue<Action<P>>,
    events: Queue<Event<S>>,
}

impl<P: Payload, S: Clone> Session<P, S> {
    /// A session of the page `userid`; `seed` is for the jitter.
    pub fn new(mut config: Config, userid: UserId, seed: u64) -> Session<P, S> {
        Session {
            outbox: Outbox::new(config.outbox),
            link: Link::new(
                config.protocol,
                &config.url,
                mem::take(&mut config.texts),
                config.skip_negotiation,
            ),
            config,
            userid,
            random: Random::new(seed),
            state: State::Idle,
            since_or_until: 0.0,
            attempts: 0,
            connection: 0,
            denied: None,
            last_id: String::new(),
            liveness: Liveness::new(),
            channels: Channels::new(),
            unready: Vec::new(),
            ripe: 0,
            counters: Stats::default(),
            actions: Queue::default(),
            events: Queue::default(),
        }
    }

    /// How it behaves.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The page's own `sender`.
    pub fn userid(&self) -> UserId {
        self.userid
    }

    /// Where the connection stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        Stats {
            queued: self.outbox.messages() as f64,
            queued_bytes: self.outbox.bytes() as f64,
            channels: self.channels.len() as f64,
            ..self.counters
        }
    }

    /// Names the present connection, or the attempt at it: what was asked for by an action of an earlier one is nobody's.
    pub fn connection(&self) -> u32 {
        self.connection
    }

    /// The next thing to do.
    pub fn next_action(&mut self) -> Option<Action<P>> {
        if let Some(action) = self.actions.pop() {
            return Some(action);
        }
        if self.state != State::Open || !self.link.is_up() {
            return None;
        }
        self.outbox.hand_out().map(Action::Transmit)
    }

    /// The next thing to tell the page.
    pub fn next_event(&mut self) -> Option<Event<S>> {
        if let Some(event) = self.events.pop() {
            return Some(event);
        }
        self.ripe = self.ripe.checked_sub(1)?;
        Some(Event::Ready(self.unready.remove(0).subscriber))
    }

    /// When [`woken`](Self::woken) wants to be called; asked anew after every input.
    pub fn wake_at(&self) -> Option<Millis> {
        let mut at = match self.state {
            State::Waiting => self.since_or_until,
            State::Connecting | State::Open => self.liveness.watch(),
            _ => Millis::INFINITY,
        }
        .min(self.outbox.expires());
        if self.may_be_ready()
            && let Some(unready) = self.unready.get(self.ripe)
        {
            at = at.min(unready.due);
        }
        at.is_finite().then_some(at)
    }

    // What the page does.

    /// Opens a channel; an earlier opening of the same name hears nothing from now on. The first one connects. It is never ready before
    /// the next [`woken`](Self::woken), however soon that is: the page doesn't have its handle yet.
    pub fn open(&mut self, now: Millis, name: &str, subscriber: S) -> Result<ChannelId, Closed> {
        if self.state == State::Closed {
            return Err(Closed);
        }
        let id = self.channels.open(name, subscriber.clone(), &self.last_id);
        let delay = self
            .config
            .open_delay
            .unwrap_or(if self.config.open_when == OpenWhen::Timer {
                SHIM_DELAY
            } else {
                0.0
            });
        self.unready.push(Unready {
            due: now + delay,
            id,
            subscriber,
        });
        if self.state == State::Idle {
            self.connect(now, "the first channel was opened");
        } else if self.link.is_joined()
            && let Some(channel) = self.channels.get_mut(name)
            && !mem::replace(&mut channel.is_joined, true)
        {
            self.say(relay::open([(name, "")].into_iter(), ""));
        }
        Ok(id)
    }

    /// Closes that opening of a channel; one that was superseded or closed before stays as it is.
    pub fn close_channel(&mut self, name: &str, id: ChannelId) {
        if self.channels.close(name, id) && self.link.is_joined() {
            self.say(relay::close(name));
        }
        if let Some(at) = self.unready.iter().position(|unready| unready.id == id) {
            self.unready.remove(at);
            self.ripe -= usize::from(at < self.ripe);
        }
    }

    /// Takes a message for an open channel. It goes out after all that was sent before it, unless `ttl` passes before that; infinite is for ever.
    pub fn send(
        &mut self,
        now: Millis,
        channel: &str,
        payload: P,
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
        self.outbox.push(channel, payload, now + ttl)
    }

    /// Marks what was sent until now, for [`flushed`](Self::flushed).
    pub fn flush(&self) -> u64 {
        self.outbox.last_number()
    }

    /// Whether the server has taken all up to that mark, but for what was dropped.
    pub fn flushed(&self, mark: u64) -> bool {
        self.outbox.is_past(mark)
    }

    /// Closes everything, for good.
    pub fn close(&mut self) {
        if self.state != State::Closed {
            let unsent = self.outbox.messages();
            let reason = if unsent > 0 {
                "closed by the page, with messages that the server hadn't taken"
            } else {
                "closed by the page"
            };
            self.finish(reason.into(), None);
        }
    }

    // What becomes of the page and the network.

    /// The network is back.
    pub fn online(&mut self, now: Millis) {
        if self.state == State::Waiting && self.since_or_until.is_finite() {
            self.hurry(now, "the network is back");
        }
        self.probe(now);
    }

    /// The network is gone, as the browser thinks.
    pub fn offline(&mut self, now: Millis) {
        self.probe(now);
    }

    /// The page is put away, to be shown again perhaps: a connection would keep the browser from it.
    pub fn page_hidden(&mut self, now: Millis) {
        if matches!(self.state, State::Idle | State::Closed) {
            return;
        }
        self.link.lost(now);
        self.outbox.rewind();
        self.since_or_until = Millis::INFINITY;
        self.part();
        self.enter(State::Waiting, "the page was put away".into(), None, None);
    }

    /// The page is shown again.
    pub fn page_shown(&mut self, now: Millis) {
        if self.state == State::Waiting {
            self.hurry(now, "the page is back");
        }
    }

    fn hurry(&mut self, now: Millis, reason: &str) {
        let delay = self.random.next() * SPREAD;
        self.attempts = 0;
        if now + delay < self.since_or_until {
            self.since_or_until = now + delay;
            self.enter(State::Waiting, reason.into(), None, Some(delay));
        }
    }

    /// Doubts the connection: it is to answer soon.
    fn probe(&mut self, now: Millis) {
        if self.state == State::Open && self.link.is_relay() && self.link.is_up() {
            self.liveness.doubt(now, self.link.patience());
            self.beat(now);
        }
    }

    // What the connection does.

    /// The page gave the server, as [`Action::Ask`] asked; its credential is still to come, if it has one.
    pub fn located(&mut self, now: Millis, url: String) {
        self.link.set_url(url);
        if self.config.credentials == Credentials::None {
            self.provided(now, String::new(), String::new());
        }
    }

    /// The page gave its credential, as [`Action::Ask`] asked: see [`Link::set_credential`].
    pub fn provided(&mut self, now: Millis, credential: String, query: String) {
        if self.state != State::Connecting {
            return;
        }
        if let Some((denied, reason)) = &self.denied
            && *denied == credential
        {
            let reason = fill("#, and the page gave the same again", &[reason]);
            return self.fail(reason, None, true);
        }
        self.link.set_credential(credential, query);
        self.link.begin(now);
        self.follow(now);
    }

    /// A request was answered: see [`Link::answered`].
    pub fn answered<V: Value>(&mut self, now: Millis, status: u16, value: Option<V>, text: &str) {
        if self.state == State::Connecting {
            self.link.answered(status, value, text);
            self.follow(now);
        }
    }

    /// The socket is open.
    pub fn opened(&mut self, now: Millis) {
        if self.state == State::Connecting {
            self.link.opened();
            self.follow(now);
        }
    }

    /// The socket is gone, or couldn't be had.
    pub fn lost(&mut self, now: Millis, loss: Loss) {
        if !matches!(self.state, State::Connecting | State::Open) {
            return;
        }
        if self.state == State::Open && now - self.since_or_until >= STABLE {
            self.attempts = 0;
        }
        self.link.lost(now);
        // These blame what was said. Of what a server took before that, our relay has told.
        if self.link.is_relay()
            && matches!(loss.code, Some(1002 | 1003 | 1007 | 1009))
            && let Some(channel) = self.outbox.blame(false)
        {
            self.dropped(channel, false);
        }
        self.outbox.rewind();
        let mut reason = loss.reason;
        let last = match loss.ending {
            Ending::Retry => loss.code.is_some_and(is_final),
            Ending::Misfit => self.counters.connects == 0.0,
            Ending::Final => true,
            Ending::Denied => {
                reason = fill("the server refused the connection #", &[&reason]);
                self.denied = Some((self.link.credential().into(), reason.clone()));
                self.config.credentials != Credentials::Renewable
            }
        };
        let delay = self
            .config
            .reconnect
            .delay(self.attempts, self.random.next());
        let Some(delay) = delay.filter(|_| !last) else {
            return self.fail(reason, loss.code, loss.ending == Ending::Denied);
        };
        self.attempts += 1;
        self.since_or_until = now + delay;
        self.part();
        self.enter(State::Waiting, reason, loss.code, Some(delay));
    }

    /// The socket has the message of that number.
    pub fn taken(&mut self, number: u64) {
        if !self.link.is_relay() {
            self.outbox.taken(number as f64);
        }
    }

    /// The socket didn't take a frame: it is going down, or, if it is `blamed`, by this message.
    pub fn not_taken(&mut self, now: Millis, blamed: bool) {
        if blamed && let Some(channel) = self.outbox.blame(true) {
            self.dropped(channel, false);
        }
        self.lost(
            now,
            Loss {
                code: None,
                reason: "the connection went down".into(),
                ending: Ending::Retry,
            },
        );
    }

    /// The time of [`wake_at`](Self::wake_at) has come.
    pub fn woken(&mut self, now: Millis) {
        self.expire(now, false);
        if self.state == State::Waiting && now >= self.since_or_until {
            self.connect(now, "trying again");
        } else if matches!(self.state, State::Connecting | State::Open)
            && now >= self.liveness.watch()
        {
            if self.liveness.is_silent(now, self.link.patience()) {
                self.link.silent();
                self.follow(now);
            }
            self.beat(now);
        }
        self.ready(now);
    }

    /// Sees to what the conversation wants done.
    fn follow(&mut self, now: Millis) {
        for (effect, text) in mem::take(&mut self.link.effects) {
            match effect {
                Effect::Refused => self.events.push(Event::Refused(text)),
                Effect::Down(ending) => {
                    return self.lost(
                        now,
                        Loss {
                            code: None,
                            reason: text,
                            ending,
                        },
                    );
                }
                Effect::Open => self.join(&text),
                Effect::Taken => self.outbox.taken(self.link.taken),
                Effect::Gap => self.gap(text),
                Effect::Pong => self.counters.round_trip = self.liveness.round_trip(now),
                Effect::Up => {
                    self.expire(now, true);
                    self.liveness.up(now, self.link.is_relay());
                    // A server that was taken for another one may greet as our relay.
                    if self.state != State::Open {
                        self.counters.connects += 1.0;
                        self.since_or_until = now;
                        self.denied = None;
                        self.enter(State::Open, "connected".into(), None, None);
                        self.ready(now);
                    }
                }
                _ => self.actions.push(Action::Converse(effect, text)),
            }
        }
        self.liveness.heard(now);
        self.beat(now);
    }

    fn say(&mut self, frame: String) {
        self.actions.push(Action::Converse(Effect::Say, frame));
    }

    /// Tells our relay which channels are open; `session` is the one to take over, if it may still be known. To a session that it takes over, a
    /// channel that was closed and opened again while it was away is a new one.
    fn join(&mut self, session: &str) {
        let resumes = !session.is_empty();
        if !resumes {
            self.last_id.clear();
            for channel in self.channels.iter_mut() {
                channel.last.clear();
            }
        }
        let channels = self
            .channels
            .iter_mut()
            .filter(|channel| channel.is_joined || !resumes)
            .map(|channel| (&*channel.name, &*channel.last));
        let frame = relay::open(channels, session);
        self.say(frame);
        for channel in self.channels.iter_mut() {
            let was_joined = mem::replace(&mut channel.is_joined, true);
            if resumes && !was_joined {
                let frame = relay::open([(&*channel.name, "")].into_iter(), "");
                self.actions.push(Action::Converse(Effect::Say, frame));
            } else if was_joined && !resumes {
                self.counters.gaps += 1.0;
                self.events.push(Event::Gap((*channel.name).into()));
            }
        }
    }

    fn gap(&mut self, channel: String) {
        if self.channels.get(&channel).is_some() {
            self.counters.gaps += 1.0;
            self.events.push(Event::Gap(channel));
        }
    }

    fn expire(&mut self, now: Millis, told: bool) {
        while let Some(channel) = self.outbox.expire(now, told) {
            self.dropped(channel, true);
        }
    }

    fn dropped(&mut self, channel: Rc<str>, expired: bool) {
        self.counters.dropped += 1.0;
        self.events.push(Event::Dropped { channel, expired });
    }

    /// Tells the server that we are there, if it is time, and sets the next time to look.
    fn beat(&mut self, now: Millis) {
        let every = match self.state {
            State::Open => self.link.ping_every,
            _ => 0.0,
        };
        if self.liveness.beat(now, self.link.patience(), every) {
            self.say(self.link.ping().into());
        }
    }

    // What is received.

    /// The conversation with the server.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// What stands before a message: see [`Link::wrap`].
    pub fn wrap(&mut self, channel: &str, number: u64) -> (String, String) {
        self.link.wrap(self.userid, channel, number)
    }

    /// Whether [`heard`](Self::heard) wants to be told.
    #[inline]
    pub fn listens(&self) -> bool {
        self.liveness.watch().is_finite()
    }

    /// A frame came in.
    #[inline]
    pub fn heard(&mut self, now: Millis) {
        self.liveness.heard(now);
    }

    /// Counts a frame's length in UTF-16 units.
    #[inline]
    pub fn count_length(&mut self, length: usize, sent: bool) {
        let counter = if sent {
            &mut self.counters.sent_length
        } else {
            &mut self.counters.received_length
        };
        *counter += length as f64;
    }

    /// Takes a record, as its head and the value of its JSON text; what it carries of envelopes is put into `envelopes`: see [`Link::record`].
    pub fn record<V: Value>(&mut self, now: Millis, head: &str, value: V, envelopes: &mut Vec<V>) {
        self.link.record(head, value, envelopes);
        self.follow(now);
    }

    /// How many characters of a frame [`receive`](Self::receive) is to be given.
    #[inline]
    pub fn head_length(&self) -> usize {
        self.link.head_length(self.channels.longest_name())
    }

    /// A frame longer than this is bad, whatever it holds.
    pub fn max_frame(&self) -> usize {
        self.link
            .room_for(self.config.max_message)
            .saturating_add(ENVELOPE_ROOM + LONGEST_ESCAPE * self.channels.longest_name())
    }

    /// Tells whose a text frame is by its head: its first [`head_length`](Self::head_length) characters, or all of it.
    #[inline]
    pub fn receive(&mut self, head: &str, whole: bool) -> Received<S> {
        match self.link.decode_head(head, whole) {
            Head::Envelope { sender, .. } | Head::LongName { sender } if sender.is(self.userid) => {
                Received::Own
            }
            Head::Envelope {
                channel,
                id,
                payload,
                ..
            } => self.deliver(channel, id, payload),
            Head::LongName { .. } => Received::Foreign,
            Head::Unclear => Received::Unclear,
        }
    }

    /// Tells whose an envelope is that was read as a whole: whether its sender is this page, its channel, and its id, if it has one.
    pub fn receive_whole(&mut self, own: bool, channel: &str, id: &str) -> Received<S> {
        if own {
            return Received::Own;
        }
        self.deliver(channel, id, 0)
    }

    #[inline]
    fn deliver(&mut self, channel: &str, id: &str, payload: usize) -> Received<S> {
        let Some(channel) = self.channels.get_mut(channel) else {
            return Received::Foreign;
        };
        if !id.is_empty() && self.link.is_relay() {
            for last in [&mut channel.last, &mut self.last_id] {
                last.clear();
                last.push_str(id);
            }
        }
        Received::Deliver(channel.subscriber.clone(), payload)
    }

    /// Counts a frame once it is known what it was.
    pub fn count(&mut self, kind: FrameKind) {
        self.counters.count(kind);
    }

    /// Counts a frame that is no envelope; the first one is an event, which says `what` it was.
    pub fn count_bad(&mut self, what: &'static str) {
        if self.counters.bad == 0.0 {
            self.events.push(Event::BadFrame(what));
        }
        self.count(FrameKind::Bad);
    }

    fn connect(&mut self, now: Millis, reason: &str) {
        self.connection += 1;
        // The page may take its time over its credential.
        self.liveness.rest();
        self.enter(State::Connecting, reason.into(), None, None);
        if self.config.asks_url || self.config.credentials != Credentials::None {
            self.actions.push(Action::Ask);
        } else {
            self.provided(now, String::new(), String::new());
        }
    }

    /// Lets go of the connection.
    fn part(&mut self) {
        self.connection += 1;
        self.actions = Queue::default();
        self.actions.push(Action::Disconnect);
    }

    fn fail(&mut self, reason: String, code: Option<u16>, refused: bool) {
        self.events.push(Event::Failed {
            refused,
            reason: reason.clone(),
            unsent: self.outbox.messages(),
        });
        self.finish(reason, code);
    }

    fn finish(&mut self, reason: String, code: Option<u16>) {
        self.link.farewell();
        let farewell = mem::take(&mut self.link.effects);
        self.part();
        for (effect, text) in farewell {
            self.actions.push(Action::Converse(effect, text));
        }
        self.channels.clear();
        self.unready = Vec::new();
        self.ripe = 0;
        self.outbox.clear();
        self.enter(State::Closed, reason, code, None);
    }

    fn enter(&mut self, state: State, reason: String, code: Option<u16>, retry_in: Option<Millis>) {
        self.state = state;
        self.events.push(Event::State {
            state,
            reason,
            code,
            retry_in,
        });
    }

    fn may_be_ready(&self) -> bool {
        self.config.open_when == OpenWhen::Timer || self.state == State::Open
    }

    fn ready(&mut self, now: Millis) {
        while self.may_be_ready()
            && self
                .unready
                .get(self.ripe)
                .is_some_and(|unready| unready.due <= now)
        {
            self.ripe += 1;
        }
    }
}

/// Close codes by which a server says that trying again is no use.
fn is_final(code: u16) -> bool {
    matches!(code, 3500..=3999 | 4500..=4999)
}
