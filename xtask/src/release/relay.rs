//! The relay for this machine's platform: `signal-relay-<version>-<target>.tar.gz`, with the stripped
//! program and what an operator needs beside it.
//!
//! Two builds of one commit by the same compilers are the same to the byte.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Release, links, npm};
use crate::files;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;
use crate::say;

/// The files beside the program, by their paths in the repository.
const BESIDE: [&str; 6] = [
    "LICENSE",
    "docs/operating.md",
    "relay/README.md",
    "relay/dashboard.json",
    "relay/signal-relay.service",
    "relay/signal-relay.toml",
];

/// Builds the program and packs it, as an archive and for npm.
pub fn make(release: &Release) -> Outcome<Vec<String>> {
    let project = release.project;
    let (target, rust) = compiler()?;
    let name = format!("signal-relay-{}-{target}", project.locked("signal-relay")?);
    let program = say::step(&format!("Building the relay for {target}"), || {
        build(project, &target)
    })?;

    let stage = project.scratch().join("stage");
    files::remove(&stage)?;
    let folder = stage.join(&name);
    files::copy(&program, &folder.join(name_of(&program)))?;
    let web = links::on_the_web(project)?;
    for path in BESIDE.map(Path::new) {
        let text = files::read(&project.root.join(path))?;
        let text = if path.extension().is_some_and(|ending| ending == "md") {
            links::rewrite(&text, path, &web, moved)
        } else {
            text
        };
        files::write(&folder.join(name_of(path)), text)?;
    }
    let third_party = process::quiet(
        Command::new("node")
            .current_dir(&project.root)
            .env("CARGO", process::cargo().get_program())
            .arg("xtask/src/release/third-party.mjs")
            .args(["signal-relay", &target, &rust]),
    )?;
    files::write(&folder.join("THIRD-PARTY.txt"), third_party)?;
    let mut packed = vec![pack(release, &stage, &name)?];
    packed.extend(npm::relay(release, &folder, &target)?);
    Ok(packed)
}

/// The platform that this machine's compiler builds for, and the compiler's version.
fn compiler() -> Outcome<(String, String)> {
    let said = process::quiet(process::rustc().arg("-vV"))?;
    let of = |name: &str| said.lines().find_map(|line| line.strip_prefix(name));
    match (of("host: "), of("release: ")) {
        (Some(target), Some(rust)) => Ok((target.to_string(), rust.to_string())),
        _ => fail!("`rustc -vV` doesn't name its host and release:\n{said}"),
    }
}

/// Builds the stripped program. It has a target folder of its own (`--target`), because other builds
/// have other flags.
fn build(project: &Project, target: &str) -> Outcome<PathBuf> {
    let mut build = process::cargo();
    build
        .current_dir(&project.root)
        // Instead of RUSTFLAGS from outside, so that everybody's program is the same.
        .env("CARGO_ENCODED_RUSTFLAGS", process::encoded(&flags(project)))
        .args(["build", "--quiet", "--locked", "--profile", "relay"])
        .args(["--package", "signal-relay", "--target", target])
        .args(["--config", "profile.relay.strip=\"symbols\""]);
    process::run(&mut build)?;
    let folder = project.target.join(target).join("relay");
    Ok(folder.join(format!("signal-relay{}", std::env::consts::EXE_SUFFIX)))
}

/// The flags that keep this machine's paths out of panic messages. Of those that match, the compiler
/// uses the last.
fn flags(project: &Project) -> Vec<String> {
    let mut flags: Vec<String> = process::remap_registry().into_iter().collect();
    for (folder, name) in [
        (&project.root, "/signal-wasm"),
        (&project.target, "/signal-wasm/target"),
    ] {
        flags.push(format!("--remap-path-prefix={}={name}", folder.display()));
    }
    flags
}

/// The name of a file of the repository in the archive, if it is there.
fn moved(path: &Path) -> Option<String> {
    let is_there = BESIDE.iter().any(|beside| path == Path::new(beside));
    is_there.then(|| name_of(path))
}

fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Packs the folder `name` of `stage`.
fn pack(release: &Release, stage: &Path, name: &str) -> Outcome<String> {
    let tar = release.new.join(format!("{name}.tar"));
    process::quiet(
        Command::new("tar")
            .current_dir(stage)
            .args(["--create", "--format=ustar", "--sort=name"])
            .args(["--owner=0", "--group=0", "--numeric-owner"])
            .args(["--mode=u=rwX,go=rX", &format!("--mtime=@{}", release.time)])
            .arg("--file")
            .arg(&tar)
            .arg(name),
    )
    .map_err(|problem| problem.advise("A release is packed by GNU tar."))?;
    process::quiet(Command::new("gzip").args(["--no-name", "--best"]).arg(&tar))?;
    Ok(format!("{name}.tar.gz"))
}
