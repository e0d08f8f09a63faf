//! `cargo xtask test [SUITE…]`, which is `npm test`: runs the suites, counts their tests, and ends
//! with a table.
//!
//! A suite or test file that ran no test is a failure, although its exit code is that of a success.
//! A skipped test is reported, and is a failure where `CI` is set.

mod browser_tests;
mod cargo_suites;
mod disk;
mod lint;
mod node_suites;
mod reap;
mod tally;
mod wasm_suite;
mod watch;

use std::env;
use std::time::{Duration, Instant};

use crate::build;
use crate::problem::{Outcome, Problem, fail};
use crate::process;
use crate::project::Project;
use crate::release;
use crate::say;
use crate::setup::{self, Programs};
use crate::size;
use tally::Tally;
use watch::Watched;

/// Runs one suite.
type Suite = fn(&Ground) -> Outcome<Tally>;

/// All suites, cheap ones first.
const SUITES: [(&str, Suite); 11] = [
    ("lint", lint::run),
    ("host", cargo_suites::run),
    ("types", |ground| node_suites::run(ground, "tests/types")),
    ("transports", |ground| {
        node_suites::run(ground, "tests/transports")
    }),
    ("rooms", |ground| node_suites::run(ground, "tests/rooms")),
    ("browser", wasm_suite::run),
    ("package", |ground| {
        release::run(ground.project)?;
        build::front_ends(ground.project)?;
        node_suites::run(ground, "tests/package")
    }),
    ("pages", |ground| {
        node_suites::run_pages(ground, "tests/e2e")
    }),
    ("chaos", |ground| node_suites::run(ground, "tests/chaos")),
    ("size", |ground| {
        let mut tally = Tally::default();
        tally.check(
            "the feature `typed` costs the npm package nothing",
            size::typed_costs_nothing(ground.project),
        );
        tally.check("npm run size", size::table(ground.project, &[]));
        Ok(tally)
    }),
    ("bench", |ground| {
        let mut tally = Tally::default();
        let mut gate = ground.node();
        let ended = watch::run(
            gate.args(["benches/receive.mjs", "--gate"]),
            ground.limit,
            |_| (),
        );
        tally.check(
            "benches/receive.mjs --gate",
            ended.and_then(Watched::success),
        );
        Ok(tally)
    }),
];

/// What the suites are run with.
#[derive(Debug)]
pub struct Ground<'project> {
    project: &'project Project,
    /// Tests that need another server than these are skipped.
    programs: Programs,
    /// How long a test program may print nothing before it counts as hanging.
    limit: Duration,
}

impl Ground<'_> {
    fn node(&self) -> std::process::Command {
        self.programs.node(self.project)
    }
}

/// How much slower this machine is than others, as `tests/support/deadline.mjs` reads it too.
fn time_factor() -> Outcome<f64> {
    const NAME: &str = "SIGNAL_TEST_TIME_FACTOR";
    let Ok(text) = env::var(NAME) else {
        return Ok(1.0);
    };
    match text.parse() {
        Ok(factor) if (1.0..1_000.0).contains(&factor) => Ok(factor),
        _ => fail!("{NAME} is {text:?}; it must be a number from 1 to 1000"),
    }
}

/// Runs all suites, or only the named ones, and prints the results.
pub fn run(project: &Project, names: &[String]) -> Outcome {
    for name in names {
        if !SUITES.iter().any(|(suite, _)| suite == name) {
            fail!(
                "there is no suite {name:?}; there are {}",
                SUITES.map(|(suite, _)| suite).join(", ")
            );
        }
    }
    let chosen: Vec<_> = SUITES
        .iter()
        .filter(|(suite, _)| match names {
            // Only when named: times mean nothing beside other work on the same machine.
            [] => *suite != "bench",
            names => names.iter().any(|name| name == suite),
        })
        .collect();

    if names.is_empty() {
        disk::check(project)?;
    }
    setup::for_lint()?;
    let ground = Ground {
        project,
        programs: Programs::find_or_install(project)?,
        limit: Duration::from_secs(15 * 60).mul_f64(time_factor()?),
    };
    if let Err(problem) = build::all(project) {
        eprintln!("\nerror: {problem}");
        return Err(end("the build failed", 0, 1, 0));
    }

    let mut table = Vec::new();
    for (name, suite) in chosen {
        say::line(format!("\n━━ {name} ━━"));
        let began = Instant::now();
        let mut tally = suite(&ground).unwrap_or_else(Tally::broken);
        if tally.passed + tally.failed == 0 {
            tally.fail("the suite ran no test");
        }
        table.push((*name, tally, began.elapsed()));
    }
    conclude(&table)
}

/// The command `browser`: only the wasm-bindgen tests, in one browser. `arguments` go to cargo, such
/// as `--test browser`; the first may name the browser, as wasm-pack does.
pub fn browser(project: &Project, arguments: &[String]) -> Outcome {
    let browsers = setup::for_tests(project)?;
    process::run(&mut wasm_suite::command(project, &browsers, arguments)?)
}

fn conclude(table: &[(&str, Tally, Duration)]) -> Outcome {
    let mut sum = Tally::default();
    say::line(format!(
        "\n{:<11}{:>8}{:>8}{:>9}{:>14}",
        "suite", "passed", "failed", "skipped", "time"
    ));
    for (name, tally, time) in table {
        let (passed, failed, skipped) = (tally.passed, tally.failed, tally.skipped);
        say::line(format!(
            "{name:<11}{passed:>8}{failed:>8}{skipped:>9}{:>14}",
            say::seconds(*time)
        ));
        sum.passed += passed;
        sum.failed += failed;
        sum.skipped += skipped;
        sum.complaints.extend(
            tally
                .complaints
                .iter()
                .map(|complaint| format!("{name}: {complaint}")),
        );
    }
    let verdict = judge(&mut sum, process::is_ci());
    if !sum.complaints.is_empty() {
        say::line("");
        sum.complaints
            .iter()
            .for_each(|complaint| say::line(format!("✗ {complaint}")));
    }
    let problem = end(
        verdict.unwrap_or_default(),
        sum.passed,
        sum.failed,
        sum.skipped,
    );
    if verdict.is_none() {
        Ok(())
    } else {
        Err(problem)
    }
}

/// Why the whole run is a failure, if it is. Adds a complaint about skipped tests.
fn judge(sum: &mut Tally, ci: bool) -> Option<&'static str> {
    if sum.skipped > 0 {
        let words = if ci {
            "With CI set that is a failure."
        } else {
            "They were NOT tested."
        };
        sum.complaints
            .push(format!("{} skipped. {words}", sum.skipped));
    }
    match sum {
        Tally { failed: 1.., .. } => Some("tests failed"),
        Tally { skipped: 1.., .. } if ci => Some("tests were skipped"),
        Tally { passed: 0, .. } => Some("no test was run"),
        _ => None,
    }
}

/// Prints the last line, which programs read too, and gives the problem for the exit code.
fn end(verdict: &str, passed: usize, failed: usize, skipped: usize) -> Problem {
    let skipped = if skipped > 0 {
        format!(", {skipped} skipped")
    } else {
        String::new()
    };
    say::line(format!("\n{passed} passed, {failed} failed{skipped}"));
    Problem::printed(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(passed: usize, failed: usize, skipped: usize, ci: bool) -> (bool, usize) {
        let mut sum = Tally {
            passed,
            failed,
            skipped,
            complaints: Vec::new(),
        };
        (judge(&mut sum, ci).is_none(), sum.complaints.len())
    }

    #[test]
    fn skipped_tests_are_reported_and_fail_in_ci() {
        assert_eq!(judged(3, 0, 0, true), (true, 0));
        assert_eq!(judged(3, 0, 1, false), (true, 1));
        assert_eq!(judged(3, 0, 1, true), (false, 1));
        assert_eq!(judged(3, 1, 0, false), (false, 0));
        assert_eq!(judged(0, 0, 0, false), (false, 0));
    }
}
