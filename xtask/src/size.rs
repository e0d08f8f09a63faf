//! `cargo xtask size`: what the package weighs, by benches/size.mjs, and the proof that the typed Rust API costs it nothing.

use std::path::Path;
use std::process::Command;

use crate::build;
use crate::files;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;
use crate::say;

/// Builds and prints the table.
pub fn run(project: &Project, arguments: &[String]) -> Outcome {
    build::package(project)?;
    typed_costs_nothing(project)?;
    table(project, arguments)
}

/// The table of benches/size.mjs, which fails when the budget is overdrawn.
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

/// Builds with the feature `typed` and compares: what JavaScript never calls must not be in the module.
pub fn typed_costs_nothing(project: &Project) -> Outcome {
    let folder = project.scratch().join("typed");
    say::step("Building with the feature `typed`, for comparison", || {
        build::wasm_pack(project, &folder, &["typed"])
    })?;
    let weigh = |folder: &Path| {
        files::read_bytes(&folder.join("signal_wasm_bg.wasm")).map(|bytes| bytes.len())
    };
    let plain = weigh(&project.root.join("dist"))?;
    let typed = weigh(&folder)?;
    if typed != plain {
        fail!(
            "the feature `typed` makes the module {} bytes instead of {}: the npm build must not pay for the typed Rust API",
            say::thousands(typed),
            say::thousands(plain)
        );
    }
    say::line(format!(
        "  with `typed` and without: {} bytes, the same",
        say::thousands(plain)
    ));
    Ok(())
}
