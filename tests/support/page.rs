//! A page without a browser: it does with a session what `src/browser/driver.rs` does, in virtual
//! time and with a network that the test plays.

use super::host::{Cost, HostText, HostValue};
use signal_wasm::protocol::{
    AnyProtocol, Credentials, Frame, HttpRequest, HttpResponse, Millis, ProtocolOptions, find,
};
use signal_wasm::session::{
    Action, ChannelId, Config, ConnectionId, Disconnect, Event, FrameKind, Input, Session, State,
    Stats, Transmission, TransmitError,
};
use signal_wire::UserId;
use std::collections::VecDeque;

/// A protocol with its options, and how the session behaves that has it.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The protocol's name.
    pub protocol: &'static str,
    /// Its options.
    pub options: ProtocolOptions,
    /// How the session behaves.
    pub config: Config,
}

impl Setup {
    /// A protocol with a server's address, and nothing else said.
    pub fn new(protocol: &'static str, url: &str) -> Setup {
        Setup {
            protocol,
            options: ProtocolOptions {
                url: url.into(),
                ..ProtocolOptions::default()
            },
            config: Config::default(),
        }
    }

    /// A conversation that hasn't begun.
    pub fn conversation(&self) -> AnyProtocol {
        let make = find(self.protocol).and_then(|entry| entry.make);
        let make = make.expect("the protocol is in this build");
        make(&self.options).expect("options that can be")
    }

    /// A session of the page with this `sender`.
    pub fn session<S: Clone>(&self, userid: u64, seed: u64) -> Session<HostText, S> {
        let userid = UserId::from_bits(userid);
        Session::new(self.config.clone(), self.conversation(), userid, seed)
    }
}

/// A frame of the protocol itself, on its way to the socket.
pub fn control(frame: impl Into<HostText>) -> Action<HostText> {
    Action::Transmit(Transmission {
        frame: frame.into(),
        message: None,
        post_url: None,
    })
}

/// The loss of a connection; no code: it couldn't be made.
pub fn loss(code: Option<u16>) -> Disconnect {
    Disconnect::transient(code, "the connection was lost".into())
}

/// What a received frame was, or one of the records in it. `S` is whom a message is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Received<S> {
    /// Sent by this page.
    Own,
    /// For a channel that isn't open here.
    Foreign,
    /// Delivered.
    Message(S, HostValue),
    /// No envelope.
    Bad,
    /// Of the protocol itself.
    Control,
}

/// A page.
#[derive(Debug)]
pub struct Page<S> {
    /// Its session.
    pub session: Session<HostText, S>,
    /// The time.
    pub now: Millis,
    /// What it did, as far as no test has taken it; without credentials that it gave, and without
    /// the end of a socket that it didn't have.
    pub done: VecDeque<Action<HostText>>,
    /// The events that it got, as far as no test has taken them.
    pub events: Vec<Event<HostText, S>>,
    /// The frames that an inspector was shown, likewise.
    pub frames: Vec<(FrameKind, Frame<HostText>)>,
    /// What came in; recorded while the session is inspected.
    pub received: Vec<Received<S>>,
    /// How many envelopes were read by their heads alone; likewise.
    pub by_head: usize,
    /// It has asked for a socket, and still has it.
    pub has_socket: bool,
    /// A second socket beside it, open or not.
    pub has_standby: bool,
    /// What the socket does with messages.
    pub takes_messages: Result<(), TransmitError>,
    /// What it gives when it is asked for credentials, one after the other, and the last again and
    /// again. Empty: it never answers.
    pub credentials: VecDeque<Option<Credentials>>,
    /// How often it was asked.
    pub asked: usize,
    /// How often the timer fired without a moment passing.
    idle_timeouts: u32,
}

impl<S: Clone> Page<S> {
    /// A page that has opened nothing.
    pub fn new(session: Session<HostText, S>) -> Page<S> {
        Page {
            session,
            now: 1_000.0,
            done: VecDeque::new(),
            events: Vec::new(),
            frames: Vec::new(),
            received: Vec::new(),
            by_head: 0,
            has_socket: false,
            has_standby: false,
            takes_messages: Ok(()),
            credentials: VecDeque::new(),
            asked: 0,
            idle_timeouts: 0,
        }
    }

    // What the page does.

    /// Opens a channel.
    pub fn open(&mut self, name: &str, subscriber: S) -> ChannelId {
        let opened = self.session.open(self.now, name, subscriber);
        self.settle();
        opened.expect("the session isn't closed")
    }

    /// Sends a message, as JSON text, that the session must take.
    pub fn send(&mut self, channel: &str, payload: impl Into<HostText>, ttl: Millis) {
        let sent = self.session.send(self.now, channel, payload.into(), ttl);
        self.settle();
        assert!(sent.is_ok(), "{sent:?}");
    }

    /// Closes everything.
    pub fn close(&mut self) {
        self.session.about_to_close();
        self.settle();
        self.session.close();
        self.settle();
    }

    // What happens to it.

    /// Something happened.
    pub fn handle(&mut self, input: Input<HostText>) {
        self.session.handle(self.now, input);
        self.settle();
    }

    /// Something happened on that connection.
    pub fn handle_from(&mut self, connection: ConnectionId, input: Input<HostText>) {
        self.session.handle_from(connection, self.now, input);
        self.settle();
    }

    /// The socket that it asked for is open.
    pub fn socket_opens(&mut self) {
        assert!(self.has_socket, "no socket was asked for");
        self.handle(Input::SocketOpen);
    }

    /// The socket that it asked for is open; its address.
    pub fn connects(&mut self) -> String {
        match self.next_done() {
            Action::OpenSocket(url) => {
                self.socket_opens();
                url
            }
            action => panic!("{action:?} instead of a socket"),
        }
    }

    /// The socket is closed with this code, or couldn't be opened.
    pub fn loses_socket(&mut self, code: Option<u16>) {
        self.handle(Input::SocketClosed(loss(code)));
    }

    /// The request that it made is answered.
    pub fn is_answered(&mut self, status: u16, body: &str) {
        let body = body.into();
        self.handle(Input::HttpResponse(HttpResponse {
            status,
            retry_after: None,
            body,
        }));
    }

    /// The request that it made gets no answer, for this reason.
    pub fn is_unanswered(&mut self, reason: &str) {
        self.handle(Input::HttpFailed(reason.into()));
    }

    /// A text frame comes in.
    pub fn receive(&mut self, frame: &str) {
        assert!(self.has_socket, "a frame without a socket");
        self.receive_from(self.session.connection(), Frame::Text(frame.into()));
    }

    /// A binary frame comes in that isn't text.
    pub fn receive_binary(&mut self) {
        self.receive_from(self.session.connection(), Frame::Binary(vec![0xff, 1]));
    }

    /// A frame comes in on that connection.
    pub fn receive_from(&mut self, connection: ConnectionId, frame: Frame<HostText>) {
        let cost = Cost::now();
        let input = Input::Frame(frame);
        self.session.handle_from(connection, self.now, input);
        let was_parsed = Cost::since(cost).full_parses > 0;
        // Before anything else is done, the queue has what the frame was.
        let from = self.events.len();
        let frames = frames(&mut self.session);
        self.events.extend(events(&mut self.session));
        let received = received(&frames, &self.events[from..]);
        self.frames.extend(frames);
        let is_envelope = |received: &&Received<S>| {
            !matches!(received, Received::Bad | Received::Control) && !was_parsed
        };
        self.by_head += received.iter().filter(is_envelope).count();
        self.received.extend(received);
        self.settle();
    }

    /// The timer fires when it is set for, or at this time, if that is later.
    pub fn wakes(&mut self, at: Millis) {
        let before = self.now;
        let due = self.session.poll_timeout().expect("no timer is set");
        self.now = due.max(at).max(self.now);
        self.idle_timeouts = if self.now > before {
            0
        } else {
            self.idle_timeouts + 1
        };
        assert!(self.idle_timeouts < 100, "the timer fires in vain");
        self.handle(Input::Timeout);
    }

    /// All that happens by itself in that time.
    pub fn passes(&mut self, time: Millis) {
        let end = self.now + time;
        while self.session.poll_timeout().is_some_and(|at| at <= end) {
            self.wakes(0.0);
        }
        self.now = end;
    }

    /// The next attempt of a lost connection, when it is due.
    pub fn tries_again(&mut self) {
        assert_eq!(self.state().name(), "waiting", "{:?}", self.states());
        while self.state().name() == "waiting" {
            self.wakes(0.0);
        }
        assert_eq!(self.state(), State::Connecting, "{:?}", self.states());
    }

    // The driver.

    /// Performs all actions, and takes all events.
    pub fn settle(&mut self) {
        while let Some(action) = self.perform_next() {
            match action {
                Action::AskCredentials if !self.credentials.is_empty() => {}
                action => self.done.push_back(action),
            }
        }
        self.frames.extend(frames(&mut self.session));
        self.events.extend(events(&mut self.session));
    }

    /// Performs the next action, and returns it.
    pub fn perform_next(&mut self) -> Option<Action<HostText>> {
        loop {
            let action = self.session.poll_action()?;
            match &action {
                Action::AskUrl | Action::Http(_) => {}
                Action::AskCredentials => {
                    self.asked += 1;
                    let is_last = self.credentials.len() == 1;
                    let given = self.credentials.front().cloned();
                    if !is_last {
                        self.credentials.pop_front();
                    }
                    if let Some(given) = given {
                        self.session.handle(self.now, Input::Credentials(given));
                    }
                }
                Action::OpenSocket(_) | Action::OpenEventSource(_) => {
                    assert!(!self.has_socket, "a second socket");
                    self.has_socket = true;
                }
                Action::OpenStandby(_) => {
                    assert!(self.has_socket && !self.has_standby, "a second standby");
                    self.has_standby = true;
                }
                Action::UseStandby | Action::CloseStandby => {
                    assert!(std::mem::take(&mut self.has_standby), "no standby");
                }
                Action::Transmit(transmission) => {
                    let is_posted = transmission.post_url.is_some();
                    assert!(
                        self.has_socket || is_posted,
                        "sent without a socket: {transmission:?}"
                    );
                    let outcome = match transmission.message {
                        Some(_) => self.takes_messages.clone(),
                        None => Ok(()),
                    };
                    let input = Input::Transmitted(transmission.clone(), outcome);
                    self.session.handle(self.now, input);
                }
                Action::Disconnect => {
                    self.has_standby = false;
                    if !std::mem::take(&mut self.has_socket) {
                        continue;
                    }
                }
            }
            return Some(action);
        }
    }

    // What it looks at.

    /// The next thing that it did.
    pub fn next_done(&mut self) -> Action<HostText> {
        self.done.pop_front().expect("it did nothing")
    }

    /// The next thing that it did must be this.
    pub fn did(&mut self, action: Action<HostText>) {
        assert_eq!(self.next_done(), action);
    }

    /// The next thing that it did must be to send a frame of the protocol itself: that frame.
    pub fn sent_control(&mut self) -> String {
        match self.next_done() {
            Action::Transmit(Transmission {
                frame,
                message: None,
                ..
            }) => frame.as_str().into(),
            action => panic!("{action:?} instead of a frame of the protocol"),
        }
    }

    /// The next thing that it did must be to send a message: its frame.
    pub fn sent_message(&mut self) -> String {
        match self.next_done() {
            Action::Transmit(Transmission {
                frame,
                message: Some(_),
                ..
            }) => frame.as_str().into(),
            action => panic!("{action:?} instead of a message"),
        }
    }

    /// The next thing that it did must be an HTTP request.
    pub fn requested(&mut self) -> HttpRequest {
        match self.next_done() {
            Action::Http(request) => request,
            action => panic!("{action:?} instead of a request"),
        }
    }

    /// The frames that it sent; all else that it did is forgotten.
    pub fn take_sent(&mut self) -> Vec<String> {
        let frame = |action: Action<HostText>| match action {
            Action::Transmit(transmission) => Some(transmission.frame.as_str().into()),
            _ => None,
        };
        self.done.drain(..).filter_map(frame).collect()
    }

    /// Where the connection stands.
    pub fn state(&self) -> State {
        self.session.state()
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        self.session.stats()
    }

    /// The changes of state among its events, with their reasons.
    pub fn states(&self) -> Vec<(State, &str)> {
        let states = self.events.iter().filter_map(|event| match event {
            Event::State { state, reason, .. } => Some((*state, &**reason)),
            _ => None,
        });
        states.collect()
    }

    /// The state by name, and the reason of the last change.
    pub fn stands(&self) -> (&'static str, &str) {
        let reason = self.states().last().map(|(_, reason)| *reason);
        (self.state().name(), reason.unwrap_or_default())
    }

    /// How the connection was lost for good: whether the credentials were refused, and why.
    pub fn failure(&self) -> Option<(bool, &str)> {
        let mut failures = self.events.iter().filter_map(|event| match event {
            Event::Failed {
                unauthorized,
                reason,
                ..
            } => Some((*unauthorized, &**reason)),
            _ => None,
        });
        let failure = failures.next();
        assert_eq!(failures.next(), None, "failed twice");
        failure
    }

    /// Why the server refused messages.
    pub fn refusals(&self) -> Vec<&str> {
        let refusals = self.events.iter().filter_map(|event| match event {
            Event::Refused { why, .. } => Some(&**why),
            _ => None,
        });
        refusals.collect()
    }

    /// What the first bad frame was.
    pub fn bad_frames(&self) -> Vec<&'static str> {
        let bad = |event: &Event<HostText, S>| match event {
            Event::BadFrame(what) => Some(*what),
            _ => None,
        };
        self.events.iter().filter_map(bad).collect()
    }
}

/// All events that are queued.
pub fn events<S: Clone>(session: &mut Session<HostText, S>) -> Vec<Event<HostText, S>> {
    std::iter::from_fn(|| session.poll_event()).collect()
}

/// All that an inspector is to be shown now.
pub fn frames<S: Clone>(session: &mut Session<HostText, S>) -> Vec<(FrameKind, Frame<HostText>)> {
    std::iter::from_fn(|| session.poll_frame()).collect()
}

/// What these frames were; the events have the messages that they delivered.
fn received<S: Clone>(
    frames: &[(FrameKind, Frame<HostText>)],
    events: &[Event<HostText, S>],
) -> Vec<Received<S>> {
    let mut messages = events.iter().filter_map(|event| match event {
        Event::Message(subscriber, message) => {
            Some(Received::Message(subscriber.clone(), message.clone()))
        }
        _ => None,
    });
    let received = frames.iter().filter_map(|(kind, _)| match kind {
        FrameKind::Own => Some(Received::Own),
        FrameKind::Foreign => Some(Received::Foreign),
        FrameKind::Bad => Some(Received::Bad),
        FrameKind::Control => Some(Received::Control),
        FrameKind::Delivered => Some(messages.next().expect("a frame without its message")),
        FrameKind::Sent => None,
    });
    received.collect()
}
