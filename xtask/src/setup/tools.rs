//! wasm-bindgen, wasm-pack and geckodriver, built from source into a folder of this user.
//!
//! Downloading their releases would be quicker, but not every machine can, and npm's package of
//! wasm-pack only downloads such a release. Building without optimisation takes a third of the
//! time, and the tools run about as fast.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::files;
use crate::problem::{Outcome, Problem, fail};
use crate::process;
use crate::project::{GECKODRIVER, Project, WASM_PACK};
use crate::say;

/// Installs wasm-bindgen and wasm-pack, unless the right version is in that folder or on `PATH`.
pub fn install(project: &Project) -> Outcome {
    let bindgen = project.locked("wasm-bindgen")?;
    // wasm-pack expects the test runner beside wasm-bindgen.
    tool(
        project,
        "wasm-bindgen",
        "wasm-bindgen-cli",
        &bindgen,
        &["wasm-bindgen", "wasm-bindgen-test-runner"],
    )?;
    tool(project, "wasm-pack", "wasm-pack", WASM_PACK, &["wasm-pack"])?;
    files::remove(&shared_target(project))
}

/// Installs Firefox's driver in the same way, and returns its path.
pub fn geckodriver(project: &Project) -> Outcome<PathBuf> {
    let name = "geckodriver";
    tool(project, name, name, GECKODRIVER, &[name])?;
    files::remove(&shared_target(project))?;
    match process::find(name, &project.path()?) {
        Some(path) => Ok(path),
        None => fail!("{name} {GECKODRIVER} is installed, but not on PATH"),
    }
}

fn tool(project: &Project, name: &str, package: &str, version: &str, programs: &[&str]) -> Outcome {
    let folder = project.tool_folder(name, version);
    let right = |path: &Path| is_version(path, version);
    let ours = folder.join("bin");
    if programs
        .iter()
        .all(|program| process::find(program, ours.as_os_str()).is_some_and(|path| right(&path)))
    {
        return Ok(());
    }
    let on_path = process::find_on_path(name)
        .filter(|path| right(path))
        .and_then(|path| path.parent().map(Path::to_path_buf));
    if let Some(beside) = on_path
        && programs
            .iter()
            .all(|program| process::find(program, beside.as_os_str()).is_some())
    {
        return Ok(());
    }

    let what = format!(
        "Installing {package} {version} into {} (cargo install)",
        folder.display()
    );
    say::step(&what, || {
        files::make_folder(&project.tools).map_err(|problem| {
            problem.advise("Set SIGNAL_WASM_TOOLS to a folder where you may write.")
        })?;
        let with_lock = cargo_install(project, package, version, &folder, true);
        if let Err(first) = with_lock {
            // The registry may not have each version yet that the tool's own Cargo.lock names.
            cargo_install(project, package, version, &folder, false).map_err(|second| {
                Problem::new(format!("{second}\nAnd before that, with --locked: {first}"))
            })?;
        }
        let installed = process::find(name, ours.as_os_str());
        if !installed.as_deref().is_some_and(right) {
            fail!(
                "cargo install has put no {name} {version} into {}",
                ours.display()
            );
        }
        Ok(())
    })
    .map_err(|problem| problem.during(format!("{package} {version} can't be installed")))
}

fn cargo_install(
    project: &Project,
    package: &str,
    version: &str,
    folder: &Path,
    locked: bool,
) -> Outcome {
    let mut install = process::cargo();
    install
        .current_dir(&project.tools)
        .args([
            "install",
            "--debug",
            "--force",
            package,
            "--version",
            version,
            "--root",
        ])
        .arg(folder)
        // wasm-bindgen and wasm-pack have half of their dependencies in common.
        .env("CARGO_TARGET_DIR", shared_target(project))
        .env_remove("CARGO_BUILD_TARGET");
    if locked {
        install.arg("--locked");
    }
    process::quiet(&mut install).map(drop)
}

fn shared_target(project: &Project) -> PathBuf {
    // Not in the tools' folder: another checkout may install tools at the same time.
    project.scratch().join("tools")
}

fn is_version(program: &Path, version: &str) -> bool {
    process::quiet(Command::new(program).arg("--version"))
        .is_ok_and(|said| said.split_whitespace().any(|word| word == version))
}
