//! `cargo xtask release`, which is `npm run release`: makes the files of a release in `release/`,
//! and the list of their checksums.
//!
//! Each artefact is a file of this folder, with a function that makes it in the folder it is given.
//!
//! * `crates`: the crates.
//! * `npm`: the npm packages.
//! * `relay`: the relay for this machine's platform, as an archive and for npm.
//! * `scripts`: the classic scripts, with their integrity hashes.
//! * `links`: links in documents that are moved into an artefact.

mod crates;
mod links;
mod npm;
mod relay;
mod scripts;

use std::process::Command;

use crate::files;
use crate::lock;
use crate::problem::{Outcome, Problem, fail};
use crate::process;
use crate::project::Project;
use crate::say;

/// Makes one artefact in `new`, and returns the names of its files.
type Artefact = fn(&Release) -> Outcome<Vec<String>>;

/// All artefacts.
const ARTEFACTS: [Artefact; 4] = [npm::library, scripts::make, relay::make, crates::make];

/// What the artefacts are made of.
#[derive(Debug)]
struct Release<'project> {
    project: &'project Project,
    /// Where the artefacts are made.
    new: std::path::PathBuf,
    /// The time that all files in archives have, in seconds since 1970.
    time: u64,
}

/// Makes all artefacts, in a folder of its own first, so that release/ is never half of a release.
pub fn run(project: &Project) -> Outcome {
    let _lock = lock::take(&project.scratch(), "release")?;
    let release = Release {
        project,
        new: project.scratch().join("release"),
        time: time(project)?,
    };
    files::remove(&release.new)?;
    files::make_folder(&release.new)?;
    let mut names = Vec::new();
    for make in ARTEFACTS {
        names.extend(make(&release)?);
    }
    names.sort();
    let sums = process::quiet(
        Command::new("sha256sum")
            .current_dir(&release.new)
            .args(&names),
    )?;
    files::write(&release.new.join("SHA256SUMS"), sums)?;

    let folder = project.root.join("release");
    files::remove(&folder)?;
    files::replace(&release.new, &folder)?;
    for name in names {
        let size = files::read_bytes(&folder.join(&name))?.len();
        say::line(format!("release/{name}: {} bytes", say::thousands(size)));
    }
    Ok(())
}

/// `SOURCE_DATE_EPOCH`, or else when the last commit was made.
fn time(project: &Project) -> Outcome<u64> {
    const NAME: &str = "SOURCE_DATE_EPOCH";
    let (what, text) = match std::env::var(NAME) {
        Ok(text) => (NAME, text),
        Err(_) => ("git's time of the last commit", commit_time(project)?),
    };
    match text.trim().parse() {
        Ok(time) => Ok(time),
        Err(_) => fail!("{what} is {text:?}; it must be a number of seconds since 1970"),
    }
}

fn commit_time(project: &Project) -> Outcome<String> {
    let mut git = Command::new("git");
    git.current_dir(&project.root)
        .args(["log", "-1", "--format=%ct"]);
    process::quiet(&mut git).map_err(|problem: Problem| {
        problem.advise("Outside a git clone, set SOURCE_DATE_EPOCH to the time of the release.")
    })
}
