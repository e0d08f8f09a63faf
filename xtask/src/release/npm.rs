//! The npm packages: signal-wasm, and the relay for front-end developers without Rust.
//!
//! The relay's is a command in JavaScript, and one package for each platform with the program, of
//! which npm installs one: they are optional and name their `os` and `cpu`. A release has the
//! package of the platform that it was made on.

use std::path::Path;
use std::process::Command;

use super::{Release, links};
use crate::files;
use crate::package;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::say;

/// Packs signal-wasm, after the checks of what is published.
pub fn library(release: &Release) -> Outcome<Vec<String>> {
    package::run(release.project)?;
    Ok(vec![pack(release, &release.project.root)?])
}

/// Packs the relay's command, and its program for the platform `target`, which the folder `program`
/// holds with the licences.
pub fn relay(release: &Release, program: &Path, target: &str) -> Outcome<Vec<String>> {
    let root = &release.project.root;
    let stage = release.project.scratch().join("npm");
    files::remove(&stage)?;

    let command = stage.join("signal-relay");
    for name in ["launcher.js", "package.json"] {
        files::copy(&root.join("relay/npm").join(name), &command.join(name))?;
    }
    files::copy(&root.join("LICENSE"), &command.join("LICENSE"))?;
    let readme = Path::new("relay/README.md");
    let text = files::read(&root.join(readme))?;
    let web = links::on_the_web(release.project)?;
    files::write(
        &command.join("README.md"),
        links::rewrite(&text, readme, &web, |_| None),
    )?;
    let mut packed = vec![pack(release, &command)?];

    let manifest = files::read(&root.join("relay/npm/package.json"))?;
    match Platform::of(target).filter(|platform| manifest.contains(&platform.name())) {
        Some(platform) => {
            let folder = stage.join(platform.name());
            for name in [platform.program(), "LICENSE", "THIRD-PARTY.txt"] {
                files::copy(&program.join(name), &folder.join(name))?;
            }
            let version = release.project.locked("signal-relay")?;
            files::write(&folder.join("package.json"), platform.manifest(&version))?;
            packed.push(pack(release, &folder)?);
        }
        None => say::line(format!(
            "relay/npm/package.json names no package for {target}, so none is made."
        )),
    }
    Ok(packed)
}

/// Packs a folder, and gives the tarball's name.
fn pack(release: &Release, folder: &Path) -> Outcome<String> {
    let Some(npm) = process::find_on_path("npm") else {
        fail!("npm isn't on PATH; it comes with Node")
    };
    let said = process::quiet(
        Command::new(npm)
            .current_dir(folder)
            .args(["pack", "--ignore-scripts", "--silent"])
            .arg("--pack-destination")
            .arg(&release.new),
    )?;
    Ok(said.trim().to_string())
}

/// A platform in the words of Node.
#[derive(Debug, PartialEq)]
struct Platform {
    os: &'static str,
    cpu: &'static str,
}

impl Platform {
    /// The platform of a target of rustc.
    fn of(target: &str) -> Option<Self> {
        let (cpu, rest) = target.split_once('-')?;
        let cpu = match cpu {
            "x86_64" => "x64",
            "aarch64" => "arm64",
            _ => return None,
        };
        let os = match rest {
            "unknown-linux-gnu" => "linux",
            "apple-darwin" => "darwin",
            "pc-windows-msvc" | "pc-windows-gnu" => "win32",
            _ => return None,
        };
        Some(Platform { os, cpu })
    }

    /// The name of the platform's package.
    fn name(&self) -> String {
        format!("signal-relay-{}-{}", self.os, self.cpu)
    }

    /// The name of the program's file.
    fn program(&self) -> &'static str {
        if self.os == "win32" {
            "signal-relay.exe"
        } else {
            "signal-relay"
        }
    }

    /// The package.json of the platform's package.
    fn manifest(&self, version: &str) -> String {
        let (name, os, cpu, program) = (self.name(), self.os, self.cpu, self.program());
        let libc = if os == "linux" {
            "\n  \"libc\": [\"glibc\"],"
        } else {
            ""
        };
        format!(
            r#"{{
  "name": "{name}",
  "version": "{version}",
  "description": "The program of the package signal-relay for {os} on {cpu}",
  "license": "MIT",
  "type": "commonjs",
  "os": ["{os}"],
  "cpu": ["{cpu}"],{libc}
  "files": ["{program}", "THIRD-PARTY.txt"],
  "preferUnplugged": true
}}
"#
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_named_as_node_names_them() {
        let name = |target| Platform::of(target).map(|platform| platform.name());
        for (target, package) in [
            ("x86_64-unknown-linux-gnu", "signal-relay-linux-x64"),
            ("aarch64-unknown-linux-gnu", "signal-relay-linux-arm64"),
            ("aarch64-apple-darwin", "signal-relay-darwin-arm64"),
            ("x86_64-pc-windows-msvc", "signal-relay-win32-x64"),
        ] {
            assert_eq!(name(target).as_deref(), Some(package));
        }
        for target in [
            "x86_64-unknown-linux-musl",
            "riscv64gc-unknown-linux-gnu",
            "",
        ] {
            assert_eq!(name(target), None);
        }
    }
}
