//! Chromium or Chrome, and its driver.

use std::path::Path;
use std::process::Command;

use crate::problem::{Outcome, fail};
use crate::process::{self, program};
use crate::setup::browsers::Chromium;

/// Its names, the preferred ones first. tests/support/chromium.mjs has the same list.
const NAMES: [&str; 5] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
];

/// Where Chrome is when it isn't on `PATH`.
const ELSEWHERE: [&str; 4] = [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
];

/// Debian's packages.
pub const PACKAGES: [&str; 2] = ["chromium", "chromium-driver"];

/// Finds both, or says what is missing.
pub fn find() -> Outcome<Chromium> {
    let Some(browser) = program("CHROMIUM", &NAMES, &ELSEWHERE)? else {
        fail!(
            "the tests need a browser, and none of {} is on PATH. Install Chromium (on Debian: apt-get install chromium chromium-driver, as root) \
             or Chrome, or set CHROMIUM to the path of one",
            NAMES.join(", ")
        );
    };
    let Some(driver) = program("CHROMEDRIVER", &["chromedriver"], &[])? else {
        fail!(
            "the tests need chromedriver, of the same version as {}. On Debian: apt-get install chromium-driver, as root; \
             elsewhere put it on PATH, or set CHROMEDRIVER to its path",
            browser.display()
        );
    };
    let chromium = Chromium {
        program: browser,
        driver,
    };
    chromium.check()?;
    Ok(chromium)
}

/// Whether one of the two is missing.
pub fn is_missing() -> Outcome<bool> {
    Ok(program("CHROMIUM", &NAMES, &ELSEWHERE)?.is_none()
        || program("CHROMEDRIVER", &["chromedriver"], &[])?.is_none())
}

impl Chromium {
    /// A driver refuses a browser of another major version, but its message doesn't say why.
    fn check(&self) -> Outcome {
        let (Some(program), Some(driver)) = (major(&self.program), major(&self.driver)) else {
            // Chrome on Windows doesn't print its version; the driver will refuse it if it must.
            return Ok(());
        };
        if program != driver {
            fail!(
                "{} is version {program}, but {} is for version {driver}; install the driver of the browser's version, \
                 or set CHROMIUM and CHROMEDRIVER to two of the same version",
                self.program.display(),
                self.driver.display()
            );
        }
        Ok(())
    }
}

fn major(program: &Path) -> Option<u32> {
    if cfg!(windows) {
        return None;
    }
    let said = process::quiet(Command::new(program).arg("--version")).ok()?;
    said.split_whitespace()
        .find_map(|word| word.split_once('.')?.0.parse().ok())
}
