//! `cargo xtask size`: what the package weighs and what each protocol adds to it, by benches/size.mjs, and the proof that the typed Rust API
//! costs it nothing.

use std::path::PathBuf;
use std::process::Command;

use crate::build;
use crate::files;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;
use crate::say;

/// The protocols that can be left out: features of npm/Cargo.toml.
const PROTOCOLS: [&str; 4] = ["relay", "socket-io", "signalr", "signalr-classic"];

/// Builds and prints the table. With `--each` among the arguments it also builds the package without each protocol.
pub fn run(project: &Project, arguments: &[String]) -> Outcome {
    build::package(project)?;
    typed_costs_nothing(project)?;
    let mut arguments = arguments.to_vec();
    for argument in &mut arguments {
        if argument == "--each" {
            *argument = format!("--each={}", without_each(project)?.display());
        }
    }
    table(project, &arguments)
}

/// Builds the package without each protocol, and without all of them: folders `without-<protocol>` and `without-all` in the one that is returned.
fn without_each(project: &Project) -> Outcome<PathBuf> {
    let folder = project.scratch().join("each");
    files::remove(&folder)?;
    for left_out in PROTOCOLS.into_iter().chain(["all"]) {
        let features: Vec<&str> = PROTOCOLS
            .into_iter()
            .filter(|protocol| left_out != "all" && *protocol != left_out)
            .collect();
        let work = folder.join(format!("without-{left_out}"));
        files::make_folder(&work)?;
        say::step(&format!("Building the package without {left_out}"), || {
            build::with_features(project, &work, &features)
        })?;
    }
    Ok(folder)
}

/// The table of benches/size.mjs, which fails when the limit is passed.
pub fn table(project: &Project, arguments: &[String]) -> Outcome {
    let mut report = Command::new("node");
    process::open(
        report
            .current_dir(&project.root)
            .arg("benches/size.mjs")
            .args(arguments),
    )
}

/// After a build: the plain sizes of the entries, in a line each.
pub fn tell_entries(project: &Project) -> Outcome {
    let size = |name: &str| {
        files::read_bytes(&project.root.join("dist").join(name)).map(|bytes| bytes.len())
    };
    let (glue, wasm) = (size("signal_wasm.js")?, size("signal_wasm_bg.wasm")?);
    say::line(format!(
        "  dist/: module {} + wasm {} bytes, inline {}, global {} (compressed: npm run size)",
        say::thousands(glue),
        say::thousands(wasm),
        say::thousands(size("inline.js")?),
        say::thousands(size("global.js")?),
    ));
    Ok(())
}

/// Builds with the feature `typed` and without, and compares: what JavaScript never calls must not be in the module.
///
/// With the standard library, unlike the npm package itself, because serde wants it.
pub fn typed_costs_nothing(project: &Project) -> Outcome {
    let weigh = |name: &str, arguments: &[&str]| -> Outcome<usize> {
        let folder = project.scratch().join(name);
        let work = project.scratch().join("compare");
        files::make_folder(&work)?;
        build::wasm_pack(project, &folder, "", arguments)?;
        build::shrink::shrink(project, &folder, &work).map(|small| small.wasm.len())
    };
    let (plain, typed) = say::step(
        "Building without the feature `typed` and with it, for comparison",
        || {
            Ok((
                weigh("without-typed", &[])?,
                weigh("with-typed", &["--features", "typed"])?,
            ))
        },
    )?;
    // The order of functions may change with it, and with the order the length of a number here and there.
    if plain.abs_diff(typed) > plain / 500 {
        fail!(
            "the feature `typed` makes the module {} bytes instead of {}: the npm package must not pay for the typed Rust API",
            say::thousands(typed),
            say::thousands(plain)
        );
    }
    say::line(format!(
        "  without `typed` {} bytes, with it {}",
        say::thousands(plain),
        say::thousands(typed)
    ));
    Ok(())
}
