//! The session in virtual time: a page, a socket and a clock of the test's own, moved by random schedules, beside a plain model of what a
//! session ought to do.
//!
//! What's tested:
//! * every message taken goes out exactly once and in order, or is told to be lost; the outbox's bounds
//! * states: legal changes only, never more than one socket, a wake-up exactly when one is needed
//! * readiness: once for each opening, when it is due, never within `open`, never after its closing
//! * the backoff: its bounds, what resets it, which losses are final
//! * re-entrancy: a page that opens, sends and closes from within what it is told
#![cfg(not(target_arch = "wasm32"))]
// A helper of a test may fail the test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config as Proptest, TestRunner};
use signal_wasm::protocol::{Effect, Ending, Protocol, UserId};
use signal_wasm::session::{
    Action, Bounds, ChannelId, Config, Event, FrameKind, Loss, Message, Millis, OpenWhen, Received,
    Reconnect, SendError, Session, State, Stats,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

/// Nothing is written to disk: a failure prints its smallest schedule, which then becomes a test of its own.
fn cases(cases: u32) -> Proptest {
    Proptest {
        cases,
        failure_persistence: None,
        ..Proptest::default()
    }
}

/// The channels of the schedules.
const NAMES: [&str; 4] = ["a", "b", "日本", "room\n1"];

/// A working connection, as the design has it.
const STABLE: Millis = 5_000.0;

fn own() -> UserId {
    UserId::from_bits(7)
}

/// What becomes of an opening's readiness.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Readiness {
    Pending,
    /// Due, and about to be told.
    Ripe,
    Told,
    /// Closed before it was told.
    Never,
}

#[derive(Debug)]
struct Opening {
    name: &'static str,
    id: ChannelId,
    due: Millis,
    readiness: Readiness,
}

/// What the page is to be told next, readiness apart.
#[derive(Debug, PartialEq)]
enum Expected {
    State(State, Option<u16>),
    Failed { unsent: usize },
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Socket {
    Connecting,
    Open,
    /// Doesn't take frames any more; its `close` event hasn't come yet.
    Closing,
}

/// How often each thing happened: a check that was never made checks nothing.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    ready: u32,
    ready_of_superseded: u32,
    closed_before_ready: u32,
    closed_while_ripe: u32,
    sent_in_order: u32,
    nested_sends: u32,
    not_taken: u32,
    not_taken_of_several: u32,
    full_messages: u32,
    full_bytes: u32,
    too_large: u32,
    channel_closed: u32,
    reconnects: u32,
    attempts_reset: u32,
    refused_sockets: u32,
    final_codes: u32,
    attempts_used_up: u32,
    closed_with_unsent: u32,
    inputs_when_closed: u32,
    early_wakes: u32,
    late_wakes: u32,
}

/// One page's session, its surroundings, and the model that tells what must happen.
struct World {
    session: Session<String, usize>,
    now: Millis,
    timer: Option<Millis>,
    socket: Option<Socket>,
    refuse_next_socket: bool,
    telling: bool,
    /// What the page does the next times that it is called.
    reactions: VecDeque<Op>,
    // The model.
    state: State,
    since: Millis,
    /// When to try again: known once the page has been told.
    until: Option<Millis>,
    attempts: u32,
    /// The time of each loss whose wait the page hasn't been told yet, and the longest wait it may be.
    waits: VecDeque<(Millis, Millis)>,
    openings: Vec<Opening>,
    open: BTreeMap<&'static str, usize>,
    waiting: VecDeque<(&'static str, String)>,
    expected: VecDeque<Expected>,
    taken: Vec<String>,
    transmitted: Vec<String>,
    lost: usize,
    connects: u32,
    tally: Tally,
}

impl World {
    fn new(config: Config, seed: u64) -> World {
        World {
            session: Session::new(config, own(), seed),
            now: 1000.25,
            timer: None,
            socket: None,
            refuse_next_socket: false,
            telling: false,
            reactions: VecDeque::new(),
            state: State::Idle,
            since: 0.0,
            until: None,
            attempts: 0,
            waits: VecDeque::new(),
            openings: Vec::new(),
            open: BTreeMap::new(),
            waiting: VecDeque::new(),
            expected: VecDeque::new(),
            taken: Vec::new(),
            transmitted: Vec::new(),
            lost: 0,
            connects: 0,
            tally: Tally::default(),
        }
    }

    fn config(&self) -> Config {
        self.session.config().clone()
    }

    // What the page does.

    fn open(&mut self, name: &'static str) {
        let config = self.config();
        let place = self.openings.len();
        let id = self.session.open(self.now, name, place);
        if self.state == State::Closed {
            assert!(id.is_err());
            self.tally.inputs_when_closed += 1;
            return;
        }
        let shim = if config.open_when == OpenWhen::Timer {
            1000.0
        } else {
            0.0
        };
        self.openings.push(Opening {
            name,
            id: id.unwrap(),
            due: self.now + config.open_delay.unwrap_or(shim),
            readiness: Readiness::Pending,
        });
        self.open.insert(name, place);
        if self.state == State::Idle {
            self.enter(State::Connecting, None);
        }
        self.settle();
        let ready = self.openings[place].readiness == Readiness::Told;
        assert!(!ready, "ready within open: the page has no handle yet");
    }

    fn close_channel(&mut self, place: usize) {
        let Opening { name, id, .. } = self.openings[place];
        self.session.close_channel(name, id);
        if self.open.get(name) == Some(&place) {
            self.open.remove(name);
        }
        self.never_ready(place);
        self.settle();
    }

    fn never_ready(&mut self, place: usize) {
        let readiness = &mut self.openings[place].readiness;
        match readiness {
            Readiness::Pending => self.tally.closed_before_ready += 1,
            Readiness::Ripe => self.tally.closed_while_ripe += 1,
            Readiness::Told | Readiness::Never => return,
        }
        *readiness = Readiness::Never;
    }

    fn send(&mut self, name: &'static str, size: usize) {
        let payload = format!("\"{}:{}\"", self.taken.len(), "é😀x".repeat(size));
        let result = self
            .session
            .send(self.now, name, payload.clone(), Millis::INFINITY);
        let config = self.config();
        let (messages, bytes) = (self.waiting.len(), self.waiting_bytes());
        let length = payload.encode_utf16().count();
        let expected = if self.state == State::Closed {
            self.tally.inputs_when_closed += 1;
            Err(SendError::SessionClosed)
        } else if !self.open.contains_key(name) {
            self.tally.channel_closed += 1;
            Err(SendError::ChannelClosed)
        } else if length > config.max_message {
            self.tally.too_large += 1;
            Err(SendError::TooLarge { length })
        } else if messages >= config.outbox.messages {
            self.tally.full_messages += 1;
            Err(SendError::OutboxFull { messages, bytes })
        } else if bytes + 2 * length > config.outbox.bytes {
            self.tally.full_bytes += 1;
            Err(SendError::OutboxFull { messages, bytes })
        } else {
            Ok(())
        };
        assert_eq!(result, expected);
        if result.is_ok() {
            self.taken.push(payload.clone());
            self.waiting.push_back((name, payload));
        }
        self.settle();
    }

    fn waiting_bytes(&self) -> usize {
        let bytes = |(_, payload): &(_, String)| 2 * payload.encode_utf16().count();
        self.waiting.iter().map(bytes).sum()
    }

    fn close(&mut self) {
        self.session.close();
        if self.state == State::Closed {
            self.tally.inputs_when_closed += 1;
        } else {
            self.finish(None);
        }
        self.settle();
    }

    // What the network and the clock do.

    fn connected(&mut self) {
        if self.socket != Some(Socket::Connecting) {
            return;
        }
        self.socket = Some(Socket::Open);
        self.session.opened(self.now);
        self.connects += 1;
        self.tally.reconnects += u32::from(self.connects > 1);
        self.since = self.now;
        self.enter(State::Open, None);
        self.ripen();
        self.settle();
    }

    fn lose(&mut self, code: u16) {
        if self.socket.is_none() {
            return;
        }
        let loss = Loss {
            code: Some(code),
            reason: format!("code {code}"),
            ending: Ending::Retry,
        };
        self.session.lost(self.now, loss);
        self.model_loss(Some(code), false);
        self.settle();
    }

    fn model_loss(&mut self, code: Option<u16>, last: bool) {
        let reconnect = self.config().reconnect;
        if self.state == State::Open && self.now - self.since >= STABLE {
            self.tally.attempts_reset += u32::from(self.attempts > 0);
            self.attempts = 0;
        }
        let is_final = code
            .is_some_and(|code| [35, 36, 37, 38, 39, 45, 46, 47, 48, 49].contains(&(code / 100)));
        let used_up = f64::from(self.attempts) >= reconnect.attempts;
        if last || is_final || used_up {
            self.tally.final_codes += u32::from(is_final);
            self.tally.attempts_used_up += u32::from(used_up);
            self.expected.push_back(Expected::Failed {
                unsent: self.waiting.len(),
            });
            self.finish(code);
            return;
        }
        let longest = (reconnect.base * 2f64.powi(self.attempts as i32)).min(reconnect.cap);
        self.waits.push_back((self.now, longest));
        self.attempts += 1;
        self.until = None;
        self.enter(State::Waiting, code);
    }

    /// Time passes, and the timer fires when it is to, or only at the end of that time.
    fn advance(&mut self, time: Millis, late: bool) {
        let end = self.now + time;
        while let Some(at) = self.timer.filter(|at| *at <= end) {
            self.tally.late_wakes += u32::from(late && at < end);
            self.now = if late { end } else { at.max(self.now) };
            self.fire();
        }
        self.now = end;
    }

    fn fire(&mut self) {
        self.timer = None;
        self.wake();
    }

    fn wake(&mut self) {
        self.session.woken(self.now);
        if self.state == State::Waiting && self.now >= self.until.unwrap() {
            self.enter(State::Connecting, None);
        }
        self.ripen();
        self.settle();
    }

    fn fire_early(&mut self) {
        if self.timer.is_some_and(|at| at > self.now) {
            self.tally.early_wakes += 1;
            let before = (self.timer, self.state, self.tally.ready);
            self.fire();
            assert_eq!((self.timer, self.state, self.tally.ready), before);
        }
    }

    // The model's states.

    fn enter(&mut self, state: State, code: Option<u16>) {
        self.state = state;
        self.expected.push_back(Expected::State(state, code));
    }

    fn finish(&mut self, code: Option<u16>) {
        self.tally.closed_with_unsent += u32::from(!self.waiting.is_empty());
        self.lost = self.waiting.len();
        self.waiting.clear();
        self.open.clear();
        for place in 0..self.openings.len() {
            self.never_ready(place);
        }
        self.enter(State::Closed, code);
    }

    fn may_be_ready(&self) -> bool {
        self.state == State::Open || self.config().open_when == OpenWhen::Timer
    }

    fn ripen(&mut self) {
        let may_be_ready = self.may_be_ready();
        for opening in &mut self.openings {
            if opening.readiness == Readiness::Pending && may_be_ready && opening.due <= self.now {
                opening.readiness = Readiness::Ripe;
            }
        }
    }

    // The driver, as `src/browser/driver.rs` has it.

    fn settle(&mut self) {
        while let Some(action) = self.session.next_action() {
            match action {
                Action::Converse(Effect::Socket, _) => self.connect(),
                Action::Disconnect => self.socket = None,
                Action::Transmit(message) => self.transmit(message),
                action => panic!("{action:?}, of a plain WebSocket"),
            }
        }
        self.timer = self.session.wake_at();
        if !self.telling {
            self.telling = true;
            while let Some(event) = self.session.next_event() {
                self.tell(event);
            }
            self.telling = false;
            self.check();
        }
    }

    fn connect(&mut self) {
        assert_eq!(self.socket, None, "a second socket");
        assert_eq!(self.state, State::Connecting);
        if !std::mem::take(&mut self.refuse_next_socket) {
            self.socket = Some(Socket::Connecting);
            return;
        }
        self.tally.refused_sockets += 1;
        let loss = Loss {
            code: None,
            reason: "refused".into(),
            ending: Ending::Final,
        };
        self.session.lost(self.now, loss);
        self.model_loss(None, true);
    }

    fn transmit(&mut self, message: Message<String>) {
        assert_eq!(self.state, State::Open);
        let (name, payload) = self.waiting.pop_front().expect("nothing waits");
        assert_eq!(
            (&*message.channel, &message.payload),
            (name, &payload),
            "out of order"
        );
        if self.socket == Some(Socket::Open) {
            self.session.taken(message.number);
            self.session.count(FrameKind::Sent);
            self.transmitted.push(payload);
            self.tally.sent_in_order += 1;
            self.tally.nested_sends += u32::from(self.react());
        } else {
            assert_eq!(self.socket, Some(Socket::Closing));
            self.tally.not_taken += 1;
            self.tally.not_taken_of_several += u32::from(!self.waiting.is_empty());
            self.waiting.push_front((name, payload));
            self.session.not_taken(self.now, false);
            self.model_loss(None, false);
        }
    }

    fn tell(&mut self, event: Event<usize>) {
        match event {
            Event::Ready(place) => {
                let ripe = |opening: &Opening| opening.readiness == Readiness::Ripe;
                assert_eq!(
                    self.openings.iter().position(ripe),
                    Some(place),
                    "ready out of turn"
                );
                let opening = &mut self.openings[place];
                opening.readiness = Readiness::Told;
                let superseded = self.open.get(opening.name) != Some(&place);
                self.tally.ready += 1;
                self.tally.ready_of_superseded += u32::from(superseded);
            }
            Event::State {
                state,
                reason,
                code,
                retry_in,
            } => {
                assert_eq!(
                    self.expected.pop_front(),
                    Some(Expected::State(state, code))
                );
                assert!(!reason.is_empty());
                assert_eq!(retry_in.is_some(), state == State::Waiting);
                if let Some(delay) = retry_in {
                    let (lost, longest) = self.waits.pop_front().unwrap();
                    assert!((0.0..=longest).contains(&delay), "{delay} of {longest}");
                    self.until = self.waits.is_empty().then_some(lost + delay);
                }
                if state == State::Closed && code.is_none() && reason.starts_with("closed by") {
                    assert_eq!(reason.contains("hadn't taken"), self.lost > 0);
                }
            }
            event @ (Event::Refused(_)
            | Event::Failed { refused: true, .. }
            | Event::Gap(_)
            | Event::Dropped { .. }) => panic!("{event:?}, of a plain WebSocket"),
            Event::Failed {
                refused: false,
                reason,
                unsent,
            } => {
                assert_eq!(self.expected.pop_front(), Some(Expected::Failed { unsent }));
                assert!(!reason.is_empty());
            }
            Event::BadFrame(what) => panic!("{what}"),
        }
        self.react();
    }

    /// The page, called, does something of its own.
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
        assert_eq!(self.session.state(), self.state);
        assert_eq!(self.expected, []);
        let socket = match self.state {
            State::Idle | State::Waiting | State::Closed => vec![None],
            State::Connecting => vec![Some(Socket::Connecting)],
            State::Open => vec![Some(Socket::Open), Some(Socket::Closing)],
        };
        assert!(
            socket.contains(&self.socket),
            "{:?} in {:?}",
            self.socket,
            self.state
        );
        assert!(
            self.openings
                .iter()
                .all(|opening| opening.readiness != Readiness::Ripe),
            "not told"
        );

        let pending = self
            .openings
            .iter()
            .filter(|opening| opening.readiness == Readiness::Pending);
        let ready = pending
            .map(|opening| opening.due)
            .filter(|_| self.may_be_ready());
        let retry = (self.state == State::Waiting).then(|| self.until.unwrap());
        let wake_at = ready.chain(retry).min_by(f64::total_cmp);
        assert_eq!(self.session.wake_at(), wake_at);
        assert_eq!(self.timer, wake_at);

        assert!(self.state != State::Open || self.waiting.is_empty());
        let expected = Stats {
            sent: self.transmitted.len() as f64,
            queued: self.waiting.len() as f64,
            queued_bytes: self.waiting_bytes() as f64,
            channels: self.open.len() as f64,
            connects: f64::from(self.connects),
            ..Stats::default()
        };
        assert_eq!(self.session.stats(), expected);
        for name in NAMES {
            let received = self.session.receive_whole(false, name, "");
            let expected = match self.open.get(name) {
                Some(place) => Received::Deliver(*place, 0),
                None => Received::Foreign,
            };
            assert_eq!(received, expected, "{name}");
        }
        let taken = self.taken.len();
        assert_eq!(
            self.transmitted.len() + self.waiting.len() + self.lost,
            taken
        );
        assert_eq!(self.transmitted, self.taken[..self.transmitted.len()]);
    }

    fn perform(&mut self, op: Op) {
        match op {
            Op::Open(name) => self.open(name),
            Op::CloseChannel(index) => {
                if !self.openings.is_empty() {
                    self.close_channel(index.index(self.openings.len()));
                }
            }
            Op::Send(name, size) => self.send(name, size),
            Op::Close => self.close(),
            Op::Connected => self.connected(),
            Op::Lost(code) => self.lose(code),
            Op::Breaks => {
                if self.socket == Some(Socket::Open) {
                    self.socket = Some(Socket::Closing);
                }
            }
            Op::RefuseNextSocket => self.refuse_next_socket = true,
            Op::Advance(time, late) => self.advance(time, late),
            Op::FireEarly => self.fire_early(),
            Op::WakeAgain => self.wake(),
            Op::React(op) => self.reactions.push_back(*op),
        }
    }

    /// From wherever it stands: once the network works, everything that waits is sent and told.
    fn finish_well(&mut self) {
        self.reactions.clear();
        self.refuse_next_socket = false;
        if let Some(Socket::Closing) = self.socket {
            self.lose(1006);
        }
        if self.state == State::Waiting {
            self.advance(self.config().reconnect.cap, false);
        }
        self.connected();
        self.advance(1000.0, false);
        assert!([State::Idle, State::Open, State::Closed].contains(&self.state));
        assert_eq!(self.transmitted.len() + self.lost, self.taken.len());
        let done =
            |opening: &Opening| [Readiness::Told, Readiness::Never].contains(&opening.readiness);
        assert!(self.openings.iter().all(done));
        assert_eq!(self.timer, None);
    }
}

// Schedules.

#[derive(Debug, Clone)]
enum Op {
    Open(&'static str),
    CloseChannel(Index),
    Send(&'static str, usize),
    Close,
    Connected,
    Lost(u16),
    Breaks,
    RefuseNextSocket,
    Advance(Millis, bool),
    FireEarly,
    WakeAgain,
    React(Box<Op>),
}

/// Mostly the same one, so that it is open more often than not.
fn names() -> impl Strategy<Value = &'static str> {
    prop_oneof![2 => Just(NAMES[0]), 1 => select(&NAMES[..])]
}

fn page_ops() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => names().prop_map(Op::Open),
        4 => any::<Index>().prop_map(Op::CloseChannel),
        12 => (names(), 0..9usize).prop_map(|(name, size)| Op::Send(name, size)),
        1 => prop::bool::weighted(0.3).prop_map(|close| if close { Op::Close } else { Op::Open("a") }),
    ]
}

fn ops() -> impl Strategy<Value = Op> {
    let codes = prop_oneof![
        25 => select(vec![1000u16, 1001, 1005, 1006, 1011, 1012, 3000, 3499, 4000, 4499]),
        1 => select(vec![3500u16, 3999, 4500, 4999]),
    ];
    let times = prop_oneof![
        2 => Just(0.0),
        3 => 0.0..30.0,
        4 => 200.0..1100.0,
        3 => 1000.0..6000.0,
        1 => 20_000.0..30_000.0,
    ];
    prop_oneof![
        24 => page_ops(),
        8 => Just(Op::Connected),
        5 => codes.prop_map(Op::Lost),
        2 => Just(Op::Breaks),
        10 => (times, any::<bool>()).prop_map(|(time, late)| Op::Advance(time, late)),
        2 => Just(Op::FireEarly),
        1 => Just(Op::WakeAgain),
        4 => page_ops().prop_map(|op| Op::React(Box::new(op))),
        3 => Just(Op::React(Box::new(Op::Breaks))),
    ]
}

fn configs() -> impl Strategy<Value = Config> {
    (
        any::<bool>(),
        select(vec![None, Some(0.0), Some(250.0)]),
        15..60usize,
        (1..8usize, 20..300usize),
        (
            select(vec![1.0, 500.0]),
            select(vec![100.0, 20_000.0]),
            select(vec![0.0, 1.0, 3.0, f64::INFINITY, f64::INFINITY]),
        ),
    )
        .prop_map(
            |(connected, open_delay, max_message, (messages, bytes), (base, cap, attempts))| {
                Config {
                    protocol: Protocol::WebSocket,
                    open_delay,
                    open_when: if connected {
                        OpenWhen::Connected
                    } else {
                        OpenWhen::Timer
                    },
                    max_message,
                    outbox: Bounds { messages, bytes },
                    reconnect: Reconnect {
                        base,
                        cap,
                        attempts,
                    },
                    ..Config::default()
                }
            },
        )
}

/// A first channel, and then anything.
fn schedules() -> impl Strategy<Value = (Config, u64, Vec<Op>)> {
    let refused =
        prop::bool::weighted(0.15).prop_map(|refused| refused.then_some(Op::RefuseNextSocket));
    let ops = (refused, any::<Index>(), prop::collection::vec(ops(), 1..80)).prop_map(
        |(refused, at, mut ops)| {
            if let Some(op) = refused {
                ops.insert(at.index(ops.len()), op);
            }
            ops.insert(0, Op::Open(NAMES[0]));
            ops
        },
    );
    (configs(), any::<u64>(), ops)
}

#[test]
fn any_schedule_keeps_what_a_session_promises() {
    let total = RefCell::new(Vec::<Tally>::new());
    TestRunner::new(cases(2500))
        .run(&schedules(), |(config, seed, ops)| {
            let mut world = World::new(config, seed);
            for op in ops {
                world.perform(op);
                // A closed session stays closed; a few more inputs show it.
                if world.tally.inputs_when_closed > 5 {
                    break;
                }
            }
            world.finish_well();
            total.borrow_mut().push(world.tally);
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    let total = total.into_inner();
    for (what, of) in SEEN {
        let seen: u32 = total.iter().map(of).sum();
        println!("{what}: {seen}");
        assert!(seen >= 5, "{what}: seen {seen} times in all schedules");
    }
}

type Seen = (&'static str, fn(&Tally) -> u32);

const SEEN: [Seen; 21] = [
    ("ready", |tally| tally.ready),
    ("ready of superseded", |tally| tally.ready_of_superseded),
    ("closed before ready", |tally| tally.closed_before_ready),
    ("closed while ripe", |tally| tally.closed_while_ripe),
    ("sent in order", |tally| tally.sent_in_order),
    ("nested sends", |tally| tally.nested_sends),
    ("not taken", |tally| tally.not_taken),
    ("not taken, of several", |tally| tally.not_taken_of_several),
    ("full, messages", |tally| tally.full_messages),
    ("full, bytes", |tally| tally.full_bytes),
    ("too large", |tally| tally.too_large),
    ("channel closed", |tally| tally.channel_closed),
    ("reconnects", |tally| tally.reconnects),
    ("attempts reset", |tally| tally.attempts_reset),
    ("refused sockets", |tally| tally.refused_sockets),
    ("final codes", |tally| tally.final_codes),
    ("attempts used up", |tally| tally.attempts_used_up),
    ("closed with unsent", |tally| tally.closed_with_unsent),
    ("inputs when closed", |tally| tally.inputs_when_closed),
    ("early wakes", |tally| tally.early_wakes),
    ("late wakes", |tally| tally.late_wakes),
];

// Single rules.

type Simple = Session<String, usize>;

fn plain() -> Config {
    Config {
        protocol: Protocol::WebSocket,
        ..Config::default()
    }
}

fn send(session: &mut Simple, payload: &str) -> Result<(), SendError> {
    session.send(0.0, "a", payload.into(), Millis::INFINITY)
}

fn opened(config: Config, seed: u64) -> Simple {
    let mut session = Simple::new(config, own(), seed);
    session.open(0.0, "a", 0).unwrap();
    session
}

fn loss(code: u16) -> Loss {
    Loss {
        code: Some(code),
        reason: "gone".into(),
        ending: Ending::Retry,
    }
}

/// All that the page is to be told now.
fn events(session: &mut Simple) -> Vec<Event<usize>> {
    std::iter::from_fn(|| session.next_event()).collect()
}

/// The wait before the next attempt, which then is made.
fn wait(session: &mut Simple, now: &mut Millis) -> Millis {
    session.lost(*now, loss(1006));
    let delay = events(session).into_iter().find_map(|event| match event {
        Event::State { retry_in, .. } => retry_in,
        _ => None,
    });
    *now = session.wake_at().unwrap();
    session.woken(*now);
    delay.unwrap()
}

#[test]
fn the_codes_by_which_a_server_means_it() {
    let state = |code: u16| {
        let mut session = opened(plain(), 1);
        session.opened(0.0);
        session.lost(1.0, loss(code));
        session.state()
    };
    for code in 0..=6000 {
        let expected = match code {
            3500..=3999 | 4500..=4999 => State::Closed,
            _ => State::Waiting,
        };
        assert_eq!(state(code), expected, "{code}");
    }
    assert_eq!(state(u16::MAX), State::Waiting);
}

#[test]
fn waits_double_up_to_the_cap_and_fill_their_range() {
    let seeds = 0..300;
    let waits: Vec<Vec<Millis>> = seeds
        .map(|seed| {
            let config = Config {
                open_when: OpenWhen::Connected,
                ..plain()
            };
            let mut session = opened(config, seed);
            let mut now = 0.0;
            (0..9).map(|_| wait(&mut session, &mut now)).collect()
        })
        .collect();
    for attempt in 0..9 {
        let longest = (500.0 * 2f64.powi(attempt)).min(20_000.0);
        let waits = waits.iter().map(|waits| waits[attempt as usize]);
        let (least, most) = waits.fold((f64::MAX, 0f64), |(least, most), wait| {
            (least.min(wait), most.max(wait))
        });
        assert!(
            most < longest && most > 0.9 * longest,
            "attempt {attempt}: {most}"
        );
        assert!(
            least >= 0.0 && least < 0.1 * longest,
            "attempt {attempt}: {least}"
        );
    }
}

#[test]
fn only_a_connection_of_five_seconds_begins_the_backoff_anew() {
    // With one attempt allowed, the loss after it tells whether it was counted.
    let after = |time: Millis| {
        let config = Config {
            reconnect: Reconnect {
                attempts: 1.0,
                ..Reconnect::default()
            },
            ..plain()
        };
        let mut session = opened(config, 3);
        let mut now = 0.0;
        wait(&mut session, &mut now);
        session.opened(now);
        session.lost(now + time, loss(1006));
        session.state()
    };
    assert_eq!(after(0.0), State::Closed);
    assert_eq!(after(4_999.0), State::Closed);
    assert_eq!(after(5_000.5), State::Waiting);
    assert_eq!(after(1e9), State::Waiting);
}

#[test]
fn a_connection_that_never_came_up_does_not_begin_the_backoff_anew() {
    let config = Config {
        reconnect: Reconnect {
            attempts: 1.0,
            ..Reconnect::default()
        },
        ..plain()
    };
    let mut session = opened(config, 3);
    let mut now = 0.0;
    wait(&mut session, &mut now);
    session.lost(now + 60_000.0, loss(1006));
    assert_eq!(session.state(), State::Closed);
}

#[test]
fn a_message_of_the_longest_length_is_taken_and_one_more_is_not() {
    let config = Config {
        max_message: 12,
        ..plain()
    };
    for connected in [false, true] {
        let mut session = opened(config.clone(), 1);
        if connected {
            session.opened(0.0);
        }
        // A character outside the basic plane is two UTF-16 units, and four bytes.
        for longest in ["\"0123456789\"", "\"😀😀😀😀😀\"", "\"éééééééééé\""] {
            assert_eq!(send(&mut session, longest), Ok(()));
            assert_eq!(
                send(&mut session, &format!("{longest} ")),
                Err(SendError::TooLarge { length: 13 })
            );
        }
        assert_eq!(session.stats().queued, 3.0);
    }
}

#[test]
fn the_outbox_counts_two_bytes_for_each_utf16_unit() {
    let config = Config {
        outbox: Bounds {
            messages: 10,
            bytes: 20,
        },
        ..plain()
    };
    let mut session = opened(config, 1);
    assert_eq!(send(&mut session, "\"😀é\""), Ok(()));
    assert_eq!(session.stats().queued_bytes, 10.0);
    let full = SendError::OutboxFull {
        messages: 1,
        bytes: 10,
    };
    assert_eq!(send(&mut session, "123456"), Err(full));
    assert_eq!(send(&mut session, "12345"), Ok(()));
    let full = SendError::OutboxFull {
        messages: 2,
        bytes: 20,
    };
    assert_eq!(send(&mut session, "1"), Err(full));
}

#[test]
fn the_outbox_counts_messages() {
    let config = Config {
        outbox: Bounds {
            messages: 2,
            bytes: 100,
        },
        ..plain()
    };
    let mut session = opened(config, 1);
    assert_eq!(send(&mut session, "1"), Ok(()));
    assert_eq!(send(&mut session, "2"), Ok(()));
    let full = SendError::OutboxFull {
        messages: 2,
        bytes: 4,
    };
    assert_eq!(send(&mut session, "3"), Err(full.clone()));
    session.opened(0.0);
    assert!(matches!(
        session.next_action(),
        Some(Action::Converse(Effect::Socket, _))
    ));
    let message = transmit(&mut session);
    assert_eq!(message.payload, "1");
    // It has its place until the socket has it.
    assert_eq!(send(&mut session, "4"), Err(full));
    session.taken(message.number);
    assert_eq!(send(&mut session, "4"), Ok(()));
}

#[test]
fn a_message_that_the_socket_did_not_take_keeps_its_place_in_the_outbox() {
    let config = Config {
        outbox: Bounds {
            messages: 10,
            bytes: 20,
        },
        ..plain()
    };
    let mut session = opened(config, 1);
    session.opened(0.0);
    assert!(matches!(
        session.next_action(),
        Some(Action::Converse(Effect::Socket, _))
    ));
    assert_eq!(send(&mut session, "12345678"), Ok(()));
    transmit(&mut session);
    session.not_taken(1.0, false);
    assert_eq!(session.state(), State::Waiting);
    assert_eq!(
        (session.stats().queued, session.stats().queued_bytes),
        (1.0, 16.0)
    );
    let full = SendError::OutboxFull {
        messages: 1,
        bytes: 16,
    };
    assert_eq!(send(&mut session, "123"), Err(full));
    assert_eq!(send(&mut session, "12"), Ok(()));
}

fn transmit(session: &mut Simple) -> Message<String> {
    match session.next_action() {
        Some(Action::Transmit(message)) => message,
        action => panic!("{action:?}"),
    }
}

#[test]
fn what_the_socket_did_not_take_goes_out_first_and_what_came_meanwhile_last() {
    let mut session = opened(plain(), 1);
    for message in ["1", "22", "333"] {
        send(&mut session, message).unwrap();
    }
    session.opened(0.0);
    assert!(matches!(
        session.next_action(),
        Some(Action::Converse(Effect::Socket, _))
    ));
    let first = transmit(&mut session);
    assert_eq!(first.payload, "1");
    session.taken(first.number);
    // Sent from within what the page does about that frame, while others wait.
    send(&mut session, "4444").unwrap();
    transmit(&mut session);
    session.not_taken(1.0, false);
    let stats = session.stats();
    assert_eq!((stats.queued, stats.queued_bytes), (3.0, 18.0));
    session.woken(30_000.0);
    session.opened(30_000.0);
    assert_eq!(session.next_action(), Some(Action::Disconnect));
    assert!(matches!(
        session.next_action(),
        Some(Action::Converse(Effect::Socket, _))
    ));
    for payload in ["22", "333", "4444"] {
        let message = transmit(&mut session);
        assert_eq!(message.payload, payload);
        session.taken(message.number);
    }
    assert_eq!(session.next_action(), None);
    assert_eq!(session.stats().queued_bytes, 0.0);
}

#[test]
fn a_channel_opened_on_a_working_connection_is_ready_after_the_call_not_within_it() {
    let config = Config {
        open_when: OpenWhen::Connected,
        ..plain()
    };
    let mut session = opened(config, 1);
    session.opened(10.0);
    let told = events(&mut session);
    assert!(told.contains(&Event::Ready(0)));
    session.open(20.0, "b", 1).unwrap();
    assert_eq!(events(&mut session), []);
    assert_eq!(session.wake_at(), Some(20.0));
    session.woken(20.0);
    assert_eq!(events(&mut session), [Event::Ready(1)]);
    assert_eq!(session.wake_at(), None);
}

/// Else a page that opens and closes channels while the server can't be reached would pile them up.
#[test]
fn nothing_is_kept_of_a_channel_that_was_closed_before_it_was_ready() {
    let mut session = opened(plain(), 1);
    session.woken(1000.0);
    events(&mut session);
    for now in 1000..1100 {
        let id = session.open(f64::from(now), "b", 1).unwrap();
        assert_eq!(session.wake_at(), Some(f64::from(now) + 1000.0));
        session.close_channel("b", id);
        assert_eq!(session.wake_at(), None);
    }
    session.woken(5000.0);
    assert_eq!(events(&mut session), []);
}

#[test]
fn inputs_that_come_at_the_wrong_time_change_nothing() {
    let check = |session: &mut Simple, state: State, inputs: &[fn(&mut Simple)]| {
        let before = (session.stats(), session.wake_at());
        for input in inputs {
            input(session);
            assert_eq!(session.state(), state);
            assert_eq!(events(session), []);
            assert_eq!(session.next_action(), None);
            assert_eq!((session.stats(), session.wake_at()), before);
        }
    };
    let opened_: fn(&mut Simple) = |session| session.opened(2.0);
    let lost: fn(&mut Simple) = |session| session.lost(2.0, loss(1006));
    let woken: fn(&mut Simple) = |session| session.woken(2.0);
    let close: fn(&mut Simple) = |session| session.close();
    let unknown: fn(&mut Simple) = |session| session.close_channel("nowhere", 77);

    let mut session = Simple::new(plain(), own(), 1);
    assert_eq!(session.wake_at(), None);
    check(&mut session, State::Idle, &[opened_, lost, woken, unknown]);
    session.open(0.0, "a", 0).unwrap();
    assert!(matches!(
        session.next_action(),
        Some(Action::Converse(Effect::Socket, _))
    ));
    events(&mut session);
    check(&mut session, State::Connecting, &[woken, unknown]);
    session.opened(1.0);
    events(&mut session);
    check(&mut session, State::Open, &[opened_, woken, unknown]);
    session.lost(1.0, loss(1006));
    assert_eq!(session.next_action(), Some(Action::Disconnect));
    events(&mut session);
    check(&mut session, State::Waiting, &[opened_, lost, unknown]);
    session.close();
    assert_eq!(session.next_action(), Some(Action::Disconnect));
    assert_eq!(events(&mut session).len(), 1);
    check(
        &mut session,
        State::Closed,
        &[opened_, lost, woken, unknown, close],
    );
    assert!(session.open(3.0, "a", 0).is_err());
    assert_eq!(send(&mut session, "1"), Err(SendError::SessionClosed));
}

#[test]
fn a_socket_that_was_asked_for_is_not_opened_after_the_close() {
    let mut session = opened(plain(), 1);
    session.close();
    assert_eq!(session.next_action(), Some(Action::Disconnect));
    assert_eq!(session.next_action(), None);
}

#[test]
fn a_session_that_was_never_used_closes_too() {
    let mut session = Simple::new(plain(), own(), 1);
    session.close();
    assert_eq!(session.state(), State::Closed);
    assert_eq!(events(&mut session).len(), 1);
    assert!(session.open(3.0, "a", 0).is_err());
}

#[test]
fn frames_are_counted_and_the_first_bad_one_is_told() {
    let mut session = Simple::new(plain(), own(), 1);
    let kinds = [
        FrameKind::Sent,
        FrameKind::Delivered,
        FrameKind::Own,
        FrameKind::Foreign,
        FrameKind::Control,
    ];
    for (times, kind) in (1..).zip(kinds) {
        for _ in 0..times {
            session.count(kind);
        }
    }
    for _ in 0..5 {
        session.count_bad("a binary frame");
    }
    let expected = Stats {
        sent: 1.0,
        delivered: 2.0,
        own: 3.0,
        foreign: 4.0,
        control: 5.0,
        bad: 5.0,
        ..Stats::default()
    };
    assert_eq!(session.stats(), expected);
    assert_eq!(events(&mut session), [Event::BadFrame("a binary frame")]);
}

#[test]
fn states_and_kinds_of_frames_are_named_as_the_page_has_them() {
    let states = [
        State::Idle,
        State::Connecting,
        State::Open,
        State::Waiting,
        State::Closed,
    ];
    assert_eq!(
        states.map(State::name),
        ["idle", "connecting", "open", "waiting", "closed"]
    );
    let kinds = [
        FrameKind::Sent,
        FrameKind::Delivered,
        FrameKind::Own,
        FrameKind::Foreign,
        FrameKind::Bad,
        FrameKind::Control,
    ];
    assert_eq!(
        kinds.map(FrameKind::name),
        ["sent", "delivered", "own", "foreign", "bad", "control"]
    );
}

proptest! {
    #![proptest_config(cases(300))]

    /// Else a message that one page may send another would drop.
    #[test]
    fn the_frame_of_the_longest_message_is_not_too_long(
        name in prop_oneof![any::<String>(), "[\x00-\x1f]{0,2000}", "[a-z\"😀]{0,2000}"],
        max_message in 1..5000usize,
    ) {
        let config = Config { max_message, ..Config::default() };
        let mut session = Simple::new(config, UserId::MAX, 1);
        session.open(0.0, &name, 0).unwrap();
        let frame = session.wrap(&name, u64::MAX).0 + &"1".repeat(max_message) + session.link().tail();
        prop_assert!(frame.encode_utf16().count() <= session.max_frame());
        // Nor is that no limit at all.
        prop_assert!(session.max_frame() <= max_message + 6 * name.len() + 1024);
    }
}

#[test]
fn a_limit_that_is_no_limit_does_not_overflow() {
    let config = Config {
        max_message: usize::MAX,
        outbox: Bounds {
            messages: usize::MAX,
            bytes: usize::MAX,
        },
        ..plain()
    };
    let mut session = opened(config, 1);
    assert_eq!(session.max_frame(), usize::MAX);
    assert_eq!(send(&mut session, "1"), Ok(()));
}
