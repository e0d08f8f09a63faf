//! The commands of this project: `cargo xtask <command>`.

mod build;
mod files;
mod problem;
mod process;
mod project;
mod say;
mod setup;
mod size;

use std::process::ExitCode;

use problem::{Outcome, fail};
use project::Project;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("\nerror: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Outcome {
    let (command, rest) = words
        .split_first()
        .map_or(("help", &[][..]), |(first, rest)| (first.as_str(), rest));
    let project = Project::find()?;
    match command {
        "build" => build::all(&project),
        "size" => size::run(&project, rest),
        _ => fail!("there is no command {command:?}"),
    }
}
