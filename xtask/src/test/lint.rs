//! The suite `lint`: format, clippy and documentation for both platforms, with warnings as errors;
//! ESLint, the types of the tests that are JavaScript, and the figures in the documents.

use std::process::Command;

use crate::problem::Outcome;
use crate::process;
use crate::setup;
use crate::test::tally::Tally;
use crate::test::{Ground, watch};

const WASM: &str = "--target=wasm32-unknown-unknown";

/// The checks. The library is checked with the features of the npm package and of Rust front ends.
const CHECKS: [&[&str]; 11] = [
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
        WASM,
        "--all-targets",
        "--all-features",
        "--",
        "-Dwarnings",
    ],
    &[
        "clippy",
        "-psignal-wasm",
        WASM,
        "--no-default-features",
        "--features=typed",
        "--",
        "-Dwarnings",
    ],
    // Without the protocols that can be left out.
    &[
        "clippy",
        "-psignal-wasm",
        WASM,
        "--no-default-features",
        "--features=exports",
        "--",
        "-Dwarnings",
    ],
    // The fuzz targets are a workspace of their own, which nothing else here builds.
    &[
        "check",
        "--manifest-path=fuzz/Cargo.toml",
        "--no-default-features",
        "--lib",
        "--target-dir=target/fuzz",
    ],
    // The Rust front ends are another. Their test builds them.
    &[
        "fmt",
        "--manifest-path=examples/Cargo.toml",
        "--all",
        "--check",
    ],
    // The examples in the documentation of the typed API, and in the documents.
    &[
        "test",
        "-psignal-wasm",
        WASM,
        "--doc",
        "--no-default-features",
        "--features=typed",
    ],
    // The npm package's crate.
    &["clippy", "-psignal-wasm-npm", WASM, "--", "-Dwarnings"],
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
        WASM,
        "--all-features",
        "--document-private-items",
    ],
];

/// What Node runs.
const SCRIPTS: [&[&str]; 7] = [
    &["node_modules/eslint/bin/eslint.js", "."],
    &["benches/figures.mjs", "--check"],
    &["node_modules/typescript/bin/tsc", "-p", "tests/browser"],
    &[
        "node_modules/typescript/bin/tsc",
        "-p",
        "npm/rtcmulticonnection",
    ],
    &["node_modules/typescript/bin/tsc", "-p", "npm/room"],
    &["node_modules/typescript/bin/tsc", "-p", "npm/call"],
    &["node_modules/typescript/bin/tsc", "-p", "npm/react"],
];

/// Runs the suite.
pub fn run(ground: &Ground) -> Outcome<Tally> {
    let mut tally = Tally::default();
    for check in CHECKS {
        let mut cargo = cargo(ground, check)?;
        let what = process::show(&cargo);
        tally.check(
            &what,
            watch::run(&mut cargo, ground.limit, |_| ()).and_then(watch::Watched::success),
        );
    }
    for script in SCRIPTS {
        let mut node = ground.node();
        node.args(script);
        let what = process::show(&node);
        tally.check(
            &what,
            watch::run(&mut node, ground.limit, |_| ()).and_then(watch::Watched::success),
        );
    }
    Ok(tally)
}

fn cargo(ground: &Ground, arguments: &[&str]) -> Outcome<Command> {
    let mut cargo = process::cargo();
    cargo.current_dir(&ground.project.root).args(arguments);
    if arguments.first() != Some(&"fmt") {
        cargo.env("CARGO_TERM_QUIET", "true");
    }
    let mut rustdocflags = vec!["-Dwarnings".to_string()];
    if arguments.contains(&WASM) {
        let flags = setup::wasm_rustflags(ground.project)?;
        cargo.env("CARGO_ENCODED_RUSTFLAGS", process::encoded(&flags));
        // What rustdoc puts the examples into is run, too. There is nothing in it to run.
        cargo.env("PATH", ground.project.path()?).env(
            "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
            "wasm-bindgen-test-runner",
        );
        rustdocflags.extend(flags);
    }
    cargo.env(
        "CARGO_ENCODED_RUSTDOCFLAGS",
        process::encoded(&rustdocflags),
    );
    Ok(cargo)
}
