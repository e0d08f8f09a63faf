//! The standard library for wasm32 on a machine where rustup can't download.
//!
//! It is built once from its source, which must be of rustc's own version, into a folder that rustc
//! takes for a sysroot. The source is the toolchain's if it has it, or that of Debian's package
//! rust-src.

mod debian;

use std::path::{Path, PathBuf};

use crate::files;
use crate::lock;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;
use crate::say;
use crate::setup::rust::{Rust, TARGET};

/// The folder that rustc gets as `--sysroot`, for wasm32 only. It holds nothing for this machine's
/// own platform.
pub fn sysroot(project: &Project, rust: &Rust) -> PathBuf {
    let commit: String = rust.commit.chars().take(9).collect();
    project.tool_folder("rust-wasm32", &format!("{}-{commit}", rust.release))
}

/// Whether the library has been built for this Rust.
pub fn is_installed(project: &Project, rust: &Rust) -> bool {
    sysroot(project, rust).is_dir()
}

/// Builds the library.
pub fn install(project: &Project, rust: &Rust) -> Outcome {
    let _lock = lock::take(&project.tools, "rust-wasm32").map_err(|problem| {
        problem.advise("Set SIGNAL_WASM_TOOLS to a folder where you may write.")
    })?;
    if is_installed(project, rust) {
        return Ok(());
    }
    let work = project.tools.join("rust-wasm32-work");
    files::remove(&work)?;
    let source = source(rust, &work)?;
    say::step("Building Rust's standard library for wasm32", || {
        build(rust, &source, &work)
    })?;
    // In one step: half a library would be taken for a whole one.
    files::replace(&work.join("sysroot"), &sysroot(project, rust))?;
    files::remove(&work)
}

/// The library's source: the toolchain's own, or else Debian's.
fn source(rust: &Rust, work: &Path) -> Outcome<PathBuf> {
    let own = rust.sysroot.join("lib/rustlib/src/rust/library");
    if own.join("sysroot/Cargo.toml").is_file() && own.join("std/src/lib.rs").is_file() {
        return Ok(own);
    }
    let what = format!(
        "Fetching the source of Rust {}'s standard library (Debian's rust-src)",
        rust.release
    );
    say::step(&what, || {
        debian::rust_library(&rust.release, &work.join("debian"))
    })
}

/// Builds the library from `source`, with the result in `work`'s folder `sysroot`.
fn build(rust: &Rust, source: &Path, work: &Path) -> Outcome {
    let target = work.join("target");
    let mut cargo = process::cargo();
    cargo
        // Not in the project, whose cargo config isn't meant for the library.
        .current_dir(source)
        .args(["build", "--release", "--target", TARGET, "--manifest-path"])
        .arg(source.join("sysroot/Cargo.toml"))
        // As rustc's own build does: the library uses features that stable compilers refuse.
        .env("RUSTC_BOOTSTRAP", "1")
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            process::encoded(&flags(rust, source)),
        )
        .env("__CARGO_DEFAULT_LIB_METADATA", "signal-wasm")
        .env("CARGO_TARGET_DIR", &target)
        .env_remove("CARGO_BUILD_TARGET");
    process::quiet(&mut cargo)?;

    let built = files::list(&target.join(TARGET).join("release/deps"));
    let libraries = work.join("sysroot/lib/rustlib").join(TARGET).join("lib");
    let mut count = 0;
    for path in built {
        if path.extension().is_some_and(|ending| ending == "rlib") {
            files::copy(&path, &libraries.join(path.file_name().unwrap_or_default()))?;
            count += 1;
        }
    }
    if count == 0 {
        fail!("cargo has built no library in {}", target.display());
    }
    Ok(())
}

/// The flags that rustc's own build of the library has, as far as they matter here.
fn flags(rust: &Rust, source: &Path) -> Vec<String> {
    let mut flags = vec![
        "-Zforce-unstable-if-unmarked".to_string(),
        // Cargo leaves the bitcode out of a library, and then `lto` can't take it in.
        "-Cembed-bitcode=yes".to_string(),
    ];
    // Panic messages have paths of sources in them. They must be the same as in every Rust, and not
    // those of this machine.
    let library = format!("/rustc/{}/library", rust.commit);
    for path in [Some(source.to_path_buf()), source.canonicalize().ok()]
        .into_iter()
        .flatten()
    {
        flags.push(format!("--remap-path-prefix={}={library}", path.display()));
    }
    flags.extend(process::remap_registry());
    flags
}
