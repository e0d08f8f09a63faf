//! Where things are: the workspace, cargo's target folder, the tools' folder, and the versions that
//! Cargo.lock names.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::files;
use crate::problem::{Outcome, Problem, fail};

/// wasm-pack isn't in Cargo.lock, so its version stands here.
pub const WASM_PACK: &str = "0.15.1";

/// So does geckodriver's, which drives Firefox in the tests.
pub const GECKODRIVER: &str = "0.37.1";

/// The places that all commands share.
#[derive(Debug)]
pub struct Project {
    /// The folder of the workspace's Cargo.toml.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
    /// Where tools are installed for this user, one folder for each tool and version.
    pub tools: PathBuf,
}

impl Project {
    /// Finds the workspace around the current folder, where cargo found the alias `xtask` too.
    pub fn find() -> Outcome<Self> {
        let here = env::current_dir()
            .map_err(|error| Problem::new(format!("can't read the current folder: {error}")))?;
        let Some(root) = workspace_around(&here) else {
            fail!(
                "neither {} nor a folder above it is signal-wasm's workspace (a Cargo.toml with [workspace], \
                 and xtask/ beside it); change to the checkout and run: cargo xtask",
                here.display()
            );
        };
        // This program is target/debug/xtask: cargo has already decided where the target folder is.
        let target = env::current_exe()
            .ok()
            .and_then(|program| Some(program.parent()?.parent()?.to_path_buf()))
            .ok_or_else(|| {
                Problem::new("can't find the program xtask itself; run it by: cargo xtask")
            })?;
        let tools = match env::var_os("SIGNAL_WASM_TOOLS").filter(|value| !value.is_empty()) {
            Some(folder) => std::path::absolute(&folder).map_err(|error| {
                Problem::new(format!(
                    "SIGNAL_WASM_TOOLS is {}: {error}",
                    folder.display()
                ))
            })?,
            None => cache_folder()?.join("signal-wasm"),
        };
        Ok(Project {
            root: root.to_path_buf(),
            target,
            tools,
        })
    }

    /// The folder for files that the commands leave for each other.
    pub fn scratch(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// The relay's binary.
    pub fn relay(&self) -> PathBuf {
        self.target
            .join("relay")
            .join(format!("signal-relay{}", env::consts::EXE_SUFFIX))
    }

    /// The relay's binary in cargo's profile for development.
    pub fn relay_for_development(&self) -> PathBuf {
        self.target
            .join("debug")
            .join(format!("signal-relay{}", env::consts::EXE_SUFFIX))
    }

    /// The program that `npm run bench` makes load with.
    pub fn load_generator(&self) -> PathBuf {
        self.target
            .join("relay")
            .join(format!("load-generator{}", env::consts::EXE_SUFFIX))
    }

    /// The program that simulates outages for `npm run bench`.
    pub fn outage(&self) -> PathBuf {
        self.target
            .join("relay")
            .join(format!("outage{}", env::consts::EXE_SUFFIX))
    }

    /// The folder of the servers in Rust that `npm run bench` measures beside the relay.
    pub fn rivals(&self) -> PathBuf {
        self.target.join("rivals").join("release")
    }

    /// The folder for what `npm run bench` has measured.
    pub fn benches(&self) -> PathBuf {
        self.target.join("bench")
    }

    /// The version of the crate, which is the npm package's too.
    pub fn version(&self) -> Outcome<String> {
        self.locked("signal-wasm")
    }

    /// The version of a crate that Cargo.lock names.
    pub fn locked(&self, name: &str) -> Outcome<String> {
        let lock = files::read(&self.root.join("Cargo.lock"))?;
        match locked_version(&lock, name) {
            Some(version) => Ok(version.to_string()),
            None => fail!(
                "Cargo.lock doesn't name {name}; restore it from git, or run: cargo update --workspace"
            ),
        }
    }

    /// A tool's own folder, such as `wasm-pack-0.15.1`.
    pub fn tool_folder(&self, tool: &str, version: &str) -> PathBuf {
        self.tools.join(format!("{tool}-{version}"))
    }

    /// `PATH` with the tools' folders and npm's programs in front.
    pub fn path(&self) -> Outcome<OsString> {
        let mut folders = vec![
            self.tool_folder("wasm-bindgen", &self.locked("wasm-bindgen")?)
                .join("bin"),
            self.tool_folder("wasm-pack", WASM_PACK).join("bin"),
            self.tool_folder("geckodriver", GECKODRIVER).join("bin"),
            self.root.join("node_modules/.bin"),
        ];
        folders.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        env::join_paths(folders).map_err(|error| {
            Problem::new(format!(
                "PATH can't hold the name of one of its folders: {error}"
            ))
        })
    }
}

/// The nearest folder, `here` or above it, that holds a workspace with xtask in it. fuzz/ is a
/// workspace too, but has no xtask.
fn workspace_around(here: &Path) -> Option<&Path> {
    here.ancestors().find(|folder| {
        let is_workspace = |text: String| text.lines().any(|line| line.trim() == "[workspace]");
        files::read(&folder.join("Cargo.toml")).is_ok_and(is_workspace)
            && folder.join("xtask/Cargo.toml").is_file()
    })
}

/// The system's folder for caches.
fn cache_folder() -> Outcome<PathBuf> {
    let of = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let folder = of("XDG_CACHE_HOME")
        .filter(|folder| folder.is_absolute())
        .or_else(|| of("HOME").map(|home| home.join(".cache")))
        .or_else(|| of("LOCALAPPDATA"));
    folder.ok_or_else(|| {
        Problem::new("neither HOME nor XDG_CACHE_HOME is set; set SIGNAL_WASM_TOOLS to a folder for the build tools")
    })
}

/// The version of a crate in the text of a Cargo.lock.
pub fn locked_version<'lock>(lock: &'lock str, name: &str) -> Option<&'lock str> {
    let mut lines = lock.lines();
    let wanted = format!("name = \"{name}\"");
    lines.find(|line| *line == wanted)?;
    lines
        .next()?
        .strip_prefix("version = \"")?
        .strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_lock() {
        let lock = "[[package]]\nname = \"a-b\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \"2.1.0\"\n";
        assert_eq!(locked_version(lock, "a"), Some("2.1.0"));
        assert_eq!(locked_version(lock, "b"), None);
    }

    #[test]
    fn the_workspace_is_the_one_around_the_current_folder() {
        let folder = env::temp_dir().join(format!("signal-wasm-workspace-{}", std::process::id()));
        for (name, text) in [
            ("Cargo.toml", "[workspace]\nmembers = [\"xtask\"]\n"),
            ("xtask/Cargo.toml", "[package]\nname = \"xtask\"\n"),
            ("fuzz/Cargo.toml", "[workspace]\n\n[package]\n"),
        ] {
            files::write(&folder.join(name), text).unwrap();
        }
        for inside in ["", "xtask", "fuzz", "fuzz/corpus"] {
            let here = folder.join(inside);
            assert_eq!(workspace_around(&here), Some(folder.as_path()), "{inside}");
        }
        assert_eq!(workspace_around(&env::temp_dir()), None);
        files::remove(&folder).unwrap();
    }
}
