//! A page: a session, and the driver's work done for it in Rust. What it does to its network waits in `deeds`; what it was told is kept.

use crate::value::{Js, Line};
use serde_json::Value as Json;
use signal_wasm::protocol::{Effect, Ending, Protocol, Records, UserId};
use signal_wasm::session::{
    Action, ChannelId, Config, Credentials, Event, FrameKind, Loss, Millis, Received, SendError,
    Session, State,
};
use std::collections::{BTreeMap, VecDeque};

/// What the page does to its network.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// A request to this address.
    Request(String),
    /// A socket, for the session's connection of that number.
    Socket(u32),
    Frame(String),
    Disconnect,
}

/// What the page was told, as far as it says something of messages.
#[derive(Debug, Clone, PartialEq)]
pub enum Told {
    /// A message, to the opening of that number.
    Message {
        sender: u64,
        channel: String,
        number: usize,
        id: String,
    },
    Gap(String),
    Dropped {
        channel: String,
        expired: bool,
    },
}

/// A message that the page has sent, and what must become of it.
#[derive(Debug, Clone)]
pub struct Sent {
    pub channel: String,
    pub expires: Millis,
    /// Some connection was handed it.
    pub handed_out: bool,
    /// One that acknowledges nothing: it is on its own from there.
    pub is_plain: bool,
}

pub struct Page {
    pub number: usize,
    pub session: Session<String, usize>,
    /// The channels that it has open, each with the number and the id of its opening.
    pub open: BTreeMap<String, (usize, ChannelId)>,
    openings: usize,
    pub deeds: VecDeque<Deed>,
    pub told: Vec<Told>,
    pub states: Vec<(Millis, State, String)>,
    /// By the number that is its message.
    pub sent: Vec<Sent>,
    /// Marks of the outbox, how many messages had been sent then, and whether all of it was taken.
    pub marks: Vec<(u64, usize, bool)>,
    pub has_socket: bool,
    pub is_hidden: bool,
    /// What its credential is asked for and not yet given.
    pub is_asked: bool,
    pub failed: bool,
    records: Records<Line>,
    /// How often the timer has fired without a moment passing.
    idle_wakes: u32,
}

impl Page {
    pub fn new(number: usize, config: Config) -> Page {
        Page {
            number,
            session: Session::new(config, UserId::from_bits(user(number)), number as u64 + 1),
            open: BTreeMap::new(),
            openings: 0,
            deeds: VecDeque::new(),
            told: Vec::new(),
            states: Vec::new(),
            sent: Vec::new(),
            marks: Vec::new(),
            has_socket: false,
            is_hidden: false,
            is_asked: false,
            failed: false,
            records: Records::default(),
            idle_wakes: 0,
        }
    }

    // What the page does.

    pub fn open(&mut self, now: Millis, name: &str) {
        let opening = self.openings;
        if let Ok(id) = self.session.open(now, name, opening) {
            self.openings += 1;
            self.open.insert(name.into(), (opening, id));
        }
        self.settle(now);
    }

    /// Closes what it has open of that name, and tells whether there was anything.
    pub fn close(&mut self, now: Millis, name: &str) -> bool {
        let Some((_, id)) = self.open.remove(name) else {
            return false;
        };
        self.session.close_channel(name, id);
        self.settle(now);
        true
    }

    pub fn send(&mut self, now: Millis, channel: &str, pad: usize, ttl: Millis) {
        let payload = format!("[{},\"{}\"]", self.sent.len(), "é".repeat(pad));
        let units = payload.encode_utf16().count();
        let config = self.session.config().clone();
        match self.session.send(now, channel, payload, ttl) {
            Ok(()) => self.sent.push(Sent {
                channel: channel.into(),
                expires: now + ttl,
                handed_out: false,
                is_plain: false,
            }),
            Err(SendError::ChannelClosed) => assert!(!self.open.contains_key(channel)),
            Err(SendError::OutboxFull { messages, bytes }) => assert!(
                messages >= config.outbox.messages || bytes + 2 * units > config.outbox.bytes,
                "refused with room for it: {messages} messages, {bytes} bytes"
            ),
            Err(SendError::TooLarge { length }) => assert!(length > config.max_message),
            Err(SendError::SessionClosed) => assert_eq!(self.session.state(), State::Closed),
            Err(other) => panic!("{other:?}"),
        }
        self.settle(now);
    }

    pub fn flush(&mut self) {
        self.marks
            .push((self.session.flush(), self.sent.len(), false));
    }

    pub fn hide(&mut self, now: Millis) {
        self.is_hidden = true;
        self.session.page_hidden(now);
        self.settle(now);
    }

    pub fn show(&mut self, now: Millis) {
        self.is_hidden = false;
        self.session.page_shown(now);
        self.settle(now);
    }

    pub fn online(&mut self, now: Millis, is: bool) {
        if is {
            self.session.online(now);
        } else {
            self.session.offline(now);
        }
        self.settle(now);
    }

    // What the network and the clock do. Of another connection than the present one nothing is heard, as the driver has it.

    fn of_present(&self, connection: u32) -> bool {
        self.session.connection() == connection
    }

    pub fn opened(&mut self, now: Millis, connection: u32) {
        if self.of_present(connection) {
            self.session.opened(now);
            self.settle(now);
        }
    }

    pub fn lost(&mut self, now: Millis, connection: u32, code: Option<u16>) {
        if self.of_present(connection) {
            self.session.lost(
                now,
                Loss {
                    code,
                    reason: format!("the connection was lost: {code:?}"),
                    ending: Ending::Retry,
                },
            );
            self.settle(now);
        }
    }

    pub fn answered(&mut self, now: Millis, connection: u32, body: &str) {
        if self.of_present(connection) {
            let value = serde_json::from_str(body).ok().map(|value| Js(Some(value)));
            self.session.answered(now, 200, value, body);
            self.settle(now);
        }
    }

    pub fn frame(&mut self, now: Millis, connection: u32, frame: &str) {
        // The driver has let go of the socket's handlers.
        if !self.of_present(connection) || !self.has_socket {
            return;
        }
        if !self.read(now, frame) {
            self.read_whole(now, frame);
        }
        self.settle(now);
    }

    /// A socket that says things twice, and a driver that doesn't notice.
    pub fn opened_again(&mut self, now: Millis) {
        self.session.opened(now);
        self.settle(now);
    }

    pub fn lost_twice(&mut self, now: Millis) {
        for _ in 0..2 {
            let loss = Loss {
                code: Some(1006),
                reason: "lost twice".into(),
                ending: Ending::Retry,
            };
            self.session.lost(now, loss);
        }
        self.settle(now);
    }

    pub fn woken(&mut self, now: Millis) {
        let due = self.session.wake_at().is_some_and(|at| at <= now);
        self.session.woken(now);
        self.settle(now);
        let again = self.session.wake_at().is_some_and(|at| at <= now);
        self.idle_wakes = if due && again { self.idle_wakes + 1 } else { 0 };
        assert!(
            self.idle_wakes < 50,
            "the timer fires in vain: {:?}",
            self.states
        );
    }

    // The driver.

    fn settle(&mut self, now: Millis) {
        while let Some(action) = self.session.next_action() {
            match action {
                Action::Ask => {
                    assert!(self.session.config().credentials != Credentials::None);
                    self.is_asked = true;
                }
                Action::Disconnect => {
                    self.is_asked = false;
                    if std::mem::take(&mut self.has_socket) {
                        self.deeds.push_back(Deed::Disconnect);
                    }
                }
                Action::Converse(Effect::Socket, _) => {
                    assert!(!self.has_socket, "a second socket");
                    assert!(!self.is_hidden, "a socket of a page that was put away");
                    self.records.clear();
                    self.has_socket = true;
                    self.deeds
                        .push_back(Deed::Socket(self.session.connection()));
                }
                Action::Converse(Effect::Say, text) => {
                    assert!(self.has_socket, "said to nobody: {text}");
                    self.deeds.push_back(Deed::Frame(text));
                }
                Action::Converse(Effect::Get | Effect::Post, url) => {
                    self.deeds.push_back(Deed::Request(url));
                }
                Action::Converse(effect, text) => panic!("{effect:?} {text}"),
                Action::Transmit(message) => {
                    assert!(self.has_socket, "sent to nobody");
                    let (head, before) = self.session.wrap(&message.channel, message.number);
                    let tail = self.session.link().tail();
                    let frame = if before.is_empty() {
                        format!("{head}{}{tail}", message.payload)
                    } else {
                        let text = Json::from(format!("{head}{}}}", message.payload));
                        format!("{before}{text}{tail}")
                    };
                    let (number, _): (usize, String) =
                        serde_json::from_str(&message.payload).unwrap();
                    let sent = &mut self.sent[number];
                    assert!(
                        now < sent.expires,
                        "sent though it was worth nothing any more"
                    );
                    sent.handed_out = true;
                    sent.is_plain |= !self.session.link().is_relay();
                    self.deeds.push_back(Deed::Frame(frame));
                    self.session.count(FrameKind::Sent);
                    self.session.taken(message.number);
                }
            }
        }
        while let Some(event) = self.session.next_event() {
            match event {
                Event::Ready(_) | Event::BadFrame(_) => {}
                Event::State { state, reason, .. } => {
                    assert!(!reason.is_empty());
                    self.states.push((now, state, reason));
                }
                Event::Refused(why) => panic!("refused: {why}"),
                Event::Gap(channel) => self.told.push(Told::Gap(channel)),
                Event::Dropped { channel, expired } => self.told.push(Told::Dropped {
                    channel: String::from(&*channel),
                    expired,
                }),
                Event::Failed { .. } => {
                    assert!(!self.failed, "failed twice");
                    self.failed = true;
                }
            }
        }
    }

    /// Reads a frame by its head, if that tells enough.
    fn read(&mut self, now: Millis, frame: &str) -> bool {
        if self.session.listens() {
            self.session.heard(now);
        }
        let tail = self.session.link().received_tail();
        if self.session.link().is_text()
            && (self.records.begun().is_some() || !frame.ends_with(tail))
        {
            return false;
        }
        let units: Vec<u16> = frame.encode_utf16().collect();
        let length = self.session.head_length();
        let head = String::from_utf16_lossy(&units[..length.min(units.len())]);
        let received = self.session.receive(&head, units.len() <= length);
        let second = self.session.link().second();
        if !second.is_empty() && frame.get(1..).is_some_and(|rest| rest.contains(second)) {
            return false;
        }
        match received {
            Received::Unclear => return false,
            Received::Own => self.session.count(FrameKind::Own),
            Received::Foreign => self.session.count(FrameKind::Foreign),
            Received::Deliver(opening, start) => {
                let payload = String::from_utf16_lossy(&units[start..units.len() - tail.len()]);
                let mut message: Json = serde_json::from_str(&payload).unwrap();
                let mut envelope: Json = Json::Null;
                if self.session.link().is_text() {
                    envelope = serde_json::from_str(message.as_str().unwrap()).unwrap();
                    message = envelope["message"].take();
                } else if let Some(json) = frame.find('{').map(|start| &frame[start..]) {
                    let end = json.len() + 1 - tail.len();
                    envelope = serde_json::from_str(&json[..end]).unwrap();
                }
                self.deliver(opening, &envelope, &message);
            }
        }
        true
    }

    fn read_whole(&mut self, now: Millis, frame: &str) {
        if !self.session.link().is_stream() {
            return self.record(now, frame);
        }
        let connection = self.session.connection();
        for record in self.records.take(&Line(frame.into())) {
            if self.session.connection() == connection {
                self.record(now, &record.0);
            }
        }
    }

    fn record(&mut self, now: Millis, record: &str) {
        let units: Vec<u16> = record.encode_utf16().collect();
        let slice = |start: usize, end: usize| {
            let end = end.min(units.len());
            String::from_utf16_lossy(&units[start.min(end)..end])
        };
        let head = slice(0, self.session.head_length());
        let value = self.session.link().json_start(&head).map(|start| {
            serde_json::from_str(&slice(start, usize::MAX))
                .unwrap_or_else(|error| panic!("{record}: {error}"))
        });
        let mut envelopes = Vec::new();
        self.session.record(now, &head, Js(value), &mut envelopes);
        if envelopes.is_empty() {
            self.session.count(FrameKind::Control);
        }
        for envelope in envelopes {
            let mut envelope = envelope.0.unwrap_or_default();
            if let Some(text) = envelope.as_str()
                && !matches!(
                    self.session.link().protocol(),
                    Protocol::WebSocket | Protocol::Relay
                )
            {
                envelope = serde_json::from_str(text).unwrap();
            }
            let own = envelope["sender"] == user(self.number);
            let channel = String::from(envelope["channel"].as_str().unwrap_or_default());
            let id = String::from(envelope["id"].as_str().unwrap_or_default());
            match self.session.receive_whole(own, &channel, &id) {
                Received::Deliver(opening, _) => {
                    let message = envelope["message"].take();
                    self.deliver(opening, &envelope, &message);
                }
                Received::Own => self.session.count(FrameKind::Own),
                _ => self.session.count(FrameKind::Foreign),
            }
        }
    }

    fn deliver(&mut self, opening: usize, envelope: &Json, message: &Json) {
        self.session.count(FrameKind::Delivered);
        let text = |name: &str| String::from(envelope[name].as_str().unwrap_or_default());
        let channel = text("channel");
        assert_eq!(
            self.open.get(&channel).map(|(open, _)| *open),
            Some(opening),
            "delivered to an opening that is closed"
        );
        self.told.push(Told::Message {
            sender: envelope["sender"].as_u64().unwrap(),
            channel,
            number: message[0].as_u64().unwrap() as usize,
            id: text("id"),
        });
    }

    // What holds after every step.

    pub fn check(&mut self, now: Millis) {
        let stats = self.session.stats();
        let config = self.session.config();
        assert!(
            stats.queued <= config.outbox.messages as f64,
            "more messages than the outbox may have"
        );
        assert!(
            stats.queued_bytes <= config.outbox.bytes as f64,
            "more bytes than the outbox may have"
        );
        for (mark, _, taken) in &mut self.marks {
            let flushed = self.session.flushed(*mark);
            assert!(flushed || !*taken, "taken, and then not");
            *taken = flushed;
        }
        let state = self.session.state();
        assert!(self.has_socket || state != State::Open);
        assert!(!self.is_hidden || !self.has_socket);
        let link = self.session.link();
        let sleeps = match state {
            State::Idle | State::Closed => true,
            State::Waiting => self.is_hidden,
            State::Connecting => self.is_asked,
            // The plain protocol has no signs of life.
            State::Open => link.protocol() == Protocol::WebSocket,
        };
        let at = self.session.wake_at();
        assert!(
            sleeps || at.is_some(),
            "nothing will happen any more: {state:?} {:?}",
            self.states
        );
        if state == State::Waiting
            && let Some(at) = at
        {
            assert!(
                at <= now + config.reconnect.cap.max(1_000.0),
                "a wait beyond the longest"
            );
        }
    }
}

/// The `sender` of that page.
pub fn user(number: usize) -> u64 {
    1000 + number as u64
}
