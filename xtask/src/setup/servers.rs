//! Servers of others that tests use: the proxies nginx, HAProxy and Caddy, and NATS.
//!
//! Debian's packages are unpacked into a folder of this user and not installed: their installation
//! would start servers. tests/support/proxies.mjs and relay/tests/support/nats.rs run them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::files;
use crate::problem::{Outcome, fail};
use crate::process::{self, program};
use crate::project::Project;
use crate::say;
use crate::setup::debian;

/// A server.
#[derive(Debug)]
pub struct Server {
    /// The names of its program and of Debian's package.
    pub name: &'static str,
    /// The variable that names the program, here and for the tests. (nginx itself reads `NGINX`.)
    pub variable: &'static str,
    /// Where Debian has the program, which most users don't have on `PATH`.
    path: &'static str,
    /// Prints its version.
    version: &'static str,
}

/// All of them.
pub const SERVERS: [Server; 4] = [
    Server {
        name: "nginx",
        variable: "NGINX_PROGRAM",
        path: "usr/sbin/nginx",
        version: "-v",
    },
    Server {
        name: "haproxy",
        variable: "HAPROXY_PROGRAM",
        path: "usr/sbin/haproxy",
        version: "-v",
    },
    Server {
        name: "caddy",
        variable: "CADDY_PROGRAM",
        path: "usr/bin/caddy",
        version: "version",
    },
    Server {
        name: "nats-server",
        variable: "NATS_PROGRAM",
        path: "usr/sbin/nats-server",
        version: "--version",
    },
];

impl Server {
    /// Finds its program, or unpacks it first.
    pub fn find_or_unpack(&self, project: &Project) -> Outcome<PathBuf> {
        let Self { name, variable, .. } = self;
        let installed = format!("/{}", self.path);
        if let Some(path) = program(variable, &[name], &[&installed])? {
            return Ok(path);
        }
        let folder = project.tool_folder(name, "debian");
        let path = folder.join(name);
        if path.is_file() {
            return Ok(path);
        }
        let advice = format!("Install {name}, or set {variable} to its path.");
        debian::check().map_err(|problem| {
            problem
                .during(format!("there is no {name}, and Debian's can't be had"))
                .advise(&advice)
        })?;
        let what = format!(
            "Unpacking Debian's {name} into {} (apt-get download)",
            folder.display()
        );
        say::step(&what, || {
            let work = project.tool_folder(name, "download");
            files::remove(&work)?;
            let unpacked = debian::unpack_with_dependencies(name, &work)?;
            self.make_starter(&unpacked)?;
            process::quiet(Command::new(unpacked.join(name)).arg(self.version)).map_err(
                |problem| {
                    problem
                        .during(format!("Debian's {name} doesn't run here"))
                        .advise(&advice)
                },
            )?;
            files::remove(&folder)?;
            files::replace(&unpacked, &folder)?;
            files::remove(&work)
        })?;
        Ok(path)
    }

    /// Writes a script that runs the program with the libraries that were unpacked beside it.
    fn make_starter(&self, unpacked: &Path) -> Outcome {
        if !unpacked.join(self.path).is_file() {
            fail!("Debian's {} has no program {}", self.name, self.path);
        }
        let starter = unpacked.join(self.name);
        let text = format!(
            "#!/bin/sh\n\
             folder=$(dirname \"$0\")\n\
             for libraries in \"$folder\"/usr/lib/*-linux-gnu*; do\n\
             \x20 export LD_LIBRARY_PATH=\"$libraries${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\"\n\
             done\n\
             exec \"$folder/{}\" \"$@\"\n",
            self.path
        );
        files::write(&starter, &text)?;
        process::quiet(Command::new("chmod").arg("+x").arg(&starter)).map(drop)
    }
}
