//! The suites that run under Node's own test runner, counted by a reporter of ours.

use std::path::Path;

use crate::files;
use crate::problem::{Outcome, fail};
use crate::test::tally::Tally;
use crate::test::{Ground, watch};

/// Files that run by themselves, because they measure memory after garbage collection.
const ALONE: [&str; 1] = ["memory.test.mjs"];

/// The browser where files name no other; see tests/support/browsers.mjs.
const CHROMIUM: &str = "chromium";

/// Files that run in Firefox too; see tests/support/browsers.mjs.
const IN_FIREFOX: [&str; 6] = [
    "entries.test.mjs",
    "hostile.test.mjs",
    "matrix.test.mjs",
    "protocols.test.mjs",
    "scripted.test.mjs",
    "wire.test.mjs",
];

/// Files that run in WebKitGTK only.
const IN_WEBKIT: [&str; 1] = ["webkit.test.mjs"];

/// Runs the files `*.test.mjs` of a folder, one after the other.
pub fn run(ground: &Ground, folder: &str) -> Outcome<Tally> {
    let names = test_files(&ground.project.root, folder)?;
    let counts = folder.replace('/', "-");
    run_files(ground, CHROMIUM, &counts, 1, &names)
}

/// Runs the test files of a folder with pages, two at a time: half of its time a page waits, for
/// timers, servers and other pages. With more of them each would be too slow for its deadlines.
pub fn run_pages(ground: &Ground, folder: &str) -> Outcome<Tally> {
    let counts = folder.replace('/', "-");
    let all = test_files(&ground.project.root, folder)?;
    let in_firefox: Vec<String> = (all.iter())
        .filter(|name| is_one_of(&IN_FIREFOX, name))
        .cloned()
        .collect();
    let (alone, mut others) = apart(all, &ALONE);

    let mut sum = Tally::default();
    if let Err(problem) = &ground.programs.browsers.webkit {
        let (in_webkit, rest) = apart(others, &IN_WEBKIT);
        others = rest;
        sum.skip(format!("{}: {problem}", in_webkit.join(" ")));
    }
    sum.add(run_files(ground, CHROMIUM, &counts, 2, &others)?);
    match &ground.programs.browsers.firefox {
        Ok(_) => sum.add(run_files(
            ground,
            "firefox",
            &format!("{counts}-firefox"),
            2,
            &in_firefox,
        )?),
        Err(problem) => sum.skip(format!("{} in Firefox: {problem}", in_firefox.join(" "))),
    }
    let counts = format!("{counts}-alone");
    sum.add(run_files(ground, CHROMIUM, &counts, 1, &alone)?);
    Ok(sum)
}

/// The files of these names, and the others.
fn apart(paths: Vec<String>, names: &[&str]) -> (Vec<String>, Vec<String>) {
    paths.into_iter().partition(|path| is_one_of(names, path))
}

fn is_one_of(names: &[&str], path: &str) -> bool {
    names.contains(&path.rsplit('/').next().unwrap_or_default())
}

/// The files `*.test.mjs` of a folder; there must be some.
fn test_files(root: &Path, folder: &str) -> Outcome<Vec<String>> {
    let names: Vec<String> = files::list(&root.join(folder))
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .filter(|name| name.ends_with(".test.mjs"))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    if names.is_empty() {
        fail!("there is no {folder}/*.test.mjs");
    }
    Ok(names)
}

/// Runs files, `at_once` at a time, in Node's order, which is that of their names. `counts` is the
/// name of the file with the results. Files that know no other browser run in Chromium.
fn run_files(
    ground: &Ground,
    browser: &str,
    counts: &str,
    at_once: usize,
    names: &[String],
) -> Outcome<Tally> {
    // Node would look for tests by itself.
    if names.is_empty() {
        return Ok(Tally::default());
    }
    let counts = ground.project.scratch().join(format!("{counts}.tsv"));
    files::remove(&counts)?;
    let mut test = ground.node();
    test.env("SIGNAL_BROWSER", browser)
        .args(["--test", &format!("--test-concurrency={at_once}")])
        // A file that hangs fails by its name, before `watch` stops them all.
        .arg(format!(
            "--test-timeout={}",
            (ground.limit * 2 / 3).as_millis()
        ))
        .args(["--test-reporter=spec", "--test-reporter-destination=stdout"])
        .arg("--test-reporter=./xtask/src/test/reporter.mjs")
        .arg(format!("--test-reporter-destination={}", counts.display()))
        .args(names);
    let ended = watch::run(&mut test, ground.limit, |_| ())?;

    let mut tally = read(
        &files::read(&counts).unwrap_or_default(),
        &ground.project.root,
        names,
    );
    if let Err(problem) = ended.success()
        && tally.failed == 0
    {
        tally.fail(format!("node --test {}: {problem}", names.join(" ")));
    }
    if browser != CHROMIUM {
        for complaint in &mut tally.complaints {
            *complaint = format!("{complaint} (in {browser})");
        }
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
    fn no_file_is_left_out_and_those_that_are_named_are_there() {
        let root = Path::new("..");
        let all = test_files(root, "tests/e2e").unwrap();
        for names in [&ALONE[..], &IN_FIREFOX, &IN_WEBKIT] {
            let (named, others) = apart(all.clone(), names);
            assert_eq!(named.len(), names.len(), "{names:?}");
            assert_eq!(named.len() + others.len(), all.len());
        }
        assert!(test_files(root, "tests/nowhere").is_err());
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
                "import { describe, test } from 'node:test'; test.skip('a', () => {}); test.todo('b'); \
                 describe('s', { skip: 'no browser' }, () => { test('c', () => {}); });",
                [0, 0, 3],
            ),
            (
                "mixed",
                "import { describe, it } from 'node:test'; describe('s', () => { it('a', () => {}); it('b', () => { throw 1; }); });",
                [1, 1, 0],
            ),
        ];
        let mut node = std::process::Command::new("node");
        node.arg("--test")
            .arg("--test-reporter=./src/test/reporter.mjs");
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
