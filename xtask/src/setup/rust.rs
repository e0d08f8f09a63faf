//! The Rust toolchain in use, and its standard library for wasm32.

use std::path::{Path, PathBuf};

use crate::files;
use crate::problem::{Outcome, fail};
use crate::process;

/// The target that browsers run.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The toolchain of the rustc that cargo uses.
#[derive(Debug)]
pub struct Rust {
    /// Its version, such as `1.95.0`.
    pub release: String,
    /// The commit of that version.
    pub commit: String,
    /// Where it is installed.
    pub sysroot: PathBuf,
    /// Where it looks for its libraries for wasm32.
    pub libraries: PathBuf,
}

impl Rust {
    /// Asks rustc.
    pub fn find() -> Outcome<Self> {
        let ask = |arguments: &[&str]| process::quiet(process::rustc().args(arguments));
        let version = ask(&["-vV"])?;
        let field = |name: &str| version.lines().find_map(|line| line.strip_prefix(name));
        let Some(release) = field("release: ") else {
            fail!("`rustc -vV` doesn't name its release:\n{version}");
        };
        Ok(Rust {
            release: release.to_string(),
            commit: field("commit-hash: ").unwrap_or(release).to_string(),
            sysroot: PathBuf::from(ask(&["--print", "sysroot"])?.trim()),
            libraries: PathBuf::from(
                ask(&["--print", "target-libdir", "--target", TARGET])?.trim(),
            ),
        })
    }

    /// Whether the toolchain has a library for wasm32.
    pub fn has_library(&self) -> bool {
        rlib(&self.libraries, "std").is_some()
    }

    /// Whether that library has LLVM's bitcode in it, without which `lto` fails. rustup's has.
    pub fn has_bitcode(&self) -> bool {
        const SECTION: &[u8] = b".llvmbc";
        // The smallest one; all are built alike.
        rlib(&self.libraries, "panic_abort")
            .and_then(|path| files::read_bytes(&path).ok())
            .is_some_and(|bytes| bytes.windows(SECTION.len()).any(|part| part == SECTION))
    }
}

/// The file of a library in a folder, such as `libstd-b10200a84b5736e4.rlib`.
fn rlib(folder: &Path, name: &str) -> Option<PathBuf> {
    let start = format!("lib{name}-");
    files::list(folder).into_iter().find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&start) && name.ends_with(".rlib")
    })
}
