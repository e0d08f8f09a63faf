//! rustup, where it manages the toolchain in use and may download: the usual way to the standard
//! library for wasm32.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::problem::{Outcome, fail};
use crate::process;
use crate::setup::rust::{Rust, TARGET};

/// A toolchain that rustup has installed, and so can add to.
#[derive(Debug)]
pub struct Toolchain {
    rustup: PathBuf,
    name: String,
}

/// The toolchain of the rustc in use; fails if rustup hasn't installed it or mustn't download.
pub fn toolchain(rust: &Rust) -> Outcome<Toolchain> {
    let Some(rustup) = process::find_on_path("rustup") else {
        fail!("rustup isn't installed");
    };
    // Set where toolchains must not change by themselves.
    if env::var("RUSTUP_AUTO_INSTALL").is_ok_and(|value| value == "0") {
        fail!("RUSTUP_AUTO_INSTALL=0 forbids rustup to download by itself");
    }
    let home = process::quiet(Command::new(&rustup).args(["show", "home"]))?;
    match name_in(Path::new(home.trim()), &rust.sysroot) {
        Some(name) => Ok(Toolchain { rustup, name }),
        None => fail!(
            "rustup doesn't manage the Rust in {}",
            rust.sysroot.display()
        ),
    }
}

/// The toolchain's name: its folder in rustup's home. A toolchain that is only linked there is in
/// another place.
fn name_in(home: &Path, sysroot: &Path) -> Option<String> {
    let toolchains = home.join("toolchains").canonicalize().ok()?;
    let sysroot = sysroot.canonicalize().ok()?;
    if sysroot.parent()? != toolchains {
        return None;
    }
    Some(sysroot.file_name()?.to_str()?.to_string())
}

impl Toolchain {
    /// `rustup target add`, for this toolchain only. Fails if that changed the toolchain's version.
    pub fn add_target(&self, rust: &Rust) -> Outcome {
        process::quiet(
            Command::new(&self.rustup)
                .args(["target", "add", TARGET, "--toolchain", &self.name])
                .env("RUSTUP_AUTO_INSTALL", "0"),
        )?;
        let now = Rust::find()?;
        if now.release != rust.release {
            fail!(
                "rustup has changed the toolchain {} from {} to {} while it added {TARGET}; run the command again",
                self.name,
                rust.release,
                now.release
            );
        }
        Ok(())
    }
}
