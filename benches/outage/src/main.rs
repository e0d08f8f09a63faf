//! Prints how pages come back after an outage: a table, and JSON.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use outage::{Outcome, Scenario, simulate};
use serde_json::json;

/// Simulates how pages come back after an outage, in virtual time.
#[derive(Debug, Parser)]
struct Options {
    /// How many pages there are.
    #[arg(long, default_value_t = 1_000_000)]
    pages: u32,
    /// How many relays there are, each number a row.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 3, 10])]
    relays: Vec<u32>,
    /// How long the outage takes, in seconds, each a row.
    #[arg(long, value_delimiter = ',', default_values_t = [5, 60, 600])]
    outage: Vec<u64>,
    /// Processor time of a relay for each connection, in microseconds, as `npm run bench -- scale` measures it.
    #[arg(long, default_value_t = Scenario::default().connection_cost)]
    cost: f64,
    /// Processors of each relay's machine.
    #[arg(long, default_value_t = Scenario::default().processors)]
    processors: f64,
    /// How many connections each relay may have. By default there is room for all pages on any half of the relays.
    #[arg(long)]
    connections: Option<usize>,
    /// HTTP connections of each relay that aren't WebSockets yet.
    #[arg(long, default_value_t = Scenario::default().http_connections)]
    http_connections: usize,
    /// How many pages share an address.
    #[arg(long, default_value_t = Scenario::default().pages_per_address)]
    pages_per_address: u32,
    /// Connections begin with a TLS handshake.
    #[arg(long)]
    tls: bool,
    /// During the outage nothing answers. Otherwise connections are refused at once.
    #[arg(long)]
    silent: bool,
    /// Where to write JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut outcomes = Vec::new();
    println!(
        "{} pages, {} µs of processor time for each connection, {} processors for each relay\n",
        options.pages, options.cost, options.processors
    );
    println!(
        "| outage, s | relays | 50 % back, s | 90 % | 99 % | 100 % | attempts a second, peak during | peak after | of what the relays can take | failed attempts for each page | dropped in handshakes |"
    );
    println!("|{}", " --- |".repeat(11));
    for &outage in &options.outage {
        for &relays in &options.relays {
            let scenario = Scenario {
                pages: options.pages,
                relays,
                outage: outage * 1000,
                connection_cost: options.cost,
                processors: options.processors,
                connections: options.connections,
                http_connections: options.http_connections,
                pages_per_address: options.pages_per_address,
                tls: options.tls,
                silent: options.silent,
            };
            let outcome = simulate(&scenario);
            println!("{}", row(&scenario, &outcome));
            outcomes.push(outcome.json(&scenario));
        }
    }
    if let Some(path) = options.json
        && let Err(error) = fs::write(&path, format!("{:#}\n", json!({"outages": outcomes})))
    {
        eprintln!("outage: can't write {}: {error}", path.display());
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn row(scenario: &Scenario, outcome: &Outcome) -> String {
    let back = [50, 90, 99, 100].map(|percent| {
        let after = outcome.back_after(scenario, percent);
        after.map_or("never".into(), |time| {
            format!("{:.1}", time as f64 / 1000.0)
        })
    });
    format!(
        "| {} | {} | {} | {} | {} | {:.1} | {:.2} | {} |",
        scenario.outage / 1000,
        scenario.relays,
        back.join(" | "),
        outcome.peak_before(),
        outcome.peak(),
        f64::from(outcome.peak()) / scenario.capacity(),
        outcome.failed as f64 / f64::from(scenario.pages),
        outcome.dropped,
    )
}
