//! The tests that JavaScript modules of `tests/browser` export, compared with those that ran.
//!
//! A test runs only if `tests/browser.rs` lists it. One that was forgotten there would be missed by
//! nobody.

use std::collections::BTreeSet;
use std::path::Path;

use crate::files;
use crate::problem::{Outcome, fail};

/// What the tests share; its functions are no tests.
const SUPPORT: &str = "support";

/// The names of all exported tests, such as `rules::r1_the_config_is_an_object`: the first part of
/// the module's path, and the function's name.
pub fn exported(folder: &Path) -> Outcome<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for path in files::list_deep(folder) {
        let inside = path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .with_extension("");
        let subject = inside.iter().next().unwrap_or_default().to_string_lossy();
        if subject == SUPPORT || path.extension().is_none_or(|ending| ending != "js") {
            continue;
        }
        for function in functions(&files::read(&path)?) {
            if !names.insert(format!("{subject}::{function}")) {
                fail!("two modules of tests/browser/{subject} export {function}");
            }
        }
    }
    Ok(names)
}

/// The functions that a module exports.
fn functions(module: &str) -> impl Iterator<Item = &str> {
    module.lines().filter_map(|line| {
        let line = line.strip_prefix("export ")?;
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("function ")?.split('(').next()
    })
}

/// The name in a line of a test's result: `test rules::r1_the_config_is_an_object ... ok`.
pub fn ran(line: &str) -> Option<String> {
    let (name, _) = line.trim().strip_prefix("test ")?.split_once(" ... ")?;
    Some(name.to_string())
}

/// A complaint for each exported test that didn't run.
pub fn forgotten(exported: &BTreeSet<String>, ran: &BTreeSet<String>) -> Vec<String> {
    exported
        .difference(ran)
        .map(|name| {
            format!("{name} of tests/browser didn't run; is it listed in tests/browser.rs?")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exported_functions_are_found() {
        let module = "import { equal } from './support/index.js';\n\n// export function no() {}\n\
                      export function one() {\n  equal(1, 1);\n}\n\nfunction helper() {}\n\n\
                      export async function two() {}\n";
        assert_eq!(functions(module).collect::<Vec<_>>(), ["one", "two"]);
    }

    #[test]
    fn a_test_that_isnt_listed_is_reported() {
        let line = "test rules::one ... ok";
        let ran: BTreeSet<String> = ran(line).into_iter().collect();
        let exported = ["rules::one", "rules::two"].map(str::to_string).into();
        assert_eq!(forgotten(&exported, &ran).len(), 1);
        assert!(forgotten(&exported, &ran)[0].starts_with("rules::two "));
        assert_eq!(super::ran("test result: ok. 3 passed; 0 failed"), None);
    }
}
