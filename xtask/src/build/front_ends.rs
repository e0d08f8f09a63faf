//! `cargo xtask examples`: builds the Rust front ends of examples/, each into a folder with its page.

use std::path::PathBuf;
use std::process::Command;

use crate::files;
use crate::lock;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::{Project, locked_version};
use crate::say;
use crate::setup;

/// The crates of examples/Cargo.toml.
const NAMES: [&str; 2] = ["leptos-chat", "yew-chat"];

const TARGET: &str = "wasm32-unknown-unknown";

/// Builds all, and returns the folder that has a folder for each: index.html, the module and its
/// glue. Cargo knows whether there is anything to do.
pub fn front_ends(project: &Project) -> Outcome<PathBuf> {
    setup::for_package(project)?;
    let _lock = lock::take(&project.scratch(), "front-ends")?;
    same_wasm_bindgen(project)?;
    let examples = project.root.join("examples");
    // Of their own, because the frameworks choose other features of the crates that we share.
    let target = project.target.join("front-ends");
    let mut build = process::cargo();
    build
        .current_dir(&examples)
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            process::encoded(&setup::wasm_rustflags(project)?),
        )
        .args(["build", "--quiet", "--locked", "--target", TARGET])
        .arg("--target-dir")
        .arg(&target);
    say::step("Building the Rust front ends (cargo build)", || {
        process::run(&mut build)
    })?;
    let pages = target.join("pages");
    for name in NAMES {
        let page = pages.join(name);
        let module = target.join(format!("{TARGET}/debug/{name}.wasm"));
        let mut bindgen = Command::new("wasm-bindgen");
        bindgen
            .env("PATH", project.path()?)
            .args(["--target", "web", "--no-typescript", "--out-dir"])
            .arg(&page)
            .arg(&module);
        process::quiet(&mut bindgen)?;
        files::copy(
            &examples.join(name).join("index.html"),
            &page.join("index.html"),
        )?;
    }
    Ok(pages)
}

/// wasm-bindgen's program is the one for the library's Cargo.lock, and must fit the examples too.
fn same_wasm_bindgen(project: &Project) -> Outcome {
    let ours = project.locked("wasm-bindgen")?;
    let lock = files::read(&project.root.join("examples/Cargo.lock"))?;
    let theirs = locked_version(&lock, "wasm-bindgen").unwrap_or("missing");
    if theirs != ours {
        fail!(
            "wasm-bindgen is {theirs} in examples/Cargo.lock, but {ours} in Cargo.lock; in examples/, run: cargo update \
             wasm-bindgen --precise {ours}"
        );
    }
    Ok(())
}
