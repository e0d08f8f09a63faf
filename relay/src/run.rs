//! Running a relay: it serves while signals come in.

use std::ffi::OsString;
use std::io::Write;

use signal_relay::reload::Reloader;
use signal_relay::server::StatsHandle;
use signal_relay::{Config, Server, StartError};
use tokio::sync::oneshot;

#[cfg(unix)]
use crate::open_files;
use crate::service::{State, tell};
use crate::settings::{Setting, Settings, changes};
use crate::signals::{Signal, Signals};
use crate::stats::words;

/// The settings that can change while a relay runs; the others need a restart.
const RELOADED: &[&str] = &[
    "address-rate",
    "address-rate-bytes",
    "connections",
    "connections-per-address",
    "drain",
    "host",
    "max-frame",
    "origin",
    "ping-interval",
    "ping-timeout",
    "rate",
    "rate-bytes",
];

/// Runs until a signal stops it. `options` are the command line, for reading the settings again.
pub(crate) async fn run(options: Vec<OsString>, settings: Settings) -> Result<(), (u8, String)> {
    let signals = Signals::listen();
    let mut signals = signals.map_err(|error| (1, format!("can't listen for signals: {error}")))?;
    let values = settings.values;
    let config = Config::from(settings.arguments);
    let server = Server::bind(config).await.map_err(failure)?;
    let mut operator = Operator {
        options,
        values,
        reloader: server.reloader(),
        stats: server.stats(),
    };
    // A closed stdout is no reason not to run.
    let mut stdout = std::io::stdout();
    let scheme = if server.is_secure() { "https" } else { "http" };
    let _ = writeln!(
        stdout,
        "signal-relay listening on {scheme}://{}/",
        server.address()
    )
    .and_then(|()| stdout.flush());
    if let Some(address) = server.metrics_address() {
        tracing::info!("metrics on http://{address}/metrics");
    }
    tell(State::Ready);
    let (stop, stopped) = oneshot::channel();
    let serving = server.serve(async {
        let _ = stopped.await;
    });
    let commanded = async {
        let name = operator.until_stop(&mut signals).await;
        tracing::info!("{name}: stopping");
        tell(State::Stopping);
        let _ = stop.send(());
        let name = operator.until_stop(&mut signals).await;
        tracing::warn!("{name} again: stopping at once");
    };
    tokio::select! {
        () = serving => {}
        () = commanded => {}
    }
    tracing::info!("stopped");
    Ok(())
}

/// The exit code and the words for a relay that can't start.
pub(crate) fn failure(error: StartError) -> (u8, String) {
    let code = match error {
        StartError::SamePrefix(..)
        | StartError::BelowBasePath(..)
        | StartError::QueueTooSmall { .. }
        | StartError::MemoryTooSmall { .. }
        | StartError::Unprotected(_)
        | StartError::Keys(..) => 2,
        _ => 1,
    };
    (code, error.to_string())
}

/// Does what signals ask for.
struct Operator {
    options: Vec<OsString>,
    values: Vec<Setting>,
    reloader: Reloader,
    stats: StatsHandle,
}

impl Operator {
    /// Returns the name of the next signal that stops the relay.
    async fn until_stop(&mut self, signals: &mut Signals) -> &'static str {
        loop {
            match signals.next().await {
                Signal::Stop(name) => return name,
                Signal::Reload => {
                    tell(State::Reloading);
                    self.reload();
                    tell(State::Ready);
                }
                Signal::Report => match self.stats.metrics() {
                    Ok(text) => tracing::info!("{}", words(&text).trim_end()),
                    Err(error) => tracing::error!("no figures: {error}"),
                },
            }
        }
    }

    /// Reads the settings again. What can't be used is logged, and nothing changes.
    fn reload(&mut self) {
        let settings = Settings::read(&self.options, &|name| std::env::var_os(name));
        let Settings {
            arguments, values, ..
        } = match settings {
            Ok(settings) => settings,
            Err(problem) => return refused(&problem.to_string()),
        };
        let config = Config::from(arguments);
        if let Err(error) = self.reloader.reload(&config) {
            return refused(&error.to_string());
        }
        #[cfg(unix)]
        if let Some(problem) = open_files::allow(config.connections) {
            tracing::warn!("{problem}");
        }
        let mut changed = false;
        for (name, old, new) in changes(&self.values, &values) {
            changed = true;
            if RELOADED.contains(&name) {
                tracing::info!("SIGHUP: {name} was {old}, is {new}");
            } else {
                tracing::warn!("SIGHUP: {name} stays {old}; {new} needs a restart");
            }
        }
        if !changed {
            tracing::info!("SIGHUP: no setting has changed");
        }
        let kept = self.values.drain(..).zip(values);
        self.values = kept
            .map(|(old, new)| {
                let reloaded = RELOADED.contains(&&*new.name);
                if reloaded { new } else { old }
            })
            .collect();
    }
}

fn refused(why: &str) {
    tracing::error!("SIGHUP: the old settings stay: {why}");
}
