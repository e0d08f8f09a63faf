//! Whether dist/ is up to date. Contents are compared and not times, which git doesn't keep.

use crate::build::DIST;
use crate::files;
use crate::problem::Outcome;
use crate::process;
use crate::project::Project;

/// The sources of dist/, those of the build among them.
const SOURCES: [&str; 7] = [
    "src",
    "npm",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "package-lock.json",
    "xtask/src/build",
];

/// A hash that changes when a source or the compiler does.
pub fn hash_of_sources(project: &Project) -> Outcome<String> {
    let mut hash = Hash::new();
    hash.add(process::quiet(process::rustc().arg("-vV"))?.as_bytes());
    for source in SOURCES {
        for path in files::list_deep(&project.root.join(source)) {
            hash.add(
                path.strip_prefix(&project.root)
                    .unwrap_or(&path)
                    .to_string_lossy()
                    .as_bytes(),
            );
            hash.add(&files::read_bytes(&path)?);
        }
    }
    Ok(hash.text())
}

/// Whether dist/ was made of these sources and hasn't been changed since.
pub fn is_fresh(project: &Project, sources: &str) -> bool {
    match (
        files::read(&project.scratch().join("dist.stamp")),
        stamp(project, sources),
    ) {
        (Ok(recorded), Ok(stamp)) => recorded == stamp,
        _ => false,
    }
}

/// Records what dist/ was made of.
pub fn record(project: &Project, sources: &str) -> Outcome {
    files::write(
        &project.scratch().join("dist.stamp"),
        stamp(project, sources)?,
    )
}

fn stamp(project: &Project, sources: &str) -> Outcome<String> {
    let mut hash = Hash::new();
    for name in DIST {
        hash.add(&files::read_bytes(&project.root.join("dist").join(name))?);
    }
    Ok(format!("{sources} {}\n", hash.text()))
}

/// FNV-1a, 64 bits: for accidental changes, not against attackers.
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    /// Adds one part. Its length counts too.
    fn add(&mut self, bytes: &[u8]) {
        let length = (bytes.len() as u64).to_le_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Sixteen hexadecimal digits.
    fn text(&self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_one_file_ends_counts() {
        let hash = |parts: &[&str]| {
            let mut hash = Hash::new();
            parts.iter().for_each(|part| hash.add(part.as_bytes()));
            hash.text()
        };
        assert_eq!(hash(&["ab", "c"]), hash(&["ab", "c"]));
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_ne!(hash(&["ab"]), hash(&["ab", ""]));
    }
}
