//! `cargo xtask package`, which npm runs before `npm pack` and `npm publish`: builds the package,
//! and checks what would be published.

use std::collections::BTreeSet;
use std::process::Command;

use crate::build::{self, DIST};
use crate::files;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;
use crate::say;

/// The files of the npm package outside dist/.
const BESIDE: [&str; 4] = ["CHANGELOG.md", "LICENSE", "README.md", "package.json"];

/// The crates that are published, those first that others need, and files that they must have.
/// Outside src/ they have no others.
pub const CRATES: [(&str, &[&str]); 3] = [
    ("signal-wire", &["src/lib.rs"]),
    (
        "signal-wasm",
        &[
            "CHANGELOG.md",
            "LICENSE",
            "README.md",
            "src/browser/types.d.ts",
            "src/lib.rs",
        ],
    ),
    ("signal-relay", &["README.md", "src/main.rs"]),
];

/// What cargo adds to a crate.
const BY_CARGO: [&str; 4] = [
    ".cargo_vcs_info.json",
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
];

/// Builds and checks.
pub fn run(project: &Project) -> Outcome {
    build::package(project)?;
    versions(project)?;
    licence(project)?;
    npm(project)?;
    crate_files(project)?;
    say::line(format!(
        "The package is complete: {} files, version {}.",
        DIST.len() + BESIDE.len(),
        project.version()?
    ));
    Ok(())
}

/// The crates and the npm packages must have the same version.
fn versions(project: &Project) -> Outcome {
    process::quiet(
        Command::new("node")
            .current_dir(&project.root)
            .arg("scripts/versions.mjs"),
    )
    .map(drop)
}

fn licence(project: &Project) -> Outcome {
    let licence = files::read(&project.root.join("LICENSE"))?;
    for words in ["MIT", "Permission is hereby granted", "Muaz Khan"] {
        if !licence.contains(words) {
            fail!(
                "LICENSE doesn't hold {words:?}; it must be the MIT licence with the seed's notice kept"
            );
        }
    }
    Ok(())
}

/// npm must pack exactly the files meant.
fn npm(project: &Project) -> Outcome {
    let Some(npm) = process::find_on_path("npm") else {
        fail!("npm isn't on PATH")
    };
    let said = process::quiet(Command::new(npm).current_dir(&project.root).args([
        "pack",
        "--dry-run",
        "--json",
        "--ignore-scripts",
    ]))?;
    let packed: BTreeSet<String> = said
        .lines()
        .filter_map(|line| member(line, "path"))
        .map(str::to_string)
        .collect();
    let expected: BTreeSet<String> = DIST
        .iter()
        .map(|name| format!("dist/{name}"))
        .chain(BESIDE.iter().map(ToString::to_string))
        .collect();
    let lines = |set: &mut dyn Iterator<Item = &String>| {
        set.map(String::as_str).collect::<Vec<_>>().join(", ")
    };
    let (missing, extra) = (
        lines(&mut expected.difference(&packed)),
        lines(&mut packed.difference(&expected)),
    );
    if !missing.is_empty() || !extra.is_empty() {
        fail!(
            "the npm package hasn't the files that it should have. Missing: [{missing}]. Too many: [{extra}]. See `files` in package.json"
        );
    }
    Ok(())
}

/// cargo must pack the sources and the files that they embed, and nothing else of this folder, where
/// node_modules has files of all names.
fn crate_files(project: &Project) -> Outcome {
    for (name, wanted) in CRATES {
        let mut list = process::cargo();
        let listed = process::quiet(list.current_dir(&project.root).args([
            "package",
            "--list",
            "--allow-dirty",
            "--package",
            name,
        ]))?;
        let listed: BTreeSet<&str> = listed.lines().collect();
        if let Some(missing) = wanted.iter().find(|path| !listed.contains(*path)) {
            fail!(
                "the crate {name} would be published without {missing}; see `include` in its Cargo.toml"
            );
        }
        let is_known = |path: &str| {
            path.starts_with("src/") || wanted.contains(&path) || BY_CARGO.contains(&path)
        };
        if let Some(extra) = listed.iter().find(|path| !is_known(path)) {
            fail!(
                "the crate {name} would be published with {extra}; see `include` in its Cargo.toml"
            );
        }
    }
    Ok(())
}

/// The first string member of that name. Enough for the JSON that npm writes.
fn member<'text>(json: &'text str, name: &str) -> Option<&'text str> {
    let (_, rest) = json.split_once(&format!("\"{name}\":"))?;
    rest.trim_start().strip_prefix('"')?.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_found() {
        assert_eq!(
            member("{ \"name\": \"a\",\n \"version\": \"1.2.3\" }", "version"),
            Some("1.2.3")
        );
        assert_eq!(member("{ \"version\": 5 }", "version"), None);
        assert_eq!(member("{}", "version"), None);
    }
}
