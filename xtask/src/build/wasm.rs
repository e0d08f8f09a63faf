//! From Rust to WebAssembly: runs wasm-pack on the crate npm/.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::files;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;
use crate::setup;

/// What wasm-pack prints when it runs wasm-opt.
const OPTIMIZING: &str = "Optimizing wasm binaries with `wasm-opt`";

/// How the module is compiled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    /// For its size, which takes a while.
    Release,
    /// For development: soon, with checks and names.
    Dev,
}

/// Runs wasm-pack, with its output in `pkg`. `arguments` go to cargo.
pub fn wasm_pack(project: &Project, pkg: &Path, profile: Profile, arguments: &[&str]) -> Outcome {
    files::remove(pkg)?;
    let option = match profile {
        Profile::Release => "--release",
        Profile::Dev => "--dev",
    };
    let path = project.path()?;
    if process::find("wasm-opt", &path).is_none() {
        fail!(
            "there is no wasm-opt in node_modules/.bin, where npm's binaryen puts it; run: npm ci"
        );
    }
    let mut build = Command::new("wasm-pack");
    build
        .current_dir(&project.root)
        .env("PATH", path)
        // Instead of RUSTFLAGS from outside, so that everybody's module is the same.
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            process::encoded(&rustflags(project)?),
        )
        .args(["build", "npm", option, "--target", "bundler"])
        // `force` skips the check for a wasm32 library in the toolchain, which would call rustup:
        // ours may be in another folder. The tools that wasm-pack needs are all on PATH.
        .args(["--mode", "force", "--no-pack"])
        .args(["--out-name", "signal_wasm", "--out-dir"])
        .arg(pkg);
    if !arguments.is_empty() {
        build.arg("--").args(arguments);
    }
    let said = process::quiet_with_messages(&mut build)
        .map_err(|problem| problem.during("building the WebAssembly module"))?;
    // Without wasm-opt the module works, but has one and a half times the size.
    if profile == Profile::Release && !said.contains(OPTIMIZING) {
        fail!(
            "wasm-pack didn't run wasm-opt; look at its options in npm/Cargo.toml. It printed:\n{said}"
        );
    }
    list_snippets(pkg)
}

/// The module that the linker made for the last [`wasm_pack`], before wasm-bindgen and wasm-opt.
pub fn linked(project: &Project) -> PathBuf {
    project
        .target
        .join("wasm32-unknown-unknown/release/signal_wasm_npm.wasm")
}

fn rustflags(project: &Project) -> Outcome<Vec<String>> {
    let mut flags = setup::wasm_rustflags(project)?;
    flags.extend(process::remap_registry());
    Ok(flags)
}

/// Writes `snippets.js`, which exports the checked-in JavaScript modules that the Rust code
/// imports. wasm-bindgen copies them to pkg/snippets/, where their paths have hashes in them.
fn list_snippets(pkg: &Path) -> Outcome {
    let folder = pkg.join("snippets");
    let (mut lines, mut members) = (String::new(), String::new());
    for (index, path) in files::list_deep(&folder).iter().enumerate() {
        let path = path.strip_prefix(pkg).unwrap_or(path).to_string_lossy();
        let path = path.replace('\\', "/");
        lines += &format!("import * as snippet{index} from './{path}';\n");
        members += &format!("  './{path}': snippet{index},\n");
    }
    files::write(
        &pkg.join("snippets.js"),
        format!("{lines}export const snippets = {{\n{members}}};\n"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snippets_are_listed_by_their_paths() {
        let pkg = std::env::temp_dir().join(format!("signal-wasm-pkg-{}", std::process::id()));
        files::make_folder(&pkg).unwrap();
        list_snippets(&pkg).unwrap();
        let list = pkg.join("snippets.js");
        assert_eq!(
            files::read(&list).unwrap(),
            "export const snippets = {\n};\n"
        );

        files::write(&pkg.join("snippets/a-1/src/this.js"), "").unwrap();
        list_snippets(&pkg).unwrap();
        assert_eq!(
            files::read(&list).unwrap(),
            "import * as snippet0 from './snippets/a-1/src/this.js';\n\
             export const snippets = {\n  './snippets/a-1/src/this.js': snippet0,\n};\n"
        );
        files::remove(&pkg).unwrap();
    }
}
