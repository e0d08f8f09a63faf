//! The entries of the package: npm/*.js, each bundled and minified by esbuild into one file.

use std::path::Path;

use crate::problem::Outcome;
use crate::process;
use crate::project::Project;

/// The entries, by the names of their files in dist/.
pub const NAMES: [&str; 11] = [
    "signal_wasm",
    "development",
    "inline",
    "global",
    "transports",
    "global-transports",
    "room",
    "call",
    "react",
    "rtcmulticonnection",
    "global-rtcmulticonnection",
];

/// What browsers must support besides WebAssembly's reference types, which are as old.
const TARGET: &str = "--target=es2022";

/// Makes `<name>.js` in the folder `dist` from the entry's source in the folder `npm`.
pub fn bundle(project: &Project, npm: &Path, name: &str, dist: &Path) -> Outcome {
    let source = if name == "signal_wasm" { "index" } else { name };
    let format = if name.starts_with("global") {
        "iife"
    } else {
        "esm"
    };
    let mut esbuild = process::npm_program(&project.root, "esbuild")?;
    esbuild
        .current_dir(npm)
        // For a copy of npm/ that isn't in the project.
        .env("NODE_PATH", project.root.join("node_modules"))
        .arg(format!("{source}.js"))
        .arg(format!(
            "--outfile={}",
            dist.join(format!("{name}.js")).display()
        ))
        .args(["--bundle", "--minify", TARGET])
        // The page's own React, and the entries that the hooks are for.
        .args(["--external:react", "--external:signal-wasm"])
        .arg(format!("--format={format}"))
        // The entries that need no second file hold the module as text.
        .arg("--loader:.wasm=binary")
        .args(["--log-level=warning", "--legal-comments=inline"])
        .arg(format!(
            "--banner:js=/*! signal-wasm {} | MIT */",
            project.version()?
        ));
    process::quiet(&mut esbuild).map(drop)
}
