//! `cargo xtask setup`: installs what is missing. Each step is printed with its time. Nothing is
//! printed where nothing is missing.
//!
//! * `npm`, `tools`, `browsers`, `servers`: Node's packages, wasm-pack and wasm-bindgen, the tests'
//!   browsers, the proxies that they put in front of servers, and NATS.
//! * `wasm32`: Rust's standard library for wasm32, by `rustup` or, where that can't download, by
//!   `offline`. `rust`: the toolchain in use.

mod browsers;
mod debian;
mod npm;
mod offline;
mod rust;
mod rustup;
mod servers;
mod tools;
mod wasm32;

pub use browsers::Browsers;
pub use wasm32::rustflags as wasm_rustflags;

use std::path::PathBuf;
use std::process::Command;

use crate::lock;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;
use crate::say;
use servers::SERVERS;

/// Installs what the package and the relay are built with.
pub fn for_package(project: &Project) -> Outcome {
    let _lock = lock::take(&project.scratch(), "setup")?;
    npm::packages(project)?;
    wasm32::install(project)?;
    tools::install(project)
}

/// Installs what the tests need too: browsers with their drivers.
pub fn for_tests(project: &Project) -> Outcome<Browsers> {
    for_package(project)?;
    let _lock = lock::take(&project.scratch(), "setup")?;
    browsers::find_or_install(project)
}

/// The programs of others that tests and measurements are run with.
#[derive(Debug)]
pub struct Programs {
    /// Those that open pages.
    pub browsers: Browsers,
    /// The servers, by the variables that name them to programs.
    pub servers: Vec<(&'static str, PathBuf)>,
}

impl Programs {
    /// Finds them, or installs them first. Not everything needs the servers: it says which are
    /// missing.
    pub fn find_or_install(project: &Project) -> Outcome<Self> {
        let browsers = for_tests(project)?;
        let _lock = lock::take(&project.scratch(), "setup")?;
        let mut servers = Vec::new();
        for server in &SERVERS {
            match server.find_or_unpack(project) {
                Ok(path) => servers.push((server.variable, path)),
                Err(problem) => {
                    say::line(format!("what needs {} can't run: {problem}", server.name));
                }
            }
        }
        Ok(Self { browsers, servers })
    }

    /// Node in the project's folder, with the places of these programs and of the relay.
    pub fn node(&self, project: &Project) -> Command {
        let Self { browsers, servers } = self;
        let mut node = Command::new("node");
        node.current_dir(&project.root)
            .env("CHROMIUM", &browsers.chromium.program)
            .env("CHROMEDRIVER", &browsers.chromium.driver)
            .env("SIGNAL_RELAY", project.relay())
            .envs(servers.iter().map(|(variable, path)| (variable, path)));
        if let Ok(firefox) = &browsers.firefox {
            node.env("FIREFOX", &firefox.program);
        }
        if let Ok(webkit) = &browsers.webkit {
            node.env("WEBKITDRIVER", &webkit.driver)
                .env("XVFB", &webkit.display);
        }
        node
    }
}

/// Checks for two parts of Rust that a minimal installation lacks and the suite `lint` needs.
pub fn for_lint() -> Outcome {
    for (command, part, debian) in [
        ("clippy", "clippy", "rust-web-clippy"),
        ("fmt", "rustfmt", "rustfmt-web"),
    ] {
        if process::quiet(process::cargo().args([command, "--version"])).is_err() {
            fail!(
                "cargo {command} isn't installed for {}. With rustup: rustup component add {part}; \
                 with Debian's own Rust: apt-get install {debian}, as root",
                process::quiet(process::rustc().arg("--version"))?.trim()
            );
        }
    }
    Ok(())
}

/// The command `setup`: installs everything.
pub fn all(project: &Project) -> Outcome {
    let programs = Programs::find_or_install(project)?;
    for_lint()?;
    for (name, problem) in programs.browsers.missing() {
        say::line(format!(
            "{name} is missing, and tests in it are skipped: {problem}"
        ));
    }
    say::line("Everything that the build and the other tests need is installed.");
    Ok(())
}
