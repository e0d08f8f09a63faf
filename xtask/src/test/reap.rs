//! Stopping a program together with all that it started: a browser outlives its driver.

use std::process::{Child, Command};

use crate::process;

/// Kills the child and its descendants, by their ids and no others'.
pub fn with_descendants(child: &mut Child) {
    let root = child.id();
    if cfg!(windows) {
        let _ =
            process::quiet(Command::new("taskkill").args(["/T", "/F", "/PID", &root.to_string()]));
    } else {
        let table =
            process::quiet(Command::new("ps").args(["-A", "-o", "pid=,ppid="])).unwrap_or_default();
        for id in descendants(root, &table) {
            let _ = process::quiet(Command::new("kill").args(["-9", &id.to_string()]));
        }
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// All that `root` has started, from a table of process ids and those of their parents.
fn descendants(root: u32, table: &str) -> Vec<u32> {
    let pairs: Vec<(u32, u32)> = table
        .lines()
        .filter_map(|line| {
            let mut numbers = line.split_whitespace().map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        })
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        let children = pairs
            .iter()
            .filter(|(id, of)| *of == parent && !found.contains(id))
            .map(|(id, _)| *id);
        let children: Vec<u32> = children.collect();
        found.extend(children);
        next += 1;
    }
    found.split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grandchildren_are_found_and_strangers_are_not() {
        let table = "  1   0\n 10   1\n 11  10\n 12  11\n 13   1\n 14  13\nnonsense\n";
        assert_eq!(descendants(10, table), [11, 12]);
        assert!(descendants(14, table).is_empty());
    }
}
