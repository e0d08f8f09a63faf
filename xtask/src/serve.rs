//! `cargo xtask serve`, which is `npm start`: the demo, the package and the libraries that the demo uses, served by the relay.

use std::process::Command;

use crate::build;
use crate::problem::Outcome;
#[cfg(not(unix))]
use crate::problem::fail;
use crate::process;
use crate::project::Project;

/// What is served where.
const MOUNTS: [&str; 8] = [
    "/=www",
    "/signal-wasm=dist",
    "/vendor/datachannel=node_modules/datachannel",
    "/vendor/rtcmulticonnection=node_modules/rtcmulticonnection",
    // Where pages of Socket.IO look for its client.
    "/socket.io=node_modules/socket.io-client/dist",
    "/vendor/@microsoft/signalr=node_modules/@microsoft/signalr/dist/browser",
    "/vendor/signalr=node_modules/signalr",
    "/vendor/jquery-3=node_modules/jquery/dist",
];

/// Builds, then becomes the relay, which prints the address. `arguments` are the relay's own.
pub fn run(project: &Project, arguments: &[String]) -> Outcome {
    build::all(project)?;
    let mut relay = Command::new(project.relay());
    relay.current_dir(&project.root);
    for mount in MOUNTS {
        relay.args(["--mount", mount]);
    }
    relay.args(arguments);
    become_it(&mut relay)
}

/// The relay takes this process' place, so that signals and the exit code need nobody to pass them on.
#[cfg(unix)]
fn become_it(relay: &mut Command) -> Outcome {
    use std::os::unix::process::CommandExt;
    let error = relay.exec();
    Err(process::not_started(relay, &error))
}

/// Ctrl-C reaches every process of a console by itself.
#[cfg(not(unix))]
fn become_it(relay: &mut Command) -> Outcome {
    let status = relay
        .status()
        .map_err(|error| process::not_started(relay, &error))?;
    match status.code() {
        Some(code) => std::process::exit(code),
        None => fail!("the relay ended without an exit code"),
    }
}
