//! `cargo xtask build`: from the crate to dist/, and the relay.
//!
//! ```text
//! npm/, src/ ─ wasm-pack ─► pkg/ ─ shrink, hot_path, glue, entries, esbuild ─► dist/signal_wasm.js, signal_wasm_bg.wasm, inline.js, global.js
//!                            └──── types ───────────────────────────► dist/signal_wasm.d.ts, inline.d.ts, global.d.ts
//! npm/*.js, npm/*.d.ts ─ esbuild ─► dist/transports.js, transports.d.ts, global-transports.js, global-transports.d.ts
//! ```

mod encode;
mod entries;
mod freshness;
mod glue;
mod hot_path;
pub mod shrink;
mod types;

use std::path::Path;
use std::process::Command;

use crate::files;
use crate::lock;
use crate::problem::Outcome;
use crate::process;
use crate::project::Project;
use crate::say;
use crate::setup;
use crate::size;

/// What dist/ holds when it is whole.
pub const DIST: [&str; 11] = [
    "signal_wasm.js",
    "signal_wasm_bg.wasm",
    "signal_wasm.d.ts",
    "inline.js",
    "inline.d.ts",
    "global.js",
    "global.d.ts",
    "transports.js",
    "transports.d.ts",
    "global-transports.js",
    "global-transports.d.ts",
];

/// The entries that hold a signaling.
const SIGNALING: [&str; 3] = ["signal_wasm", "inline", "global"];

/// The entries that are written by hand, in npm/, declarations and all.
const BY_HAND: [&str; 2] = ["transports", "global-transports"];

/// Builds all that is out of date: the package and the relay.
pub fn all(project: &Project) -> Outcome {
    package(project)?;
    relay(project)
}

/// Builds dist/, if anything that it is made of has changed.
pub fn package(project: &Project) -> Outcome {
    setup::for_package(project)?;
    let _turn = lock::take(project, "build")?;
    let made_of = freshness::made_of(project)?;
    if freshness::is_fresh(project, &made_of) {
        return Ok(());
    }
    say::step("Building the npm package (wasm-pack build)", || {
        let pkg = project.root.join("pkg");
        wasm_pack(project, &pkg, LEAN, &[])?;
        assemble(project, &pkg)
    })?;
    freshness::remember(project, &made_of)?;
    size::tell_entries(project)
}

/// Builds the relay; cargo knows whether there is anything to do.
pub fn relay(project: &Project) -> Outcome {
    let mut build = process::cargo();
    build.current_dir(&project.root).args([
        "build",
        "--profile",
        "relay",
        "--package",
        "signal-relay",
    ]);
    if project.relay().exists() {
        process::open(build.arg("--quiet"))
    } else {
        say::step("Building the relay (cargo build --profile relay)", || {
            process::open(&mut build)
        })
    }
}

/// What the compiler is told for the npm package: see src/lean.rs. Flags from outside don't count, so that everybody builds the same.
pub const LEAN: &str = "--cfg\u{1f}lean";

/// Runs wasm-pack on the crate npm/, with its output in `folder`. `flags` go to rustc, `arguments` to cargo.
pub fn wasm_pack(project: &Project, folder: &Path, flags: &str, arguments: &[&str]) -> Outcome {
    let mut build = Command::new("wasm-pack");
    build
        .current_dir(&project.root)
        .env("PATH", project.path()?)
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        // What is missing has been installed by the set-up, in the versions that we name; wasm-pack would fetch its own choice.
        .args([
            "build",
            "npm",
            "--mode",
            "no-install",
            "--release",
            "--target",
            "web",
            "--no-pack",
        ])
        .args(["--out-name", "signal_wasm", "--out-dir"])
        .arg(folder);
    if !arguments.is_empty() {
        build.arg("--").args(arguments);
    }
    if !setup::can_optimise_whole_programs()? {
        build.env("CARGO_PROFILE_RELEASE_LTO", "off");
    }
    process::quiet(&mut build)
        .map_err(|problem| problem.during("building the WebAssembly module"))?;
    Ok(())
}

/// Builds the package with other features than its own, and leaves the module and its glue in `work`'s folder dist.
pub fn with_features(project: &Project, work: &Path, features: &[&str]) -> Outcome {
    let _turn = lock::take(project, "build")?;
    let pkg = work.join("pkg");
    let arguments = ["--no-default-features", "--features", &features.join(",")];
    wasm_pack(project, &pkg, LEAN, &arguments)?;
    let wasm = sources(project, &pkg, work)?;
    entries::minify(project, work, "signal_wasm")?;
    files::write(&work.join("dist/signal_wasm_bg.wasm"), &wasm)
}

/// From wasm-pack's output to the sources of the entries, in `work`; gives the module.
fn sources(project: &Project, pkg: &Path, work: &Path) -> Outcome<Vec<u8>> {
    let small = shrink::shrink(project, pkg, work)?;
    let glue = glue::Glue::of(&hot_path::straightened(&small.glue)?, &small.names)?;
    entries::write(work, &glue, &small.wasm)?;
    Ok(small.wasm)
}

fn assemble(project: &Project, pkg: &Path) -> Outcome {
    let work = project.scratch().join("entries");
    files::remove(&work)?;
    files::make_folder(&work)?;

    let wasm = sources(project, pkg, &work)?;
    for name in BY_HAND {
        for ending in ["js", "d.ts"] {
            let file = format!("{name}.{ending}");
            files::copy(&project.root.join("npm").join(&file), &work.join(&file))?;
        }
        files::copy(
            &work.join(format!("{name}.d.ts")),
            &work.join("dist").join(format!("{name}.d.ts")),
        )?;
    }
    for name in SIGNALING.into_iter().chain(BY_HAND) {
        entries::minify(project, &work, name)?;
    }
    files::write(&work.join("dist/signal_wasm_bg.wasm"), &wasm)?;
    types::write(
        &work.join("dist"),
        &files::read(&project.root.join("src/browser/types.d.ts"))?,
        &files::read(&pkg.join("signal_wasm.d.ts"))?,
    )?;

    let dist = project.root.join("dist");
    files::make_folder(&dist)?;
    for name in DIST {
        files::replace(&work.join("dist").join(name), &dist.join(name))?;
    }
    for path in files::list(&dist) {
        if !DIST.iter().any(|name| path.ends_with(name)) {
            files::remove(&path)?;
        }
    }
    Ok(())
}
