//! What a command ends with when it can't go on: one message, worded for the person who reads it.

use std::fmt::{self, Display};

/// A message that says what went wrong, with what, and the way out.
#[derive(Debug, PartialEq)]
pub struct Problem {
    words: String,
    told: bool,
}

/// What the functions of this crate return.
pub type Outcome<T = ()> = Result<T, Problem>;

impl Problem {
    /// A problem in these words.
    pub fn new(words: impl Into<String>) -> Self {
        Problem {
            words: words.into(),
            told: false,
        }
    }

    /// A problem that has been told already, so that the command only has to fail.
    pub fn told(words: impl Into<String>) -> Self {
        Problem {
            words: words.into(),
            told: true,
        }
    }

    /// Whether nobody has to be told any more.
    pub fn is_told(&self) -> bool {
        self.told
    }

    /// The same problem with a sentence before it that says what was being done.
    pub fn during(self, what: impl Display) -> Self {
        Problem::new(format!("{what}: {}", self.words))
    }

    /// The same problem with advice after it.
    pub fn advise(self, advice: impl Display) -> Self {
        Problem::new(format!("{}\n{advice}", self.words))
    }
}

impl Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.words)
    }
}

/// Ends the function with a [`Problem`], worded as for `format!`.
macro_rules! fail {
    ($($words:tt)*) => { return Err($crate::problem::Problem::new(format!($($words)*))) };
}
pub(crate) use fail;
