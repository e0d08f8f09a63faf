//! The suite `browser`: `wasm-pack test --headless --chrome`, the tests that run as WebAssembly in
//! a real browser.

use std::collections::BTreeSet;
use std::process::Command;

use crate::files;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;
use crate::setup::{self, Browser};
use crate::test::cargo_suites::{self, Libtest};
use crate::test::tally::Tally;
use crate::test::{Ground, browser_tests, watch};

/// Runs the suite.
pub fn run(ground: &Ground) -> Outcome<Tally> {
    let mut test = command(ground.project, &ground.browser)?;
    let mut output = Libtest::default();
    let mut ran = BTreeSet::new();
    let ended = watch::run(&mut test, ground.limit, |line| {
        output.read(line);
        ran.extend(browser_tests::ran(line));
    })?;

    let mut tally = output.tally(
        "signal-wasm",
        &cargo_suites::expected(&ground.project.root, "host"),
    );
    if let Err(problem) = ended.success()
        && tally.failed == 0
    {
        tally.fail(format!("wasm-pack test: {problem}"));
    }
    let exported = browser_tests::exported(&ground.project.root.join("tests/browser"))?;
    for complaint in browser_tests::forgotten(&exported, &ran) {
        tally.fail(complaint);
    }
    Ok(tally)
}

/// The command, ready for more arguments to cargo.
pub fn command(project: &Project, browser: &Browser) -> Outcome<Command> {
    let flags = process::encoded(&setup::wasm_rustflags(project)?);
    let mut test = Command::new("wasm-pack");
    test.current_dir(&project.root)
        .env("PATH", project.path()?)
        .env("CARGO_ENCODED_RUSTFLAGS", &flags)
        .env("CARGO_ENCODED_RUSTDOCFLAGS", &flags)
        .env(
            "WASM_BINDGEN_TEST_WEBDRIVER_JSON",
            capabilities(project, browser)?,
        )
        .args(["test", "--mode", "no-install", "--headless", "--chrome"])
        // wasm-pack doesn't look at the variable CHROMEDRIVER.
        .arg("--chromedriver")
        .arg(&browser.driver)
        .args(["--", "--all-features"]);
    Ok(test)
}

/// webdriver.json with the browser's path in it. Without a path the driver would choose a browser.
fn capabilities(project: &Project, browser: &Browser) -> Outcome<std::path::PathBuf> {
    const OPTIONS: &str = "\"goog:chromeOptions\": {";
    let given = files::read(&project.root.join("webdriver.json"))?;
    if given.matches(OPTIONS).count() != 1 {
        fail!("webdriver.json must hold `{OPTIONS}` once, for the browser's path to be put there");
    }
    let path = browser
        .program
        .to_string_lossy()
        .replace('\\', "\\\\")
        .replace('"', "\\\"");
    let file = project.scratch().join("webdriver.json");
    files::write(
        &file,
        given.replace(OPTIONS, &format!("{OPTIONS}\n    \"binary\": \"{path}\",")),
    )?;
    Ok(file)
}
