//! `cargo xtask serve`, which is `npm start`: the relay serves the demo, the package and the
//! libraries that the demo uses.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use crate::build;
use crate::problem::Outcome;
#[cfg(not(unix))]
use crate::problem::fail;
use crate::process;
use crate::project::Project;

/// The relay's options `--mount`: paths with their folders.
const MOUNTS: [&str; 10] = [
    "/=www",
    "/vendor/datachannel=node_modules/datachannel",
    "/vendor/rtcmulticonnection=node_modules/rtcmulticonnection",
    "/vendor/rtcmulticonnection-3=node_modules/rtcmulticonnection-3/dist",
    "/vendor/webrtc-adapter=node_modules/webrtc-adapter/out",
    "/vendor/fbr=node_modules/fbr",
    // Where pages that use Socket.IO look for its client.
    "/socket.io=node_modules/socket.io-client/dist",
    "/vendor/@microsoft/signalr=node_modules/@microsoft/signalr/dist/browser",
    "/vendor/signalr=node_modules/signalr",
    "/vendor/jquery-3=node_modules/jquery/dist",
];

/// Builds, then runs the relay, which prints its address. `arguments` go to the relay.
pub fn run(project: &Project, arguments: &[String]) -> Outcome {
    build::all(project)?;
    let mut relay = Command::new(project.relay());
    relay.current_dir(&project.root);
    for mount in mounts(Path::new("dist")) {
        relay.arg("--mount").arg(mount);
    }
    relay.args(arguments);
    run_in_place(&mut relay)
}

/// All of them, with the folder `dist` that holds the package.
pub fn mounts(dist: &Path) -> Vec<OsString> {
    let mut package = OsString::from("/signal-wasm=");
    package.push(dist);
    MOUNTS.iter().map(OsString::from).chain([package]).collect()
}

/// The relay replaces this process, so that it gets signals and its exit code is the command's.
#[cfg(unix)]
fn run_in_place(relay: &mut Command) -> Outcome {
    use std::os::unix::process::CommandExt;
    let error = relay.exec();
    Err(process::not_started(relay, &error))
}

/// Ctrl-C reaches every process of a console, so the relay gets it too.
#[cfg(not(unix))]
fn run_in_place(relay: &mut Command) -> Outcome {
    let status = relay
        .status()
        .map_err(|error| process::not_started(relay, &error))?;
    match status.code() {
        Some(code) => std::process::exit(code),
        None => fail!("the relay ended without an exit code"),
    }
}
