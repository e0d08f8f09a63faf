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
    apt(work, sources, &["update"])?;
    download(&[package], work, sources)
}

/// The same with all packages that it needs and that aren't installed here, in one folder.
pub fn unpack_with_dependencies(package: &str, work: &Path) -> Outcome<PathBuf> {
    apt(work, None, &["update"])?;
    let arguments = ["install", "--simulate", "--no-install-recommends", package];
    let plan = apt(work, None, &arguments)?;
    let mut packages = planned(&plan);
    if !packages.contains(&package) {
        packages.push(package);
    }
    download(&packages, work, None)
}

/// The packages that `apt-get install --simulate` says it would install.
fn planned(plan: &str) -> Vec<&str> {
    let lines = plan.lines();
    let installed = lines.filter_map(|line| line.strip_prefix("Inst "));
    let names = installed.filter_map(|rest| rest.split(' ').next());
    names.collect()
}

fn apt(work: &Path, sources: Option<&Path>, arguments: &[&str]) -> Outcome<String> {
    let lists = work.join("lists");
    files::make_folder(&lists.join("partial"))?;
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
}

fn download(packages: &[&str], work: &Path, sources: Option<&Path>) -> Outcome<PathBuf> {
    apt(work, sources, &[&["download"], packages].concat())?;
    let archives = files::list(work)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "deb"));
    let archives: Vec<PathBuf> = archives.collect();
    if archives.is_empty() {
        fail!("apt-get has downloaded no package to {}", work.display());
    }
    let unpacked = work.join("unpacked");
    for archive in archives {
        process::quiet(
            Command::new("dpkg-deb")
                .arg("--extract")
                .arg(&archive)
                .arg(&unpacked),
        )?;
    }
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apt_would_install_is_read() {
        let plan = "Inst liba (1 Debian:12/stable [amd64])\n\
                    Inst libb [1] (2 Debian:12/stable [amd64])\n\
                    Conf liba (1 Debian:12/stable [amd64])\n";
        assert_eq!(planned(plan), ["liba", "libb"]);
        assert!(planned("").is_empty());
    }
}
