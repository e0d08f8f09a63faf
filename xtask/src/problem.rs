//! The error of all commands: one message, worded for the person who reads it.

use std::fmt::{self, Display};

/// A message that says what failed, with which value, and what to do.
#[derive(Debug, PartialEq)]
pub struct Problem {
    message: String,
    printed: bool,
}

/// The result of the functions of this crate.
pub type Outcome<T = ()> = Result<T, Problem>;

impl Problem {
    /// A problem with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Problem {
            message: message.into(),
            printed: false,
        }
    }

    /// A problem that has been printed already, so that the command only has to fail.
    pub fn printed(message: impl Into<String>) -> Self {
        Problem {
            message: message.into(),
            printed: true,
        }
    }

    /// Whether the message has been printed already.
    pub fn is_printed(&self) -> bool {
        self.printed
    }

    /// The same problem, after a sentence that says what was being done.
    pub fn during(self, what: impl Display) -> Self {
        Problem::new(format!("{what}: {}", self.message))
    }

    /// The same problem, followed by advice.
    pub fn advise(self, advice: impl Display) -> Self {
        Problem::new(format!("{}\n{advice}", self.message))
    }
}

impl Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

/// Returns a [`Problem`] from the function; takes what `format!` takes.
macro_rules! fail {
    ($($message:tt)*) => { return Err($crate::problem::Problem::new(format!($($message)*))) };
}
pub(crate) use fail;
