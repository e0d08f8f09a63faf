//! The program `signal-relay`.

#![forbid(unsafe_code)]

mod cli;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use signal_relay::auth::Auth;
use signal_relay::{Config, Server, StartError};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::{Arguments, Command};

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    if let Some(Command::Token(token)) = arguments.command.take() {
        return match token.issue() {
            Ok(token) => {
                let _ = writeln!(std::io::stdout(), "{token}");
                ExitCode::SUCCESS
            }
            Err(error) => fail(2, &error.to_string()),
        };
    }
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
    let hangup =
        hangup_signal().map_err(|error| (1, format!("can't listen for signals: {error}")))?;
    let server = Server::bind(config).await.map_err(|error| {
        let code = if matches!(
            error,
            StartError::SamePrefix(..)
                | StartError::QueueTooSmall { .. }
                | StartError::Unprotected(_)
                | StartError::Keys(..)
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
    let auth = server.auth().cloned();
    tokio::select! {
        () = server.serve(stop) => {}
        () = reload(auth, hangup) => {}
    }
    tracing::info!("stopped");
    Ok(())
}

/// At each SIGHUP, reads the keys for tokens again.
#[cfg(unix)]
async fn reload(auth: Option<Arc<Auth>>, mut hangup: tokio::signal::unix::Signal) {
    while hangup.recv().await.is_some() {
        match auth.as_ref().map(|auth| auth.reload()) {
            Some(Ok(())) => tracing::info!("SIGHUP: the keys for tokens were read again"),
            Some(Err(error)) => {
                tracing::error!("SIGHUP: the earlier keys for tokens stay; their file {error}");
            }
            None => tracing::info!("SIGHUP: nothing to read again"),
        }
    }
    std::future::pending().await
}

/// Never does anything: this system has no SIGHUP.
#[cfg(not(unix))]
async fn reload(_: Option<Arc<Auth>>, (): ()) {
    std::future::pending().await
}

/// The signal that asks to read files again. Its handler is in place when this returns.
#[cfg(unix)]
fn hangup_signal() -> std::io::Result<tokio::signal::unix::Signal> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())
}

/// This system has no such signal.
#[cfg(not(unix))]
fn hangup_signal() -> std::io::Result<()> {
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
