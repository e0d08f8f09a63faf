//! The entries of the package: the source of those that hold a signaling, from the glue, and esbuild's minified form of all.

use std::path::Path;
use std::process::Command;

use crate::build::encode;
use crate::build::glue::Glue;
use crate::files;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;

/// What browsers must know besides WebAssembly's reference types, which are as old.
const TARGET: &str = "--target=es2022";

/// Writes the entries' sources into `work`.
pub fn write(work: &Path, glue: &Glue, wasm: &[u8]) -> Outcome {
    files::write(&work.join("signal_wasm.js"), &glue.module)?;
    files::write(&work.join("glue.js"), &glue.ready)?;
    files::write(&work.join("bytes.js"), encode::as_module(wasm))?;
    check_bytes(work, wasm)?;

    let names = glue.names.join(", ");
    // Compiling at once is allowed on the main thread for a module as small as this.
    let start =
        "import { start } from './glue.js';\nimport bytes from './bytes.js';\nstart(bytes);\n";
    files::write(
        &work.join("inline.js"),
        format!("{start}export {{ {names} }} from './glue.js';\n"),
    )?;
    // Not `var SignalWasm`: a bundler that takes this file for a module would keep that to itself.
    files::write(
        &work.join("global.js"),
        format!(
            "{start}import {{ {names} }} from './glue.js';\nglobalThis.SignalWasm = {{ {names} }};\n"
        ),
    )
}

/// Decodes the text once: a wrong byte among the module's data would be found by nobody else.
fn check_bytes(work: &Path, wasm: &[u8]) -> Outcome {
    let mut node = Command::new("node");
    node.current_dir(work).args([
        "--input-type=module",
        "--eval",
        "import bytes from './bytes.js'; process.stdout.write(Buffer.from(bytes).toString('hex'));",
    ]);
    let decoded = process::quiet(&mut node)?;
    if decoded
        != wasm
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    {
        fail!("the module as text doesn't decode to the module; look at xtask/src/build/encode.rs");
    }
    Ok(())
}

/// Makes `dist/<name>.js` in `work` of `<name>.js`.
pub fn minify(project: &Project, work: &Path, name: &str) -> Outcome {
    let mut esbuild = process::npm_program(&project.root, "esbuild")?;
    esbuild
        .current_dir(work)
        .arg(format!("{name}.js"))
        .arg(format!("--outfile=dist/{name}.js"))
        .args([
            "--minify",
            TARGET,
            "--log-level=warning",
            "--legal-comments=none",
        ])
        .arg(format!(
            "--banner:js=/*! signal-wasm {} | MIT */",
            project.version()?
        ));
    esbuild.args(match name {
        // Not bundled, so that `new URL(…, import.meta.url)` stays as it is: Vite and webpack look for it.
        "signal_wasm" => &["--format=esm"][..],
        "inline" | "transports" => &["--format=esm", "--bundle"],
        _ => &["--format=iife", "--bundle"],
    });
    process::quiet(&mut esbuild)?;
    Ok(())
}
