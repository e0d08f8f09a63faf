//! `cargo xtask bench`: the measurements of benches/, and a page that shows them.

use std::process::Command;

use crate::build;
use crate::files;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;
use crate::say;
use crate::setup;

/// The measurements, each a program `benches/<name>.mjs`.
const SECTIONS: [&str; 3] = ["receive", "relay", "scale"];

/// Runs the named measurement with its options, or all. Each leaves a JSON file in `target/bench`,
/// and the page is made of those that there are.
pub fn run(project: &Project, words: &[String]) -> Outcome {
    let (named, options) = match words.split_first() {
        None => (None, words),
        Some((named, options)) => (Some(named), options),
    };
    let sections: Vec<_> = SECTIONS
        .into_iter()
        .filter(|section| named.is_none_or(|named| named == section))
        .collect();
    if sections.is_empty() {
        let named = named.map_or("", String::as_str);
        fail!(
            "there is no measurement {named:?}; there is {}",
            SECTIONS.join(", ")
        );
    }
    let browsers = setup::for_tests(project)?;
    build::all(project)?;
    build::load_generator(project)?;
    let folder = project.benches();
    files::make_folder(&folder)?;
    for section in sections {
        say::line(format!("━━ {section}"));
        process::run(
            Command::new("node")
                .current_dir(&project.root)
                .env("CHROMIUM", &browsers.chromium.program)
                .env("SIGNAL_RELAY", project.relay())
                .env("LOAD_GENERATOR", project.load_generator())
                .arg(format!("benches/{section}.mjs"))
                .arg("--json")
                .arg(folder.join(format!("{section}.json")))
                .args(options),
        )?;
    }
    process::run(
        Command::new("node")
            .current_dir(&project.root)
            .arg("benches/report.mjs")
            .arg(&folder),
    )
}
