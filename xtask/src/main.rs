//! The commands of this project: `cargo xtask <command>`.

mod build;
mod files;
mod fuzz;
mod lock;
mod package;
mod problem;
mod process;
mod project;
mod say;
mod serve;
mod setup;
mod size;
mod test;

use std::process::{Command, ExitCode};

use problem::{Outcome, fail};
use project::Project;

const HELP: &str = "\
cargo xtask <command>

  setup               installs what is missing: npm packages, wasm32 standard library, wasm-bindgen, wasm-pack, a browser
  build               makes dist/, the npm package, and the relay
  serve [OPTION…]     builds and serves the demo; options go to the relay, such as --listen 0.0.0.0:9000 (npm start)
  test [SUITE…]       runs lint host types transports browser package pages chaos size, or the named ones, also bench (npm test)
  browser [ARG…]      runs the wasm-bindgen tests alone; arguments go to cargo, such as --test browser
  package             builds, and checks what would be published
  size [OPTION…]      prints what the package weighs; --record makes these the sizes to compare with, --each measures anew
                      what each protocol costs, by building without it (npm run size)
  bench [OPTION…]     measures the receive path in a browser against the shim (npm run bench)
  chaos [OPTION…]     lets pages and clients talk while connections are lost and the relay dies, and counts what that does to their
                      messages; --seed repeats a run, --faults says how many losses, --help tells the rest (npm run chaos)
  fuzz [TARGET…]      lets fuzzers look for what breaks the decoders, the session and the relay, all or the named ones, each for a
                      minute or --seconds; takes Rust's nightly and cargo-fuzz, and says if they are missing
  ci                  what continuous integration runs: all suites, with CI set

Each command first installs what it needs, and says so. SIGNAL_WASM_TOOLS: where build tools go.
CHROMIUM, CHROMEDRIVER: the browser for the tests, and its driver.";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            if !problem.is_told() {
                eprintln!("\nerror: {problem}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Outcome {
    let Some((command, rest)) = words.split_first() else {
        say::line(HELP);
        return Ok(());
    };
    let project = Project::find()?;
    match (command.as_str(), rest) {
        ("help" | "--help" | "-h", _) => {
            say::line(HELP);
            Ok(())
        }
        ("setup", []) => setup::all(&project),
        ("build", []) => build::all(&project),
        ("serve", _) => serve::run(&project, rest),
        ("test", _) => test::run(&project, rest),
        ("browser", _) => test::browser(&project, rest),
        ("package", []) => package::run(&project),
        ("size", _) => size::run(&project, rest),
        ("bench", _) => script(&project, "benches/receive.mjs", rest),
        ("chaos", _) => script(&project, "tests/chaos/run.mjs", rest),
        ("fuzz", _) => fuzz::run(&project, rest),
        ("ci", []) => ci(&project),
        ("setup" | "build" | "package" | "ci", [extra, ..]) => {
            fail!("{command} takes no arguments, but got {extra:?}")
        }
        _ => fail!("there is no command {command:?}\n\n{HELP}"),
    }
}

/// A program for Node that wants a browser, the package and the relay, with arguments of its own.
fn script(project: &Project, path: &str, arguments: &[String]) -> Outcome {
    let browser = setup::for_tests(project)?;
    build::all(project)?;
    process::open(
        Command::new("node")
            .current_dir(&project.root)
            .env("CHROMIUM", &browser.program)
            .env("SIGNAL_RELAY", project.relay())
            .arg(path)
            .args(arguments),
    )
}

/// All suites, by a process of its own: a variable can't be set for this one any more.
fn ci(project: &Project) -> Outcome {
    let mut test = process::cargo();
    process::open(
        test.current_dir(&project.root)
            .args(["xtask", "test"])
            .env("CI", "true"),
    )
}
