//! Chromium and its driver, for the tests.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::problem::{Outcome, fail};
use crate::process;
use crate::say;

/// Their names, the preferred ones first. tests/support/chromium.mjs has the same list.
const BROWSERS: [&str; 5] = [
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

/// A browser with the driver of its version.
#[derive(Debug)]
pub struct Browser {
    /// Chromium or Chrome.
    pub program: PathBuf,
    /// Its chromedriver.
    pub driver: PathBuf,
}

/// Finds a browser, or installs Debian's.
pub fn find_or_install() -> Outcome<Browser> {
    if (from_variable("CHROMIUM")?.or_else(browser).is_none()
        || from_variable("CHROMEDRIVER")?.or_else(driver).is_none())
        && may_install()
    {
        say::step(
            "Installing Chromium and its driver (apt-get install chromium chromium-driver)",
            || {
                apt(&["update"])?;
                apt(&[
                    "install",
                    "--yes",
                    "--no-install-recommends",
                    "chromium",
                    "chromium-driver",
                ])
            },
        )?;
    }
    let Some(program) = from_variable("CHROMIUM")?.or_else(browser) else {
        fail!(
            "the tests need a browser, and none of {} is on PATH. Install Chromium (on Debian: apt-get install chromium chromium-driver, as root) \
             or Chrome, or set CHROMIUM to the path of one",
            BROWSERS.join(", ")
        );
    };
    let Some(driver) = from_variable("CHROMEDRIVER")?.or_else(driver) else {
        fail!(
            "the tests need chromedriver, of the same version as {}. On Debian: apt-get install chromium-driver, as root; \
             elsewhere put it on PATH, or set CHROMEDRIVER to its path",
            program.display()
        );
    };
    let browser = Browser { program, driver };
    browser.check()?;
    Ok(browser)
}

impl Browser {
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

/// The program that an environment variable names, by a path or a name on `PATH`.
fn from_variable(variable: &str) -> Outcome<Option<PathBuf>> {
    let Some(value) = env::var_os(variable).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let path = PathBuf::from(&value);
    if path.is_file() {
        return Ok(Some(path));
    }
    match value.to_str().and_then(process::find_on_path) {
        Some(path) => Ok(Some(path)),
        None => fail!(
            "{variable} is {}, but there is no such program",
            path.display()
        ),
    }
}

fn browser() -> Option<PathBuf> {
    BROWSERS
        .iter()
        .find_map(|name| process::find_on_path(name))
        .or_else(|| {
            ELSEWHERE
                .iter()
                .map(PathBuf::from)
                .find(|path| path.is_file())
        })
}

fn driver() -> Option<PathBuf> {
    process::find_on_path("chromedriver")
}

fn major(program: &Path) -> Option<u32> {
    if cfg!(windows) {
        return None;
    }
    let said = process::quiet(Command::new(program).arg("--version")).ok()?;
    said.split_whitespace()
        .find_map(|word| word.split_once('.')?.0.parse().ok())
}

/// Only root may install packages, and only Debian has both under these names. Ubuntu's only point
/// to its snap store.
fn may_install() -> bool {
    let debian = std::fs::read_to_string("/etc/os-release")
        .is_ok_and(|text| text.lines().any(|line| line == "ID=debian"));
    let root = process::quiet(Command::new("id").arg("-u")).is_ok_and(|said| said.trim() == "0");
    debian && root && process::find_on_path("apt-get").is_some()
}

fn apt(arguments: &[&str]) -> Outcome {
    process::quiet(
        Command::new("apt-get")
            .arg("-qq")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
    .map(drop)
}
