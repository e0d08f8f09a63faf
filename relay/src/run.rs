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

/// The settings that need a restart; the others can change while a relay runs.
const FIXED: &[&str] = &[
    "auth",
    "auth-key",
    "auth-url",
    "base-path",
    "compressed-files",
    "listen",
    "log",
    "log-format",
    "metrics",
    "mount",
    "open",
    "store",
    "store-credentials",
    "store-in-memory",
    "store-name",
    "store-replicas",
    "tls-cert",
    "tls-key",
    "trusted-proxy",
];

/// The settings that need a restart where relays share a store: NATS and other relays rely on them.
const FIXED_WITH_STORE: &[&str] = &[
    "history-age",
    "history-total",
    "ping-interval",
    "ping-timeout",
    "session-age",
];

fn needs_restart(setting: &str, has_store: bool) -> bool {
    FIXED.contains(&setting) || (has_store && FIXED_WITH_STORE.contains(&setting))
}

/// Runs until a signal stops it. `options` are the command line, for reading the settings again.
pub(crate) async fn run(options: Vec<OsString>, settings: Settings) -> Result<(), (u8, String)> {
    let signals = Signals::listen();
    let mut signals = signals.map_err(|error| (1, format!("can't listen for signals: {error}")))?;
    let values = settings.values;
    let config = Config::from(settings.arguments);
    let has_store = config.store.is_some();
    let server = Server::bind(config).await.map_err(failure)?;
    let mut operator = Operator {
        options,
        values,
        has_store,
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
    let served = tokio::select! {
        served = serving => served,
        () = commanded => Ok(()),
    };
    tracing::info!("stopped");
    served.map_err(|error| (1, error.to_string()))
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
    has_store: bool,
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
            if needs_restart(name, self.has_store) {
                tracing::warn!("SIGHUP: {name} stays {old}; {new} needs a restart");
            } else {
                tracing::info!("SIGHUP: {name} was {old}, is {new}");
            }
        }
        if !changed {
            tracing::info!("SIGHUP: no setting has changed");
        }
        let kept = self.values.drain(..).zip(values);
        self.values = kept
            .map(|(old, new)| {
                if needs_restart(&new.name, self.has_store) {
                    old
                } else {
                    new
                }
            })
            .collect();
    }
}

fn refused(why: &str) {
    tracing::error!("SIGHUP: the old settings stay: {why}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every setting, with a value that isn't its default, and what else it needs.
    const CHANGES: &[(&str, &[&str])] = &[
        ("address-rate", &["--address-rate=7"]),
        ("address-rate-bytes", &["--address-rate-bytes=7k"]),
        ("auth", &["--auth=jwt", "--auth-key=key.pem"]),
        ("auth-key", &["--auth=jwt", "--auth-key=key.pem"]),
        ("auth-url", &["--auth=hook", "--auth-url=http://127.0.0.1/"]),
        ("base-path", &["--base-path=/signal"]),
        ("channels", &["--channels=7"]),
        ("compressed-files", &["--compressed-files=7k"]),
        ("connections", &["--connections=7"]),
        ("connections-per-address", &["--connections-per-address=7"]),
        ("drain", &["--drain=7s"]),
        ("hello-delay", &["--hello-delay=7s"]),
        ("history-age", &["--history-age=7s"]),
        ("history-bytes", &["--history-bytes=7k"]),
        ("history-messages", &["--history-messages=7"]),
        ("history-total", &["--history-total=7k"]),
        ("host", &["--host=signal.example.org"]),
        ("http-connections", &["--http-connections=7"]),
        ("late-history", &["--late-history"]),
        ("limit-loopback", &["--limit-loopback"]),
        ("listen", &["--listen=127.0.0.1:7"]),
        ("max-frame", &["--max-frame=7k", "--queue-bytes=4M"]),
        ("memory", &["--memory=7G"]),
        ("metrics", &["--metrics=127.0.0.1:7"]),
        ("mount", &["--mount=/=folder"]),
        ("open", &["--open"]),
        ("origin", &["--origin=https://example.org"]),
        ("ping-interval", &["--ping-interval=7s"]),
        ("ping-timeout", &["--ping-timeout=7s"]),
        ("queue", &["--queue=7"]),
        ("queue-bytes", &["--queue-bytes=7M"]),
        ("rate", &["--rate=7"]),
        ("rate-bytes", &["--rate-bytes=7k"]),
        ("session-age", &["--session-age=7s"]),
        ("sessions", &["--sessions=7"]),
        ("store", &["--store=nats://127.0.0.1:7"]),
        (
            "store-credentials",
            &["--store=nats://127.0.0.1:7", "--store-credentials=file"],
        ),
        (
            "store-in-memory",
            &["--store=nats://127.0.0.1:7", "--store-in-memory"],
        ),
        (
            "store-name",
            &["--store=nats://127.0.0.1:7", "--store-name=other"],
        ),
        (
            "store-replicas",
            &["--store=nats://127.0.0.1:7", "--store-replicas=3"],
        ),
        ("tls-cert", &["--tls-cert=cert.pem", "--tls-key=key.pem"]),
        ("tls-key", &["--tls-cert=cert.pem", "--tls-key=key.pem"]),
        ("trusted-proxy", &["--trusted-proxy=192.0.2.1"]),
    ];

    /// These aren't part of the configuration of a relay.
    const PROGRAM: &[&str] = &["log", "log-format"];

    fn read(options: &[&str]) -> Settings {
        let options: Vec<_> = std::iter::once("signal-relay")
            .chain(options.iter().copied())
            .map(OsString::from)
            .collect();
        match Settings::read(&options, &|_| None) {
            Ok(settings) => settings,
            Err(problem) => panic!("{problem}"),
        }
    }

    #[test]
    fn the_log_says_of_each_setting_whether_it_changes() {
        let known = read(&[]).values;
        let known: Vec<_> = known.iter().map(|setting| &*setting.name).collect();
        let named = CHANGES.iter().map(|(name, _)| name).chain(PROGRAM);
        let missing = known
            .iter()
            .filter(|name| !named.clone().any(|named| named == *name));
        assert_eq!(missing.collect::<Vec<_>>(), Vec::<&&str>::new());

        for shared in [&[][..], &["--store=nats://127.0.0.1:9"]] {
            let before = Config::from(read(shared).arguments);
            for (name, options) in CHANGES {
                if !shared.is_empty() && name.starts_with("store") {
                    continue;
                }
                let after = Config::from(read(&[shared, options].concat()).arguments);
                let (was, wanted) = (format!("{before:?}"), format!("{after:?}"));
                assert_ne!(was, wanted, "{name}");
                let is = format!("{:?}", before.reloaded(&after));
                let stays = needs_restart(name, before.store.is_some());
                assert_eq!(is, if stays { was } else { wanted }, "{name} {shared:?}");
            }
        }
    }
}
