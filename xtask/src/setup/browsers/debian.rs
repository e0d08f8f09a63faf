//! Debian's packages of the browsers.

use std::process::Command;

use crate::problem::Outcome;
use crate::process;
use crate::say;

/// Installs these packages, if there are any and this user may.
pub fn install(packages: &[&str]) -> Outcome {
    if packages.is_empty() || !may_install() {
        return Ok(());
    }
    let what = format!(
        "Installing browsers for the tests (apt-get install {})",
        packages.join(" ")
    );
    say::step(&what, || {
        apt(&["update"])?;
        apt(&[&["install", "--yes", "--no-install-recommends"], packages].concat())
    })
}

/// Only root may install packages, and only Debian has them under these names. Ubuntu's of Chromium
/// and Firefox only point to its snap store.
fn may_install() -> bool {
    let debian = std::fs::read_to_string("/etc/os-release")
        .is_ok_and(|text| text.lines().any(|line| line == "ID=debian"));
    let root = process::quiet(Command::new("id").arg("-u")).is_ok_and(|said| said.trim() == "0");
    debian && root && process::find_on_path("apt-get").is_some()
}

fn apt(arguments: &[&str]) -> Outcome {
    process::quiet(
        Command::new("apt-get")
            .arg("-qq")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
    .map(drop)
}
