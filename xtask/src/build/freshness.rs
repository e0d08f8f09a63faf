//! Whether dist/ is what the sources would give, told by their content and not by their time, which git doesn't keep.

use crate::build::DIST;
use crate::files;
use crate::problem::Outcome;
use crate::process;
use crate::project::Project;

/// All that decides what dist/ will hold. The build's own source is among it.
const SOURCES: [&str; 7] = [
    "src",
    "npm",
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "package-lock.json",
    "xtask/src/build",
];

/// A number that changes when any source or the compiler does.
pub fn made_of(project: &Project) -> Outcome<String> {
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

/// Whether dist/ was made of these sources and nobody has touched it since.
pub fn is_fresh(project: &Project, made_of: &str) -> bool {
    match (
        files::read(&project.scratch().join("dist.stamp")),
        stamp(project, made_of),
    ) {
        (Ok(remembered), Ok(stamp)) => remembered == stamp,
        _ => false,
    }
}

/// Notes what dist/ was made of.
pub fn remember(project: &Project, made_of: &str) -> Outcome {
    files::write(
        &project.scratch().join("dist.stamp"),
        stamp(project, made_of)?,
    )
}

fn stamp(project: &Project, made_of: &str) -> Outcome<String> {
    let mut hash = Hash::new();
    for name in DIST {
        hash.add(&files::read_bytes(&project.root.join("dist").join(name))?);
    }
    Ok(format!("{made_of} {}\n", hash.text()))
}

/// FNV-1a, 64 bits: against accidents, not against attackers.
pub struct Hash(u64);

impl Hash {
    /// Of nothing yet.
    pub fn new() -> Self {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    /// Takes in one part; where it ends counts.
    pub fn add(&mut self, bytes: &[u8]) {
        let length = (bytes.len() as u64).to_le_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Sixteen hexadecimal digits.
    pub fn text(&self) -> String {
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
