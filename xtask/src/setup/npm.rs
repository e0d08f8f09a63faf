//! Node, and the npm packages that package-lock.json names.

use std::process::Command;

use crate::files;
use crate::problem::{Outcome, Problem, fail};
use crate::process;
use crate::project::Project;
use crate::say;

/// The oldest Node that the build and the tests run on, major and minor: the first whose test runner
/// has `--test-timeout`.
const NODE: (u32, u32) = (20, 11);

/// Installs the packages if node_modules is missing or older than the lock.
pub fn packages(project: &Project) -> Outcome {
    node()?;
    if let Some(missing) = missing(project) {
        let Some(npm) = process::find_on_path("npm") else {
            fail!("npm isn't on PATH; it comes with Node");
        };
        say::step(
            &format!("Installing the npm packages (npm ci): {missing}"),
            || {
                process::quiet(Command::new(&npm).current_dir(&project.root).args([
                    "ci",
                    "--no-audit",
                    "--no-fund",
                ]))
            },
        )?;
        check_esbuild(project)?;
    }
    Ok(())
}

fn node() -> Outcome {
    let wanted = format!("Node {}.{} or later is needed", NODE.0, NODE.1);
    let version = process::quiet(Command::new("node").arg("--version"))
        .map_err(|problem| problem.advise(format!("{wanted}, as `node` on PATH.")))?;
    if parse(version.trim()).is_none_or(|version| version < NODE) {
        fail!("`node --version` says {:?}, but {wanted}", version.trim());
    }
    Ok(())
}

/// Major and minor of `v20.14.0`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix('v')?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

/// Why the packages have to be installed, or `None` if they are there.
fn missing(project: &Project) -> Option<&'static str> {
    // npm writes this file last.
    let installed = files::modified(&project.root.join("node_modules/.package-lock.json"));
    let wanted = files::modified(&project.root.join("package-lock.json"));
    match (installed, wanted) {
        (None, _) => Some("node_modules isn't there"),
        (Some(installed), Some(wanted)) if installed < wanted => {
            Some("package-lock.json is newer than node_modules")
        }
        _ => None,
    }
}

/// npm 11 doesn't run esbuild's install script unless it is allowed. The script isn't needed if the
/// optional package with the program for this machine was installed, which this checks.
fn check_esbuild(project: &Project) -> Outcome {
    process::quiet(process::npm_program(&project.root, "esbuild")?.arg("--version"))
        .map(drop)
        .map_err(|problem: Problem| {
            problem.advise(
                "esbuild is installed but doesn't run. npm must not leave out optional packages (--omit=optional), \
                 and node_modules must come from this kind of machine: remove node_modules and try again.",
            )
        })
}
