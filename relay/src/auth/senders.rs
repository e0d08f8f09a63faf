//! Which user each `sender` belongs to.
//!
//! Pages choose their `sender` themselves, mostly at random, and old pages recognise their own
//! messages by it. So the relay doesn't change it: in each space a sender belongs to the user who
//! used it first, until that user hasn't used it for a while. Senders that JavaScript's `==` treats
//! alike are the same.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use signal_wire::json;
use tokio::time::Instant;

/// How long a sender belongs to its user after its last use.
pub(super) const AGE: Duration = Duration::from_secs(600);
/// How many senders a user has at one time, in all spaces. Beyond that, the one unused longest is
/// free again. A page takes a new one each time that it is loaded.
const MOST: usize = 256;

/// The senders of all spaces. Only hashes are kept, with keys that nobody knows.
#[derive(Debug)]
pub(super) struct Senders {
    /// How long a sender belongs to its user after its last use.
    age: Duration,
    hashes: RandomState,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    owners: HashMap<u64, Owned>,
    users: HashMap<u64, BTreeMap<u64, u64>>,
    by_use: BTreeMap<u64, (Instant, u64)>,
    uses: u64,
}

#[derive(Debug)]
struct Owned {
    user: u64,
    used: u64,
    until: Instant,
}

impl Senders {
    /// `age`: how long a sender belongs to its user after its last use.
    pub(super) fn new(age: Duration) -> Self {
        Self {
            age,
            hashes: RandomState::default(),
            state: Mutex::default(),
        }
    }

    /// Whether a user may use the sender with this JSON text in a space. If so, it is theirs.
    pub(super) fn claim(&self, space: &str, sender: &str, user: &str, now: Instant) -> bool {
        let until = now + self.age;
        let claimed = self.ask(space, sender, user, now, |state, sender, user| {
            state.claim(sender, user, now, until)
        });
        claimed.unwrap_or_default()
    }

    /// The same, but nothing changes.
    pub(super) fn allows(&self, space: &str, sender: &str, user: &str, now: Instant) -> bool {
        let allowed = self.ask(space, sender, user, now, |state, sender, user| {
            state.allows(sender, user, now)
        });
        allowed.unwrap_or_default()
    }

    /// Whether it is this user's. `None`: it belongs to no user.
    pub(super) fn is_of(
        &self,
        space: &str,
        sender: &str,
        user: &str,
        now: Instant,
    ) -> Option<bool> {
        self.ask(space, sender, user, now, |state, sender, user| {
            let owner = state.owner(sender, now);
            owner.map(|owner| owner == user)
        })?
    }

    /// Asks with the hashes of the sender and the user. `None`: a sender can't have this text.
    fn ask<T>(
        &self,
        space: &str,
        sender: &str,
        user: &str,
        now: Instant,
        ask: impl FnOnce(&mut State, u64, u64) -> T,
    ) -> Option<T> {
        let identity = Identity::of(sender)?;
        let sender = self.hashes.hash_one((space, identity));
        let user = self.hashes.hash_one(user);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.evict_expired(now);
        Some(ask(&mut state, sender, user))
    }
}

impl State {
    fn owner(&self, sender: u64, now: Instant) -> Option<u64> {
        let owned = self.owners.get(&sender)?;
        (now < owned.until).then_some(owned.user)
    }

    fn allows(&self, sender: u64, user: u64, now: Instant) -> bool {
        let owner = self.owner(sender, now);
        owner.is_none_or(|owner| owner == user)
    }

    fn claim(&mut self, sender: u64, user: u64, now: Instant, until: Instant) -> bool {
        if !self.allows(sender, user, now) {
            return false;
        }
        self.release(sender);
        self.uses += 1;
        let used = self.uses;
        self.owners.insert(sender, Owned { user, used, until });
        self.by_use.insert(used, (until, sender));
        let own = self.users.entry(user).or_default();
        own.insert(used, sender);
        if own.len() > MOST
            && let Some((_, oldest)) = own.pop_first()
        {
            self.release(oldest);
        }
        true
    }

    fn release(&mut self, sender: u64) {
        let Some(Owned { user, used, .. }) = self.owners.remove(&sender) else {
            return;
        };
        self.by_use.remove(&used);
        if let Some(own) = self.users.get_mut(&user) {
            own.remove(&used);
            if own.is_empty() {
                self.users.remove(&user);
            }
        }
    }

    fn evict_expired(&mut self, now: Instant) {
        while let Some((_, (until, sender))) = self.by_use.first_key_value()
            && now >= *until
        {
            let sender = *sender;
            self.release(sender);
        }
    }
}

/// What a sender equals by JavaScript's `==`.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Identity {
    /// The bits of the number.
    Number(u64),
    Text(String),
}

impl Identity {
    /// `None`: it is neither a number nor a string. Such a sender may equal any other: `[5] == 5`.
    fn of(sender: &str) -> Option<Self> {
        if json::is_number(sender) {
            return sender.parse().ok().map(Self::number);
        }
        let text = json::string(sender)?;
        Some(match number(&text) {
            Some(number) => Self::number(number),
            None => Self::Text(text.into_owned()),
        })
    }

    fn number(number: f64) -> Self {
        // 0 == -0.
        Self::Number((number + 0.0).to_bits())
    }
}

/// The number that JavaScript's `==` makes of a string; `None`: it equals no number.
fn number(text: &str) -> Option<f64> {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.is_empty() {
        return Some(0.0);
    }
    let (sign, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (-1.0, text.get(1..)?),
        Some(b'+') => (1.0, text.get(1..)?),
        _ => (1.0, text),
    };
    if unsigned == "Infinity" {
        return Some(sign * f64::INFINITY);
    }
    let radix = |prefix: [char; 2], radix| {
        let digits = text.strip_prefix('0')?.strip_prefix(prefix)?;
        let digits = digits.chars().map(|digit| digit.to_digit(radix));
        digits.into_iter().try_fold(0.0, |number, digit| {
            Some(number * f64::from(radix) + f64::from(digit?))
        })
    };
    let plain = unsigned
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    if plain {
        return text.parse().ok();
    }
    radix(['x', 'X'], 16)
        .or_else(|| radix(['o', 'O'], 8))
        .or_else(|| radix(['b', 'B'], 2))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_sender_belongs_to_who_used_it_first() {
        let (senders, now) = (Senders::new(AGE), Instant::now());
        assert!(senders.claim("/", "5", "alice", now));
        assert!(senders.claim("/", "5", "alice", now));
        for same in [
            "5",
            "5.0",
            "50e-1",
            "\"5\"",
            "\" 5\\n\"",
            "\"+5\"",
            "\"0x5\"",
            "\"0B101\"",
            "\"0o5\"",
            "\"05\"",
            "\"5.\"",
        ] {
            assert!(!senders.claim("/", same, "mallory", now), "{same}");
            assert!(senders.claim("/", same, "alice", now), "{same}");
        }
        for other in [
            "6", "\"5a\"", "\"0x5g\"", "5.1", "\"five\"", "-5", "\"-0x5\"", "\"inf\"",
        ] {
            assert!(senders.claim("/", other, "mallory", now), "{other}");
            assert!(!senders.claim("/", other, "alice", now), "{other}");
        }
        assert!(senders.claim("/other", "5", "mallory", now));
        for strange in ["[5]", "true", "null", "{}", "[\"5\"]"] {
            assert!(!senders.claim("/", strange, "mallory", now), "{strange}");
        }
        for (one, same) in [("0", "\"\""), ("-0", "\"-0.0\""), ("1e400", "\"Infinity\"")] {
            assert!(senders.claim("/zero", one, "alice", now));
            assert!(!senders.claim("/zero", same, "mallory", now), "{same}");
        }
    }

    #[test]
    fn a_sender_is_free_again_after_a_while() {
        let (senders, start) = (Senders::new(AGE), Instant::now());
        assert!(senders.claim("/", "5", "alice", start));
        assert!(senders.claim("/", "5", "alice", start + AGE / 2));
        assert!(!senders.claim("/", "5", "bob", start + AGE));
        assert!(senders.claim("/", "5", "bob", start + 2 * AGE));
        assert!(!senders.claim("/", "5", "alice", start + 2 * AGE));
    }

    #[test]
    fn a_sender_is_free_in_time_also_if_its_use_was_learnt_late() {
        let (senders, start) = (Senders::new(AGE), Instant::now());
        assert!(senders.claim("/", "1", "alice", start + AGE / 2));
        // From what is kept.
        assert!(senders.claim("/", "5", "alice", start));
        assert_eq!(senders.is_of("/", "5", "bob", start + AGE / 2), Some(false));
        assert_eq!(
            senders.is_of("/", "5", "alice", start + AGE / 2),
            Some(true)
        );
        assert_eq!(senders.is_of("/", "5", "alice", start + AGE), None);
        assert!(senders.claim("/", "5", "bob", start + AGE));
        assert!(!senders.claim("/", "1", "bob", start + AGE));
    }

    #[test]
    fn nobody_takes_all_senders() {
        let (senders, now) = (Senders::new(AGE), Instant::now());
        assert!(senders.claim("/", "1", "alice", now));
        for number in 2..2000 {
            assert!(senders.claim("/", &number.to_string(), "mallory", now));
        }
        let state = senders.state.lock().unwrap();
        assert_eq!(state.owners.len(), MOST + 1);
        assert_eq!(state.by_use.len(), MOST + 1);
        assert_eq!(
            state.users.values().map(BTreeMap::len).sum::<usize>(),
            MOST + 1
        );
        drop(state);
        assert!(!senders.claim("/", "1", "mallory", now));
        assert!(senders.claim("/", "2", "alice", now));
        assert!(!senders.claim("/", "1999", "alice", now));
    }
}
