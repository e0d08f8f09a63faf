//! The suites that run under Node's own test runner, counted by a reporter of ours.

use std::path::Path;

use crate::files;
use crate::problem::{Outcome, fail};
use crate::test::tally::Tally;
use crate::test::{Ground, watch};

/// Runs the files `*.test.mjs` of a folder, one after the other: what a browser does takes all of a small machine.
pub fn run(ground: &Ground, folder: &str) -> Outcome<Tally> {
    let root = &ground.project.root;
    let names: Vec<String> = files::list(&root.join(folder))
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .filter(|name| name.ends_with(".test.mjs"))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    if names.is_empty() {
        fail!("there is no {folder}/*.test.mjs");
    }

    let counts = ground
        .project
        .scratch()
        .join(format!("{}.tsv", folder.replace('/', "-")));
    files::remove(&counts)?;
    let mut test = ground.node();
    test.args(["--test", "--test-concurrency=1"])
        .args(["--test-reporter=spec", "--test-reporter-destination=stdout"])
        .arg("--test-reporter=./xtask/src/test/reporter.mjs")
        .arg(format!("--test-reporter-destination={}", counts.display()))
        .args(&names);
    let ended = watch::run(&mut test, ground.limit, |_| ())?;

    let mut tally = read(&files::read(&counts).unwrap_or_default(), root, &names);
    if let Err(problem) = ended.success()
        && tally.failed == 0
    {
        tally.fail(format!("node --test {folder}: {problem}"));
    }
    Ok(tally)
}

/// Reads the reporter's lines: file, passed, failed, skipped.
fn read(text: &str, root: &Path, names: &[String]) -> Tally {
    let mut tally = Tally::default();
    let mut left: Vec<&String> = names.iter().collect();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [file, passed, failed, skipped] = fields.as_slice() else {
            continue;
        };
        let counts = [passed, failed, skipped].map(|count| count.parse::<usize>().unwrap_or(0));
        let [passed, failed, skipped] = counts;
        tally.passed += passed;
        tally.failed += failed;
        tally.skipped += skipped;
        let file = Path::new(file);
        let short = file
            .strip_prefix(root)
            .unwrap_or(file)
            .to_string_lossy()
            .replace('\\', "/");
        if failed > 0 {
            tally.complaints.push(format!("{short}: {failed} failed"));
        }
        if skipped > 0 {
            tally.complaints.push(format!("{short}: {skipped} skipped"));
        }
        if passed + failed > 0 {
            left.retain(|name| **name != short);
        }
    }
    for name in left {
        tally.fail(format!("{name} ran no test"));
    }
    tally
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_counted_and_missed() {
        let names =
            ["tests/a.test.mjs", "tests/b.test.mjs", "tests/c.test.mjs"].map(str::to_string);
        let text = "/x/tests/a.test.mjs\t3\t1\t0\n/x/tests/b.test.mjs\t0\t0\t2\n";
        let tally = read(text, Path::new("/x"), &names);
        assert_eq!((tally.passed, tally.failed, tally.skipped), (3, 3, 2));
        assert_eq!(
            tally.complaints,
            [
                "tests/a.test.mjs: 1 failed",
                "tests/b.test.mjs: 2 skipped",
                "tests/b.test.mjs ran no test",
                "tests/c.test.mjs ran no test"
            ]
        );
    }

    #[test]
    fn the_reporter_counts_what_ran() {
        let folder =
            std::env::temp_dir().join(format!("signal-wasm-reporter-{}", std::process::id()));
        let tests = [
            ("empty", "", [0, 0, 0]),
            ("broken", "throw new Error('on purpose');", [0, 1, 0]),
            (
                "skipped",
                "import { test } from 'node:test'; test.skip('a', () => {}); test.todo('b');",
                [0, 0, 2],
            ),
            (
                "mixed",
                "import { describe, it } from 'node:test'; describe('s', () => { it('a', () => {}); it('b', () => { throw 1; }); });",
                [1, 1, 0],
            ),
        ];
        let mut node = std::process::Command::new("node");
        node.arg("--test").arg("--test-reporter").arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/src/test/reporter.mjs"
        ));
        node.arg("--test-reporter-destination=stdout");
        for (name, text, _) in tests {
            let path = folder.join(format!("{name}.test.mjs"));
            files::write(&path, text).unwrap();
            node.arg(&path);
        }
        // Node fails because of the broken ones; what it counted is on its standard output.
        let said = String::from_utf8(node.output().unwrap().stdout).unwrap();
        files::remove(&folder).unwrap();
        for (name, _, counts) in tests {
            let line = said
                .lines()
                .find(|line| line.contains(&format!("{name}.test.mjs\t")))
                .unwrap();
            let found: Vec<usize> = line
                .split('\t')
                .skip(1)
                .map(|count| count.parse().unwrap())
                .collect();
            assert_eq!(found, counts, "{name}");
        }
    }
}
