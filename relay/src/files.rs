//! Serving folders: which file a path means, and the headers that go with it.

mod answer;
mod coding;
mod compressed;
mod mount;

use std::io::ErrorKind;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, VARY};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use tower_http::services::ServeDir;

use self::answer::Folder;
use self::compressed::Compressed;
pub use self::mount::{Mount, MountError};
use crate::base_path::BasePath;

/// The least length of a hash in a file's name; Vite's have it.
const HASH: usize = 8;

/// How long browsers keep a file whose name changes with what is in it: a year, without asking.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The mounted folders.
#[derive(Clone, Debug)]
pub struct Files {
    base_path: BasePath,
    /// The longest prefix first, so that the first match is the right one.
    mounts: Vec<(Mount, Folder)>,
    compressed: Arc<Compressed>,
}

impl Files {
    /// Serves these mounts below a base path. `compressed`: the bytes that all files may take that
    /// are compressed in memory.
    #[must_use]
    pub fn new(mounts: &[Mount], base_path: BasePath, compressed: usize) -> Self {
        let serve = |mount: &Mount| Folder {
            path: mount.folder.clone(),
            files: ServeDir::new(&mount.folder)
                .redirect_path_prefix(format!("{}{}", base_path.prefix(), mount.prefix))
                .precompressed_br()
                .precompressed_gzip(),
        };
        let mut mounts: Vec<_> = mounts
            .iter()
            .map(|mount| (mount.clone(), serve(mount)))
            .collect();
        mounts.sort_by_key(|(mount, _)| std::cmp::Reverse(mount.prefix.len()));
        Self {
            base_path,
            mounts,
            compressed: Arc::new(Compressed::new(compressed)),
        }
    }

    /// Whether a path is under a mount, whether or not there is a file.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    fn find(&self, path: &str) -> Option<(&Mount, &Folder, String)> {
        self.mounts.iter().find_map(|(mount, folder)| {
            let rest = path.strip_prefix(&mount.prefix)?;
            (rest.is_empty() || rest.starts_with('/')).then(|| (mount, folder, rest.to_owned()))
        })
    }

    /// Answers a request with a file, or with `404 Not Found`.
    pub async fn serve(&self, request: Request) -> Response {
        let path = request.uri().path();
        let Some((mount, folder, rest)) = self.find(path).filter(|_| !is_hidden(path)) else {
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
        let found = folder.answer(&self.compressed, head, body).await;
        let mut response = match found {
            Ok(response) if response.status() == StatusCode::NOT_FOUND => return not_found(),
            Ok(response) => response,
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
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        // Also without a body, a cache must learn that others may be answered otherwise.
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        name_type(&rest, &mut response);
        response
    }
}

/// Whether there is no such file, or none that may be read. A name may also be too long for any
/// file.
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
