//! The crates as they are published. cargo builds each from its own files, with those of ours that it
//! needs.

use super::Release;
use crate::files;
use crate::package::CRATES;
use crate::problem::Outcome;
use crate::process;
use crate::project::Project;

/// The crate that the others need.
const NEEDED: &str = "signal-wire";

/// Packs all crates.
pub fn make(release: &Release) -> Outcome<Vec<String>> {
    let project = release.project;
    forget_earlier(project)?;
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

/// Removes what cargo keeps of an earlier packing, unpacked and built. It takes a version of a crate for
/// something that never changes: it would build signal-relay with the signal-wire of that time.
fn forget_earlier(project: &Project) -> Outcome {
    files::remove(&project.target.join("package"))?;
    let mut cargo = process::cargo();
    cargo
        .current_dir(&project.root)
        .args(["clean", "--package", NEEDED]);
    process::quiet(&mut cargo)?;
    let registries = process::cargo_home().map(|home| files::list(&home.join("registry/src")));
    for registry in registries.unwrap_or_default() {
        // cargo's name for a registry in a folder, as it makes one of the packed crates, has no host.
        let name = registry.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('-') {
            files::remove(&registry.join(format!("{NEEDED}-{}", project.version()?)))?;
        }
    }
    Ok(())
}
