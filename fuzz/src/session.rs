//! A session that anything happens to, in any order, and that is told anything: what it wants done can be done, and it never stops for good.

use arbitrary::{Arbitrary, Unstructured};
use signal_wasm::protocol::{Effect, Ending, Protocol, Records, UserId};
use signal_wasm::session::{
    Action, Bounds, ChannelId, Config, Credentials, Event, FrameKind, Loss, Millis, OpenWhen,
    Received, Reconnect, Session, State,
};

use crate::value::{Js, Line};

const OWN: u64 = 12345;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    protocol: u8,
    credentials: u8,
    asks_url: bool,
    when_connected: bool,
    messages: u8,
    attempts: Option<u8>,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Open(u8),
    Close(u8),
    Send(u8, u8, Option<u16>),
    Flush,
    /// The socket takes no messages, or takes them again.
    Refuses(bool),
    CloseAll,
    Located,
    Provided(u8),
    Answered(u16, &'a str),
    Opened,
    Lost(u16),
    NotTaken(bool),
    Frame(&'a str),
    /// What a server of that protocol says to let the page in, one after the other.
    LetIn,
    Acknowledged(u16),
    Pass(u16),
    Woken,
    Hidden,
    Shown,
    Online,
    Offline,
}

const NAMES: [&str; 4] = ["a", "b", "é\n", ""];

struct World {
    session: Session<String, u8>,
    now: Millis,
    open: Vec<(u8, ChannelId)>,
    records: Records<Line>,
    has_socket: bool,
    is_asked: bool,
    is_hidden: bool,
    let_in: usize,
    marks: Vec<(u64, bool)>,
    refuses: bool,
    events: Vec<State>,
}

/// All steps, and then the time that it takes to be woken a few times.
pub fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let config = Config {
        protocol: Protocol::ALL[usize::from(input.protocol) % Protocol::ALL.len()],
        url: "ws://h/x".into(),
        asks_url: input.asks_url,
        credentials: [
            Credentials::None,
            Credentials::Fixed,
            Credentials::Renewable,
        ][usize::from(input.credentials) % 3],
        open_when: if input.when_connected {
            OpenWhen::Connected
        } else {
            OpenWhen::Timer
        },
        outbox: Bounds {
            messages: usize::from(input.messages),
            bytes: 4_000,
        },
        reconnect: Reconnect {
            attempts: input.attempts.map_or(f64::INFINITY, f64::from),
            ..Reconnect::default()
        },
        ..Config::default()
    };
    let mut world = World {
        session: Session::new(config, UserId::from_bits(OWN), 5),
        now: 1_000.0,
        open: Vec::new(),
        records: Records::default(),
        has_socket: false,
        is_asked: false,
        is_hidden: false,
        let_in: 0,
        marks: Vec::new(),
        refuses: false,
        events: Vec::new(),
    };
    for step in &input.steps {
        world.step(step);
        world.settle();
    }
    for _ in 0..20 {
        world.wake();
    }
}

impl World {
    fn step(&mut self, step: &Step<'_>) {
        let (now, session) = (self.now, &mut self.session);
        match step {
            Step::Open(name) => {
                if let Ok(id) = session.open(now, NAMES[usize::from(*name) % NAMES.len()], *name) {
                    self.open.push((*name, id));
                }
            }
            Step::Close(place) => {
                if let Some((name, id)) = self.open.get(usize::from(*place)) {
                    session.close_channel(NAMES[usize::from(*name) % NAMES.len()], *id);
                }
            }
            Step::Send(name, length, ttl) => {
                let payload = format!("\"{}\"", "é".repeat(usize::from(*length)));
                let ttl = ttl.map_or(Millis::INFINITY, Millis::from);
                let _ = session.send(now, NAMES[usize::from(*name) % NAMES.len()], payload, ttl);
            }
            Step::Flush => {
                let mark = session.flush();
                self.marks.push((mark, false));
            }
            Step::Refuses(refuses) => self.refuses = *refuses,
            Step::CloseAll => session.close(),
            Step::Located => {
                if std::mem::take(&mut self.is_asked) {
                    session.located(now, "wss://other/y?z=1".into());
                    self.is_asked = self.session.config().credentials != Credentials::None;
                }
            }
            Step::Provided(which) => {
                if std::mem::take(&mut self.is_asked) {
                    session.provided(now, format!("\"{which}\""), "a=b".into());
                }
            }
            Step::Answered(status, body) => session.answered(
                now,
                *status,
                serde_json::from_str(body).ok().map(|value| Js(Some(value))),
                body,
            ),
            Step::Opened if self.has_socket => session.opened(now),
            Step::Lost(code) => session.lost(now, loss(*code)),
            Step::NotTaken(blamed) if self.has_socket => session.not_taken(now, *blamed),
            Step::Frame(text) => self.frame(text),
            Step::Acknowledged(number) => self.frame(&format!("{{\"ack\":{number}}}")),
            Step::LetIn => self.let_in(),
            Step::Pass(time) => self.now += Millis::from(*time),
            Step::Woken => session.woken(now),
            Step::Hidden => {
                self.is_hidden = self.session.state() != State::Idle;
                self.session.page_hidden(now);
            }
            Step::Shown => {
                self.is_hidden = false;
                session.page_shown(now);
            }
            Step::Online => session.online(now),
            Step::Offline => session.offline(now),
            Step::Opened | Step::NotTaken(_) => {}
        }
    }

    fn let_in(&mut self) {
        self.let_in += 1;
        let now = self.now;
        let protocol = self.session.config().protocol;
        if self.has_socket && self.let_in == 1 {
            self.session.opened(now);
            self.settle();
        }
        match (protocol, self.let_in) {
            (Protocol::Auto | Protocol::Relay, 1) => {
                self.frame(r#"{"signal":1,"session":"s","epoch":"e","ping":25000}"#)
            }
            (Protocol::Auto | Protocol::Relay, _) => self.frame(r#"{"ack":0}"#),
            (Protocol::SocketIo, 1) => self.frame(
                r#"0{"sid":"a","pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
            ),
            (Protocol::SocketIo, _) => self.frame(r#"40{"sid":"b"}"#),
            (Protocol::SignalR, _) if self.has_socket => self.frame("{}\u{1e}"),
            (Protocol::SignalR, _) => self.answer(r#"{"connectionToken":"t"}"#),
            (Protocol::SignalRClassic, 1) => self
                .answer(r#"{"ConnectionToken":"t","KeepAliveTimeout":20,"DisconnectTimeout":30}"#),
            (Protocol::SignalRClassic, 2) => self.frame(r#"{"C":"d-0","S":1,"M":[]}"#),
            (Protocol::SignalRClassic, _) => self.answer("{}"),
            _ => {}
        }
    }

    fn answer(&mut self, body: &str) {
        let value = serde_json::from_str(body).ok().map(|value| Js(Some(value)));
        self.session.answered(self.now, 200, value, body);
    }

    /// The driver's way with a frame.
    fn frame(&mut self, frame: &str) {
        if !self.has_socket {
            return;
        }
        if self.session.listens() {
            self.session.heard(self.now);
        }
        let link = self.session.link();
        let looks = !link.is_text()
            || (self.records.begun().is_none() && frame.ends_with(link.received_tail()));
        let units: Vec<u16> = frame.encode_utf16().collect();
        let length = self.session.head_length().min(units.len());
        let head = String::from_utf16_lossy(&units[..length]);
        if looks {
            match self.session.receive(&head, units.len() == length) {
                Received::Unclear => {}
                Received::Deliver(_, start) => {
                    assert!(start <= units.len(), "{frame}");
                    return self.session.count(FrameKind::Delivered);
                }
                _ => return self.session.count(FrameKind::Foreign),
            }
        }
        if !self.session.link().is_stream() {
            return self.record(frame);
        }
        let connection = self.session.connection();
        for record in self.records.take(&Line(frame.into())) {
            if self.session.connection() == connection {
                self.record(&record.0);
            }
        }
    }

    fn record(&mut self, record: &str) {
        let units: Vec<u16> = record.encode_utf16().collect();
        let head = String::from_utf16_lossy(&units[..self.session.head_length().min(units.len())]);
        let value = match self.session.link().json_start(&head) {
            Some(start) => {
                serde_json::from_str(&String::from_utf16_lossy(&units[start.min(units.len())..]))
                    .map(Some)
            }
            None => Ok(None),
        };
        let Ok(value) = value else {
            return self
                .session
                .count_bad(self.session.link().what_is_no_json(&head));
        };
        let mut envelopes = Vec::new();
        self.session
            .record(self.now, &head, Js(value), &mut envelopes);
        for Js(envelope) in envelopes {
            let envelope = envelope.unwrap_or_default();
            let text = |name: &str| {
                envelope
                    .get(name)
                    .and_then(|value| value.as_str())
                    .unwrap_or_default()
            };
            self.session.receive_whole(
                envelope.get("sender").is_some_and(|sender| *sender == OWN),
                text("channel"),
                text("id"),
            );
        }
    }

    fn settle(&mut self) {
        while let Some(action) = self.session.next_action() {
            match action {
                Action::Ask => self.is_asked = true,
                Action::Disconnect => {
                    self.has_socket = false;
                    self.is_asked = false;
                }
                Action::Converse(Effect::Socket, url) => {
                    assert!(!self.has_socket, "a second socket");
                    assert!(!self.is_hidden, "a socket of a page that was put away");
                    assert!(url.starts_with("ws"), "{url}");
                    self.records.clear();
                    self.has_socket = true;
                    self.let_in = 0;
                }
                Action::Converse(Effect::Say, text) => {
                    assert!(self.has_socket, "said to nobody: {text}");
                }
                Action::Converse(Effect::Get | Effect::Post, url) => {
                    assert!(url.starts_with("http"), "{url}")
                }
                Action::Converse(effect, text) => panic!("{effect:?} {text}"),
                Action::Transmit(message) => {
                    assert!(self.has_socket, "sent to nobody");
                    assert_eq!(self.session.state(), State::Open);
                    let _ = self.session.wrap(&message.channel, message.number);
                    if self.refuses {
                        self.session.not_taken(self.now, true);
                    } else {
                        self.session.count(FrameKind::Sent);
                        self.session.taken(message.number);
                    }
                }
            }
        }
        while let Some(event) = self.session.next_event() {
            match event {
                Event::State { state, reason, .. } => {
                    assert!(!reason.is_empty());
                    assert!(
                        self.events.last() != Some(&State::Closed),
                        "after the end: {state:?}"
                    );
                    self.events.push(state);
                }
                Event::Ready(name) => assert!(self.open.iter().any(|(open, _)| *open == name)),
                _ => {}
            }
        }
        self.check();
    }

    fn check(&mut self) {
        let stats = self.session.stats();
        let (state, at) = (self.session.state(), self.session.wake_at());
        assert!(stats.queued <= self.session.config().outbox.messages as f64);
        assert!(stats.queued_bytes <= self.session.config().outbox.bytes as f64);
        assert_eq!(stats.queued == 0.0, stats.queued_bytes == 0.0);
        for (mark, taken) in &mut self.marks {
            let flushed = self.session.flushed(*mark);
            assert!(flushed || !*taken, "taken, and then not");
            *taken = flushed;
        }
        assert!(self.has_socket || state != State::Open);
        assert!(
            !matches!(state, State::Idle | State::Waiting | State::Closed) || !self.has_socket,
            "{state:?}"
        );
        let link = self.session.link();
        let sleeps = match state {
            State::Idle | State::Closed => true,
            State::Waiting => self.is_hidden,
            State::Connecting => self.is_asked,
            State::Open => link.patience().is_infinite(),
        };
        assert!(
            sleeps || at.is_some(),
            "nothing will happen any more: {state:?}"
        );
    }

    fn wake(&mut self) {
        let Some(at) = self.session.wake_at() else {
            return;
        };
        self.now = self.now.max(at);
        self.session.woken(self.now);
        self.settle();
        let again = self.session.wake_at();
        if again.is_some_and(|at| at <= self.now) {
            self.session.woken(self.now);
            self.settle();
            let again = self.session.wake_at();
            assert!(
                again.is_none_or(|at| at > self.now),
                "the timer fires in vain"
            );
        }
    }
}

fn loss(code: u16) -> Loss {
    Loss {
        code: (code != 0).then_some(code),
        reason: "lost".into(),
        ending: Ending::Retry,
    }
}
