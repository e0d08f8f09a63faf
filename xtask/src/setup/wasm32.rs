//! Rust's standard library for wasm32, which the module is linked with.
//!
//! Usually rustup adds it to the toolchain. Where rustup can't or mustn't download, `offline`
//! builds it from source into a folder of ours, and the toolchain stays as it is.

use crate::problem::{Outcome, Problem};
use crate::project::Project;
use crate::say;
use crate::setup::rust::{Rust, TARGET};
use crate::setup::{offline, rustup};

/// Installs the library unless it is there.
pub fn install(project: &Project) -> Outcome {
    let rust = Rust::find()?;
    if is_in_toolchain(&rust) || offline::is_installed(project, &rust) {
        return Ok(());
    }
    let Err(not_by_rustup) = by_rustup(&rust) else {
        return Ok(());
    };
    offline::install(project, &rust).map_err(|from_source| {
        Problem::new(format!(
            "Rust's standard library for {TARGET} is missing and can't be installed.\n\
             By rustup: {not_by_rustup}.\n\
             From source: {from_source}\n\
             Ways out: where rustup may download, run `rustup target add {TARGET}`. On Debian, use Debian's own Rust, whose \
             packages match each other: as root\n  apt-get install --no-install-recommends \
             rustc-web cargo-web rust-web-src rust-web-clippy rustfmt-web rust-web-llvm\n\
             and its newest lld (lld-22, for example); then put /usr/bin in front of rustup's folder in PATH and try again."
        ))
    })
}

/// The flags by which rustc finds the library: none if the toolchain has it.
pub fn rustflags(project: &Project) -> Outcome<Vec<String>> {
    let rust = Rust::find()?;
    if is_in_toolchain(&rust) {
        return Ok(Vec::new());
    }
    let sysroot = offline::sysroot(project, &rust);
    Ok(vec![format!("--sysroot={}", sysroot.display())])
}

fn is_in_toolchain(rust: &Rust) -> bool {
    rust.has_library() && rust.has_bitcode()
}

/// Lets rustup add the library, or says why it didn't.
fn by_rustup(rust: &Rust) -> Outcome {
    if rust.has_library() {
        // rustup would put a second one beside it.
        return Err(Problem::new(format!(
            "{} holds a library that was built without bitcode, and not by rustup",
            rust.libraries.display()
        )));
    }
    let toolchain = rustup::toolchain(rust)?;
    let what =
        format!("Installing Rust's standard library for wasm32 (rustup target add {TARGET})");
    say::step(&what, || toolchain.add_target(rust))?;
    if is_in_toolchain(rust) {
        return Ok(());
    }
    Err(Problem::new(format!(
        "rustup has added {TARGET}, but {} holds no libstd",
        rust.libraries.display()
    )))
}
