//! Rust's standard library for wasm32, which the module is linked with.
//!
//! rustup has it ready made. Where rustup can't or mustn't download, it is built from its source, which must be exactly
//! rustc's own version: from the sysroot if it lies there already, else from Debian's package rust-src.

use std::path::{Path, PathBuf};

use crate::files;
use crate::problem::{Outcome, Problem, fail};
use crate::process;
use crate::project::Project;
use crate::say;
use crate::setup::{debian, rustup};

/// The target that browsers run.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The Rust in use.
#[derive(Debug)]
pub struct Rust {
    /// Its version, such as `1.95.0`.
    pub release: String,
    /// The commit that it was made of.
    pub commit: String,
    /// Where it is installed.
    pub sysroot: PathBuf,
    /// Where its libraries for wasm32 belong.
    pub libraries: PathBuf,
}

impl Rust {
    /// Asks rustc.
    pub fn find() -> Outcome<Self> {
        let ask = |arguments: &[&str]| process::quiet(process::rustc().args(arguments));
        let version = ask(&["-vV"])?;
        let field = |name: &str| version.lines().find_map(|line| line.strip_prefix(name));
        let Some(release) = field("release: ") else {
            fail!("`rustc -vV` doesn't tell its release:\n{version}");
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

    fn has_wasm(&self) -> bool {
        files::list(&self.libraries).iter().any(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    }

    /// Whether the library holds LLVM's bitcode, which the module must be optimised together with. rustup's does, and ours.
    fn has_bitcode(&self) -> Outcome<bool> {
        const SECTION: &[u8] = b".llvmbc";
        let core = files::list(&self.libraries).into_iter().find(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("libcore-"))
        });
        let Some(core) = core else { return Ok(false) };
        Ok(files::read_bytes(&core)?
            .windows(SECTION.len())
            .any(|bytes| bytes == SECTION))
    }

    /// Where the standard library's source lies if it is installed.
    fn source(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib/src/rust/library")
    }
}

/// Installs the library unless it is there.
pub fn install(project: &Project) -> Outcome {
    let rust = Rust::find()?;
    if rust.has_wasm() {
        return Ok(());
    }
    let why_not = match rustup::toolchain(&rust) {
        Ok(toolchain) => {
            let what = format!(
                "Installing Rust's standard library for wasm32 (rustup target add {TARGET})"
            );
            match say::step(&what, || toolchain.add_target(&rust)) {
                Ok(()) if rust.has_wasm() => return Ok(()),
                Ok(()) => format!(
                    "rustup has added {TARGET}, but {} holds no libstd",
                    rust.libraries.display()
                ),
                Err(problem) => problem.to_string(),
            }
        }
        Err(why_not) => why_not,
    };
    from_source(project, &rust).map_err(|problem| {
        Problem::new(format!(
            "Rust's standard library for {TARGET} is missing, and can't be had.\n\
             By rustup: {why_not}.\n\
             From source: {problem}\n\
             Ways out: where rustup may download, run `rustup target add {TARGET}`. On Debian, use Debian's own Rust, whose parts \
             always match each other: as root\n  apt-get install --no-install-recommends \
             rustc-web cargo-web rust-web-src rust-web-clippy rustfmt-web rust-web-llvm\n\
             and the newest lld there is (lld-22, say); then put /usr/bin before rustup's folder in PATH and try again."
        ))
    })
}

/// Whether the module can be made as small as it should be; says so if not, and what to do.
pub fn can_optimise_whole_programs() -> Outcome<bool> {
    let rust = Rust::find()?;
    let can = rust.has_bitcode()?;
    if !can {
        say::line(format!(
            "  Rust's library in {} was built without bitcode: the module comes out a fifth larger than it could be.\n  \
             To have it built anew: remove that folder and target/{TARGET}, then run cargo xtask setup",
            rust.libraries.display()
        ));
    }
    Ok(can)
}

fn from_source(project: &Project, rust: &Rust) -> Outcome {
    let work = project.scratch().join("wasm-std");
    files::remove(&work)?;
    check_writable(&rust.libraries)?;

    let source = if is_source(&rust.source()) {
        rust.source()
    } else {
        let library = say::step(
            &format!(
                "Fetching the source of Rust {}'s standard library (Debian's rust-src)",
                rust.release
            ),
            || debian::rust_library(&rust.release, &work.join("debian")),
        )?;
        // It stays in our own folder: in the sysroot, others would take it for a part of the toolchain.
        library
    };
    say::step("Building Rust's standard library for wasm32", || {
        build(rust, &source, &work.join("target"))
    })?;
    // What was compiled for another library of the same version, cargo would take for still good.
    files::remove(&project.target.join(TARGET))?;
    files::remove(&work)
}

/// Builds the library from `source` in the folder `work` and puts it where rustc looks for it.
fn build(rust: &Rust, source: &Path, work: &Path) -> Outcome {
    let mut cargo = process::cargo();
    cargo
        // Not in the project, whose cargo config is none of the library's business.
        .current_dir(source)
        .args(["build", "--release", "--target", TARGET, "--manifest-path"])
        .arg(source.join("sysroot/Cargo.toml"))
        // As rustc's own build does: the library uses what a stable compiler keeps from others.
        .env("RUSTC_BOOTSTRAP", "1")
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            flags(rust, source).join("\u{1f}"),
        )
        .env("__CARGO_DEFAULT_LIB_METADATA", "signal-wasm")
        .env("CARGO_TARGET_DIR", work)
        .env_remove("CARGO_BUILD_TARGET");
    process::quiet(&mut cargo)?;

    let built = work.join(TARGET).join("release/deps");
    let built: Vec<PathBuf> = files::list(&built)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "rlib"))
        .collect();
    if built.is_empty() {
        fail!("cargo has built no library in {}", work.display());
    }
    // A half-installed library would be taken for a whole one: libstd, by which we know it, goes last.
    let (std, others): (Vec<&PathBuf>, Vec<&PathBuf>) = built.iter().partition(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("libstd-"))
    });
    for path in others.into_iter().chain(std) {
        files::copy(
            path,
            &rust.libraries.join(path.file_name().unwrap_or_default()),
        )?;
    }
    Ok(())
}

/// What rustc's own build tells the compiler, where it matters to us.
fn flags(rust: &Rust, source: &Path) -> Vec<String> {
    let mut flags = vec![
        "-Zforce-unstable-if-unmarked".to_string(),
        // Cargo leaves the bitcode out of a library, and then the module can't be optimised together with it.
        "-Cembed-bitcode=yes".to_string(),
    ];
    // The places of panics are told by paths; the module isn't to hold this machine's, but those that every Rust has.
    let library = format!("/rustc/{}/library", rust.commit);
    for path in [Some(source.to_path_buf()), source.canonicalize().ok()]
        .into_iter()
        .flatten()
    {
        flags.push(format!("--remap-path-prefix={}={library}", path.display()));
    }
    if let Some(registry) = process::cargo_home().map(|home| home.join("registry/src")) {
        flags.push(format!(
            "--remap-path-prefix={}=/rust/deps",
            registry.display()
        ));
    }
    flags
}

fn is_source(library: &Path) -> bool {
    library.join("sysroot/Cargo.toml").is_file() && library.join("std/src/lib.rs").is_file()
}

fn check_writable(libraries: &Path) -> Outcome {
    let probe = libraries.join(".signal-wasm-probe");
    files::write(&probe, "").and_then(|()| files::remove(&probe)).map_err(|problem| {
        problem.advise(
            "Rust is installed where you may not write. Run the command once as the user who may (cargo xtask setup), \
             or use a Rust of your own, installed by rustup.",
        )
    })
}
