//! The log, on stderr.

use std::io;

use signal_relay::metrics::count_panic;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::{Format, Level};
use crate::log_limit::LogLimit;

/// What is logged, for filters.
const TARGET: &str = "signal_relay";

/// Logs from now on. The limit's report of what was left out is to run beside.
pub(crate) fn start(level: Level, format: Format) -> LogLimit {
    let limit = LogLimit::default();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_target(false)
        .with_ansi(false);
    let lines = match format {
        Format::Text => lines.boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    let filter = Targets::new().with_target(TARGET, LevelFilter::from(level));
    tracing_subscriber::registry()
        .with(lines.with_filter(limit.clone()))
        .with(filter)
        .init();
    std::panic::set_hook(Box::new(|panic| {
        count_panic();
        // Without the panic's own words: they may have a message's text in them.
        let place = panic.location().map(ToString::to_string);
        let place = place.unwrap_or_default();
        tracing::error!(
            place,
            "a fault of the relay ended a connection or a request; please report it"
        );
    }));
    limit
}
