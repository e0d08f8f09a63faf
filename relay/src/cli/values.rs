//! The values of options: choices, addresses, sizes and times.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use signal_relay::auth::Settings;
use signal_relay::auth::hook::HookUrl;
use signal_relay::config;
use tracing::level_filters::LevelFilter;

use super::METRICS;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// A line for people
    Text,
    /// A JSON object on each line, for programs
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum AuthKind {
    /// JSON Web Tokens
    Jwt,
    /// Tokens of the operator's own
    Hook,
}

impl AuthKind {
    /// How the relay decides, by the key or the endpoint that belongs to this kind.
    pub(super) fn settings(self, key: Option<PathBuf>, url: Option<HookUrl>) -> Option<Settings> {
        match self {
            Self::Jwt => key.map(Settings::Jwt),
            Self::Hook => url.map(Settings::Hook),
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Level {
    /// Nothing
    Off,
    /// Failures that stop the relay
    Error,
    /// And refused requests
    Warn,
    /// And start, stop, and the end of every connection
    Info,
    /// And the beginning of every connection
    Debug,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::OFF,
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
        }
    }
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let port = text
        .rsplit(':')
        .next()
        .and_then(|port| port.parse::<u16>().ok())
        .unwrap_or(config::LISTEN.port());
    text.parse().map_err(|_| format!("not an IP address and port; this machine only: 127.0.0.1:{port}, all its addresses: 0.0.0.0:{port}"))
}

pub(super) fn metrics_address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("not an IP address and port; for example {METRICS}"))
}

pub(super) fn bytes(text: &str) -> Result<usize, String> {
    let units = [
        (['k', 'K'], 1024),
        (['m', 'M'], 1024 * 1024),
        (['g', 'G'], 1024 * 1024 * 1024),
    ];
    let (digits, unit) = units
        .into_iter()
        .find_map(|(letters, unit)| Some((text.strip_suffix(letters)?, unit)))
        .unwrap_or((text, 1));
    let number: Option<usize> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(unit))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "give a number of bytes from 1 up, for example 65536, 64K or 1M".into())
}

pub(super) fn bytes_or_none(text: &str) -> Result<u64, String> {
    match text {
        "0" => Ok(0),
        text => bytes(text).map(|bytes| bytes as u64),
    }
}

pub(super) fn time(text: &str) -> Result<Duration, String> {
    duration(text)
        // A year: longer times can't be added to every clock.
        .filter(|time| (1..=31_536_000_000).contains(&time.as_millis()))
        .ok_or_else(|| "give a time of up to a year, for example 90, 500ms, 10s, 5m or 2h".into())
}

/// With less than a second, pings would keep the relay busy, and connections that answer as fast as
/// their network allows would be closed. With more than some days, browsers' timers fire at once.
pub(super) fn ping_time(text: &str) -> Result<Duration, String> {
    duration(text)
        .filter(|time| (1_000..=86_400_000).contains(&time.as_millis()))
        .ok_or_else(|| "give a time from 1s to 24h, for example 10, 1500ms, 10s, 5m or 2h".into())
}

/// A time that may be none.
pub(super) fn short_time(text: &str) -> Result<Duration, String> {
    duration(text)
        .filter(|time| *time <= Duration::from_secs(3600))
        .ok_or_else(|| "give a time from 0s to 1h, for example 10, 500ms, 30s or 5m".into())
}

fn duration(text: &str) -> Option<Duration> {
    let split = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(split).unwrap_or((text, ""));
    let milliseconds = match unit {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => 0,
    };
    let number: Option<u64> = digits.parse().ok();
    number
        .and_then(|number| number.checked_mul(milliseconds))
        .map(Duration::from_millis)
}
