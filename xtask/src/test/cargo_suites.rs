//! The suite `host`: `cargo test` of every crate of the workspace. The reader of its output serves
//! the suite `browser` too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::files;
use crate::manifest;
use crate::problem::{Outcome, fail};
use crate::process;
use crate::test::tally::Tally;
use crate::test::{Ground, watch};

/// Runs the suite. Each crate is a run of its own: cargo names test files, but not their crate.
pub fn run(ground: &Ground) -> Outcome<Tally> {
    let root = &ground.project.root;
    let mut sum = Tally::default();
    for (name, folder) in crates(root)? {
        let mut test = process::cargo();
        test.current_dir(root)
            .args(["test", "--package", &name])
            .args(["--no-fail-fast", "--color=never"])
            .env("SIGNAL_RELAY", ground.project.relay())
            .envs(ground.programs.servers.iter().cloned());
        let mut output = Libtest::default();
        let ended = watch::run(&mut test, ground.limit, |line| output.read(line))?;

        let mut tally = output.tally(&name, &expected(&folder, "wasm32"));
        if let Err(problem) = ended.success()
            && tally.failed == 0
        {
            tally.fail(format!("cargo test --package {name}: {problem}"));
        }
        if tally.passed + tally.failed == 0 {
            tally.fail(format!("{name} has no tests"));
        }
        sum.add(tally);
    }
    Ok(sum)
}

/// The crates of the workspace that can have tests, with their folders.
fn crates(root: &Path) -> Outcome<Vec<(String, PathBuf)>> {
    let workspace = files::read(&root.join("Cargo.toml"))?;
    let Some(members) = manifest::strings(&workspace, "members") else {
        fail!("Cargo.toml has no `members = […]`");
    };
    let mut crates = Vec::new();
    for folder in std::iter::once("").chain(members) {
        let folder = root.join(folder);
        let path = folder.join("Cargo.toml");
        let text = files::read(&path)?;
        let Some(name) = manifest::string(&text, "name") else {
            fail!("{} has no `name = \"…\"`", path.display());
        };
        // `test = false` in [lib]: the crate npm/ is the library again, which is tested as such.
        if !text.lines().any(|line| line == "test = false") {
            crates.push((name.to_string(), folder));
        }
    }
    Ok(crates)
}

/// The test files of a crate that must run a test: all but those for the other platform only.
pub fn expected(folder: &Path, other_platform: &str) -> Vec<String> {
    let mut names = Vec::new();
    for path in files::list(&folder.join("tests")) {
        let text = files::read(&path).unwrap_or_default();
        let rust = path.extension().is_some_and(|ending| ending == "rs");
        if rust && platform(&text) != Some(other_platform) {
            names.push(format!(
                "tests/{}",
                path.file_name().unwrap_or_default().to_string_lossy()
            ));
        }
    }
    names
}

/// The one platform that a test file is for, if its first attribute names one.
fn platform(text: &str) -> Option<&'static str> {
    text.lines().map(str::trim).find_map(|line| match line {
        r#"#![cfg(target_arch = "wasm32")]"# => Some("wasm32"),
        r#"#![cfg(not(target_arch = "wasm32"))]"# => Some("host"),
        _ => None,
    })
}

/// Counts tests by the lines of `cargo test` and of `wasm-pack test`.
#[derive(Debug, Default)]
pub struct Libtest {
    file: String,
    counts: BTreeMap<String, [usize; 3]>,
}

impl Libtest {
    /// Reads one line.
    pub fn read(&mut self, line: &str) {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("Running ") {
            // `Running unittests src/lib.rs (…)`, `Running tests/browser.rs (…)`, but also
            // `Running headless tests in …`.
            let name = rest
                .strip_prefix("unittests ")
                .unwrap_or(rest)
                .split(" (")
                .next()
                .unwrap_or_default();
            if name.ends_with(".rs") {
                self.file = name.replace('\\', "/");
                self.counts.entry(self.file.clone()).or_default();
            }
        } else if let Some(name) = line.strip_prefix("Doc-tests ") {
            self.file = format!("examples in the documentation of {name}");
        } else if let Some(rest) = line.strip_prefix("test result: ") {
            let counts = self.counts.entry(self.file.clone()).or_default();
            for (count, word) in counts.iter_mut().zip(["passed", "failed", "ignored"]) {
                *count += number_before(rest, word);
            }
        }
    }

    /// The sum, with a complaint for each file that ran no test.
    pub fn tally(self, crate_name: &str, expected: &[String]) -> Tally {
        let mut tally = Tally::default();
        for (file, [passed, failed, ignored]) in &self.counts {
            tally.passed += passed;
            tally.failed += failed;
            tally.skipped += ignored;
            if *failed > 0 {
                tally
                    .complaints
                    .push(format!("{crate_name}, {file}: {failed} failed"));
            }
            if *ignored > 0 {
                tally
                    .complaints
                    .push(format!("{crate_name}, {file}: {ignored} ignored"));
            }
        }
        for file in expected {
            let ran = self
                .counts
                .get(file)
                .map_or(0, |[passed, failed, _]| passed + failed);
            if ran == 0 {
                tally.fail(format!("{crate_name}, {file} ran no test"));
            }
        }
        tally
    }
}

fn number_before(text: &str, word: &str) -> usize {
    let mut words = text
        .split([' ', ';', '.', ','])
        .filter(|found| !found.is_empty())
        .peekable();
    while let Some(found) = words.next() {
        if words.peek() == Some(&word) {
            return found.parse().unwrap_or(0);
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Libtest {
        let mut output = Libtest::default();
        text.lines().for_each(|line| output.read(line));
        output
    }

    const OUTPUT: &str = "
     Running unittests src/lib.rs (target/debug/deps/x-1)
running 3 tests
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
     Running tests/session.rs (target/debug/deps/session-1)
test result: FAILED. 1 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
     Running tests/empty.rs (target/debug/deps/empty-1)
test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
   Doc-tests x
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s
";

    #[test]
    fn counts_are_summed() {
        let tally = read(OUTPUT).tally("x", &["tests/session.rs".to_string()]);
        assert_eq!((tally.passed, tally.failed, tally.skipped), (6, 2, 1));
        assert_eq!(
            tally.complaints,
            [
                "x, tests/session.rs: 2 failed",
                "x, tests/session.rs: 1 ignored"
            ]
        );
    }

    #[test]
    fn a_file_that_ran_nothing_fails() {
        let expected = ["tests/empty.rs", "tests/forgotten.rs"].map(str::to_string);
        let tally = read(OUTPUT).tally("x", &expected);
        assert_eq!(tally.failed, 4);
        assert!(
            tally
                .complaints
                .contains(&"x, tests/forgotten.rs ran no test".to_string())
        );
    }

    #[test]
    fn each_crate_of_the_workspace_is_run() {
        let crates = crates(Path::new("..")).unwrap();
        let names: Vec<&str> = crates.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["signal-wasm", "signal-wire", "signal-relay", "xtask"] {
            assert!(names.contains(&name), "{names:?}");
        }
        assert!(!names.contains(&"signal-wasm-npm"));
    }

    #[test]
    fn a_file_may_be_for_one_platform() {
        assert_eq!(
            platform("//! About.\n\n#![cfg(target_arch = \"wasm32\")]\n"),
            Some("wasm32")
        );
        assert_eq!(
            platform("//! About.\n#![cfg(not(target_arch = \"wasm32\"))]\n"),
            Some("host")
        );
        assert_eq!(platform("#[cfg(target_arch = \"wasm32\")]\nmod x;\n"), None);
    }
}
