//! `cargo xtask size`: prints what the package weighs and what each protocol costs, by
//! benches/size.mjs, and proves that the typed Rust API costs the package nothing.

use std::path::PathBuf;
use std::process::Command;

use crate::build;
use crate::files;
use crate::manifest;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;
use crate::say;

/// Builds and prints the table. With `--each` among the arguments it first builds the package
/// without each protocol.
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

/// Prints the table of benches/size.mjs, which fails if the package is above its ceiling.
pub fn table(project: &Project, arguments: &[String]) -> Outcome {
    let mut report = Command::new("node");
    process::run(
        report
            .current_dir(&project.root)
            .arg("benches/size.mjs")
            .args(arguments),
    )
}

/// Builds the package without each protocol, and without all of them: folders `without-<protocol>`
/// and `without-all` in the one that is returned.
fn without_each(project: &Project) -> Outcome<PathBuf> {
    let manifest = files::read(&project.root.join("npm/Cargo.toml"))?;
    let Some(protocols) = manifest::strings(&manifest, "default") else {
        fail!("npm/Cargo.toml has no `default = […]` with the protocols' features");
    };
    let folder = project.scratch().join("each");
    files::remove(&folder)?;
    for left_out in protocols.iter().copied().chain(["all"]) {
        let features: Vec<&str> = protocols
            .iter()
            .copied()
            .filter(|protocol| left_out != "all" && *protocol != left_out)
            .collect();
        let work = folder.join(format!("without-{left_out}"));
        say::step(&format!("Building the package without {left_out}"), || {
            build::with_features(project, &work, &features)
        })?;
    }
    Ok(folder)
}

/// After a build: prints the uncompressed sizes of the entries in one line.
pub fn print_entries(project: &Project) -> Outcome {
    let size = |name: &str| {
        files::read_bytes(&project.root.join("dist").join(name)).map(|bytes| bytes.len())
    };
    say::line(format!(
        "  dist/: glue {} + wasm {} bytes, inline {}, global {} (compressed: npm run size)",
        say::thousands(size("signal_wasm.js")?),
        say::thousands(size("signal_wasm_bg.wasm")?),
        say::thousands(size("inline.js")?),
        say::thousands(size("global.js")?),
    ));
    Ok(())
}

/// Builds with the feature `typed` and without, and compares: what JavaScript never calls must not
/// be in the module.
pub fn typed_costs_nothing(project: &Project) -> Outcome {
    let weigh = |name: &str, arguments: &[&str]| -> Outcome<usize> {
        let pkg = project.scratch().join(name);
        build::wasm_pack(project, &pkg, arguments)?;
        Ok(files::read_bytes(&pkg.join("signal_wasm_bg.wasm"))?.len())
    };
    let (plain, typed) = say::step("Building without the feature `typed` and with it", || {
        Ok((
            weigh("without-typed", &[])?,
            weigh("with-typed", &["--features", "typed"])?,
        ))
    })?;
    // The feature may change the order of functions, and so the length of an index here and there.
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
