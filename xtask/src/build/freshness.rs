//! Whether dist/ is up to date. scripts/stamp.mjs hashes the sources and dist/, for npm too, which
//! asks without Rust. Here the compiler counts besides.

use std::path::PathBuf;
use std::process::Command;

use crate::files;
use crate::problem::Outcome;
use crate::process;
use crate::project::Project;

/// What dist/ is made of: lines that change when a source or the compiler does.
pub fn ingredients(project: &Project) -> Outcome<String> {
    let compiler = process::quiet(process::rustc().arg("-vV"))?;
    Ok(format!(
        "compiler {}\nsources {}",
        compiler.trim().replace('\n', ", "),
        hash(project, "sources")?
    ))
}

/// Whether dist/ was made of these and hasn't been changed since.
pub fn is_fresh(project: &Project, ingredients: &str) -> bool {
    match (files::read(&path(project)), stamp(project, ingredients)) {
        (Ok(recorded), Ok(stamp)) => recorded == stamp,
        _ => false,
    }
}

/// Records what dist/ was made of.
pub fn record(project: &Project, ingredients: &str) -> Outcome {
    files::write(&path(project), stamp(project, ingredients)?)
}

fn path(project: &Project) -> PathBuf {
    project.root.join("dist/stamp.txt")
}

fn stamp(project: &Project, ingredients: &str) -> Outcome<String> {
    Ok(format!("{ingredients}dist {}", hash(project, "dist")?))
}

/// The hash of these files, and a line break.
fn hash(project: &Project, what: &str) -> Outcome<String> {
    process::quiet(
        Command::new("node")
            .current_dir(&project.root)
            .args(["scripts/stamp.mjs", what]),
    )
}
