//! The browsers of the tests: Chromium, Firefox and WebKitGTK.
//!
//! Where root may install Debian's packages, those of each missing browser are installed. Elsewhere
//! the tests need Chromium; those in the other two are skipped and reported.

mod chromium;
mod debian;
mod firefox;
mod webkit;

use std::path::PathBuf;

use crate::problem::{Outcome, Problem};
use crate::project::Project;
use crate::say;

/// Chromium or Chrome.
#[derive(Debug)]
pub struct Chromium {
    /// The browser.
    pub program: PathBuf,
    /// Its chromedriver.
    pub driver: PathBuf,
}

/// Firefox.
#[derive(Debug)]
pub struct Firefox {
    /// The browser.
    pub program: PathBuf,
    /// Its geckodriver.
    pub driver: PathBuf,
}

/// WebKitGTK.
#[derive(Debug)]
pub struct WebKit {
    /// Its `WebKitWebDriver`, which starts the browser.
    pub driver: PathBuf,
    /// `Xvfb`, a display without a screen.
    pub display: PathBuf,
}

/// The browsers of this machine. One that isn't there is a problem that says how to get it.
#[derive(Debug)]
pub struct Browsers {
    pub chromium: Chromium,
    pub firefox: Outcome<Firefox>,
    pub webkit: Outcome<WebKit>,
}

impl Browsers {
    /// The browsers that aren't there, with the reason.
    pub fn missing(&self) -> impl Iterator<Item = (&'static str, &Problem)> {
        let firefox = self.firefox.as_ref().err();
        let webkit = self.webkit.as_ref().err();
        [("Firefox", firefox), ("WebKitGTK", webkit)]
            .into_iter()
            .filter_map(|(name, problem)| Some((name, problem?)))
    }
}

/// Finds the browsers, and installs first what is missing.
pub fn find_or_install(project: &Project) -> Outcome<Browsers> {
    if let Err(problem) = debian::install(&missing_packages()?) {
        // Most tests run without the other two.
        if chromium::is_missing()? {
            return Err(problem);
        }
        say::line(problem.to_string());
    }
    Ok(Browsers {
        chromium: chromium::find()?,
        firefox: firefox::find(project),
        webkit: webkit::find(),
    })
}

/// Debian's packages of the browsers that are missing.
fn missing_packages() -> Outcome<Vec<&'static str>> {
    let mut packages = Vec::new();
    if chromium::is_missing()? {
        packages.extend(chromium::PACKAGES);
    }
    if firefox::browser()?.is_none() {
        packages.extend(firefox::PACKAGES);
    }
    if webkit::find().is_err() {
        packages.extend(webkit::PACKAGES);
    }
    Ok(packages)
}
