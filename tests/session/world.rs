//! A page, its socket and its clock, played by a schedule, and the model beside them.

use super::model::{Expected, Model, Readiness};
use super::plain;
use super::schedules::Op;
use crate::support::host::HostText;
use crate::support::page::{Page, loss};
use signal_wasm::protocol::{CloseReason, Frame, Millis};
use signal_wasm::session::{
    Action, Config, Disconnect, Event, Input, SendError, State, Transmission, TransmitError,
};
use std::collections::VecDeque;

/// The channels of the schedules.
pub const NAMES: [&str; 4] = ["a", "b", "日本", "room\n1"];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Socket {
    Connecting,
    Open,
    /// Takes no more frames; its `close` event hasn't come.
    Closing,
}

/// One page's session, its surroundings, and the model of what must happen.
pub struct World {
    page: Page<usize>,
    pub model: Model,
    timer: Option<Millis>,
    socket: Option<Socket>,
    refuse_next_socket: bool,
    is_telling: bool,
    open_calls: u32,
    /// What the page does the next times that it is called.
    reactions: VecDeque<Op>,
    messages: usize,
}

impl World {
    pub fn new(config: Config, seed: u64) -> World {
        // A transport of the page's opens in its own time, so that no timer but the session's own
        // is under test.
        let config = Config {
            own_transport: true,
            ..config
        };
        let mut page = Page::new(plain(config.clone()).session(7, seed));
        page.now = 1000.25;
        World {
            model: Model::new(config, page.now),
            page,
            timer: None,
            socket: None,
            refuse_next_socket: false,
            is_telling: false,
            open_calls: 0,
            reactions: VecDeque::new(),
            messages: 0,
        }
    }

    fn config(&self) -> Config {
        self.page.session.config().clone()
    }

    fn handle(&mut self, input: Input<HostText>) {
        self.page.session.handle(self.page.now, input);
    }

    fn set_time(&mut self, now: Millis) {
        self.page.now = now;
        self.model.now = now;
    }

    // What the page does.

    fn open(&mut self, name: &'static str) {
        let place = self.model.openings.len();
        let id = self.page.session.open(self.page.now, name, place);
        if self.model.state == "closed" {
            assert!(id.is_err());
            self.model.tally.inputs_when_closed += 1;
            return;
        }
        self.model.opens(name, id.unwrap());
        self.open_calls += 1;
        self.page.session.open_begins();
        self.settle();
        self.page.session.open_returns();
        self.open_calls -= 1;
        let is_ready = self.model.openings[place].readiness == Readiness::Reported;
        assert!(!is_ready, "ready within open: the page has no handle yet");
    }

    fn close_channel(&mut self, place: usize) {
        let opening = &self.model.openings[place];
        self.page.session.close_channel(opening.name, opening.id);
        self.model.closes(place);
        self.settle();
    }

    fn send(&mut self, name: &'static str, size: usize) {
        let model = &mut self.model;
        let payload = format!("\"{}:{}\"", model.accepted.len(), "é😀x".repeat(size));
        let result =
            self.page
                .session
                .send(self.page.now, name, (&*payload).into(), Millis::INFINITY);
        let config = self.page.session.config();
        let (messages, bytes) = (model.waiting.len(), model.waiting_bytes());
        let length = payload.encode_utf16().count();
        let frame = frame(name, &payload).len();
        let expected = if model.state == "closed" {
            model.tally.inputs_when_closed += 1;
            Err(SendError::SessionClosed)
        } else if !model.open.contains_key(name) {
            model.tally.channel_closed += 1;
            Err(SendError::ChannelClosed)
        } else if frame > config.max_message {
            model.tally.too_large += 1;
            Err(SendError::TooLarge {
                bytes: frame,
                limit: config.max_message,
            })
        } else if messages >= config.outbox.messages {
            model.tally.full_messages += 1;
            Err(SendError::OutboxFull { messages, bytes })
        } else if bytes + 2 * length > config.outbox.bytes {
            model.tally.full_bytes += 1;
            Err(SendError::OutboxFull { messages, bytes })
        } else {
            Ok(())
        };
        let result = result.map(drop);
        assert_eq!(result, expected);
        if result.is_ok() {
            model.accepted.push(payload.clone());
            model.waiting.push_back((name, payload));
        }
        self.settle();
    }

    fn close(&mut self) {
        self.page.session.close();
        self.model.open.clear();
        if self.model.state == "closed" {
            self.model.tally.inputs_when_closed += 1;
        } else {
            self.model.finishes(None);
        }
        self.settle();
    }

    // What the network and the clock do.

    fn connected(&mut self) {
        if self.socket == Some(Socket::Connecting) {
            self.socket = Some(Socket::Open);
            self.handle(Input::SocketOpen);
            self.model.connects();
            self.settle();
        }
    }

    fn lose(&mut self, code: u16) {
        if self.socket.is_some() {
            self.handle(Input::SocketClosed(loss(Some(code))));
            self.model.loses(Some(code), false);
            self.settle();
        }
    }

    /// A message comes in, if there is a socket for it.
    fn receive(&mut self, name: &'static str) {
        if self.socket.is_none() {
            return;
        }
        self.messages += 1;
        let frame = format!(
            "{{\"sender\":8,\"channel\":{},\"message\":{}}}",
            serde_json::Value::from(name),
            self.messages
        );
        self.handle(Input::Frame(Frame::Text((&*frame).into())));
        let model = &mut self.model;
        model.stats.received_length += frame.encode_utf16().count() as f64;
        if model.open.contains_key(name) {
            model.stats.delivered += 1.0;
            model.receives(name, self.messages);
        } else {
            model.stats.foreign += 1.0;
        }
    }

    /// Time passes, and the timer fires when it is due, or only at the end of that time.
    fn advance(&mut self, time: Millis, is_late: bool) {
        let end = self.page.now + time;
        while let Some(at) = self.timer.filter(|at| *at <= end) {
            self.model.tally.late_timeouts += u32::from(is_late && at < end);
            self.set_time(if is_late { end } else { at.max(self.page.now) });
            self.time_out();
        }
        self.set_time(end);
    }

    fn time_out(&mut self) {
        self.timer = None;
        self.handle(Input::Timeout);
        if self.model.state == "waiting" && self.page.now >= self.model.until.unwrap() {
            self.model.enter("connecting", None);
        }
        self.model.settle();
        self.model.release_ready();
        self.settle();
    }

    fn time_out_early(&mut self) {
        if self.timer.is_some_and(|at| at > self.page.now) {
            self.model.tally.early_timeouts += 1;
            let before = (self.timer, self.model.state, self.model.tally.ready);
            self.time_out();
            let after = (self.timer, self.model.state, self.model.tally.ready);
            assert_eq!(after, before);
        }
    }

    // The driver, with a page that calls back.

    fn settle(&mut self) {
        loop {
            let is_open = self.socket == Some(Socket::Open);
            self.page.takes_messages = is_open.then_some(()).ok_or(TransmitError::NotOpen);
            match self.page.perform_next() {
                Some(Action::OpenSocket(_)) => self.connect(),
                Some(Action::Disconnect) => self.socket = None,
                Some(Action::Transmit(transmission)) => self.transmitted(transmission),
                Some(action) => panic!("{action:?}, of a plain WebSocket"),
                None => break,
            }
        }
        self.timer = self.page.session.poll_timeout();
        if !self.is_telling {
            self.is_telling = true;
            while let Some(event) = self.page.session.poll_event() {
                self.tell(event);
            }
            self.is_telling = false;
            // A message may have made its channel ready before its time.
            self.timer = self.page.session.poll_timeout();
            // Inside a call that opens a channel, messages wait for the readiness of that.
            if self.open_calls == 0 {
                self.check();
            }
        }
    }

    fn connect(&mut self) {
        assert_eq!(self.socket, None, "a second socket");
        assert_eq!(self.model.state, "connecting");
        if !std::mem::take(&mut self.refuse_next_socket) {
            self.socket = Some(Socket::Connecting);
            return;
        }
        self.model.tally.refused_sockets += 1;
        self.handle(Input::SocketClosed(Disconnect {
            why: CloseReason::Fatal,
            code: None,
            reason: "refused".into(),
        }));
        self.model.loses(None, true);
    }

    fn transmitted(&mut self, transmission: Transmission<HostText>) {
        assert_eq!(self.model.state, "open");
        assert!(transmission.message.is_some());
        let (name, payload) = self.model.waiting.pop_front().expect("nothing waits");
        let sent = transmission.frame.as_str();
        assert_eq!(sent, frame(name, &payload), "out of order");
        let model = &mut self.model;
        if self.socket == Some(Socket::Open) {
            let length = sent.encode_utf16().count() as f64;
            model.stats.sent += 1.0;
            model.stats.sent_length += length;
            model.is_taken(length);
            model.transmitted.push(payload);
            model.tally.sent_in_order += 1;
            let sends = self.react();
            self.model.tally.nested_sends += u32::from(sends);
        } else {
            assert_eq!(self.socket, Some(Socket::Closing));
            model.tally.not_taken += 1;
            model.tally.not_taken_of_several += u32::from(!model.waiting.is_empty());
            model.waiting.push_front((name, payload));
            model.loses(None, false);
        }
    }

    fn tell(&mut self, event: Event<HostText, usize>) {
        let expected = self.model.next_expected();
        match event {
            Event::Ready(place) => {
                assert_eq!(expected, Some(Expected::Ready(place)), "ready out of turn");
                let opening = &mut self.model.openings[place];
                opening.readiness = Readiness::Reported;
                let is_superseded = self.model.open.get(opening.name) != Some(&place);
                self.model.tally.ready += 1;
                self.model.tally.ready_of_superseded += u32::from(is_superseded);
            }
            Event::Message(place, message) => {
                let name = self.model.openings[place].name;
                let number = message.0.unwrap().as_u64().unwrap() as usize;
                assert_eq!(expected, Some(Expected::Message(name, number)));
                assert_eq!(self.model.open.get(name), Some(&place), "of a closed one");
                self.model.tally.delivered += 1;
            }
            Event::State {
                state,
                reason,
                code,
                retry_in,
            } => {
                assert_eq!(expected, Some(Expected::State(state.name(), code)));
                self.tell_state(state, &reason, code, retry_in);
            }
            Event::Failed {
                unauthorized: false,
                reason,
                unsent,
            } => {
                assert_eq!(expected, Some(Expected::Failed { unsent }));
                assert!(!reason.is_empty());
            }
            event => panic!("{event:?}, of a plain WebSocket"),
        }
        self.react();
    }

    fn tell_state(
        &mut self,
        state: State,
        reason: &str,
        code: Option<u16>,
        retry_in: Option<Millis>,
    ) {
        assert!(!reason.is_empty());
        assert_eq!(retry_in.is_some(), state.name() == "waiting");
        if let Some(delay) = retry_in {
            let (lost, longest) = self.model.waits.pop_front().unwrap();
            assert!((0.0..=longest).contains(&delay), "{delay} of {longest}");
            let until = Some(lost + delay);
            assert_eq!(state, State::Waiting { until });
            if self.model.waits.is_empty() {
                self.model.until = until;
            }
        }
        if state == State::Closed && code.is_none() && reason.starts_with("closed by") {
            assert_eq!(reason.contains("hadn't taken"), self.model.lost > 0);
        }
    }

    /// The page, called, does something of its own; whether it sends.
    fn react(&mut self) -> bool {
        let reaction = self.reactions.pop_front();
        let sends = matches!(reaction, Some(Op::Send(..)));
        if let Some(op) = reaction {
            self.perform(op);
        }
        sends
    }

    /// What must hold whenever nothing is under way.
    fn check(&mut self) {
        let model = &mut self.model;
        assert_eq!(self.page.state(), model.state());
        assert_eq!(model.next_expected(), None, "not reported");
        let sockets = match model.state {
            "connecting" => &[Some(Socket::Connecting)][..],
            "open" => &[Some(Socket::Open), Some(Socket::Closing)],
            _ => &[None],
        };
        assert!(
            sockets.contains(&self.socket),
            "{:?} in {}",
            self.socket,
            model.state
        );
        let is_due = |readiness| readiness == Readiness::Due;
        let mut openings = model.openings.iter();
        assert!(openings.all(|opening| !is_due(opening.readiness)));
        assert_eq!(self.page.session.poll_timeout(), model.timeout());
        assert_eq!(self.timer, model.timeout());
        assert!(model.state != "open" || model.waiting.is_empty());
        let sent = model.transmitted.len();
        assert_eq!(
            sent + model.waiting.len() + model.lost,
            model.accepted.len()
        );
        assert_eq!(model.transmitted, model.accepted[..sent]);
        assert_eq!(self.page.stats(), model.stats());
        self.check_channels();
    }

    /// A message on each channel goes to its latest opening, if that is open. One that isn't ready
    /// is left alone, because a message might make it ready.
    fn check_channels(&mut self) {
        for name in NAMES {
            if self.model.waits_for_readiness(name).is_some() {
                continue;
            }
            self.receive(name);
            let event = self.page.session.poll_event();
            let expected = self.model.next_expected().map(|expected| {
                let message = serde_json::Value::from(self.messages);
                assert_eq!(expected, Expected::Message(name, self.messages));
                (self.model.open[name], Some(message))
            });
            let message = event.map(|event| match event {
                Event::Message(place, message) => (place, message.0),
                event => panic!("{event:?}"),
            });
            assert_eq!(message, expected, "{name}");
        }
        assert_eq!(self.page.stats(), self.model.stats());
    }

    pub fn perform(&mut self, op: Op) {
        match op {
            Op::Open(name) => self.open(name),
            Op::CloseChannel(index) => {
                if !self.model.openings.is_empty() {
                    self.close_channel(index.index(self.model.openings.len()));
                }
            }
            Op::Send(name, size) => self.send(name, size),
            Op::Close => self.close(),
            Op::Connected => self.connected(),
            Op::Receive(names) => {
                for name in names {
                    self.receive(name);
                }
                self.settle();
            }
            Op::Lost(code) => self.lose(code),
            Op::Breaks => {
                if self.socket == Some(Socket::Open) {
                    self.socket = Some(Socket::Closing);
                }
            }
            Op::RefuseNextSocket => self.refuse_next_socket = true,
            Op::Advance(time, is_late) => self.advance(time, is_late),
            Op::TimeOutEarly => self.time_out_early(),
            Op::TimeOutAgain => self.time_out(),
            Op::React(op) => self.reactions.push_back(*op),
        }
    }

    /// From wherever it stands: once the network works, everything that waits is sent and told.
    pub fn finish_well(&mut self) {
        self.reactions.clear();
        self.refuse_next_socket = false;
        if let Some(Socket::Closing) = self.socket {
            self.lose(1006);
        }
        if self.model.state == "waiting" {
            self.advance(self.config().reconnect.cap, false);
        }
        self.connected();
        self.advance(2000.0, false);
        let model = &self.model;
        assert!(model.state != "open" || self.page.session.flushed() == self.page.session.flush());
        assert!(["idle", "open", "closed"].contains(&model.state));
        assert_eq!(model.transmitted.len() + model.lost, model.accepted.len());
        let mut openings = model.openings.iter();
        assert!(openings.all(|opening| {
            [Readiness::Reported, Readiness::Never].contains(&opening.readiness)
        }));
        assert_eq!(self.timer, None);
    }
}

/// The frame of a message of this page.
fn frame(channel: &str, payload: &str) -> String {
    let channel = serde_json::Value::from(channel);
    format!("{{\"sender\":7,\"channel\":{channel},\"message\":{payload}}}")
}
