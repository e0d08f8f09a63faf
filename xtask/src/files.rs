//! Files and folders, with errors that name the path.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::problem::{Outcome, Problem};

fn wrong(what: &str, path: &Path, error: &io::Error) -> Problem {
    Problem::new(format!("can't {what} {}: {error}", path.display()))
}

/// The file's text.
pub fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).map_err(|error| wrong("read", path, &error))
}

/// The file's bytes.
pub fn read_bytes(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| wrong("read", path, &error))
}

/// Writes a file, and the folders that it lies in.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> Outcome {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    fs::write(path, content).map_err(|error| wrong("write", path, &error))
}

/// Makes a folder and those that it lies in.
pub fn make_folder(path: &Path) -> Outcome {
    fs::create_dir_all(path).map_err(|error| wrong("make the folder", path, &error))
}

/// Removes a folder and all that is in it, or a file, if it exists.
pub fn remove(path: &Path) -> Outcome {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => return Ok(()),
    };
    removed.map_err(|error| wrong("remove", path, &error))
}

/// Moves a file over another one, at once, so that nobody ever sees half a file.
pub fn replace(from: &Path, to: &Path) -> Outcome {
    fs::rename(from, to).map_err(|error| wrong(&format!("move {} to", from.display()), to, &error))
}

/// Copies one file, and makes the folder that it goes to.
pub fn copy(from: &Path, to: &Path) -> Outcome {
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    fs::copy(from, to)
        .map_err(|error| wrong(&format!("copy {} to", from.display()), to, &error))?;
    Ok(())
}

/// What lies directly in a folder, sorted; nothing if there is no such folder.
pub fn list(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).map_or_else(
        |_| Vec::new(),
        |entries| entries.flatten().map(|entry| entry.path()).collect(),
    );
    found.sort();
    found
}

/// Every file below a folder, or the path itself if it is a file, sorted.
pub fn list_deep(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_path_buf()];
    }
    list(path)
        .iter()
        .flat_map(|inside| list_deep(inside))
        .collect()
}

/// When the file was last written, if it exists.
pub fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|found| found.modified()).ok()
}
