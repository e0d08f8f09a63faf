//! The suite `lint`: format, clippy and documentation, for both platforms, with every warning an error.

use std::process::Command;

use crate::build;
use crate::problem::Outcome;
use crate::process;
use crate::test::tally::Tally;
use crate::test::{Ground, watch};

/// What is run. The crate is looked at as the npm package has it and as a Rust front end takes it.
const CHECKS: [&[&str]; 7] = [
    &["fmt", "--all", "--check"],
    &[
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "-Dwarnings",
    ],
    &[
        "clippy",
        "-psignal-wasm",
        "--target=wasm32-unknown-unknown",
        "--all-targets",
        "--all-features",
        "--",
        "-Dwarnings",
    ],
    &[
        "clippy",
        "-psignal-wasm",
        "--target=wasm32-unknown-unknown",
        "--no-default-features",
        "--features=typed",
        "--",
        "-Dwarnings",
    ],
    // Without the protocols that can be left out.
    &[
        "clippy",
        "-psignal-wasm",
        "--target=wasm32-unknown-unknown",
        "--no-default-features",
        "--features=exports",
        "--",
        "-Dwarnings",
    ],
    &[
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ],
    &[
        "doc",
        "-psignal-wasm",
        "--no-deps",
        "--target=wasm32-unknown-unknown",
        "--all-features",
        "--document-private-items",
    ],
];

/// Run with the flags of the npm package's build.
const LEAN_CHECK: &[&str] = &[
    "clippy",
    "-psignal-wasm-npm",
    "-psignal-wasm",
    "--target=wasm32-unknown-unknown",
    "--",
    "-Dwarnings",
];

/// Runs the suite.
pub fn run(ground: &Ground) -> Outcome<Tally> {
    let mut tally = Tally::default();
    for check in CHECKS {
        let mut cargo = cargo(ground, check);
        let what = process::show(&cargo);
        tally.check(
            &what,
            watch::run(&mut cargo, ground.limit, |_| ()).and_then(watch::Watched::success),
        );
    }
    let mut lean = cargo(ground, LEAN_CHECK);
    lean.env("CARGO_ENCODED_RUSTFLAGS", build::LEAN);
    let what = format!("{}, as the npm package is built", process::show(&lean));
    tally.check(
        &what,
        watch::run(&mut lean, ground.limit, |_| ()).and_then(watch::Watched::success),
    );
    Ok(tally)
}

fn cargo(ground: &Ground, arguments: &[&str]) -> Command {
    let mut cargo = process::cargo();
    cargo
        .current_dir(&ground.project.root)
        .args(arguments)
        .env("RUSTDOCFLAGS", "-Dwarnings");
    if arguments.first() != Some(&"fmt") {
        cargo.env("CARGO_TERM_QUIET", "true");
    }
    cargo
}
