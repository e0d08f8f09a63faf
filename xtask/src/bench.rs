//! `cargo xtask bench`: the measurements of benches/, a page that shows them, and their record, from
//! which `cargo xtask figures` writes the documents' figures.

use std::process::Command;

use crate::build;
use crate::files;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;
use crate::say;
use crate::setup::Programs;

/// A measurement.
struct Section {
    name: &'static str,
    /// The program that takes the options, and `--json`.
    program: &'static str,
    /// What it gets if no option is named.
    options: &'static str,
}

impl Section {
    const fn of(name: &'static str, program: &'static str) -> Self {
        Self {
            name,
            program,
            options: "",
        }
    }
}

/// The measurements, in their order.
const SECTIONS: [Section; 11] = [
    Section::of("size", "benches/size.mjs"),
    Section::of("receive", "benches/receive.mjs"),
    Section::of("send", "benches/send.mjs"),
    Section::of("start", "benches/start.mjs"),
    Section {
        name: "relay",
        program: "benches/relay.mjs",
        options: "--seconds 1",
    },
    Section::of("scale", "benches/scale.mjs"),
    Section::of("outage", "benches/outage.mjs"),
    Section::of("join", "benches/join.mjs"),
    Section::of("load", "benches/load.mjs"),
    Section {
        name: "chaos",
        program: "tests/chaos/run.mjs",
        options: "--seed 20261122 --faults 1000 --pace 240",
    },
    Section {
        name: "cluster",
        program: "tests/chaos/run.mjs",
        options: "--seed 20261128 --faults 1000 --minutes 40 --relays 3 --nats 3 --haproxy \
                  --pages 2 --clients 3 --rooms 8",
    },
];

/// Runs the named measurement with its options, or all. Each leaves a JSON file in `target/bench`,
/// and the page is made of those that there are. With `--record` among the words, each is recorded
/// as soon as it is there.
pub fn run(project: &Project, words: &[String]) -> Outcome {
    let (record, words): (Vec<_>, Vec<_>) = words.iter().partition(|word| *word == "--record");
    let (named, options) = match words.split_first() {
        None => (None, &[] as &[_]),
        Some((named, options)) => (Some(named.as_str()), options),
    };
    let sections: Vec<_> = SECTIONS
        .iter()
        .filter(|section| named.is_none_or(|named| named == section.name))
        .collect();
    if sections.is_empty() {
        fail!(
            "there is no measurement {:?}; there is {}",
            named.unwrap_or_default(),
            SECTIONS.map(|section| section.name).join(", ")
        );
    }
    let programs = Programs::find_or_install(project)?;
    build::all(project)?;
    build::load_generator(project)?;
    let includes = |name| sections.iter().any(|section| section.name == name);
    if includes("relay") {
        build::rivals(project)?;
    }
    if includes("outage") {
        build::outage(project)?;
    }
    let folder = project.benches();
    files::make_folder(&folder)?;
    for section in sections {
        say::line(format!("━━ {}", section.name));
        let mut measure = programs.node(project);
        measure
            .env("LOAD_GENERATOR", project.load_generator())
            .env("RIVALS", project.rivals())
            .env("OUTAGE", project.outage())
            .arg(section.program)
            .arg("--json")
            .arg(folder.join(format!("{}.json", section.name)));
        if options.is_empty() {
            measure.args(section.options.split_whitespace());
        } else {
            measure.args(options);
        }
        process::run(&mut measure)?;
        if !record.is_empty() {
            process::run(
                Command::new("node")
                    .current_dir(&project.root)
                    .arg("benches/record.mjs")
                    .arg(&folder)
                    .arg(section.name),
            )?;
        }
    }
    process::run(
        Command::new("node")
            .current_dir(&project.root)
            .arg("benches/report.mjs")
            .arg(&folder),
    )?;
    if record.is_empty() {
        return Ok(());
    }
    figures(project, &[])
}

/// Writes the figures in the documents from those that were recorded; `--check` only compares.
pub fn figures(project: &Project, options: &[String]) -> Outcome {
    process::run(
        Command::new("node")
            .current_dir(&project.root)
            .arg("benches/figures.mjs")
            .args(options),
    )
}
