//! rustup, where it looks after the Rust in use and may download: the usual way to the wasm32 standard library.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::problem::{Outcome, fail};
use crate::process;
use crate::setup::wasm_std::{Rust, TARGET};

/// A toolchain that rustup installed, and so can add to.
#[derive(Debug)]
pub struct Toolchain {
    rustup: PathBuf,
    name: String,
}

/// Why rustup isn't the way here.
pub type NotHere = String;

/// The toolchain of the rustc in use, if rustup has installed it and may download.
pub fn toolchain(rust: &Rust) -> Result<Toolchain, NotHere> {
    let Some(rustup) = process::find_here("rustup") else {
        return Err("rustup isn't installed".to_string());
    };
    // Whoever sets this doesn't want toolchains to come or change by themselves, and that is what we would be doing.
    if env::var("RUSTUP_AUTO_INSTALL").is_ok_and(|value| value == "0") {
        return Err("RUSTUP_AUTO_INSTALL=0 forbids rustup to download by itself".to_string());
    }
    let home = process::quiet(Command::new(&rustup).args(["show", "home"]))
        .map_err(|problem| problem.to_string())?;
    match name_in(Path::new(home.trim()), &rust.sysroot) {
        Some(name) => Ok(Toolchain { rustup, name }),
        None => Err(format!(
            "rustup doesn't look after the Rust in {}",
            rust.sysroot.display()
        )),
    }
}

/// The toolchain's name: the folder in rustup's home where it lies. A toolchain that is only linked there lies elsewhere.
fn name_in(home: &Path, sysroot: &Path) -> Option<String> {
    let toolchains = home.join("toolchains").canonicalize().ok()?;
    let sysroot = sysroot.canonicalize().ok()?;
    if sysroot.parent()? != toolchains {
        return None;
    }
    Some(sysroot.file_name()?.to_str()?.to_string())
}

impl Toolchain {
    /// `rustup target add`, for this toolchain and no other, and a look afterwards whether it is still the same one.
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
