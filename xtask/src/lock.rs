//! One command at a time where two would write the same files: `npm start` in one terminal, `npm test` in another.

use std::fs::{File, TryLockError};

use crate::files;
use crate::problem::{Outcome, Problem};
use crate::project::Project;
use crate::say;

/// Waits for its turn; the turn ends when the returned value is dropped, or the process does.
pub fn take(project: &Project, name: &str) -> Outcome<File> {
    let path = project.scratch().join(format!("{name}.lock"));
    let wrong =
        |error: std::io::Error| Problem::new(format!("can't lock {}: {error}", path.display()));
    files::make_folder(&project.scratch())?;
    let file = File::create(&path).map_err(wrong)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => say::line(format!(
            "Waiting for another cargo xtask to end its {name} …"
        )),
        Err(TryLockError::Error(error)) => return Err(wrong(error)),
    }
    file.lock().map_err(wrong)?;
    Ok(file)
}
