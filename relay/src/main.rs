//! The program `signal-relay`.

#![forbid(unsafe_code)]

mod cli;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use signal_relay::{Config, Server, StartError};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let level = LevelFilter::from(arguments.log);
    let log = Targets::new().with_target("signal_relay", level);
    tracing_subscriber::registry()
        .with(
            tracing_subscriber::fmt::layer()
                .with_writer(std::io::stderr)
                .with_target(false)
                .with_ansi(false),
        )
        .with(log)
        .init();

    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(1, &format!("can't start its threads: {error}")),
    };
    let result = runtime.block_on(run(arguments.into()));
    // Doesn't wait for a file that is being read.
    runtime.shutdown_background();
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

async fn run(config: Config) -> Result<(), (u8, String)> {
    let stop = stop_signal().map_err(|error| (1, format!("can't listen for signals: {error}")))?;
    let server = Server::bind(config).await.map_err(|error| {
        let code = if matches!(
            error,
            StartError::SamePrefix(..)
                | StartError::QueueTooSmall { .. }
                | StartError::Unprotected(_)
        ) {
            2
        } else {
            1
        };
        (code, error.to_string())
    })?;
    // A closed stdout is no reason not to run.
    let mut stdout = std::io::stdout();
    let _ = writeln!(
        stdout,
        "signal-relay listening on http://{}/",
        server.address()
    )
    .and_then(|()| stdout.flush());
    server.serve(stop).await;
    tracing::info!("stopped");
    Ok(())
}

/// Resolves at the first SIGTERM or SIGINT. The handlers are in place when this returns.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!("{name}: stopping");
    })
}

/// Resolves at the first Ctrl+C.
#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        tracing::info!("Ctrl+C: stopping");
    })
}
