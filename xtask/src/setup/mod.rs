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

/// Finds the servers of others that a few tests need, or unpacks them first: the programs by the variables
/// that the tests read. Says which are missing.
pub fn servers(project: &Project) -> Outcome<Vec<(&'static str, PathBuf)>> {
    let _lock = lock::take(&project.scratch(), "setup")?;
    let mut found = Vec::new();
    for server in &SERVERS {
        match server.find_or_unpack(project) {
            Ok(path) => found.push((server.variable, path)),
            Err(problem) => say::line(format!("tests with {} are skipped: {problem}", server.name)),
        }
    }
    Ok(found)
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
    let browsers = for_tests(project)?;
    for_lint()?;
    for (name, problem) in browsers.missing() {
        say::line(format!(
            "{name} is missing, and tests in it are skipped: {problem}"
        ));
    }
    servers(project)?;
    say::line("Everything that the build and the other tests need is installed.");
    Ok(())
}
