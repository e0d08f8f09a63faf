//! A page and its network: does what `src/browser/driver.rs` does, with JSON and texts of Rust's, and notes all that happens.

use crate::value::{Js, Line};
use serde_json::Value as Json;
use signal_wasm::protocol::{Effect, Ending, Protocol, Records, Texts, UserId, Value};
use signal_wasm::session::{
    Action, Config, Credentials, Event, FrameKind, Loss, Millis, Received, Session, State, Stats,
};
use std::collections::VecDeque;

pub fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// `text.slice(start, end)`; a pair that is cut in two becomes U+FFFD, as on the way from JavaScript into wasm.
pub fn slice(text: &str, start: usize, end: usize) -> String {
    let units = units(text);
    let end = end.min(units.len());
    String::from_utf16_lossy(&units[start.min(end)..end])
}

/// What our side does to the network.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// A request without a body, and its token.
    Get(String),
    Post(String, String),
    Socket(String),
    /// A frame of the protocol's own.
    Say(String),
    /// A frame with a message of the page's.
    Message(String),
    Disconnect,
}

/// What became of a frame or a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    Own,
    Foreign,
    Delivered(String, Option<Json>),
    Bad(&'static str),
    Control,
}

pub struct Page {
    pub session: Session<String, String>,
    pub now: Millis,
    /// What it gives when asked for its credential; the last one again and again. Empty: it never answers.
    pub credentials: VecDeque<(String, String)>,
    pub asked: usize,
    /// What our side did and nobody has looked at.
    pub deeds: VecDeque<Deed>,
    pub socket: bool,
    records: Records<Line>,
    /// What became of each record, and whether the head alone told.
    pub verdicts: Vec<Verdict>,
    pub by_head: usize,
    /// What the page was told: states with their reasons, and errors.
    pub states: Vec<(State, String)>,
    pub refused: Vec<String>,
    pub bad: Vec<&'static str>,
    pub failed: Option<(bool, String)>,
    /// How often the timer fired without a moment passing.
    idle_wakes: u32,
}

/// The page's own `sender`, which is the one of the transcripts' clients.
pub const OWN: u64 = 12345;

pub fn config(protocol: Protocol, url: &str) -> Config {
    Config {
        protocol,
        url: url.into(),
        ..Config::default()
    }
}

/// With these texts, by the names of options.
pub fn with(mut config: Config, texts: &[(&str, &str)]) -> Config {
    let mut given = Texts::default();
    for (name, text) in texts {
        given.set(name, (*text).into());
    }
    config.texts = given;
    config
}

impl Page {
    pub fn new(config: Config) -> Page {
        Page {
            session: Session::new(config, UserId::from_bits(OWN), 5),
            now: 1_000.0,
            credentials: VecDeque::new(),
            asked: 0,
            deeds: VecDeque::new(),
            socket: false,
            records: Records::default(),
            verdicts: Vec::new(),
            by_head: 0,
            states: Vec::new(),
            refused: Vec::new(),
            bad: Vec::new(),
            failed: None,
            idle_wakes: 0,
        }
    }

    /// A page that has opened the channel `main`, and with it the connection.
    pub fn opened(config: Config) -> Page {
        let mut page = Page::new(config);
        page.open("main");
        page
    }

    /// The same, with what it gives each time that it is asked for its credential.
    pub fn renewing(mut config: Config, credentials: &[(&str, &str)]) -> Page {
        config.credentials = Credentials::Renewable;
        let mut page = Page::new(config);
        page.provide(credentials);
        page.open("main");
        page
    }

    pub fn provide(&mut self, credentials: &[(&str, &str)]) {
        self.credentials = credentials
            .iter()
            .map(|(text, query)| (String::from(*text), String::from(*query)))
            .collect();
    }

    pub fn open(&mut self, name: &str) {
        self.session.open(self.now, name, name.into()).unwrap();
        self.settle();
    }

    pub fn send(&mut self, channel: &str, message: &Json) {
        self.session
            .send(self.now, channel, message.to_string(), f64::INFINITY)
            .unwrap();
        self.settle();
    }

    pub fn close(&mut self) {
        self.session.close();
        self.settle();
    }

    pub fn state(&self) -> State {
        self.session.state()
    }

    pub fn stats(&self) -> Stats {
        self.session.stats()
    }

    /// The reason of the last change.
    pub fn reason(&self) -> &str {
        &self.states.last().unwrap().1
    }

    /// The next thing that our side did.
    pub fn deed(&mut self) -> Deed {
        self.deeds.pop_front().expect("our side did nothing")
    }

    pub fn expect(&mut self, deed: Deed) {
        assert_eq!(self.deed(), deed);
    }

    pub fn say(text: &str) -> Deed {
        Deed::Say(text.into())
    }

    /// The next socket's address, and that socket opened.
    pub fn connects(&mut self) -> String {
        match self.deed() {
            Deed::Socket(url) => {
                self.up();
                url
            }
            deed => panic!("{deed:?}"),
        }
    }

    // What the network and the clock do.

    pub fn up(&mut self) {
        assert!(self.socket);
        self.session.opened(self.now);
        self.settle();
    }

    pub fn answered(&mut self, status: u16, body: &str) {
        let value = serde_json::from_str(body).ok().map(|value| Js(Some(value)));
        let text = slice(body, 0, 100);
        self.session.answered(self.now, status, value, &text);
        self.settle();
    }

    pub fn lost(&mut self, code: Option<u16>) {
        self.session.lost(
            self.now,
            Loss {
                code,
                reason: "the connection was lost".into(),
                ending: Ending::Retry,
            },
        );
        self.settle();
    }

    /// The timer fires at its time, or at this one, if that is later.
    pub fn wake(&mut self, at: Millis) {
        let before = self.now;
        self.now = self
            .session
            .wake_at()
            .expect("no timer")
            .max(at)
            .max(self.now);
        self.idle_wakes = if self.now > before {
            0
        } else {
            self.idle_wakes + 1
        };
        assert!(self.idle_wakes < 100, "the timer fires in vain");
        self.session.woken(self.now);
        self.settle();
    }

    /// All that happens by itself until then.
    pub fn pass(&mut self, time: Millis) {
        let end = self.now + time;
        while self.session.wake_at().is_some_and(|at| at <= end) {
            self.wake(0.0);
        }
        self.now = end;
    }

    /// A lost connection's next attempt, when it has its time.
    pub fn again(&mut self) {
        assert_eq!(self.state(), State::Waiting, "{:?}", self.states);
        while self.state() == State::Waiting {
            self.wake(0.0);
        }
        assert_eq!(self.state(), State::Connecting, "{:?}", self.states);
    }

    pub fn binary(&mut self) {
        if self.session.link().protocol() == Protocol::SocketIo {
            self.count(Verdict::Control);
        } else {
            self.count(Verdict::Bad("a binary frame"));
        }
    }

    pub fn frame(&mut self, frame: &str) {
        assert!(self.socket, "a frame without a socket");
        if !self.read(frame) {
            self.read_whole(frame);
        }
    }

    /// Reads it by its head, if that tells enough.
    fn read(&mut self, frame: &str) -> bool {
        let length = units(frame).len();
        if length > self.session.max_frame() {
            self.count(Verdict::Bad("a frame longer than maxMessage allows"));
            return true;
        }
        if self.session.listens() {
            self.session.heard(self.now);
        }
        // What stands behind the tail may be another record, or part of one, or of the protocol's own.
        let tail = self.session.link().received_tail();
        if self.session.link().is_text()
            && (self.records.begun().is_some() || !frame.ends_with(tail))
        {
            return false;
        }
        let head_length = self.session.head_length();
        let received = self
            .session
            .receive(&slice(frame, 0, head_length), length <= head_length);
        let second = self.session.link().second();
        if !second.is_empty() && frame.get(1..).is_some_and(|rest| rest.contains(second)) {
            return false;
        }
        let verdict = match received {
            Received::Unclear => return false,
            Received::Own => Verdict::Own,
            Received::Foreign => Verdict::Foreign,
            Received::Deliver(name, start) => {
                if !frame.ends_with(tail) {
                    return false;
                }
                let payload = slice(frame, start, length - tail.len());
                let Ok(mut message) = serde_json::from_str::<Json>(&payload) else {
                    return false;
                };
                if self.session.link().is_text() {
                    let Some(Ok(envelope)) = message.as_str().map(serde_json::from_str::<Json>)
                    else {
                        return false;
                    };
                    message = envelope["message"].clone();
                }
                Verdict::Delivered(name, Some(message))
            }
        };
        self.by_head += 1;
        self.count(verdict);
        true
    }

    /// Reads a frame that isn't canonical, or is the protocol's own.
    pub fn read_whole(&mut self, frame: &str) {
        if self.session.link().is_stream() {
            let connection = self.session.connection();
            for record in self.records.take(&Line(frame.into())) {
                // One of them may have ended the connection.
                if self.session.connection() == connection {
                    self.record(&record.0);
                }
            }
        } else {
            self.record(frame);
        }
        self.settle();
    }

    fn record(&mut self, record: &str) {
        let head = slice(record, 0, self.session.head_length());
        let value = match self.session.link().json_start(&head) {
            Some(start) => serde_json::from_str(&slice(record, start, usize::MAX)).map(Some),
            None => Ok(None),
        };
        let Ok(value) = value else {
            let what = self.session.link().what_is_no_json(&head);
            return self.count(Verdict::Bad(what));
        };
        let mut envelopes = Vec::new();
        self.session
            .record(self.now, &head, Js(value), &mut envelopes);
        if envelopes.is_empty() {
            self.count(Verdict::Control);
        }
        for envelope in envelopes {
            let verdict = self.envelope(envelope);
            self.count(verdict);
        }
    }

    fn envelope(&mut self, envelope: Js) -> Verdict {
        let envelope = match envelope.text() {
            Some(text) if self.session.link().protocol() != Protocol::WebSocket => {
                serde_json::from_str(&text).ok()
            }
            _ => envelope.0,
        };
        let Some(Json::Object(members)) = envelope else {
            return Verdict::Bad("a frame that isn't an object");
        };
        // What `==` says of stranger senders, and which channel a stranger name is, tests/protocol.rs asks.
        let own = match members.get("sender") {
            Some(Json::Number(number)) => number.as_f64() == Some(OWN as f64),
            Some(Json::String(text)) => *text == OWN.to_string(),
            _ => false,
        };
        let channel = match members.get("channel") {
            Some(Json::String(name)) => name.clone(),
            Some(other) => other.to_string(),
            None => "undefined".into(),
        };
        match self.session.receive_whole(own, &channel, "") {
            Received::Own => Verdict::Own,
            Received::Deliver(name, _) => Verdict::Delivered(name, members.get("message").cloned()),
            _ => Verdict::Foreign,
        }
    }

    fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Bad(what) => self.session.count_bad(what),
            Verdict::Own => self.session.count(FrameKind::Own),
            Verdict::Foreign => self.session.count(FrameKind::Foreign),
            Verdict::Delivered(..) => self.session.count(FrameKind::Delivered),
            Verdict::Control => self.session.count(FrameKind::Control),
        }
        self.verdicts.push(verdict);
        self.settle();
    }

    // The driver.

    pub fn settle(&mut self) {
        while let Some(action) = self.session.next_action() {
            match action {
                Action::Ask => {
                    self.asked += 1;
                    let last = self.credentials.len() == 1;
                    let given = self.credentials.front().cloned();
                    if !last {
                        self.credentials.pop_front();
                    }
                    if let Some((text, query)) = given {
                        self.session.provided(self.now, text, query);
                    }
                }
                Action::Disconnect => {
                    if self.socket {
                        self.deeds.push_back(Deed::Disconnect);
                    }
                    self.socket = false;
                }
                Action::Converse(Effect::Socket, url) => {
                    assert!(!self.socket, "a second socket");
                    self.records.clear();
                    self.socket = true;
                    self.deeds.push_back(Deed::Socket(url));
                }
                Action::Converse(Effect::Say, text) => {
                    assert!(self.socket, "said to nobody: {text}");
                    self.deeds.push_back(Deed::Say(text));
                }
                Action::Converse(Effect::Get, url) => self.deeds.push_back(Deed::Get(url)),
                Action::Converse(Effect::Post, url) => {
                    let token = self.session.link().token().into();
                    self.deeds.push_back(Deed::Post(url, token));
                }
                Action::Converse(effect, text) => panic!("{effect:?} {text}"),
                Action::Transmit(message) => {
                    assert!(self.socket, "sent to nobody");
                    let frame = wrapped(
                        &mut self.session,
                        &message.channel,
                        message.number,
                        &message.payload,
                    );
                    self.session.taken(message.number);
                    self.session.count(FrameKind::Sent);
                    self.deeds.push_back(Deed::Message(frame));
                }
            }
        }
        while let Some(event) = self.session.next_event() {
            match event {
                Event::Ready(_) => {}
                Event::State { state, reason, .. } => {
                    assert!(!reason.is_empty());
                    self.states.push((state, reason));
                }
                Event::BadFrame(what) => self.bad.push(what),
                Event::Refused(why) => self.refused.push(why),
                Event::Gap(channel) => panic!("a gap on {channel}"),
                Event::Dropped { channel, .. } => panic!("a message dropped on {channel}"),
                Event::Failed {
                    refused, reason, ..
                } => {
                    assert_eq!(self.failed, None, "failed twice");
                    self.failed = Some((refused, reason));
                }
            }
        }
    }
}

/// A message in a frame of ours.
pub fn wrapped<S: Clone>(
    session: &mut Session<String, S>,
    channel: &str,
    number: u64,
    payload: &str,
) -> String {
    let (head, before) = session.wrap(channel, number);
    let tail = session.link().tail();
    if before.is_empty() {
        return format!("{head}{payload}{tail}");
    }
    let text = Json::from(format!("{head}{payload}}}"));
    format!("{before}{text}{tail}")
}
