//! nginx, which tests put in front of servers.
//!
//! Debian's package is unpacked into a folder of this user and not installed: its installation would
//! start a server on port 80.

use std::path::PathBuf;
use std::process::Command;

use crate::files;
use crate::problem::Outcome;
use crate::process::{self, program};
use crate::project::Project;
use crate::say;
use crate::setup::debian;

/// Where nginx is when it isn't on `PATH`, as for most users of Debian.
const ELSEWHERE: [&str; 1] = ["/usr/sbin/nginx"];

/// Finds nginx, or unpacks it first. tests/support/nginx.mjs runs it.
pub fn find_or_unpack(project: &Project) -> Outcome<PathBuf> {
    if let Some(path) = program("NGINX_PROGRAM", &["nginx"], &ELSEWHERE)? {
        return Ok(path);
    }
    let folder = project.tool_folder("nginx", "debian");
    let path = folder.join("usr/sbin/nginx");
    if path.is_file() {
        return Ok(path);
    }
    let advice = "Install nginx, or set NGINX_PROGRAM to its path.";
    debian::check().map_err(|problem| {
        problem
            .during("there is no nginx, and Debian's can't be had")
            .advise(advice)
    })?;
    let what = format!(
        "Unpacking Debian's nginx into {} (apt-get download)",
        folder.display()
    );
    say::step(&what, || {
        let work = project.tool_folder("nginx", "download");
        files::remove(&work)?;
        let unpacked = debian::unpack("nginx", &work, None)?;
        files::replace(&unpacked, &folder)?;
        files::remove(&work)
    })?;
    process::quiet(Command::new(&path).arg("-v")).map_err(|problem| {
        problem
            .during("Debian's nginx doesn't run here")
            .advise(advice)
    })?;
    Ok(path)
}
