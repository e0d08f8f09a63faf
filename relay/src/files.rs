//! Serving folders: which file a path means, and the headers that go with it.
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use tower_http::services::ServeDir;

use crate::base_path::BasePath;

/// A folder and the path under which it is served: `/PREFIX=FOLDER`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Without a slash at its end, so it is empty for `/`.
    prefix: String,
    folder: PathBuf,
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

/// The least length of a hash in a file's name; Vite's have it.
const HASH: usize = 8;

/// How long browsers keep a file whose name changes with what is in it: a year, without asking.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The mounted folders.
#[derive(Clone, Debug, Default)]
pub struct Files {
    base_path: BasePath,
    /// The longest prefix first, so that the first match is the right one.
    mounts: Vec<(Mount, ServeDir)>,
}

impl Files {
    /// Serves these mounts below a base path.
    #[must_use]
    pub fn new(mounts: &[Mount], base_path: BasePath) -> Self {
        let serve = |mount: &Mount| {
            ServeDir::new(&mount.folder)
                .redirect_path_prefix(format!("{}{}", base_path.prefix(), mount.prefix))
                .precompressed_br()
                .precompressed_gzip()
        };
        let mut mounts: Vec<_> = mounts
            .iter()
            .map(|mount| (mount.clone(), serve(mount)))
            .collect();
        mounts.sort_by_key(|(mount, _)| std::cmp::Reverse(mount.prefix.len()));
        Self { base_path, mounts }
    }

    /// Whether a path is under a mount, whether or not there is a file.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    fn find(&self, path: &str) -> Option<(&Mount, &ServeDir, String)> {
        self.mounts.iter().find_map(|(mount, serve)| {
            let rest = path.strip_prefix(&mount.prefix)?;
            (rest.is_empty() || rest.starts_with('/')).then(|| (mount, serve, rest.to_owned()))
        })
    }

    /// Answers a request with a file, or with `404 Not Found`.
    pub async fn serve(&self, request: Request) -> Response {
        let path = request.uri().path();
        let Some((mount, serve, rest)) = self.find(path).filter(|_| !is_hidden(path)) else {
            return not_found();
        };
        let query = request
            .uri()
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        if rest.is_empty() {
            // `/mount` is the folder `/mount/`; without the slash the relative links of its
            // index.html would lead elsewhere.
            let base_path = self.base_path.prefix();
            return redirect(&format!("{base_path}{}/{query}", mount.prefix));
        }
        let Ok(inside) = PathAndQuery::try_from(format!("{rest}{query}")) else {
            return not_found();
        };
        let (mut head, body) = request.into_parts();
        head.uri = Uri::from(inside);
        let found = serve
            .clone()
            .try_call(Request::from_parts(head, body))
            .await;
        let mut response = match found {
            Ok(response) if response.status() == StatusCode::NOT_FOUND => return not_found(),
            Ok(response) => response.map(Body::new),
            Err(error) if is_no_file(error.kind()) => return not_found(),
            Err(error) => {
                tracing::warn!(path = ?rest, mount = %mount, %error, "a file can't be read");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        };
        // Ask each time whether the file is still the same: then an edited page is seen at the next
        // reload.
        let caching = if response.status().is_success() && is_hashed(&rest) {
            FOR_EVER
        } else {
            "no-cache"
        };
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        name_type(&rest, &mut response);
        response
    }
}

/// Whether there is no such file, or none that may be read. A name may also be too long for any file.
fn is_no_file(error: ErrorKind) -> bool {
    matches!(
        error,
        ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::NotADirectory
            | ErrorKind::InvalidFilename
            | ErrorKind::InvalidInput
    )
}

/// Paths that aren't served although the file may exist: with a part that begins with a dot
/// (`.git`, `.env`, and `..` in every disguise), except `.well-known`, which is public;
/// and paths that begin with two slashes, which a redirect would turn into another host's.
fn is_hidden(path: &str) -> bool {
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    let mut parts = decoded.split(|byte| matches!(byte, b'/' | b'\\'));
    path.starts_with("//") || parts.any(|part| part.starts_with(b".") && part != b".well-known")
}

/// Whether a file's name has a hash of what is in it, so that another version has another name:
/// `main.8f3e2a1c.js`, or `index-BdN3x0Qa.js` in a folder `assets`, where Vite puts such files.
fn is_hashed(path: &str) -> bool {
    let mut folders = path.split('/').rev();
    let name = folders.next().unwrap_or_default();
    let in_assets = folders.next() == Some("assets");
    let Some((stem, _)) = name.rsplit_once('.') else {
        return false;
    };
    let hash = stem.rsplit(['-', '.']).next().unwrap_or_default();
    let has = |kind: fn(&u8) -> bool| hash.bytes().any(|byte| kind(&byte));
    if hash.len() < HASH || hash.len() == stem.len() || !has(u8::is_ascii_digit) {
        return false;
    }
    let hex = hash
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (hex && has(u8::is_ascii_lowercase))
        || (in_assets
            && hash.len() == HASH
            && has(u8::is_ascii_lowercase)
            && has(u8::is_ascii_uppercase))
}

/// Corrects the type that was guessed from the file's name. Modules are `text/javascript`, like all
/// JavaScript. Text is UTF-8: without that, browsers guess.
fn name_type(path: &str, response: &mut Response) {
    let Some(guess) = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    else {
        return;
    };
    let guess = if path.ends_with(".mjs") {
        "text/javascript"
    } else {
        guess
    };
    if guess.starts_with("text/")
        && let Ok(value) = HeaderValue::try_from(format!("{guess}; charset=utf-8"))
    {
        response.headers_mut().insert(CONTENT_TYPE, value);
    }
}

fn redirect(to: &str) -> Response {
    match HeaderValue::try_from(to) {
        Ok(to) => (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, to)]).into_response(),
        Err(_) => not_found(),
    }
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "There is nothing at this address.\n").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_hash() {
        for path in [
            "/main.8f3e2a1c.js",
            "/static/js/2.1a2b3c4d5e.chunk-0f1e2d3c.css",
            "/assets/index-BdN3x0Qa.js",
        ] {
            assert!(is_hashed(path), "{path}");
        }
        for path in [
            "/",
            "/index.html",
            "/jquery-3.7.1.min.js",
            "/report-20260101.pdf",
            "/8f3e2a1c.js",
            "/my-document1.txt",
            "/photo-Sunset01.png",
            "/assets/vendor.js",
            "/assets/index-BdN3x0Q.js",
        ] {
            assert!(!is_hashed(path), "{path}");
        }
    }
}
