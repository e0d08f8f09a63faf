//! Firefox, and its driver.

use std::path::PathBuf;

use crate::problem::{Outcome, fail};
use crate::process::program;
use crate::project::Project;
use crate::setup::browsers::Firefox;
use crate::setup::tools;

/// Its names, the preferred ones first. tests/support/firefox.mjs has the same list.
const NAMES: [&str; 2] = ["firefox-esr", "firefox"];

/// Where Firefox is when it isn't on `PATH`.
const ELSEWHERE: [&str; 2] = [
    "/Applications/Firefox.app/Contents/MacOS/firefox",
    r"C:\Program Files\Mozilla Firefox\firefox.exe",
];

/// Debian's packages. Debian has no geckodriver.
pub const PACKAGES: [&str; 1] = ["firefox-esr"];

/// The browser's program.
pub fn browser() -> Outcome<Option<PathBuf>> {
    program("FIREFOX", &NAMES, &ELSEWHERE)
}

/// Finds the browser and its driver, which is installed first if it is missing.
pub fn find(project: &Project) -> Outcome<Firefox> {
    let Some(browser) = browser()? else {
        fail!(
            "none of {} is on PATH. Install Firefox (on Debian: apt-get install firefox-esr, as root), \
             or set FIREFOX to the path of one",
            NAMES.join(", ")
        );
    };
    let driver = match program("GECKODRIVER", &[], &[])? {
        Some(driver) => driver,
        None => tools::geckodriver(project)?,
    };
    Ok(Firefox {
        program: browser,
        driver,
    })
}
