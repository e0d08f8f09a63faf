//! `cargo xtask dev`, which is `npm run dev`: serves the demo, builds what changes, and reloads the
//! open pages. Watching and serving is what `serve.mjs` does, in Node.

use std::process::Command;

use crate::build;
use crate::problem::{Outcome, Problem};
use crate::process;
use crate::project::Project;
use crate::serve;
use crate::setup;

/// Builds, then watches and serves. `arguments` go to the relay, but for `--listen HOST:PORT`.
pub fn run(project: &Project, arguments: &[String]) -> Outcome {
    setup::for_package(project)?;
    let dist = build::for_development(project)?;
    let builder = std::env::current_exe()
        .map_err(|error| Problem::new(format!("can't find the program xtask itself: {error}")))?;
    let mut node = Command::new("node");
    node.current_dir(&project.root)
        .arg("xtask/src/dev/serve.mjs")
        .arg("--builder")
        .arg(builder)
        .arg("--relay")
        .arg(project.relay_for_development());
    for mount in serve::mounts(&dist) {
        node.arg("--mount").arg(mount);
    }
    let ours = match arguments.first() {
        Some(name) if name == "--listen" => 2,
        _ => 0,
    };
    let (ours, others) = arguments.split_at(ours.min(arguments.len()));
    process::run(node.args(ours).arg("--").args(others))
}
