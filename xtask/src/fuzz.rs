//! `cargo xtask fuzz [TARGET…] [--seconds N]`: runs the inputs in fuzz/corpus again, and then the
//! fuzzers.
//!
//! The inputs that a fuzzer finds interesting stay in the target folder, and the next run starts
//! from them. An input that made a target fail goes into fuzz/corpus once that is fixed. The
//! fuzzers need Rust's nightly and cargo-fuzz. This command installs neither: nothing else here
//! wants them.

use std::path::Path;
use std::process::Command;

use crate::files;
use crate::problem::{Outcome, Problem, fail};
use crate::process;
use crate::project::Project;
use crate::say;

/// How long each fuzzer runs by default.
const SECONDS: u32 = 60;

/// The longest input, in bytes. Longer frames have nothing new in them.
const LONGEST: usize = 4096;

/// Runs the command.
pub fn run(project: &Project, words: &[String]) -> Outcome {
    let folder = project.root.join("fuzz");
    let arguments = Arguments::read(words, &targets(&folder))?;

    // A folder of its own: two workspaces write the library to the same file.
    let build = project.target.join("fuzz");
    say::line("The inputs in fuzz/corpus:");
    let mut again = process::cargo();
    again
        .current_dir(&folder)
        .args(["test", "--quiet", "--locked", "--no-default-features"])
        .arg("--target-dir")
        .arg(&build);
    process::run(&mut again)?;

    toolchain()?;
    for target in &arguments.targets {
        say::line(format!("\n{target}, for {} seconds:", arguments.seconds));
        fuzz(&build, &folder, target, arguments.seconds)?;
    }
    Ok(())
}

fn fuzz(build: &Path, folder: &Path, target: &str, seconds: u32) -> Outcome {
    let found = build.join("corpus").join(target);
    files::make_folder(&found)?;
    let mut fuzzer = nightly();
    fuzzer
        .current_dir(folder)
        .args(["fuzz", "run", target, "--target-dir"])
        .arg(build)
        .arg(&found)
        .arg(Path::new("corpus").join(target))
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={LONGEST}"))
        .args(["-timeout=10", "-print_final_stats=1"]);
    process::run(&mut fuzzer).map_err(|problem| {
        problem.advise("The input that failed is in fuzz/artifacts, and printed above. Add it to fuzz/corpus once this is fixed.")
    })
}

/// Cargo of the nightly toolchain, whichever toolchain runs this program.
fn nightly() -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", "nightly", "cargo"]);
    for name in ["CARGO", "RUSTC", "RUSTC_WRAPPER", "CARGO_TARGET_DIR"] {
        command.env_remove(name);
    }
    command
}

fn toolchain() -> Outcome {
    if let Err(problem) = process::quiet(nightly().arg("--version")) {
        return Err(Problem::new(format!(
            "fuzzing needs Rust's nightly. With rustup: rustup toolchain install nightly\n{problem}"
        )));
    }
    if let Err(problem) = process::quiet(nightly().args(["fuzz", "--version"])) {
        return Err(Problem::new(format!(
            "fuzzing needs cargo-fuzz: cargo install cargo-fuzz\n{problem}"
        )));
    }
    Ok(())
}

/// The names of the targets, which are their files' names.
fn targets(folder: &Path) -> Vec<String> {
    files::list(&folder.join("fuzz_targets"))
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
struct Arguments {
    targets: Vec<String>,
    seconds: u32,
}

impl Arguments {
    fn read(words: &[String], all: &[String]) -> Outcome<Arguments> {
        let mut arguments = Arguments {
            targets: Vec::new(),
            seconds: SECONDS,
        };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--seconds" {
                let given = words.next();
                let number = given.and_then(|text| text.parse().ok());
                match number.filter(|seconds| *seconds > 0) {
                    Some(seconds) => arguments.seconds = seconds,
                    None => fail!(
                        "--seconds takes a whole number from 1 up, but got {:?}",
                        given.map_or("nothing", String::as_str)
                    ),
                }
            } else if all.contains(word) {
                arguments.targets.push(word.clone());
            } else {
                fail!(
                    "there is no fuzz target {word:?}; there are {}",
                    all.join(", ")
                );
            }
        }
        if arguments.targets.is_empty() {
            arguments.targets = all.to_vec();
        }
        Ok(arguments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<(Vec<String>, u32), String> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let all = ["link", "session"].map(String::from);
        Arguments::read(&words, &all)
            .map(|arguments| (arguments.targets, arguments.seconds))
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn all_targets_or_those_that_are_named() {
        let both = vec!["link".to_string(), "session".to_string()];
        assert_eq!(read(&[]), Ok((both.clone(), SECONDS)));
        assert_eq!(read(&["--seconds", "600"]), Ok((both, 600)));
        assert_eq!(
            read(&["session", "--seconds", "1"]),
            Ok((vec!["session".to_string()], 1))
        );
    }

    #[test]
    fn wrong_arguments_are_refused() {
        for (words, part) in [
            (vec!["sesion"], "\"sesion\"; there are link, session"),
            (vec!["--seconds"], "nothing"),
            (vec!["--seconds", "0"], "\"0\""),
            (vec!["--seconds", "1.5"], "\"1.5\""),
        ] {
            let problem = read(&words).unwrap_err();
            assert!(problem.contains(part), "{problem}");
        }
    }

    #[test]
    fn each_target_has_a_corpus() {
        let folder = Path::new("../fuzz");
        let targets = targets(folder);
        assert!(targets.len() >= 7, "{targets:?}");
        for target in targets {
            let corpus = folder.join("corpus").join(&target);
            assert!(!files::list(&corpus).is_empty(), "{target}");
        }
    }
}
