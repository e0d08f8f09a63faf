//! The events, one after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use signal_relay::gate::Arrival;
use tokio::runtime::Builder;
use tokio::time::advance;

use crate::outcome::Outcome;
use crate::page::{Page, Wants};
use crate::relay::{Answer, Attempt, Relay};
use crate::scenario::Scenario;

/// The outage begins then: by now every page's connection has proved to be stable.
const BEGIN: u64 = 60_000;
/// All pages open within this time before it.
const OPENING: u64 = 10_000;
/// Round trips between pages and relays are from so many milliseconds to so many.
const ROUND_TRIP: (u64, u64) = (10, 150);
/// A connection that the kernel of the other side ignores is tried again after this time, and then
/// after twice as long.
const AGAIN: u64 = 1_000;
/// When it ends without all pages being back.
const LONGEST: u64 = 3_600_000;

#[derive(Debug)]
enum Event {
    /// The page opens.
    Opens(u32),
    /// Its timer may be due.
    Timer(u32),
    /// Its connection is gone.
    Cut(u32),
    /// Its connection request is at this relay for the nth time.
    Arrives(Attempt, u32, u32),
    /// Its HTTP request is at this relay.
    Asks(Attempt, u32, Arrival),
    /// The HTTP request may be answered.
    Enters(Attempt, u32, Arrival),
    Opened(Attempt),
    Closed(Attempt),
    /// The relay works for a millisecond.
    Works(u32),
    /// The relays do what they do every second.
    Second,
}

struct Simulation<'a> {
    scenario: &'a Scenario,
    now: u64,
    /// When the relays are back.
    back: u64,
    events: BTreeMap<u64, Vec<Event>>,
    pages: Vec<Page>,
    relays: Vec<Relay>,
    /// The relay of the last attempt: they take turns, as behind a proxy.
    last: u32,
    outcome: Outcome,
}

/// Simulates an outage, up to the last page that is back.
///
/// # Panics
/// There is no memory, or the build lacks the protocol.
#[must_use]
pub fn simulate(scenario: &Scenario) -> Outcome {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let Ok(runtime) = runtime else {
        return Outcome::default();
    };
    runtime.block_on(async { Simulation::new(scenario).run().await })
}

impl<'a> Simulation<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        Self {
            scenario,
            now: 0,
            back: BEGIN + scenario.outage,
            events: BTreeMap::new(),
            pages: (0..scenario.pages).filter_map(Page::new).collect(),
            relays: (0..scenario.relays).map(|_| Relay::new(scenario)).collect(),
            last: 0,
            outcome: Outcome::default(),
        }
    }

    async fn run(mut self) -> Outcome {
        for page in 0..self.scenario.pages {
            self.at(
                u64::from(page) * OPENING / u64::from(self.scenario.pages),
                Event::Opens(page),
            );
            self.at(BEGIN + round_trip(page) / 2, Event::Cut(page));
        }
        self.at(self.back, Event::Second);
        while self.outcome.back.len() < self.pages.len()
            && self.now < self.back + LONGEST
            && let Some((time, events)) = self.events.pop_first()
        {
            advance(Duration::from_millis(time - self.now)).await;
            self.now = time;
            for event in events {
                self.handle(event);
            }
        }
        for relay in &self.relays {
            self.outcome.processor += relay.processor;
            self.outcome.longest_queue = self.outcome.longest_queue.max(relay.longest_queue);
        }
        self.outcome
    }

    fn at(&mut self, time: u64, event: Event) {
        self.events.entry(time).or_default().push(event);
    }

    fn after(&mut self, time: u64, event: Event) {
        self.at(self.now + time.max(1), event);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Opens(page) => self.drive(page, |page, now| page.connect(now)),
            Event::Timer(page) => self.drive(page, |page, now| page.wake(now)),
            Event::Cut(page) => self.drive(page, |page, now| page.closed(now)),
            Event::Arrives(attempt, relay, times) => self.arrives(attempt, relay, times),
            Event::Asks(attempt, relay, arrival) => {
                if let Some(of) = self.relays.get_mut(relay as usize) {
                    of.asks(attempt, arrival);
                }
                self.begin_work(relay);
            }
            Event::Enters(attempt, relay, arrival) => {
                if let Some(of) = self.relays.get(relay as usize) {
                    let answer = of.enter(&arrival);
                    self.answered(attempt, relay, answer);
                }
            }
            Event::Opened(attempt) if self.is_current(attempt) => {
                let time = self.now;
                self.drive(attempt.page, |page, now| page.opened(now));
                if let Some(since) = time.checked_sub(self.back) {
                    self.outcome.back.push(since);
                }
            }
            // The page has gone, and the relay notices.
            Event::Opened(attempt) => {
                if let Some(page) = self.pages.get_mut(attempt.page as usize) {
                    page.place = None;
                }
            }
            Event::Closed(attempt) if self.is_current(attempt) => {
                self.outcome.failed += u64::from(self.now >= self.back);
                self.drive(attempt.page, |page, now| page.closed(now));
            }
            Event::Closed(_) => {}
            Event::Works(relay) => self.work(relay),
            Event::Second => {
                for relay in &self.relays {
                    relay.evict_unused();
                }
                self.after(1_000, Event::Second);
            }
        }
    }

    fn is_current(&self, attempt: Attempt) -> bool {
        let page = self.pages.get(attempt.page as usize);
        page.is_some_and(|page| page.socket == attempt.socket)
    }

    /// Has a page do something, and gives it what it wants then.
    fn drive(&mut self, number: u32, act: impl FnOnce(&mut Page, u64) -> Wants) {
        let Some(page) = self.pages.get_mut(number as usize) else {
            return;
        };
        let wants = act(page, self.now);
        let attempt = Attempt {
            page: number,
            socket: page.socket,
        };
        self.outcome.failed += u64::from(wants.gave_up && self.now >= self.back);
        if let Some(timer) = wants.timer {
            self.at(timer, Event::Timer(number));
        }
        if wants.socket {
            self.attempt(attempt);
        }
    }

    /// A page begins to connect.
    fn attempt(&mut self, attempt: Attempt) {
        let round_trip = round_trip(attempt.page);
        if self.now < BEGIN {
            return self.after(round_trip, Event::Opened(attempt));
        }
        self.count_attempt();
        let arrives = self.now + round_trip / 2;
        if arrives < self.back && !self.scenario.silent {
            return self.after(round_trip, Event::Closed(attempt));
        }
        self.last = (self.last + 1) % self.scenario.relays.max(1);
        self.at(
            arrives.max(self.now + 1),
            Event::Arrives(attempt, self.last, 0),
        );
    }

    fn count_attempt(&mut self) {
        let (seconds, time) = match self.now.checked_sub(self.back) {
            Some(since) => (&mut self.outcome.attempts, since),
            None => (&mut self.outcome.attempts_before, self.now - BEGIN),
        };
        let second = (time / 1_000) as usize;
        if seconds.len() <= second {
            seconds.resize(second + 1, 0);
        }
        if let Some(count) = seconds.get_mut(second) {
            *count += 1;
        }
    }

    fn arrives(&mut self, attempt: Attempt, relay: u32, times: u32) {
        if !self.is_current(attempt) {
            return;
        }
        let is_up = self.now >= self.back;
        let of = self.relays.get_mut(relay as usize);
        if is_up && of.is_some_and(|relay| relay.arrives(attempt)) {
            self.begin_work(relay);
        } else {
            self.after(
                AGAIN << times.min(6),
                Event::Arrives(attempt, relay, times + 1),
            );
        }
    }

    fn begin_work(&mut self, relay: u32) {
        if let Some(of) = self.relays.get_mut(relay as usize)
            && !of.is_working
        {
            of.is_working = true;
            self.after(1, Event::Works(relay));
        }
    }

    fn work(&mut self, relay: u32) {
        let Some(of) = self.relays.get_mut(relay as usize) else {
            return;
        };
        of.is_working = false;
        let mut answers = Vec::new();
        of.work(|attempt, answer| answers.push((attempt, answer)));
        let has_work = of.has_work();
        for (attempt, answer) in answers {
            self.answered(attempt, relay, answer);
        }
        if has_work {
            self.begin_work(relay);
        }
    }

    fn answered(&mut self, attempt: Attempt, relay: u32, answer: Answer) {
        let round_trip = round_trip(attempt.page);
        match answer {
            Answer::ShakesHands(arrival) => {
                self.after(round_trip, Event::Asks(attempt, relay, arrival));
            }
            Answer::Waits(time, arrival) => {
                self.after(time, Event::Enters(attempt, relay, arrival));
            }
            Answer::Open(admitted) => {
                if self.is_current(attempt)
                    && let Some(page) = self.pages.get_mut(attempt.page as usize)
                {
                    page.place = Some(admitted);
                    self.after(round_trip / 2, Event::Opened(attempt));
                }
            }
            Answer::Closed => self.after(round_trip / 2, Event::Closed(attempt)),
            Answer::Dropped => {
                self.outcome.dropped += 1;
                self.after(round_trip / 2, Event::Closed(attempt));
            }
            Answer::Refused => {
                self.outcome.refused += 1;
                self.after(round_trip / 2, Event::Closed(attempt));
            }
        }
    }
}

/// The round trip between a page and any relay, in milliseconds.
fn round_trip(page: u32) -> u64 {
    let (least, most) = ROUND_TRIP;
    let spread = u64::from(page).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    least + spread % (most - least + 1)
}
