//! The suite `browser`: `wasm-pack test --headless`, the tests that run as WebAssembly in real
//! browsers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::files;
use crate::problem::{Outcome, Problem, fail};
use crate::process;
use crate::project::Project;
use crate::setup::{self, Browsers};
use crate::test::cargo_suites::{self, Libtest};
use crate::test::tally::Tally;
use crate::test::{Ground, browser_tests, watch};

/// The tests in one browser.
#[derive(Debug)]
struct Run<'browsers> {
    /// The browser's name in the results.
    name: &'static str,
    /// wasm-pack's option for it.
    option: &'static str,
    /// The command, ready for more arguments to cargo, or why the browser isn't there.
    command: Result<Command, &'browsers Problem>,
}

/// Runs the suite. The browsers run at the same time: each keeps one processor busy.
pub fn run(ground: &Ground) -> Outcome<Tally> {
    let mut sum = Tally::default();
    thread::scope(|scope| {
        let mut running = Vec::new();
        for Run { name, command, .. } in runs(ground.project, &ground.programs.browsers)? {
            match command {
                Ok(test) => running.push(scope.spawn(move || run_in(ground, name, test))),
                Err(problem) => sum.skip(format!("the suite in {name}: {problem}")),
            }
        }
        for one in running {
            match one.join() {
                Ok(tally) => sum.add(tally?),
                Err(_) => fail!("the suite ended by a panic"),
            }
        }
        Ok(sum)
    })
}

fn run_in(ground: &Ground, name: &str, mut test: Command) -> Outcome<Tally> {
    let mut output = Libtest::default();
    let mut ran = BTreeSet::new();
    let label = format!("{name:<9} │ ");
    let ended = watch::run_beside(&label, &mut test, ground.limit, |line| {
        output.read(line);
        ran.extend(browser_tests::ran(line));
    })?;

    let mut tally = output.tally(
        &format!("signal-wasm in {name}"),
        &cargo_suites::expected(&ground.project.root, "host"),
    );
    if let Err(problem) = ended.success()
        && tally.failed == 0
    {
        tally.fail(format!("wasm-pack test in {name}: {problem}"));
    }
    let exported = browser_tests::exported(&ground.project.root.join("tests/browser"))?;
    for complaint in browser_tests::forgotten(&exported, &ran) {
        tally.fail(format!("{name}: {complaint}"));
    }
    Ok(tally)
}

/// The command for one browser: the one whose option `arguments` begin with, else Chromium. The
/// other arguments go to cargo.
pub fn command(project: &Project, browsers: &Browsers, arguments: &[String]) -> Outcome<Command> {
    let runs = runs(project, browsers)?;
    let first = arguments.first().map(String::as_str);
    let named = runs.iter().position(|run| Some(run.option) == first);
    let Some(run) = runs.into_iter().nth(named.unwrap_or(0)) else {
        fail!("there is no browser");
    };
    let mut command = run
        .command
        .map_err(|problem| Problem::new(problem.to_string()))?;
    command.args(arguments.iter().skip(usize::from(named.is_some())));
    Ok(command)
}

/// The runs, Chromium's first.
fn runs<'browsers>(
    project: &Project,
    browsers: &'browsers Browsers,
) -> Outcome<[Run<'browsers>; 3]> {
    let path = project.path()?;
    let flags = process::encoded(&setup::wasm_rustflags(project)?);
    let capabilities = capabilities(project, browsers)?;
    // wasm-pack doesn't look at variables such as CHROMEDRIVER.
    let ready = |option: &str, driver_option: &str, driver: &Path| {
        let mut command = Command::new("wasm-pack");
        command
            .current_dir(&project.root)
            .env("PATH", &path)
            .env("CARGO_ENCODED_RUSTFLAGS", &flags)
            .env("CARGO_ENCODED_RUSTDOCFLAGS", &flags)
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &capabilities)
            .args(["test", "--mode", "no-install", "--headless", option])
            .arg(driver_option)
            .arg(driver)
            .args(["--", "--all-features"]);
        command
    };
    let (chromium, firefox, webkit) = (&browsers.chromium, &browsers.firefox, &browsers.webkit);
    Ok([
        Run {
            name: "Chromium",
            option: "--chrome",
            command: Ok(ready("--chrome", "--chromedriver", &chromium.driver)),
        },
        Run {
            name: "Firefox",
            option: "--firefox",
            command: (firefox.as_ref())
                .map(|firefox| ready("--firefox", "--geckodriver", &firefox.driver)),
        },
        Run {
            name: "WebKitGTK",
            option: "--safari",
            command: webkit.as_ref().map(|webkit| {
                let as_safari = project.root.join("tests/support/wasm-pack-webkit.mjs");
                let mut command = ready("--safari", "--safaridriver", &as_safari);
                command
                    .env("WEBKITDRIVER", &webkit.driver)
                    .env("XVFB", &webkit.display);
                command
            }),
        },
    ])
}

/// webdriver.json with the browsers' paths in it. Without a path a driver would choose a browser.
fn capabilities(project: &Project, browsers: &Browsers) -> Outcome<PathBuf> {
    let mut text = files::read(&project.root.join("webdriver.json"))?;
    let firefox = browsers.firefox.as_ref().map(|firefox| &firefox.program);
    for (member, program) in [
        ("goog:chromeOptions", Some(&browsers.chromium.program)),
        ("moz:firefoxOptions", firefox.ok()),
    ] {
        let options = format!("\"{member}\": {{");
        if text.matches(&options).count() != 1 {
            fail!(
                "webdriver.json must hold `{options}` once, for the browser's path to be put there"
            );
        }
        if let Some(program) = program {
            let path = program
                .to_string_lossy()
                .replace('\\', "\\\\")
                .replace('"', "\\\"");
            text = text.replace(&options, &format!("{options}\n    \"binary\": \"{path}\","));
        }
    }
    let file = project.scratch().join("webdriver.json");
    files::write(&file, text)?;
    Ok(file)
}
