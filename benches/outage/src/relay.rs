//! A relay: its gate, which is the product's, and a model of the machine that it runs on.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};

use signal_relay::gate::{Admitted, Arrival, Gate};

use crate::scenario::Scenario;

/// Connections that wait in the kernel to be accepted: what tokio's listener asks for. The kernel
/// ignores those that come beyond it, and they try again.
const BACKLOG: usize = 1024;

/// How many connections are accepted in a turn. Then tokio lets the tasks of those run.
const TURN: usize = 128;

/// The attempt of a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) page: u32,
    pub(crate) socket: u32,
}

/// What becomes of an attempt.
#[derive(Debug)]
pub(crate) enum Answer {
    /// Its TLS handshake takes a round trip.
    ShakesHands(Arrival),
    /// It has to wait for so many milliseconds, because its address sends many requests.
    Waits(u64, Arrival),
    /// The connection was dropped at once, because its address connects again and again.
    Closed,
    /// The connection was dropped to make room for another.
    Dropped,
    /// There is no place.
    Refused,
    /// It is in.
    Open(Admitted),
}

/// A relay.
#[derive(Debug)]
pub(crate) struct Relay {
    gate: Gate,
    backlog: VecDeque<Attempt>,
    /// Accepted, and waiting for the processor.
    ready: VecDeque<(Attempt, Arrival)>,
    /// Processor time that is left of this millisecond; below zero: what the last piece of work takes
    /// of the next ones.
    left: f64,
    cost: f64,
    per_millisecond: f64,
    pages_per_address: u32,
    tls: bool,
    /// An event for its next millisecond of work is under way.
    pub(crate) is_working: bool,
    pub(crate) longest_queue: usize,
    /// Processor time, in milliseconds.
    pub(crate) processor: f64,
}

impl Relay {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self {
            gate: Gate::new(&scenario.config()),
            backlog: VecDeque::new(),
            ready: VecDeque::new(),
            left: 0.0,
            cost: scenario.connection_cost / 1000.0,
            per_millisecond: scenario.processors,
            pages_per_address: scenario.pages_per_address.max(1),
            tls: scenario.tls,
            is_working: false,
            longest_queue: 0,
            processor: 0.0,
        }
    }

    /// A connection comes. `false`: the kernel ignores it.
    pub(crate) fn arrives(&mut self, attempt: Attempt) -> bool {
        let takes = self.backlog.len() < BACKLOG;
        if takes {
            self.backlog.push_back(attempt);
        }
        self.longest_queue = self
            .longest_queue
            .max(self.backlog.len() + self.ready.len());
        takes
    }

    /// The request of an accepted connection is there.
    pub(crate) fn asks(&mut self, attempt: Attempt, arrival: Arrival) {
        self.ready.push_back((attempt, arrival));
    }

    pub(crate) fn has_work(&self) -> bool {
        !self.backlog.is_empty() || !self.ready.is_empty()
    }

    pub(crate) fn evict_unused(&self) {
        self.gate.evict_unused();
    }

    /// Works for a millisecond.
    pub(crate) fn work(&mut self, mut answer: impl FnMut(Attempt, Answer)) {
        self.left += self.per_millisecond;
        while self.left > 0.0 {
            let Some((attempt, arrival)) = self.ready.pop_front() else {
                if self.backlog.is_empty() {
                    break;
                }
                self.accept(&mut answer);
                continue;
            };
            self.left -= self.cost;
            self.processor += self.cost;
            answer(attempt, self.answer(arrival));
        }
        if !self.has_work() {
            self.left = self.left.min(0.0);
        }
    }

    fn accept(&mut self, answer: &mut impl FnMut(Attempt, Answer)) {
        for _ in 0..TURN {
            let Some(attempt) = self.backlog.pop_front() else {
                return;
            };
            let address =
                u32::from(Ipv4Addr::new(10, 0, 0, 0)) + attempt.page / self.pages_per_address;
            match self.gate.connect(IpAddr::V4(address.into())) {
                None => answer(attempt, Answer::Closed),
                Some(arrival) if self.tls => answer(attempt, Answer::ShakesHands(arrival)),
                Some(arrival) => self.ready.push_back((attempt, arrival)),
            }
        }
    }

    fn answer(&self, arrival: Arrival) -> Answer {
        if arrival.is_dropped() {
            return Answer::Dropped;
        }
        let wait = self.gate.request(&arrival);
        if !wait.is_zero() {
            let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            return Answer::Waits(wait.max(1), arrival);
        }
        self.enter(&arrival)
    }

    /// Lets a client in, if there is a place.
    pub(crate) fn enter(&self, arrival: &Arrival) -> Answer {
        match self.gate.enter(arrival) {
            Ok(admitted) => Answer::Open(admitted),
            Err(_) => Answer::Refused,
        }
    }
}
