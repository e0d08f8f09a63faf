//! The commands of this project: `cargo xtask <command>`.

mod bench;
mod build;
mod dev;
mod files;
mod fuzz;
mod lock;
mod manifest;
mod package;
mod problem;
mod process;
mod project;
mod release;
mod say;
mod serve;
mod setup;
mod size;
mod test;

use std::process::ExitCode;

use problem::{Outcome, fail};
use project::Project;
use setup::Programs;

const HELP: &str = "\
cargo xtask <command>

  setup               installs what is missing: npm packages, Rust's library for wasm32, wasm-bindgen, wasm-pack, browsers
  build               builds dist/, the npm package, and the relay; --dev builds them quickly instead, not optimized, as dev does
  examples            builds the Rust front ends of examples/, with Leptos and Yew, as pages
  serve [OPTION…]     builds and serves the demo; options go to the relay, such as --listen 0.0.0.0:9000 --open (npm start)
  dev [OPTION…]       serves the demo, builds what changes in www npm src wire relay, and reloads the open pages; --listen
                      HOST:PORT comes first, other options go to the relay (npm run dev)
  test [SUITE…]       runs lint host types transports rooms browser package pages chaos size, or only the named suites,
                      which may be bench too (npm test)
  browser [ARG…]      runs only the wasm-bindgen tests, in Chromium or, if the first argument is --firefox or --safari, in
                      Firefox or WebKitGTK; other arguments go to cargo, such as --test browser
  release             makes the files of a release in release/, with their checksums (npm run release)
  package             builds the npm package and checks what would be published
  size [OPTION…]      prints what the package weighs; --each measures what each protocol costs, by building without it;
                      --record writes the sizes to benches/recorded/size.json, to compare with later (npm run size)
  bench [SECTION [OPTION…]]
                      measures, and leaves a page and JSON in target/bench: size, the package; receive, send and start,
                      in a browser beside the shim and other libraries; relay, the relay beside servers of npm's ws and
                      socket.io; scale, relays that share NATS; outage, how pages come back, simulated; join, until pages
                      of RTCMultiConnection and of signal-wasm/call are connected, on each server and protocol; load,
                      what a room of RTCMultiConnection 3 costs our relay and rtcmulticonnection-server; chaos, as below;
                      cluster, chaos on relays that share NATS. The options are in the section's program.
                      --record writes the figures to benches/recorded and into the documents (npm run bench)
  figures             writes the figures in the documents from those in benches/recorded; --check only compares
                      (npm run figures)
  chaos [OPTION…]     cuts connections and kills the relay while pages and clients talk, and counts lost, repeated and
                      reordered messages; --faults sets how many, --seed repeats a run, --help lists the rest (npm run chaos)
  attack [ATTACK…]    attacks the relay in each known way at full size, or in the named ones, while two pages talk, and prints
                      whether they felt it; --help lists the attacks and options (npm run attack)
  fuzz [TARGET…]      fuzzes the decoders, the session and the relay: all targets or the named ones, each for a minute or
                      --seconds; needs Rust's nightly and cargo-fuzz
  ci                  what continuous integration runs: all suites, with CI set

Each command first installs what it needs, and prints each step. Environment variables: SIGNAL_WASM_TOOLS is the folder
for build tools; CHROMIUM and FIREFOX are the browsers for the tests, CHROMEDRIVER and GECKODRIVER their drivers, and
WEBKITDRIVER and XVFB are WebKitGTK's driver and its display.";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            if !problem.is_printed() {
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
        ("build", [option]) if option == "--dev" => build::for_development(&project).map(drop),
        ("examples", []) => {
            let pages = build::front_ends(&project)?;
            say::line(format!("  {}", pages.display()));
            Ok(())
        }
        ("dev", _) => dev::run(&project, rest),
        ("serve", _) => serve::run(&project, rest),
        ("test", _) => test::run(&project, rest),
        ("browser", _) => test::browser(&project, rest),
        ("package", []) => package::run(&project),
        ("release", []) => release::run(&project),
        ("size", _) => size::run(&project, rest),
        ("bench", _) => bench::run(&project, rest),
        ("figures", _) => bench::figures(&project, rest),
        ("chaos", _) => script(&project, "tests/chaos/run.mjs", rest),
        ("attack", _) => script(&project, "tests/attack/run.mjs", rest),
        ("fuzz", _) => fuzz::run(&project, rest),
        ("ci", []) => ci(&project),
        ("setup" | "build" | "examples" | "package" | "release" | "ci", [extra, ..]) => {
            fail!("{command} takes no arguments, but got {extra:?}")
        }
        _ => fail!("there is no command {command:?}\n\n{HELP}"),
    }
}

/// Runs a program for Node that needs a browser, the package, the relay and perhaps servers of
/// others.
fn script(project: &Project, path: &str, arguments: &[String]) -> Outcome {
    let programs = Programs::find_or_install(project)?;
    build::all(project)?;
    process::run(programs.node(project).arg(path).args(arguments))
}

/// Runs all suites in a process of its own, which is where the variable is set.
fn ci(project: &Project) -> Outcome {
    let mut test = process::cargo();
    process::run(
        test.current_dir(&project.root)
            .args(["xtask", "test"])
            .env("CI", "true"),
    )
}
