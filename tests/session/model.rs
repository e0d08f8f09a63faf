//! What a session must do, said plainly.

use signal_wasm::protocol::Millis;
use signal_wasm::session::{ChannelId, Config, OpenWhen, State, Stats};
use std::collections::{BTreeMap, VecDeque};

/// A connection that lasted this long was a working one.
const STABLE: Millis = 5_000.0;

/// A message counts as accepted this long after it has left the page, over an uplink of so many
/// characters a millisecond.
const ROUND_TRIP: Millis = 1_000.0;
const UPLINK: f64 = 100.0;

/// The close codes, in hundreds, by which a server says that connecting again is pointless.
const FINAL: [u16; 10] = [35, 36, 37, 38, 39, 45, 46, 47, 48, 49];

/// Whether an opening of a channel is ready.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Readiness {
    Pending,
    /// Due, and its event is queued.
    Due,
    Reported,
    /// Closed before it was reported.
    Never,
}

#[derive(Debug)]
pub struct Opening {
    pub name: &'static str,
    pub id: ChannelId,
    due: Millis,
    pub readiness: Readiness,
}

/// An event of the session.
#[derive(Debug, PartialEq)]
pub enum Expected {
    /// This opening is ready.
    Ready(usize),
    /// This message, if its channel is open by then.
    Message(&'static str, usize),
    /// The name of a state, and the close code that led to it.
    State(&'static str, Option<u16>),
    Failed {
        unsent: usize,
    },
}

/// How often each thing happened: a check that was never made checks nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub ready: u32,
    pub ready_of_superseded: u32,
    pub closed_before_ready: u32,
    pub closed_while_due: u32,
    pub sent_in_order: u32,
    pub nested_sends: u32,
    pub not_taken: u32,
    pub not_taken_of_several: u32,
    pub delivered: u32,
    pub closed_before_delivery: u32,
    pub full_messages: u32,
    pub full_bytes: u32,
    pub too_large: u32,
    pub channel_closed: u32,
    pub reconnects: u32,
    pub attempts_reset: u32,
    pub refused_sockets: u32,
    pub final_codes: u32,
    pub attempts_used_up: u32,
    pub closed_with_unsent: u32,
    pub inputs_when_closed: u32,
    pub early_timeouts: u32,
    pub late_timeouts: u32,
    pub early_messages: u32,
    pub ready_by_message: u32,
}

/// A session's model.
#[derive(Debug)]
pub struct Model {
    config: Config,
    pub now: Millis,
    /// The state's name.
    pub state: &'static str,
    since: Millis,
    /// When to try again: known once the page has been told.
    pub until: Option<Millis>,
    attempts: u32,
    /// The time of each loss whose wait the page hasn't been told, and the longest wait that it
    /// may be.
    pub waits: VecDeque<(Millis, Millis)>,
    pub openings: Vec<Opening>,
    /// The opening of each open channel.
    pub open: BTreeMap<&'static str, usize>,
    pub waiting: VecDeque<(&'static str, String)>,
    pub expected: VecDeque<Expected>,
    /// Messages that came before readiness, which waits for the connection.
    early: VecDeque<Expected>,
    /// The messages that the session accepted, and those of them that the socket was given.
    pub accepted: Vec<String>,
    pub transmitted: Vec<String>,
    /// When each message that the socket has taken counts as accepted, and when the last of them
    /// has left the page.
    settles: VecDeque<Millis>,
    left: Millis,
    /// How many were lost with the session.
    pub lost: usize,
    pub stats: Stats,
    pub tally: Tally,
}

impl Model {
    pub fn new(config: Config, now: Millis) -> Model {
        Model {
            config,
            now,
            state: "idle",
            since: 0.0,
            until: None,
            attempts: 0,
            waits: VecDeque::new(),
            openings: Vec::new(),
            open: BTreeMap::new(),
            waiting: VecDeque::new(),
            expected: VecDeque::new(),
            early: VecDeque::new(),
            accepted: Vec::new(),
            transmitted: Vec::new(),
            settles: VecDeque::new(),
            left: 0.0,
            lost: 0,
            stats: Stats::default(),
            tally: Tally::default(),
        }
    }

    pub fn enter(&mut self, state: &'static str, code: Option<u16>) {
        self.state = state;
        self.expected.push_back(Expected::State(state, code));
    }

    pub fn opens(&mut self, name: &'static str, id: ChannelId) {
        let shim = match self.config.open_when {
            OpenWhen::Timer => 1000.0,
            OpenWhen::Connected => 0.0,
        };
        self.open.insert(name, self.openings.len());
        self.openings.push(Opening {
            name,
            id,
            due: self.now + self.config.open_delay.unwrap_or(shim),
            readiness: Readiness::Pending,
        });
        if self.state == "idle" {
            self.enter("connecting", None);
        }
    }

    pub fn closes(&mut self, place: usize) {
        let name = self.openings[place].name;
        if self.open.get(name) == Some(&place) {
            self.open.remove(name);
        }
        self.is_never_ready(place);
    }

    fn is_never_ready(&mut self, place: usize) {
        let readiness = &mut self.openings[place].readiness;
        match readiness {
            Readiness::Pending => self.tally.closed_before_ready += 1,
            Readiness::Due => self.tally.closed_while_due += 1,
            Readiness::Reported | Readiness::Never => return,
        }
        *readiness = Readiness::Never;
        self.expected
            .retain(|expected| *expected != Expected::Ready(place));
    }

    /// The socket has taken a frame of that length.
    pub fn is_taken(&mut self, length: f64) {
        self.left = self.left.max(self.now) + length / UPLINK;
        self.settles.push_back(self.left + ROUND_TRIP);
    }

    pub fn settle(&mut self) {
        let now = self.now;
        while self.settles.front().is_some_and(|settles| *settles <= now) {
            self.settles.pop_front();
        }
    }

    fn forget_taken(&mut self) {
        self.settles.clear();
        self.left = 0.0;
    }

    pub fn waiting_bytes(&self) -> usize {
        let bytes = |(_, payload): &(_, String)| 2 * payload.encode_utf16().count();
        self.waiting.iter().map(bytes).sum()
    }

    pub fn connects(&mut self) {
        self.stats.connects += 1.0;
        self.tally.reconnects += u32::from(self.stats.connects > 1.0);
        self.since = self.now;
        self.enter("open", None);
        self.release_ready();
        self.expected.append(&mut self.early);
    }

    pub fn loses(&mut self, code: Option<u16>, is_last: bool) {
        self.forget_taken();
        let reconnect = self.config.reconnect;
        if self.state == "open" && self.now - self.since >= STABLE {
            self.tally.attempts_reset += u32::from(self.attempts > 0);
            self.attempts = 0;
        }
        let is_final = code.is_some_and(|code| FINAL.contains(&(code / 100)));
        let is_used_up = f64::from(self.attempts) >= reconnect.attempts;
        if is_last || is_final || is_used_up {
            self.tally.final_codes += u32::from(is_final);
            self.tally.attempts_used_up += u32::from(is_used_up);
            let unsent = self.waiting.len();
            self.expected.push_back(Expected::Failed { unsent });
            return self.finishes(code);
        }
        let longest = (reconnect.base * 2f64.powi(self.attempts as i32)).min(reconnect.cap);
        self.waits.push_back((self.now, longest));
        self.attempts += 1;
        self.until = None;
        self.enter("waiting", code);
    }

    pub fn finishes(&mut self, code: Option<u16>) {
        self.tally.closed_with_unsent += u32::from(!self.waiting.is_empty());
        self.lost = self.waiting.len();
        self.waiting.clear();
        self.early.clear();
        self.forget_taken();
        for place in 0..self.openings.len() {
            self.is_never_ready(place);
        }
        self.enter("closed", code);
    }

    pub fn may_be_ready(&self) -> bool {
        self.state == "open" || self.config.open_when == OpenWhen::Timer
    }

    pub fn release_ready(&mut self) {
        let may_be_ready = self.may_be_ready();
        for (place, opening) in self.openings.iter_mut().enumerate() {
            if opening.readiness == Readiness::Pending && may_be_ready && opening.due <= self.now {
                opening.readiness = Readiness::Due;
                self.expected.push_back(Expected::Ready(place));
            }
        }
    }

    /// A message for an open channel.
    pub fn receives(&mut self, name: &'static str, message: usize) {
        let is_early = self.state != "open" && self.waits_for_readiness(name).is_some();
        self.tally.early_messages += u32::from(is_early);
        let queue = if is_early {
            &mut self.early
        } else {
            &mut self.expected
        };
        queue.push_back(Expected::Message(name, message));
    }

    /// The opening that must be ready before a message on this channel.
    pub fn waits_for_readiness(&self, name: &str) -> Option<usize> {
        let place = *self.open.get(name)?;
        let is_coming = matches!(
            self.openings[place].readiness,
            Readiness::Pending | Readiness::Due
        );
        (self.config.open_when == OpenWhen::Connected && is_coming).then_some(place)
    }

    /// The next event, by what the page has open now.
    pub fn next_expected(&mut self) -> Option<Expected> {
        loop {
            match self.expected.pop_front() {
                Some(Expected::Message(name, _)) if !self.open.contains_key(name) => {
                    self.tally.closed_before_delivery += 1;
                }
                expected => {
                    if let Some(Expected::Message(name, message)) = expected
                        && let Some(place) = self.waits_for_readiness(name)
                    {
                        let ready = Expected::Ready(place);
                        self.tally.ready_by_message += 1;
                        self.expected.retain(|expected| *expected != ready);
                        self.expected.push_front(Expected::Message(name, message));
                        return Some(ready);
                    }
                    // What came before the end is delivered before the page learns of the end.
                    if matches!(expected, Some(Expected::State("closed", _))) {
                        self.open.clear();
                    }
                    return expected;
                }
            }
        }
    }

    /// When the timer is to fire.
    pub fn timeout(&self) -> Option<Millis> {
        let pending = self
            .openings
            .iter()
            .filter(|opening| opening.readiness == Readiness::Pending);
        let ready = pending
            .map(|opening| opening.due)
            .filter(|_| self.may_be_ready());
        let retry = (self.state == "waiting").then(|| self.until.unwrap());
        let settles = self.settles.front().copied();
        ready.chain(retry).chain(settles).min_by(f64::total_cmp)
    }

    pub fn state(&self) -> State {
        match self.state {
            "idle" => State::Idle,
            "connecting" => State::Connecting,
            "open" => State::Open { since: self.since },
            "waiting" => State::Waiting { until: self.until },
            _ => State::Closed,
        }
    }

    pub fn stats(&self) -> Stats {
        Stats {
            queued: self.waiting.len() as f64,
            queued_bytes: self.waiting_bytes() as f64,
            channels: self.open.len() as f64,
            protocol: (self.state == "open").then_some("websocket"),
            ..self.stats
        }
    }
}
