//! The crates as they are published. cargo builds each from its own files, with those of ours that it
//! needs.

use super::Release;
use crate::files;
use crate::package::CRATES;
use crate::problem::Outcome;
use crate::process;

/// Packs all crates.
pub fn make(release: &Release) -> Outcome<Vec<String>> {
    let project = release.project;
    let mut cargo = process::cargo();
    cargo
        .current_dir(&project.root)
        // Offline: all that the crates need has been built before.
        .args(["package", "--allow-dirty", "--offline"]);
    for (name, _) in CRATES {
        cargo.args(["--package", name]);
    }
    process::quiet(&mut cargo)?;
    let mut names = Vec::new();
    for (name, _) in CRATES {
        let name = format!("{name}-{}.crate", project.version()?);
        let packed = project.target.join("package").join(&name);
        files::copy(&packed, &release.new.join(&name))?;
        names.push(name);
    }
    Ok(names)
}
