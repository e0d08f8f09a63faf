//! `cargo xtask build`: makes dist/, the npm package, and the relay.
//!
//! ```text
//! npm/src, src/ ── wasm-pack ──► pkg/ ─┐
//! npm/*.js ────────────────────────────┴─ esbuild ──► dist/*.js
//! npm/*.d.ts, src/browser/types.d.ts ────────────────► dist/*.d.ts
//! ```
//!
//! * `wasm`: runs wasm-pack.
//! * `entries`: bundles and minifies the entries. `types`: writes their declarations.
//! * `freshness`: whether dist/ has to be built at all.
//! * `front_ends`: builds the Rust front ends of examples/.

mod entries;
mod freshness;
mod front_ends;
mod types;
mod wasm;

use std::path::{Path, PathBuf};

pub use front_ends::front_ends;
pub use wasm::{Profile, linked, wasm_pack};

use crate::files;
use crate::lock;
use crate::problem::Outcome;
use crate::process;
use crate::project::Project;
use crate::say;
use crate::setup;
use crate::size;

/// The files of dist/.
pub const DIST: [&str; 22] = [
    "signal_wasm.js",
    "signal_wasm_bg.wasm",
    "signal_wasm.d.ts",
    "development.js",
    "inline.js",
    "inline.d.ts",
    "global.js",
    "global.d.ts",
    "transports.js",
    "transports.d.ts",
    "global-transports.js",
    "global-transports.d.ts",
    "room.js",
    "room.d.ts",
    "call.js",
    "call.d.ts",
    "react.js",
    "react.d.ts",
    "rtcmulticonnection.js",
    "rtcmulticonnection.d.ts",
    "global-rtcmulticonnection.js",
    "global-rtcmulticonnection.d.ts",
];

/// Builds everything that is out of date: the package and the relay.
pub fn all(project: &Project) -> Outcome {
    package(project)?;
    relay(project)
}

/// Builds dist/, if a source of it has changed.
pub fn package(project: &Project) -> Outcome {
    setup::for_package(project)?;
    let _lock = lock::take(&project.scratch(), "build")?;
    let ingredients = freshness::ingredients(project)?;
    if freshness::is_fresh(project, &ingredients) {
        return Ok(());
    }
    say::step("Building the npm package (wasm-pack build)", || {
        wasm_pack(project, &project.root.join("pkg"), Profile::Release, &[])?;
        assemble(project)
    })?;
    freshness::record(project, &ingredients)?;
    size::print_entries(project)
}

/// Builds the relay; cargo knows whether there is anything to do.
pub fn relay(project: &Project) -> Outcome {
    fast(project, "signal-relay", "the relay", &project.relay())
}

/// Builds the load generator of `npm run bench`.
pub fn load_generator(project: &Project) -> Outcome {
    let program = project.load_generator();
    fast(project, "load-generator", "the load generator", &program)
}

/// Builds the simulation of outages of `npm run bench`.
pub fn outage(project: &Project) -> Outcome {
    fast(
        project,
        "outage",
        "the simulation of outages",
        &project.outage(),
    )
}

/// Builds the servers in Rust that `npm run bench` measures beside the relay.
pub fn rivals(project: &Project) -> Outcome {
    let mut build = process::cargo();
    build
        .current_dir(project.root.join("benches").join("rivals"))
        .args(["build", "--locked", "--release", "--target-dir"])
        .arg(project.target.join("rivals"));
    say::step("Building servers of others (benches/rivals)", || {
        process::run(&mut build)
    })
}

/// Builds the program of a package in the profile `relay`.
fn fast(project: &Project, package: &str, what: &str, program: &Path) -> Outcome {
    let mut build = process::cargo();
    build
        .current_dir(&project.root)
        .args(["build", "--profile", "relay", "--package", package]);
    let step = format!("Building {what} (cargo build --profile relay)");
    if program.exists() {
        say::quick_step(&step, || process::run(build.arg("--quiet")))
    } else {
        say::step(&step, || process::run(&mut build))
    }
}

/// Builds the module and the entry `.` with other features than the package's, for `npm run size`:
/// leaves both in the folder `dist` of `work`.
pub fn with_features(project: &Project, work: &Path, features: &[&str]) -> Outcome {
    let _lock = lock::take(&project.scratch(), "build")?;
    let pkg = work.join("pkg");
    let arguments = ["--no-default-features", "--features", &features.join(",")];
    wasm_pack(project, &pkg, Profile::Release, &arguments)?;
    copy_entries(project, work)?;
    entries::bundle(
        project,
        &work.join("npm"),
        "signal_wasm",
        &work.join("dist"),
    )?;
    copy_wasm(&pkg, &work.join("dist"))
}

/// Builds soon what isn't optimized, for `npm run dev`: the module with the entries, whose folder it
/// returns, and the relay. If that fails, the folder is as it was.
pub fn for_development(project: &Project) -> Outcome<PathBuf> {
    let _lock = lock::take(&project.scratch(), "build")?;
    let work = project.scratch().join("dev");
    let (new, dist) = (work.join("new"), work.join("dist"));
    say::step("Building the npm package (wasm-pack build --dev)", || {
        wasm_pack(project, &work.join("pkg"), Profile::Dev, &[])?;
        files::remove(&work.join("npm"))?;
        copy_entries(project, &work)?;
        files::remove(&new)?;
        for name in entries::NAMES {
            entries::bundle(project, &work.join("npm"), name, &new)?;
        }
        copy_wasm(&work.join("pkg"), &new)
    })?;
    let mut relay = process::cargo();
    relay
        .current_dir(&project.root)
        .args(["build", "--quiet", "--package", "signal-relay"]);
    say::step("Building the relay (cargo build)", || {
        process::run(&mut relay)
    })?;
    files::make_folder(&dist)?;
    for path in files::list(&new) {
        files::replace(&path, &dist.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(dist)
}

/// The entries import `../pkg/…`, so they need a folder beside it.
fn copy_entries(project: &Project, work: &Path) -> Outcome {
    let npm = project.root.join("npm");
    for path in files::list_deep(&npm) {
        if path.extension().is_some_and(|ending| ending == "js") {
            let place = path.strip_prefix(&npm).unwrap_or(&path);
            files::copy(&path, &work.join("npm").join(place))?;
        }
    }
    Ok(())
}

/// Makes dist/ from pkg/ and npm/: in a folder of its own first, so that dist/ is never half of it.
fn assemble(project: &Project) -> Outcome {
    let (npm, new) = (project.root.join("npm"), project.scratch().join("dist"));
    files::remove(&new)?;
    for name in entries::NAMES {
        entries::bundle(project, &npm, name, &new)?;
    }
    copy_wasm(&project.root.join("pkg"), &new)?;
    types::write(project, &new)?;

    let dist = project.root.join("dist");
    files::make_folder(&dist)?;
    for name in DIST {
        files::replace(&new.join(name), &dist.join(name))?;
    }
    for path in files::list(&dist) {
        if !DIST.iter().any(|name| path.ends_with(name)) {
            files::remove(&path)?;
        }
    }
    Ok(())
}

fn copy_wasm(pkg: &Path, dist: &Path) -> Outcome {
    let name = "signal_wasm_bg.wasm";
    files::copy(&pkg.join(name), &dist.join(name))
}
