//! The program `signal-relay`.

#![forbid(unsafe_code)]

mod cli;
mod log;
mod log_limit;
#[cfg(unix)]
mod open_files;
mod run;
mod service;
mod settings;
mod signals;
mod stats;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use mimalloc::MiMalloc;
use signal_relay::{Config, check};

use crate::cli::{Command, METRICS};
use crate::settings::{Problem, Settings};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let options: Vec<_> = std::env::args_os().collect();
    let mut settings = match Settings::read(&options, &|name| std::env::var_os(name)) {
        Ok(settings) => settings,
        Err(Problem::CommandLine(error)) => error.exit(),
        Err(problem @ Problem::Unreadable(..)) => return fail(1, &problem.to_string()),
        Err(problem @ Problem::Invalid(..)) => return fail(2, &problem.to_string()),
    };
    let result = match settings.arguments.command.take() {
        Some(Command::Stats { metrics_address }) => {
            let address = metrics_address.or(settings.arguments.metrics);
            stats::ask(address.unwrap_or(METRICS))
                .map(|words| print(&words))
                .map_err(|message| (1, message))
        }
        Some(Command::Token(token)) => token
            .issue()
            .map(|token| print(&format!("{token}\n")))
            .map_err(|error| (2, error.to_string())),
        None if settings.arguments.check => check(settings),
        None => serve(options, settings),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, message)) => fail(code, &message),
    }
}

fn fail(code: u8, message: &str) -> ExitCode {
    // If stderr is closed too, the exit code must be enough.
    let _ = writeln!(std::io::stderr(), "signal-relay: {message}");
    ExitCode::from(code)
}

/// A closed stdout is no failure.
fn print(text: &str) {
    let _ = write!(std::io::stdout(), "{text}");
}

/// Prints the settings, if a relay could start with them.
fn check(settings: Settings) -> Result<(), (u8, String)> {
    for warning in &settings.warnings {
        let _ = writeln!(std::io::stderr(), "signal-relay: {warning}");
    }
    let text = settings::report::print(&settings.values);
    check::check(&Config::from(settings.arguments)).map_err(run::failure)?;
    print(&text);
    Ok(())
}

fn serve(options: Vec<OsString>, settings: Settings) -> Result<(), (u8, String)> {
    let log_limit = log::start(settings.arguments.log, settings.arguments.log_format);
    #[cfg(unix)]
    if let Some(problem) = open_files::allow(settings.arguments.connections) {
        tracing::warn!("{problem}");
    }
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| (1, format!("can't start its threads: {error}")))?;
    runtime.spawn(log_limit.report());
    let result = runtime.block_on(run::run(options, settings));
    // Doesn't wait for a file that is being read.
    runtime.shutdown_background();
    result
}
