//! Refusals of the credentials, and whether another attempt makes sense after one.

use crate::protocol::Credentials;

/// How many times credentials are tried again after they were refused. A server may refuse for a
/// moment what it accepts later.
const MAX_RETRIES: u32 = 5;

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Another attempt makes no sense.
    Final,
    /// The same credentials were refused too often.
    RefusedAgain,
    /// Another attempt may succeed.
    MayPass,
}

/// What the server refused last, if it hasn't accepted the page since.
#[derive(Debug)]
pub struct Refusals {
    last: Option<Refusal>,
}

/// What the server refused.
#[derive(Debug)]
struct Refusal {
    url: String,
    credentials: Option<Credentials>,
    /// How many times in a row.
    times: u32,
}

impl Refusals {
    /// None.
    pub fn new() -> Refusals {
        Refusals { last: None }
    }

    /// The server refused this address with these credentials. `may_change`: the next attempt may
    /// have others, or the server another opinion of them.
    pub fn add(
        &mut self,
        url: &str,
        credentials: Option<&Credentials>,
        may_change: bool,
    ) -> Verdict {
        let is_same = |last: &Refusal| last.url == url && last.credentials.as_ref() == credentials;
        let last = self.last.take().filter(is_same);
        let times = last.map_or(0, |last| last.times) + 1;
        self.last = Some(Refusal {
            url: url.into(),
            credentials: credentials.cloned(),
            times,
        });
        if !may_change {
            Verdict::Final
        } else if times > MAX_RETRIES {
            Verdict::RefusedAgain
        } else {
            Verdict::MayPass
        }
    }

    /// The server has accepted the page.
    pub fn clear(&mut self) {
        self.last = None;
    }
}
