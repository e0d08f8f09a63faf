//! `cargo xtask build`: from the crate to dist/, and the relay.
//!
//! ```text
//! npm/, src/ ─ wasm-pack ─► pkg/ ─ shrink, hot_path, glue, entries, esbuild ─► dist/signal_wasm.js, signal_wasm_bg.wasm, inline.js, global.js
//!                            └──── types ───────────────────────────► dist/signal_wasm.d.ts, inline.d.ts, global.d.ts
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
pub const DIST: [&str; 7] = [
    "signal_wasm.js",
    "signal_wasm_bg.wasm",
    "signal_wasm.d.ts",
    "inline.js",
    "inline.d.ts",
    "global.js",
    "global.d.ts",
];

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

/// Runs wasm-pack on the crate npm/, with its output in `folder`. `flags` go to rustc, `features` to cargo.
pub fn wasm_pack(project: &Project, folder: &Path, flags: &str, features: &[&str]) -> Outcome {
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
    if !features.is_empty() {
        build.args(["--", "--features", &features.join(",")]);
    }
    if !setup::can_optimise_whole_programs()? {
        build.env("CARGO_PROFILE_RELEASE_LTO", "off");
    }
    process::quiet(&mut build)
        .map_err(|problem| problem.during("building the WebAssembly module"))?;
    Ok(())
}

fn assemble(project: &Project, pkg: &Path) -> Outcome {
    let work = project.scratch().join("entries");
    files::remove(&work)?;
    files::make_folder(&work)?;

    let small = shrink::shrink(project, pkg, &work)?;
    entries::write(
        &work,
        &glue::Glue::of(&hot_path::straightened(&small.glue)?, &small.names)?,
        &small.wasm,
    )?;
    for name in ["signal_wasm", "inline", "global"] {
        entries::minify(project, &work, name)?;
    }
    files::write(&work.join("dist/signal_wasm_bg.wasm"), &small.wasm)?;
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
