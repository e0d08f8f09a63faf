//! `cargo xtask setup`: installs what is missing, says what it does and how long it took, and says nothing when there is nothing to do.

mod browser;
mod debian;
mod npm;
mod rustup;
mod tools;
mod wasm_std;

pub use browser::Browser;
pub use wasm_std::can_optimise_whole_programs;

use crate::lock;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;

/// What building the package and the relay needs.
pub fn for_package(project: &Project) -> Outcome {
    let _turn = lock::take(project, "setup")?;
    npm::packages(project)?;
    wasm_std::install(project)?;
    tools::install(project)
}

/// What the tests need besides: a browser with its driver.
pub fn for_tests(project: &Project) -> Outcome<Browser> {
    for_package(project)?;
    browser::find_or_install()
}

/// What the checks of the sources need besides: two parts of Rust that a minimal installation lacks.
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

/// The command `setup`: everything at once.
pub fn all(project: &Project) -> Outcome {
    for_tests(project)?;
    for_lint()?;
    crate::say::line("Everything that the build and the tests need is there.");
    Ok(())
}
