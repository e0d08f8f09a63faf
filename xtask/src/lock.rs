//! One command at a time where two would write the same files, such as `npm start` in one terminal
//! and `npm test` in another.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::files;
use crate::problem::{Outcome, Problem};
use crate::say;

/// Takes the lock `<name>.lock` in `folder`, waiting if another command holds it. The lock is
/// released when the returned value is dropped or the process ends.
pub fn take(folder: &Path, name: &str) -> Outcome<File> {
    let path = folder.join(format!("{name}.lock"));
    let problem =
        |error: std::io::Error| Problem::new(format!("can't lock {}: {error}", path.display()));
    files::make_folder(folder)?;
    let file = File::create(&path).map_err(problem)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => say::line(format!(
            "Waiting for the {name} of another cargo xtask to end …"
        )),
        Err(TryLockError::Error(error)) => return Err(problem(error)),
    }
    file.lock().map_err(problem)?;
    Ok(file)
}
