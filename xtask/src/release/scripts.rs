//! The classic scripts, for pages without npm, and `scripts.html` with the tags that load them.

use std::process::Command;

use super::Release;
use crate::build;
use crate::files;
use crate::problem::Outcome;
use crate::process;

/// The scripts, in the order in which a page loads them.
const SCRIPTS: [&str; 3] = [
    "global.js",
    "global-transports.js",
    "global-rtcmulticonnection.js",
];

/// Copies the scripts and writes their tags.
pub fn make(release: &Release) -> Outcome<Vec<String>> {
    build::package(release.project)?;
    let dist = release.project.root.join("dist");
    for name in SCRIPTS {
        files::copy(&dist.join(name), &release.new.join(name))?;
    }
    let tags = process::quiet(
        Command::new("node")
            .current_dir(&release.project.root)
            .arg("xtask/src/release/tags.mjs")
            .arg(release.project.version()?)
            .args(SCRIPTS.map(|name| dist.join(name))),
    )?;
    files::write(&release.new.join("scripts.html"), tags)?;
    let names = SCRIPTS.iter().chain(&["scripts.html"]);
    Ok(names.map(ToString::to_string).collect())
}
