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

/// Builds with the feature `typed` and looks for its functions: what JavaScript never calls must
/// not be in the module. Sizes aren't compared, because the feature also changes the order of
/// functions, and with it what the compiler and wasm-opt merge and inline.
pub fn typed_costs_nothing(project: &Project) -> Outcome {
    let module = say::step("Building with the feature `typed`", || {
        let pkg = project.scratch().join("with-typed");
        build::wasm_pack(
            project,
            &pkg,
            build::Profile::Release,
            &["--features", "typed"],
        )?;
        files::read_bytes(&build::linked(project))
    })?;
    // The linked module has the mangled names of its functions, with crates and modules in them.
    let names = |part: &str| count(&module, part.as_bytes());
    if names("11signal_wasm") == 0 {
        fail!("the linked module has no names of functions, so `typed` can't be looked for");
    }
    for part in [
        "11signal_wasm5typed",
        "18serde_wasm_bindgen",
        "10serde_core",
        "12futures_core",
    ] {
        let found = names(part);
        if found > 0 {
            fail!(
                "with the feature `typed` the linked module names `{part}` {found} times: the npm package must not pay for the typed Rust API"
            );
        }
    }
    say::line("  with `typed`, no function of it is in the module");
    Ok(())
}

fn count(bytes: &[u8], part: &[u8]) -> usize {
    let windows = bytes.windows(part.len());
    windows.filter(|window| *window == part).count()
}
