//! `cargo xtask setup`: installs what is missing. Each step is printed with its time. Nothing is
//! printed where nothing is missing.
//!
//! * `npm`, `tools`, `browsers`, `nginx`: Node's packages, wasm-pack and wasm-bindgen, the tests'
//!   browsers and the proxy that they put in front of servers.
//! * `wasm32`: Rust's standard library for wasm32, by `rustup` or, where that can't download, by
//!   `offline`. `rust`: the toolchain in use.

mod browsers;
mod debian;
mod nginx;
mod npm;
mod offline;
mod rust;
mod rustup;
mod tools;
mod wasm32;

pub use browsers::Browsers;
pub use wasm32::rustflags as wasm_rustflags;

use std::path::PathBuf;

use crate::lock;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;

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

/// Finds nginx, which a few tests need, or unpacks it first.
pub fn nginx(project: &Project) -> Outcome<PathBuf> {
    let _lock = lock::take(&project.scratch(), "setup")?;
    nginx::find_or_unpack(project)
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
        crate::say::line(format!(
            "{name} is missing, and tests in it are skipped: {problem}"
        ));
    }
    if let Err(problem) = nginx(project) {
        crate::say::line(format!("tests behind nginx are skipped: {problem}"));
    }
    crate::say::line("Everything that the build and the other tests need is installed.");
    Ok(())
}
