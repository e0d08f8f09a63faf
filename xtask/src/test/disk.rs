//! Whether there is room for what a whole run builds. Without it hundreds of tests fail, each for a
//! reason that looks like another.

use std::path::Path;
use std::process::Command;

use crate::problem::{Outcome, fail};
use crate::process;
use crate::project::Project;

/// What a whole run leaves in the target folder, in kB: `du -sk target` on Linux, where `CI` is set.
const NEEDED: u64 = 7_500_000;

/// Checks how much is free where cargo builds, by `df`; where there is no `df`, nothing is checked.
pub fn check(project: &Project) -> Outcome {
    let target = &project.target;
    let (Some(free), Some(used)) = (
        asked("df", "-Pk", target, free),
        asked("du", "-sk", target, used),
    ) else {
        return Ok(());
    };
    if free + used >= NEEDED {
        return Ok(());
    }
    fail!(
        "{} has room for {} more, but all tests together need {}; remove something there, or have cargo \
         build elsewhere, by CARGO_TARGET_DIR",
        target.display(),
        gigabytes(free),
        gigabytes(NEEDED - used),
    )
}

fn asked(program: &str, option: &str, folder: &Path, read: fn(&str) -> Option<u64>) -> Option<u64> {
    let said = process::quiet(Command::new(program).arg(option).arg(folder)).ok()?;
    read(&said)
}

/// What `df -Pk` says is available: a line of names, and a line for the file system.
fn free(said: &str) -> Option<u64> {
    said.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

/// What `du -sk` says.
fn used(said: &str) -> Option<u64> {
    said.split_whitespace().next()?.parse().ok()
}

fn gigabytes(kilobytes: u64) -> String {
    format!("{:.1} GB", kilobytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_df_and_du_say_is_read() {
        let said = "Filesystem 1024-blocks Used Available Capacity Mounted on\n\
                    /dev/vda 264091136 23000000 72000000 25% /\n";
        assert_eq!(free(said), Some(72_000_000));
        assert_eq!(used("5976884\t/a/target\n"), Some(5_976_884));
        assert_eq!((free(""), used("")), (None, None));
        assert_eq!(gigabytes(8_640_000), "8.6 GB");
    }
}
