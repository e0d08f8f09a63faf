//! Debian's packages, unpacked into a folder without being installed, so nobody need be root.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::files;
use crate::problem::{Outcome, fail};
use crate::process;

/// Whether packages can be fetched and unpacked here; the error says what is missing.
pub fn check() -> Outcome {
    for program in ["apt-get", "dpkg-deb"] {
        if process::find_on_path(program).is_none() {
            fail!("{program} isn't on PATH, so this isn't Debian");
        }
    }
    Ok(())
}

/// Downloads a package, given by its name or by name and version, and unpacks it; returns the folder
/// inside `work`. apt reads package lists of its own for it, by default of the machine's sources, so
/// that the machine's configuration stays.
pub fn unpack(package: &str, work: &Path, sources: Option<&Path>) -> Outcome<PathBuf> {
    let lists = work.join("lists");
    files::make_folder(&lists.join("partial"))?;
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.current_dir(work).arg("-qq");
        if let Some(sources) = sources {
            apt.arg(format!("-oDir::Etc::SourceList={}", sources.display()))
                .arg("-oDir::Etc::SourceParts=/dev/null");
        }
        apt.arg(format!("-oDir::State::Lists={}", lists.display()))
            .arg(format!("-oDir::Cache={}", work.join("cache").display()))
            // As root, apt would download as a user who may not write here.
            .arg("-oAPT::Sandbox::User=")
            .args(arguments);
        process::quiet(&mut apt)
    };
    apt(&["update"])?;
    apt(&["download", package])?;
    let archive = files::list(work)
        .into_iter()
        .find(|path| path.extension().is_some_and(|ending| ending == "deb"));
    let Some(archive) = archive else {
        fail!("apt-get has downloaded no package to {}", work.display());
    };
    let unpacked = work.join("unpacked");
    process::quiet(
        Command::new("dpkg-deb")
            .arg("--extract")
            .arg(&archive)
            .arg(&unpacked),
    )?;
    Ok(unpacked)
}
