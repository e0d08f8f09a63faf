//! Reading and writing files, with errors that name the path.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::problem::{Outcome, Problem};

fn problem(what: &str, path: &Path, error: &io::Error) -> Problem {
    Problem::new(format!("can't {what} {}: {error}", path.display()))
}

/// Reads a file as text.
pub fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| problem("read", path, &error))
}

/// Reads a file's bytes.
pub fn read_bytes(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| problem("read", path, &error))
}

/// Writes a file and makes the folders above it.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> Outcome {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    fs::write(path, content).map_err(|error| problem("write", path, &error))
}

/// Makes a folder and those above it.
pub fn make_folder(path: &Path) -> Outcome {
    fs::create_dir_all(path).map_err(|error| problem("make the folder", path, &error))
}

/// Removes a file, or a folder with its content, if it exists.
pub fn remove(path: &Path) -> Outcome {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => return Ok(()),
    };
    removed.map_err(|error| problem("remove", path, &error))
}

/// Renames a file or folder, in one step. A file may replace another one.
pub fn replace(from: &Path, to: &Path) -> Outcome {
    fs::rename(from, to)
        .map_err(|error| problem(&format!("move {} to", from.display()), to, &error))
}

/// Copies a file and makes the folders above the copy.
pub fn copy(from: &Path, to: &Path) -> Outcome {
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    fs::copy(from, to)
        .map_err(|error| problem(&format!("copy {} to", from.display()), to, &error))?;
    Ok(())
}

/// The entries of a folder, sorted. None if there is no such folder.
pub fn list(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).map_or_else(
        |_| Vec::new(),
        |entries| entries.flatten().map(|entry| entry.path()).collect(),
    );
    found.sort();
    found
}

/// All files below a folder, sorted, or the path itself if it is a file.
pub fn list_deep(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_path_buf()];
    }
    list(path)
        .iter()
        .flat_map(|inside| list_deep(inside))
        .collect()
}

/// When a file was last written, if it exists.
pub fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}
