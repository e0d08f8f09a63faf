//! A session to which anything happens, in any order, on any server: what it asks for can be done,
//! and it never stops for good.

use arbitrary::{Arbitrary, Unstructured};
use signal_wasm::protocol::{Credentials, Frame, HttpResponse, Millis, PROTOCOLS, ServerEvent};
use signal_wasm::session::{
    Action, Bounds, ChannelId, Config, ConnectionId, CredentialsSource, Event, Input, OpenWhen,
    ReconnectPolicy, State, Transmission, TransmitError,
};

use crate::host::HostText;
use crate::page::{Page, Setup, events, loss};

const OWN: u64 = 12345;

#[derive(Debug, Arbitrary)]
struct Schedule<'a> {
    protocol: u8,
    credentials: u8,
    asks_url: bool,
    when_connected: bool,
    messages: u8,
    attempts: Option<u8>,
    ops: Vec<Op<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Op<'a> {
    Open(u8),
    Close(u8),
    Send(u8, u8, Option<u16>),
    Flush,
    /// The socket takes no messages, or takes them again.
    Refuses(bool),
    CloseAll,
    Url,
    Credentials(u8),
    Answered(u16, &'a str),
    SocketOpens,
    SocketCloses(u16),
    /// A frame wasn't taken; whether the socket threw.
    NotTaken(bool),
    Frame(&'a str),
    /// What a server of that protocol says to let the page in, one thing after the other.
    LetIn,
    Acknowledged(u16),
    Passes(u16),
    TimesOut,
    Hidden,
    Shown,
    Online,
    Offline,
    Unanswered(&'a str),
    Binary(&'a [u8]),
    /// An event of an event stream: its type, its id and its data.
    Event(bool, &'a str, &'a str),
    /// The second socket opens, or can't be opened.
    StandbyOpens,
    StandbyCloses,
    StandbyFrame(&'a str),
}

const NAMES: [&str; 4] = ["a", "b", "é\n", ""];

struct World {
    page: Page<u8>,
    protocol: &'static str,
    open: Vec<(u8, ChannelId)>,
    /// For which connection the page is asked for something that it hasn't given.
    asked: Option<ConnectionId>,
    /// For which connection it has made a request that isn't answered.
    requested: Option<ConnectionId>,
    /// On which connection it has POSTed which message that isn't answered.
    posted: Option<(ConnectionId, u64)>,
    is_hidden: bool,
    let_in: usize,
    marks: Vec<(u64, bool)>,
    /// It has subscribed on this connection.
    is_subscribed: bool,
    /// The server said what no server of that protocol need say.
    is_strange: bool,
    states: Vec<State>,
}

/// All that happens, and then the time that some timeouts take.
pub fn run(data: &[u8]) {
    let Ok(input) = Schedule::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let protocol = PROTOCOLS[usize::from(input.protocol) % PROTOCOLS.len()].name;
    let mut setup = Setup::new(protocol, "ws://h/x");
    setup.config = Config {
        asks_url: input.asks_url,
        credentials: [
            CredentialsSource::None,
            CredentialsSource::Fixed,
            CredentialsSource::Renewable,
        ][usize::from(input.credentials) % 3],
        open_when: if input.when_connected {
            OpenWhen::Connected
        } else {
            OpenWhen::Timer
        },
        outbox: Bounds {
            messages: usize::from(input.messages),
            bytes: 4_000,
            ..Bounds::default()
        },
        reconnect: ReconnectPolicy {
            attempts: input.attempts.map_or(f64::INFINITY, f64::from),
            ..ReconnectPolicy::default()
        },
        ..Config::default()
    };
    let mut world = World {
        page: Page::new(setup.session(OWN, 5)),
        protocol,
        open: Vec::new(),
        asked: None,
        requested: None,
        posted: None,
        is_hidden: false,
        let_in: 0,
        marks: Vec::new(),
        is_subscribed: false,
        is_strange: false,
        states: Vec::new(),
    };
    for op in &input.ops {
        world.apply(op);
        world.settle();
    }
    for _ in 0..20 {
        world.times_out();
    }
}

impl World {
    fn handle(&mut self, input: Input<HostText>) {
        self.page.session.handle(self.page.now, input);
    }

    fn handle_standby(&mut self, input: Input<HostText>) {
        if let Some(standby) = self.page.session.standby() {
            self.page.session.handle_from(standby, self.page.now, input);
        }
    }

    fn apply(&mut self, op: &Op<'_>) {
        let (now, session) = (self.page.now, &mut self.page.session);
        let name = |place: &u8| NAMES[usize::from(*place) % NAMES.len()];
        match op {
            Op::Open(place) => {
                if let Ok(id) = session.open(now, name(place), *place) {
                    self.open.push((*place, id));
                }
            }
            Op::Close(place) => {
                if let Some((place, id)) = self.open.get(usize::from(*place)) {
                    session.close_channel(name(place), *id);
                }
            }
            Op::Send(place, length, ttl) => {
                let payload = format!("\"{}\"", "é".repeat(usize::from(*length)));
                let ttl = ttl.map_or(Millis::INFINITY, Millis::from);
                // Whether it is accepted doesn't matter here.
                let _ = session.send(now, name(place), payload.into(), ttl);
            }
            Op::Flush => self.marks.push((session.flush(), false)),
            Op::Refuses(true) => self.page.takes_messages = Err(TransmitError::Threw),
            Op::Refuses(false) => self.page.takes_messages = Ok(()),
            Op::CloseAll => session.close(),
            Op::Url => {
                if self.takes_answer() {
                    self.handle(Input::Url("wss://other/y?z=1".into()));
                }
            }
            Op::Credentials(which) => {
                if self.takes_answer() {
                    self.handle(Input::Credentials(credentials(*which)));
                }
            }
            Op::Answered(status, body) => {
                self.is_strange = true;
                self.answer(*status, (*body).into());
            }
            Op::Unanswered(reason) => {
                let reason = format!("no: {reason}");
                if self.takes_response() {
                    self.handle(Input::HttpFailed(reason));
                } else {
                    self.is_posted(Err(reason));
                }
            }
            Op::SocketOpens if self.page.has_socket => self.handle(Input::SocketOpen),
            Op::StandbyOpens => self.handle_standby(Input::SocketOpen),
            Op::StandbyCloses => self.handle_standby(Input::SocketClosed(loss(None))),
            Op::StandbyFrame(text) => {
                self.is_strange = true;
                self.handle_standby(Input::Frame(Frame::Text((*text).into())));
            }
            Op::SocketCloses(code) => {
                let code = Some(*code).filter(|code| *code != 0);
                self.handle(Input::SocketClosed(loss(code)));
            }
            Op::NotTaken(threw) if self.page.has_socket => {
                let error = if *threw {
                    TransmitError::Threw
                } else {
                    TransmitError::NotOpen
                };
                let transmission = Transmission {
                    frame: "frame".into(),
                    message: threw.then_some(1),
                    post_url: None,
                };
                self.handle(Input::Transmitted(transmission, Err(error)));
            }
            Op::Frame(text) => self.strange_frame(Frame::Text((*text).into())),
            Op::Acknowledged(number) => {
                let frame = format!("{{\"ack\":{number}}}");
                self.strange_frame(Frame::Text(frame.into()));
            }
            Op::Event(is_message, id, data) if self.page.has_socket => {
                let kind = if *is_message { "message" } else { "gap" };
                self.handle(Input::ServerEvent(ServerEvent {
                    kind: kind.into(),
                    id: (*id).into(),
                    data: (*data).into(),
                }));
            }
            Op::Binary(bytes) => self.strange_frame(Frame::Binary(bytes.to_vec())),
            Op::LetIn => self.let_in(),
            Op::Passes(time) => self.page.now += Millis::from(*time),
            Op::TimesOut => self.handle(Input::Timeout),
            Op::Hidden => {
                self.is_hidden = session.state() != State::Idle;
                self.handle(Input::PageHidden);
            }
            Op::Shown => {
                self.is_hidden = false;
                self.handle(Input::PageShown);
            }
            Op::Online => self.handle(Input::Online),
            Op::Offline => self.handle(Input::Offline),
            Op::SocketOpens | Op::NotTaken(_) | Op::Event(..) => {}
        }
    }

    /// Whether the session waits for something that it asked the page for.
    fn takes_answer(&mut self) -> bool {
        self.asked.take() == Some(self.page.session.connection())
    }

    /// Whether the session waits for the answer to a request.
    fn takes_response(&mut self) -> bool {
        self.requested.take() == Some(self.page.session.connection())
    }

    fn answer(&mut self, status: u16, body: HostText) {
        let is_request = self.takes_response();
        if is_request || self.posted.is_some() {
            // Some servers say when to come back, in seconds.
            let retry_after = (status % 3 == 0).then(|| f64::from(status) * 1_000.0);
            let response = HttpResponse {
                status,
                retry_after,
                body,
            };
            if is_request {
                self.handle(Input::HttpResponse(response));
            } else {
                self.is_posted(Ok(response));
            }
        }
    }

    /// The answer to a message, which may come late.
    fn is_posted(&mut self, answer: Result<HttpResponse<HostText>, String>) {
        if let Some((connection, number)) = self.posted.take() {
            let input = Input::Posted(number, answer);
            self.page
                .session
                .handle_from(connection, self.page.now, input);
        }
    }

    fn strange_frame(&mut self, frame: Frame<HostText>) {
        self.is_strange = true;
        self.frame(frame);
    }

    fn frame(&mut self, frame: Frame<HostText>) {
        if self.page.has_socket {
            self.handle(Input::Frame(frame));
        }
    }

    fn let_in(&mut self) {
        self.let_in += 1;
        if self.page.has_socket && self.let_in == 1 {
            self.handle(Input::SocketOpen);
            self.settle();
        }
        let frame = |text: &str| (true, text.into());
        let answer = |text: &str| (false, text.into());
        let (is_frame, text): (bool, HostText) = match (self.protocol, self.let_in) {
            ("auto" | "relay", 1) => {
                frame(r#"{"signal":1,"version":2,"session":"s","epoch":"e","ping":25000}"#)
            }
            ("auto" | "relay", _) => frame(r#"{"ack":0,"session":"s"}"#),
            ("socket.io", 1) => frame(
                r#"0{"sid":"a","pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
            ),
            ("socket.io", _) => frame(r#"40/x,{"sid":"b"}"#),
            ("signalr", _) if self.page.has_socket => frame("{}\u{1e}"),
            ("signalr", _) => answer(r#"{"connectionToken":"t"}"#),
            ("signalr-classic", 1) => {
                answer(r#"{"ConnectionToken":"t","KeepAliveTimeout":20,"DisconnectTimeout":30}"#)
            }
            ("signalr-classic", 2) => frame(r#"{"C":"d-0","S":1,"M":[]}"#),
            ("signalr-classic", _) => answer("{}"),
            ("sse", _) => answer(""),
            _ => return,
        };
        if is_frame {
            self.frame(Frame::Text(text));
        } else {
            self.answer(200, text);
        }
    }

    fn settle(&mut self) {
        while let Some(action) = self.page.perform_next() {
            match action {
                Action::AskUrl | Action::AskCredentials => {
                    self.asked = Some(self.page.session.connection());
                }
                Action::Disconnect | Action::UseStandby | Action::CloseStandby => {}
                Action::OpenStandby(url) => {
                    assert!(!self.is_hidden, "a socket of a hidden page");
                    assert!(url.starts_with("ws"), "{url}");
                }
                Action::OpenSocket(url) => {
                    assert!(!self.is_hidden, "a socket of a hidden page");
                    assert!(url.starts_with("ws"), "{url}");
                    self.let_in = 0;
                    self.is_subscribed = false;
                }
                Action::OpenEventSource(url) => {
                    assert!(!self.is_hidden, "a stream of a hidden page");
                    assert!(url.starts_with("http"), "{url}");
                    self.let_in = 0;
                }
                Action::Http(request) => {
                    assert!(request.url.starts_with("http"), "{request:?}");
                    self.requested = Some(self.page.session.connection());
                }
                Action::Transmit(transmission) => {
                    let frame = transmission.frame.as_str();
                    assert!(!frame.is_empty());
                    self.is_subscribed |= frame.starts_with("{\"open\":");
                    if let (Some(url), Some(number)) =
                        (&transmission.post_url, transmission.message)
                    {
                        assert!(url.starts_with("http"), "{url}");
                        assert_eq!(self.posted, None, "two requests");
                        self.posted = Some((self.page.session.connection(), number));
                    }
                }
            }
        }
        for event in events(&mut self.page.session) {
            match event {
                Event::State { state, reason, .. } => {
                    assert!(!reason.is_empty());
                    assert_ne!(self.states.last(), Some(&State::Closed), "{state:?}");
                    self.states.push(state);
                }
                Event::Ready(name) | Event::Message(name, _) => {
                    assert!(self.open.iter().any(|(open, _)| *open == name));
                }
                _ => {}
            }
        }
        self.check();
    }

    fn check(&mut self) {
        let session = &self.page.session;
        let stats = session.stats();
        let state = session.state();
        assert!(stats.queued <= session.config().outbox.messages as f64);
        assert!(stats.queued_bytes <= session.config().outbox.bytes as f64);
        assert_eq!(stats.queued == 0.0, stats.queued_bytes == 0.0);
        for (mark, was_flushed) in &mut self.marks {
            let is_flushed = session.flushed() >= *mark;
            assert!(is_flushed || !*was_flushed, "flushed, and then not");
            *was_flushed = is_flushed;
        }
        let has_socket = self.page.has_socket;
        assert!(has_socket || !state.is_open());
        assert!(state.has_connection() || !has_socket, "{state:?}");
        let may_sleep = match state {
            State::Idle | State::Closed => true,
            State::Waiting { .. } => self.is_hidden,
            State::Connecting => self.asked == Some(session.connection()),
            State::Open { .. } => self.may_be_silent(),
        };
        assert!(
            may_sleep || session.poll_timeout().is_some(),
            "nothing will happen any more: {state:?}"
        );
    }

    /// Whether an open connection may stay silent for ever.
    fn may_be_silent(&self) -> bool {
        match self.protocol {
            "websocket" | "sse" => true,
            "auto" => !self.is_subscribed,
            // There the server says how long.
            "socket.io" | "signalr-classic" => self.is_strange,
            _ => false,
        }
    }

    fn times_out(&mut self) {
        let is_due = |world: &World| {
            let timeout = world.page.session.poll_timeout();
            timeout.is_some_and(|at| at <= world.page.now)
        };
        let Some(at) = self.page.session.poll_timeout() else {
            return;
        };
        self.page.now = self.page.now.max(at);
        // What is due at once is due once more at most.
        for _ in 0..2 {
            if is_due(self) {
                self.handle(Input::Timeout);
                self.settle();
            }
        }
        assert!(!is_due(self), "the timer fires in vain");
    }
}

fn credentials(which: u8) -> Option<Credentials> {
    match which % 3 {
        0 => None,
        1 => Some(Credentials::Token(format!("{which}"))),
        _ => Some(Credentials::Auth {
            json: format!("{{\"a\":{which}}}"),
            query: format!("a={which}"),
        }),
    }
}
