//! A page on the network of these tests: the shared page, and what must happen to its messages.

use crate::support::host::{HostText, HostValue};
use crate::support::page::{Page, Setup, events, loss};
use serde_json::Value as Json;
use signal_wasm::protocol::{Frame, HttpResponse, Millis};
use signal_wasm::session::{
    Action, ChannelId, ConnectionId, Event, FrameKind, Input, SendError, Session, State,
};
use std::collections::{BTreeMap, VecDeque};

/// What the page does to its network.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// A request to this address.
    Request(String),
    /// A socket, for the session's connection of that number.
    Socket(ConnectionId),
    Frame {
        text: String,
        /// A message in the plain way, which isn't acknowledged.
        is_plain: bool,
    },
    /// A second socket, beside the first.
    Standby(ConnectionId),
    /// The second one takes the place of the first.
    UseStandby,
    CloseStandby,
    Disconnect,
}

/// What the page got, as far as it concerns messages.
#[derive(Debug, Clone, PartialEq)]
pub enum Got {
    Message {
        sender: u64,
        channel: String,
        number: usize,
        /// The id that our relay gave it.
        id: String,
    },
    Gap(String),
    Dropped {
        channel: String,
    },
}

/// A message that the page has sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub channel: String,
    pub expires: Millis,
    /// Some socket was given it.
    pub was_in_flight: bool,
    /// It was sent in the plain way, so that it is never known whether it arrived.
    pub is_plain: bool,
}

/// A mark of the outbox.
#[derive(Debug)]
pub struct Mark {
    mark: u64,
    /// How many messages had been sent then.
    pub sent: usize,
    pub is_reached: bool,
}

pub struct Client {
    pub number: usize,
    pub protocol: &'static str,
    page: Page<usize>,
    /// The channels that it has open, each with the number and the id of its opening.
    pub open: BTreeMap<String, (usize, ChannelId)>,
    openings: usize,
    pub deeds: VecDeque<Deed>,
    pub got: Vec<Got>,
    pub states: Vec<(Millis, State, String)>,
    /// By the number that is its message.
    pub sent: Vec<Sent>,
    pub marks: Vec<Mark>,
    pub is_hidden: bool,
    /// It has subscribed on this connection: the server is our relay.
    pub is_subscribed: bool,
    pub failed: bool,
    /// How often the timer has fired without a moment passing.
    idle_timeouts: u32,
}

impl Client {
    pub fn new(number: usize, setup: &Setup) -> Client {
        let mut page = Page::new(setup.session(user(number), number as u64 + 1));
        page.session.inspect(true);
        Client {
            number,
            protocol: setup.protocol,
            page,
            open: BTreeMap::new(),
            openings: 0,
            deeds: VecDeque::new(),
            got: Vec::new(),
            states: Vec::new(),
            sent: Vec::new(),
            marks: Vec::new(),
            is_hidden: false,
            is_subscribed: false,
            failed: false,
            idle_timeouts: 0,
        }
    }

    pub fn session(&self) -> &Session<HostText, usize> {
        &self.page.session
    }

    /// Whether its server sends nothing but messages.
    pub fn has_no_heartbeat(&self) -> bool {
        self.protocol == "websocket" || self.protocol == "auto" && !self.is_subscribed
    }

    // What the page does.

    pub fn open(&mut self, now: Millis, name: &str) {
        let opening = self.openings;
        if let Ok(id) = self.page.session.open(now, name, opening) {
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
        self.page.session.close_channel(name, id);
        self.settle(now);
        true
    }

    /// Sends a message that is the sender, its number among the sender's and something to make it
    /// longer.
    pub fn send(&mut self, now: Millis, channel: &str, pad: usize, ttl: Millis) {
        let number = self.sent.len();
        let payload = format!("[{},{number},\"{}\"]", user(self.number), "é".repeat(pad));
        let length = payload.encode_utf16().count();
        let config = self.session().config().clone();
        match self.page.session.send(now, channel, payload.into(), ttl) {
            Ok(_) => self.sent.push(Sent {
                channel: channel.into(),
                expires: now + ttl,
                was_in_flight: false,
                is_plain: false,
            }),
            Err(SendError::ChannelClosed) => assert!(!self.open.contains_key(channel)),
            Err(SendError::OutboxFull { messages, bytes }) => assert!(
                messages >= config.outbox.messages || bytes + 2 * length > config.outbox.bytes,
                "refused with room for it: {messages} messages, {bytes} bytes"
            ),
            Err(SendError::TooLarge { bytes, .. }) => assert!(bytes > config.max_message),
            Err(SendError::SessionClosed) => assert_eq!(self.session().state(), State::Closed),
            Err(other) => panic!("{other:?}"),
        }
        self.settle(now);
    }

    pub fn flush(&mut self) {
        self.marks.push(Mark {
            mark: self.session().flush(),
            sent: self.sent.len(),
            is_reached: false,
        });
    }

    // What happens to it.

    pub fn handle(&mut self, now: Millis, input: Input<HostText>) {
        match input {
            Input::PageHidden => self.is_hidden = true,
            Input::PageShown => self.is_hidden = false,
            _ => {}
        }
        self.page.session.handle(now, input);
        self.settle(now);
    }

    /// Something happened on that connection.
    pub fn handle_from(&mut self, connection: ConnectionId, now: Millis, input: Input<HostText>) {
        if self.page.session.handle_from(connection, now, input) {
            self.settle(now);
        }
    }

    pub fn loses_socket(&mut self, now: Millis, connection: ConnectionId, code: Option<u16>) {
        self.handle_from(connection, now, Input::SocketClosed(loss(code)));
    }

    /// A socket that reports its end twice, and a driver that doesn't notice.
    pub fn loses_twice(&mut self, now: Millis) {
        for _ in 0..2 {
            let input = Input::SocketClosed(loss(Some(1006)));
            self.page.session.handle(now, input);
        }
        self.settle(now);
    }

    pub fn is_answered(&mut self, now: Millis, connection: ConnectionId, body: &str) {
        let (status, body) = (200, body.into());
        let response = HttpResponse {
            status,
            retry_after: None,
            body,
        };
        self.handle_from(connection, now, Input::HttpResponse(response));
    }

    pub fn receive(&mut self, now: Millis, connection: ConnectionId, frame: &str) {
        // The driver has detached the handlers of a socket that is gone.
        if self.page.has_socket {
            let input = Input::Frame(Frame::Text(frame.into()));
            self.handle_from(connection, now, input);
        }
    }

    pub fn times_out(&mut self, now: Millis) {
        let is_due = |client: &Client| {
            let timeout = client.session().poll_timeout();
            timeout.is_some_and(|at| at <= now)
        };
        let was_due = is_due(self);
        self.handle(now, Input::Timeout);
        self.idle_timeouts = if was_due && is_due(self) {
            self.idle_timeouts + 1
        } else {
            0
        };
        assert!(
            self.idle_timeouts < 50,
            "the timer fires in vain: {:?}",
            self.states
        );
    }

    // What it does and gets then.

    fn settle(&mut self, now: Millis) {
        self.page.now = now;
        while let Some(action) = self.page.perform_next() {
            match action {
                Action::Disconnect => self.deeds.push_back(Deed::Disconnect),
                Action::OpenSocket(_) => {
                    assert!(!self.is_hidden, "a socket of a hidden page");
                    self.is_subscribed = false;
                    let connection = self.session().connection();
                    self.deeds.push_back(Deed::Socket(connection));
                }
                Action::OpenStandby(_) => {
                    let standby = self.session().standby().expect("no second connection");
                    self.deeds.push_back(Deed::Standby(standby));
                }
                Action::UseStandby => self.deeds.push_back(Deed::UseStandby),
                Action::CloseStandby => self.deeds.push_back(Deed::CloseStandby),
                Action::Http(request) => self.deeds.push_back(Deed::Request(request.url)),
                Action::Transmit(transmission) => {
                    let text = String::from(transmission.frame.as_str());
                    self.is_subscribed |= text.starts_with("{\"open\":");
                    let message = transmission.message;
                    let is_plain = message.is_some_and(|number| self.is_sent(now, number, &text));
                    self.deeds.push_back(Deed::Frame { text, is_plain });
                }
                action => panic!("{action:?}"),
            }
        }
        let mut delivered = VecDeque::new();
        while let Some((kind, frame)) = self.page.session.poll_frame() {
            if let (FrameKind::Delivered, Frame::Text(frame)) = (kind, frame) {
                delivered.push_back(frame);
            }
        }
        for event in events(&mut self.page.session) {
            match event {
                Event::Message(opening, message) => {
                    self.gets(opening, message, delivered.pop_front());
                }
                event => self.is_told(now, event),
            }
        }
    }

    /// The socket was given the message of that number; whether in the plain way.
    fn is_sent(&mut self, now: Millis, number: u64, frame: &str) -> bool {
        // The session numbers what it accepts from 1.
        let sent = &mut self.sent[number as usize - 1];
        assert!(now < sent.expires, "sent though it was stale");
        sent.was_in_flight = true;
        let is_plain =
            !serde_json::from_str(frame).is_ok_and(|envelope: Json| envelope.get("ref").is_some());
        sent.is_plain |= is_plain;
        is_plain
    }

    fn gets(&mut self, opening: usize, message: HostValue, frame: Option<HostText>) {
        let message = message.0.unwrap();
        let mut open = self.open.iter();
        let channel = open.find(|(_, (open, _))| *open == opening);
        let (channel, _) = channel.expect("delivered to an opening that is closed");
        // That of our relay is one envelope.
        let frame = frame.expect("a message without its frame");
        let envelope: Json = serde_json::from_str(frame.as_str()).unwrap_or_default();
        self.got.push(Got::Message {
            sender: message[0].as_u64().unwrap(),
            channel: channel.clone(),
            number: message[1].as_u64().unwrap() as usize,
            id: envelope["id"].as_str().unwrap_or_default().into(),
        });
    }

    fn is_told(&mut self, now: Millis, event: Event<HostText, usize>) {
        match event {
            Event::Ready(_) | Event::BadFrame(_) => {}
            Event::State { state, reason, .. } => {
                assert!(!reason.is_empty());
                self.states.push((now, state, reason));
            }
            Event::Gap(channel) => self.got.push(Got::Gap(channel)),
            Event::Dropped { channel, .. } => {
                let channel = String::from(&*channel);
                self.got.push(Got::Dropped { channel });
            }
            Event::Failed { .. } => {
                assert!(!self.failed, "failed twice");
                self.failed = true;
            }
            event => panic!("{event:?}"),
        }
    }

    /// What holds after everything that happens.
    pub fn check(&mut self, now: Millis) {
        let session = &self.page.session;
        let stats = session.stats();
        let config = session.config();
        assert!(
            stats.queued <= config.outbox.messages as f64,
            "more messages than the outbox may have"
        );
        assert!(
            stats.queued_bytes <= config.outbox.bytes as f64,
            "more bytes than the outbox may have"
        );
        for mark in &mut self.marks {
            let is_flushed = session.flushed() >= mark.mark;
            assert!(is_flushed || !mark.is_reached, "flushed, and then not");
            mark.is_reached = is_flushed;
        }
        let state = session.state();
        let has_socket = self.page.has_socket;
        assert!(has_socket || !state.is_open());
        assert!(!self.is_hidden || !has_socket);
        let may_sleep = match state {
            State::Idle | State::Closed => true,
            State::Waiting { .. } => self.is_hidden,
            State::Connecting => false,
            State::Open { .. } => self.has_no_heartbeat(),
        };
        let timeout = session.poll_timeout();
        assert!(
            may_sleep || timeout.is_some(),
            "nothing will happen any more: {state:?} {:?}",
            self.states
        );
        if let (State::Waiting { .. }, Some(at)) = (state, timeout) {
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
