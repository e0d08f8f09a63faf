//! Which folder is served under which path.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A folder and the path under which it is served: `/PREFIX=FOLDER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Without a slash at its end, so it is empty for `/`.
    pub(super) prefix: String,
    pub(super) folder: PathBuf,
}

impl Mount {
    /// The path, with a slash at its beginning.
    #[must_use]
    pub fn prefix(&self) -> &str {
        if self.prefix.is_empty() {
            "/"
        } else {
            &self.prefix
        }
    }

    /// The folder, as given.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl fmt::Display for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.prefix(), self.folder.display())
    }
}

/// Why a text isn't a mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountError(String);

impl fmt::Display for MountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MountError {}

impl FromStr for Mount {
    type Err = MountError;

    fn from_str(text: &str) -> Result<Self, MountError> {
        let Some((prefix, folder)) = text.split_once('=') else {
            return Err(MountError(
                "a mount is /PREFIX=FOLDER, for example /=www".into(),
            ));
        };
        if folder.is_empty() {
            return Err(MountError(format!(
                "no folder after {prefix}=, for example {prefix}=www"
            )));
        }
        if !prefix.starts_with('/') {
            return Err(MountError(format!(
                "the prefix begins with a slash: did you mean /{text}?"
            )));
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_~!$&'()*+,;@:.".contains(c);
        if !prefix
            .split('/')
            .skip(1)
            .all(|part| !part.is_empty() && !part.starts_with('.') && part.chars().all(plain))
        {
            return Err(MountError(format!(
                "{prefix} isn't a path to serve under: use letters, digits, hyphens and single slashes"
            )));
        }
        Ok(Self {
            prefix: prefix.to_owned(),
            folder: folder.into(),
        })
    }
}
