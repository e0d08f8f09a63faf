//! Running other programs: with their output hidden unless they fail, or with it shown.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::problem::{Outcome, Problem, fail};

/// How many lines of a failed program's output its error shows.
const SHOWN: usize = 200;

/// Runs a program whose output is only shown if it fails; returns its standard output.
pub fn quiet(command: &mut Command) -> Outcome<String> {
    Ok(String::from_utf8_lossy(&output(command)?.stdout).into_owned())
}

/// Like [`quiet`], but returns standard error too, where most programs write their messages.
pub fn quiet_with_messages(command: &mut Command) -> Outcome<String> {
    Ok(both(&output(command)?))
}

fn output(command: &mut Command) -> Outcome<Output> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = both(&output);
    let lines: Vec<&str> = said.lines().collect();
    let end = lines.iter().skip(lines.len().saturating_sub(SHOWN));
    let end: Vec<String> = end.map(|line| format!("    {line}")).collect();
    fail!(
        "`{}` failed ({}):\n{}",
        show(command),
        output.status,
        end.join("\n")
    )
}

fn both(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Runs a program and shows its output.
pub fn run(command: &mut Command) -> Outcome {
    let shown = show(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| not_started(command, &error))?;
    if !status.success() {
        fail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// The command line as one would type it.
pub fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| {
            let word = word.to_string_lossy();
            if word.contains(' ') {
                format!("'{word}'")
            } else {
                word.into_owned()
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// The error for a program that couldn't be started.
pub fn not_started(command: &Command, error: &std::io::Error) -> Problem {
    Problem::new(format!("can't run `{}`: {error}", show(command)))
}

/// A program in one of the folders of `path`, a list as in `PATH`.
pub fn find(name: &str, path: &OsStr) -> Option<PathBuf> {
    let endings: &[&str] = if cfg!(windows) {
        &[".exe", ".cmd", ".bat"]
    } else {
        &[""]
    };
    env::split_paths(path)
        .flat_map(|folder| {
            endings
                .iter()
                .map(move |ending| folder.join(format!("{name}{ending}")))
        })
        .find(|candidate| is_program(candidate))
}

/// A program in one of the folders of `PATH`.
pub fn find_on_path(name: &str) -> Option<PathBuf> {
    find(name, &env::var_os("PATH").unwrap_or_default())
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// The program that an environment variable names, by a path or a name on `PATH`; without the
/// variable, the first of `names` that is on `PATH`, or of the paths `elsewhere`.
pub fn program(variable: &str, names: &[&str], elsewhere: &[&str]) -> Outcome<Option<PathBuf>> {
    let Some(value) = env::var_os(variable).filter(|value| !value.is_empty()) else {
        let on_path = names.iter().find_map(|name| find_on_path(name));
        let mut elsewhere = elsewhere.iter().map(PathBuf::from);
        return Ok(on_path.or_else(|| elsewhere.find(|path| path.is_file())));
    };
    let path = PathBuf::from(&value);
    if path.is_file() {
        return Ok(Some(path));
    }
    match value.to_str().and_then(find_on_path) {
        Some(path) => Ok(Some(path)),
        None => fail!(
            "{variable} is {}, but there is no such program",
            path.display()
        ),
    }
}

/// A program of an npm package, from node_modules.
pub fn npm_program(root: &Path, name: &str) -> Outcome<Command> {
    let folder = root.join("node_modules").join(".bin");
    match find(name, folder.as_os_str()) {
        Some(program) => Ok(Command::new(program)),
        None => fail!("there is no {name} in node_modules/.bin; run: npm ci"),
    }
}

/// Whether this is continuous integration, where nobody reads about skipped tests and nothing is built
/// twice.
pub fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| !["", "0", "false"].contains(&value.as_str()))
}

/// The cargo that runs this program, so that one toolchain compiles everything.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What makes the next build quicker takes gigabytes.
    if is_ci() && env::var_os("CARGO_INCREMENTAL").is_none() {
        cargo.env("CARGO_INCREMENTAL", "0");
    }
    cargo
}

/// The rustc that cargo uses.
pub fn rustc() -> Command {
    Command::new(
        env::var_os("RUSTC")
            .filter(|value| !value.is_empty())
            .unwrap_or_else(|| "rustc".into()),
    )
}

/// Where cargo keeps the sources of crates.
pub fn cargo_home() -> Option<PathBuf> {
    let of = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    of("CARGO_HOME")
        .or_else(|| Some(of(if cfg!(windows) { "USERPROFILE" } else { "HOME" })?.join(".cargo")))
}

/// Flags for rustc as cargo reads them from `CARGO_ENCODED_RUSTFLAGS`.
pub fn encoded(flags: &[String]) -> String {
    flags.join("\u{1f}")
}

/// The flag that keeps the paths of this user's crates out of panic messages.
pub fn remap_registry() -> Option<String> {
    let registry = cargo_home()?.join("registry/src");
    Some(format!(
        "--remap-path-prefix={}=/rust/deps",
        registry.display()
    ))
}
