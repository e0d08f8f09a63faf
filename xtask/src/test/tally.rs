//! The results of a suite.

use crate::problem::{Outcome, Problem};
use crate::say;

/// Counts of tests, and a sentence for each file or check that failed.
#[derive(Debug, Default, PartialEq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
    pub complaints: Vec<String>,
}

impl Tally {
    /// A suite that couldn't even be run.
    pub fn broken(problem: Problem) -> Self {
        let mut tally = Tally::default();
        tally.fail(problem.to_string());
        tally
    }

    /// Counts one failure, in words.
    pub fn fail(&mut self, complaint: impl Into<String>) {
        self.failed += 1;
        self.complaints.push(complaint.into());
    }

    /// Counts tests that couldn't be run as one that was skipped, in words.
    pub fn skip(&mut self, complaint: impl Into<String>) {
        self.skipped += 1;
        self.complaints.push(complaint.into());
    }

    /// Counts one check that has no tests inside, such as a linter's run.
    pub fn check(&mut self, what: &str, outcome: Outcome) {
        match outcome {
            Ok(()) => {
                self.passed += 1;
                say::line(format!("✔ {what}"));
            }
            Err(problem) => {
                say::line(format!("✗ {what}: {problem}"));
                self.fail(what);
            }
        }
    }

    /// Adds another one.
    pub fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.complaints.extend(other.complaints);
    }
}
