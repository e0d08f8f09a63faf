//! One end of a link between two relays: messages arrive once and in order, whatever NATS loses on
//! the way. Pure.
//!
//! What is sent is kept until the other end has taken it, and is sent again if that says that
//! something is missing, or takes nothing for a while. A link is over when nothing was heard for
//! [`SILENT`], or too much waits.

use std::collections::VecDeque;
use std::time::Duration;

use axum::body::Bytes;
use tokio::time::Instant;

use super::segment::{Kind, Segment};

/// How often something is said, at least.
const SAY: Duration = Duration::from_secs(1);
/// How long the other end may be silent.
pub(super) const SILENT: Duration = Duration::from_secs(10);
/// What isn't taken for so long is sent again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long passes, at least, until it is said once more that something is missing.
const COMPLAINT: Duration = Duration::from_millis(50);
/// How many parts are sent again at one time, and how many bytes.
const MOST_AGAIN: (usize, usize) = (1024, 4 * 1024 * 1024);
/// How many parts wait to be taken, and how many bytes.
const MOST_WAITING: (usize, usize) = (65_536, 64 * 1024 * 1024);
/// How much may wait before nothing is taken that would add to it. What one event sends to all in a
/// space fits into the rest.
const CROWDED: (usize, usize) = (1024, 16 * 1024 * 1024);
/// The longest message, in bytes.
const LONGEST: usize = 8 * 1024 * 1024;

/// Whose link it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    pub(super) is_keepers: bool,
    /// This relay.
    pub(super) relay: u64,
    pub(super) link: u64,
}

/// A link that can't go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken(pub(super) &'static str);

/// One end of a link.
#[derive(Debug)]
pub(super) struct End {
    names: Names,
    sent: u64,
    /// What the other end hasn't taken.
    waiting: VecDeque<(u64, Kind, Bytes)>,
    bytes: usize,
    /// What has come in order.
    received: u64,
    /// What of it was taken.
    taken: u64,
    partial: Vec<u8>,
    heard: Instant,
    said: Instant,
    /// When what waits was sent, or some of it was taken.
    progress: Instant,
    complained: Option<Instant>,
    owes: bool,
}

/// A message that has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// The number to be given to [`End::done`].
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
}

impl End {
    pub(super) fn new(names: Names, now: Instant) -> Self {
        Self {
            names,
            sent: 0,
            waiting: VecDeque::new(),
            bytes: 0,
            received: 0,
            taken: 0,
            partial: Vec::new(),
            heard: now,
            said: now,
            progress: now,
            complained: None,
            owes: false,
        }
    }

    fn segment(&mut self, number: u64, kind: Kind, payload: Bytes, now: Instant) -> Segment {
        self.said = now;
        self.owes = false;
        Segment {
            kind,
            is_keepers: self.names.is_keepers,
            relay: self.names.relay,
            link: self.names.link,
            number,
            taken: self.taken,
            payload,
        }
    }

    /// Sends a message, in parts of at most so many bytes.
    pub(super) fn send(
        &mut self,
        message: &Bytes,
        longest: usize,
        now: Instant,
    ) -> Result<Vec<Segment>, Broken> {
        if self.waiting.is_empty() {
            self.progress = now;
        }
        let longest = longest.max(1);
        let mut segments = Vec::new();
        let mut begin = 0;
        loop {
            let end = message.len().min(begin + longest);
            let kind = if end == message.len() {
                Kind::Last
            } else {
                Kind::Part
            };
            let part = message.slice(begin..end);
            self.sent += 1;
            self.bytes += part.len();
            self.waiting.push_back((self.sent, kind, part.clone()));
            segments.push(self.segment(self.sent, kind, part, now));
            begin = end;
            if kind == Kind::Last {
                break;
            }
        }
        let (most, most_bytes) = MOST_WAITING;
        if self.waiting.len() > most || self.bytes > most_bytes {
            return Err(Broken("the other relay takes too little"));
        }
        Ok(segments)
    }

    /// Takes a segment. Returns a message that is complete with it, and what is to be sent.
    pub(super) fn take(
        &mut self,
        segment: &Segment,
        now: Instant,
    ) -> Result<(Option<Message>, Vec<Segment>), Broken> {
        self.heard = now;
        while let Some((number, _, bytes)) = self.waiting.front()
            && *number <= segment.taken
        {
            self.bytes -= bytes.len();
            self.waiting.pop_front();
            self.progress = now;
        }
        match segment.kind {
            Kind::Ended => Err(Broken("the other relay has ended it")),
            Kind::Heard => Ok((None, Vec::new())),
            Kind::Missing => Ok((None, self.send_again(now))),
            Kind::Part | Kind::Last if segment.number == self.received + 1 => {
                self.received += 1;
                self.owes = true;
                if self.partial.len() + segment.payload.len() > LONGEST {
                    return Err(Broken("a message is too long"));
                }
                self.partial.extend(&*segment.payload);
                let is_complete = segment.kind == Kind::Last;
                let message = is_complete.then(|| Message {
                    number: self.received,
                    bytes: std::mem::take(&mut self.partial),
                });
                Ok((message, Vec::new()))
            }
            Kind::Part | Kind::Last if segment.number <= self.received => {
                self.owes = true;
                Ok((None, Vec::new()))
            }
            Kind::Part | Kind::Last => {
                let complained = self.complained.is_some_and(|at| now < at + COMPLAINT);
                if complained {
                    return Ok((None, Vec::new()));
                }
                self.complained = Some(now);
                let missing = self.segment(0, Kind::Missing, Bytes::new(), now);
                Ok((None, vec![missing]))
            }
        }
    }

    /// Whether much waits to be taken.
    pub(super) fn is_crowded(&self) -> bool {
        let (parts, bytes) = CROWDED;
        self.waiting.len() > parts || self.bytes > bytes
    }

    /// Nothing is sent any more.
    pub(super) fn clear(&mut self) {
        self.waiting = VecDeque::new();
        self.bytes = 0;
    }

    /// How long nothing was heard.
    pub(super) fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard)
    }

    /// A message that has come was taken, and all before it.
    pub(super) fn done(&mut self, number: u64) {
        self.taken = self.taken.max(number);
        self.owes = true;
    }

    fn send_again(&mut self, now: Instant) -> Vec<Segment> {
        self.progress = now;
        let (most, most_bytes) = MOST_AGAIN;
        let mut bytes = 0;
        // The first one in any case.
        let again = self.waiting.iter().take(most).take_while(|(_, _, part)| {
            let is_first = bytes == 0;
            bytes += part.len();
            is_first || bytes <= most_bytes
        });
        let again: Vec<_> = again.cloned().collect();
        again
            .into_iter()
            .map(|(number, kind, part)| self.segment(number, kind, part, now))
            .collect()
    }

    /// What is to be sent after some time. To be called several times a second.
    pub(super) fn tick(&mut self, now: Instant) -> Result<Vec<Segment>, Broken> {
        if now >= self.heard + SILENT {
            return Err(Broken("the other relay is silent"));
        }
        let mut segments = Vec::new();
        if !self.waiting.is_empty() && now >= self.progress + AGAIN {
            segments = self.send_again(now);
        }
        if self.owes || now >= self.said + SAY {
            segments.push(self.segment(0, Kind::Heard, Bytes::new(), now));
        }
        Ok(segments)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    fn end(is_keepers: bool, now: Instant) -> End {
        let names = Names {
            is_keepers,
            relay: 1,
            link: 2,
        };
        End::new(names, now)
    }

    /// Both ends, of which each loses what the chance says.
    #[test]
    fn messages_arrive_once_and_in_order() {
        let mut now = Instant::now();
        let (mut one, mut other) = (end(false, now), end(true, now));
        let mut chance = 12345_u64;
        let mut lost = || {
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (chance >> 33).is_multiple_of(3)
        };
        let (mut to_other, mut to_one) = (Vec::new(), Vec::new());
        let mut arrived = Vec::new();
        for round in 0..2000_u64 {
            now += Duration::from_millis(100);
            if round < 500 {
                let text = format!("message {round} {}", "x".repeat(round as usize % 50));
                to_other.extend(one.send(&text.clone().into(), 16, now).unwrap());
            }
            to_other.extend(one.tick(now).unwrap());
            to_one.extend(other.tick(now).unwrap());
            for segment in std::mem::take(&mut to_other) {
                if lost() {
                    continue;
                }
                let (message, answer) = other.take(&segment, now).unwrap();
                to_one.extend(answer);
                if let Some(message) = message {
                    other.done(message.number);
                    arrived.push(String::from_utf8(message.bytes).unwrap());
                }
            }
            for segment in std::mem::take(&mut to_one) {
                if !lost() {
                    to_other.extend(one.take(&segment, now).unwrap().1);
                }
            }
        }
        assert_eq!(arrived.len(), 500);
        for (round, text) in arrived.iter().enumerate() {
            assert!(text.starts_with(&format!("message {round} ")), "{text}");
        }
        assert!(one.waiting.is_empty() && one.bytes == 0);
    }

    #[test]
    fn a_part_that_was_lost_is_sent_again_however_long_it_is() {
        let now = Instant::now();
        let mut one = end(false, now);
        let length = MOST_AGAIN.1 + 1;
        let message = Bytes::from(vec![0; length]);
        one.send(&message, length, now).unwrap();
        one.send(&message, length, now).unwrap();
        let again = one.tick(now + AGAIN).unwrap();
        assert_eq!(again[0].number, 1);
        assert_eq!(again[0].payload.len(), length);
        assert!(again.iter().all(|segment| segment.number < 2));
    }

    #[test]
    fn a_silent_end_is_given_up() {
        let now = Instant::now();
        let mut one = end(false, now);
        assert!(one.tick(now + SILENT / 2).is_ok());
        assert!(one.tick(now + SILENT).is_err());
    }

    #[test]
    fn what_waits_is_bounded() {
        let now = Instant::now();
        let mut one = end(false, now);
        let message = Bytes::from(vec![0; 1024 * 1024]);
        let broken = (0..100).any(|_| one.send(&message, 100_000, now).is_err());
        assert!(broken && one.bytes <= MOST_WAITING.1 + message.len());
        assert!(one.is_crowded());
        let mut other = end(true, now);
        let part = Segment {
            kind: Kind::Part,
            is_keepers: false,
            relay: 1,
            link: 2,
            number: 0,
            taken: 0,
            payload: message,
        };
        let broken = (1..20).any(|number| {
            let part = Segment {
                number,
                ..part.clone()
            };
            other.take(&part, now).is_err()
        });
        assert!(broken && other.partial.len() <= LONGEST);
    }
}
