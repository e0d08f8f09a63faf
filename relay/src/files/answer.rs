//! The answer to a request for a file of one folder: as it lies there, or compressed in memory.
//!
//! tower-http finds files, and those that lie compressed beside them. It also reads ranges and
//! conditions. What is compressed in memory is answered through it, too: it is asked about the file
//! itself, with conditions that are translated from those about the compressed one.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH,
    IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use percent_encoding::percent_decode_str;
use tower_http::services::ServeDir;

use super::coding::{Coding, is_compressible};
use super::compressed::{Compressed, Name};

/// A shorter file is sent as it is: heads and packets take as much.
const SHORTEST: usize = 1024;

/// A folder whose files are served.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    pub(super) files: ServeDir,
}

impl Folder {
    /// Answers a request, whose path is relative to the folder.
    ///
    /// # Errors
    /// The file can't be read.
    pub(super) async fn answer(
        &self,
        compressed: &Arc<Compressed>,
        mut head: Parts,
        body: Body,
    ) -> io::Result<Response> {
        if head.headers.contains_key(RANGE) && !self.is_range_current(&head).await? {
            head.headers.remove(RANGE);
        }
        match self.compressed(compressed, &head).await? {
            Some(answer) => Ok(answer),
            None => self.ask(Request::from_parts(head, body)).await,
        }
    }

    async fn ask(&self, request: Request) -> io::Result<Response> {
        Ok(self.files.clone().try_call(request).await?.map(Body::new))
    }

    /// The head of an answer to whoever asks without conditions.
    async fn facts(&self, request: &Parts) -> io::Result<Response> {
        let accepted = request.headers.get(ACCEPT_ENCODING).cloned();
        let headers = accepted.map(|accepted| (ACCEPT_ENCODING, accepted));
        let headers = headers.into_iter().collect();
        self.ask(about(request, Method::HEAD, headers)).await
    }

    /// Whether a range is of what the file is now. A client that has the beginning of another
    /// version must get the whole.
    async fn is_range_current(&self, request: &Parts) -> io::Result<bool> {
        let Some(wanted) = request.headers.get(IF_RANGE) else {
            return Ok(true);
        };
        let facts = self.facts(request).await?;
        let now = |name| facts.headers().get(name) == Some(wanted);
        Ok(now(ETAG) || now(LAST_MODIFIED))
    }

    /// The answer with what is compressed in memory. `None`: the request is better answered with the
    /// file as it lies there.
    async fn compressed(
        &self,
        compressed: &Arc<Compressed>,
        request: &Parts,
    ) -> io::Result<Option<Response>> {
        let reads = matches!(request.method, Method::GET | Method::HEAD);
        // A range is always of the file itself.
        let whole = reads && !request.headers.contains_key(RANGE);
        let Some(coding) = Coding::accepted(&request.headers).filter(|_| whole) else {
            return Ok(None);
        };
        let facts = self.facts(request).await?;
        let Some((version, length)) = worth_compressing(&facts) else {
            return Ok(None);
        };
        let name = Name {
            path: tokio::fs::canonicalize(self.file_path(request)).await?,
            coding,
        };
        let plain = about(request, Method::GET, HeaderMap::new());
        let file = self.clone().read(plain, version.clone(), length);
        let bytes = compressed.get(name, &version, length, file).await;
        let Some((bytes, tag)) = bytes.zip(coding.tag(&version)) else {
            return Ok(None);
        };

        let mut headers = request.headers.clone();
        headers.remove(ACCEPT_ENCODING);
        for condition in [IF_MATCH, IF_NONE_MATCH] {
            translate(&mut headers, &condition, &tag, &version);
        }
        let answer = self.ask(about(request, Method::HEAD, headers)).await?;
        let now = answer.headers().get(ETAG);
        if now.is_some_and(|now| *now != version) {
            return Ok(None);
        }
        Ok(Some(with_compressed(answer, request, coding, tag, bytes)))
    }

    /// Where the file is that a request means.
    fn file_path(&self, request: &Parts) -> PathBuf {
        let decoded = percent_decode_str(request.uri.path()).decode_utf8_lossy();
        let mut path = self.path.join(decoded.trim_start_matches('/'));
        if decoded.ends_with('/') {
            path.push("index.html");
        }
        path
    }

    /// The bytes of a file, if it is still this version.
    async fn read(self, request: Request, version: HeaderValue, length: usize) -> Option<Bytes> {
        let file = self.ask(request).await.ok()?;
        if file.headers().get(ETAG) != Some(&version) {
            return None;
        }
        to_bytes(file.into_body(), length).await.ok()
    }
}

/// A request of its own for the same file.
fn about(request: &Parts, method: Method, headers: HeaderMap) -> Request {
    let mut about = Request::new(Body::empty());
    *about.method_mut() = method;
    *about.uri_mut() = request.uri.clone();
    *about.headers_mut() = headers;
    about
}

/// The tag and the length of a file that becomes shorter. Not of one that lies compressed there.
fn worth_compressing(facts: &Response) -> Option<(HeaderValue, usize)> {
    let header = |name| facts.headers().get(name);
    let text = |name| header(name).and_then(|value| value.to_str().ok());
    let length = text(CONTENT_LENGTH)?.parse().ok()?;
    let worth = facts.status() == StatusCode::OK
        && header(CONTENT_ENCODING).is_none()
        && length >= SHORTEST
        && is_compressible(text(CONTENT_TYPE)?);
    Some((header(ETAG)?.clone(), length)).filter(|_| worth)
}

/// Replaces one tag in a condition. The others that it names are of no current version.
fn translate(
    headers: &mut HeaderMap,
    condition: &HeaderName,
    tag: &HeaderValue,
    file: &HeaderValue,
) {
    let lines = headers.get_all(condition).iter();
    let lines: Vec<_> = lines.filter_map(|line| line.to_str().ok()).collect();
    let named = lines.join(",");
    let (Ok(tag), Ok(file)) = (tag.to_str(), file.to_str()) else {
        return;
    };
    let translated = if lines.is_empty() || named.trim() == "*" {
        return;
    } else if named.contains(&format!("W/{tag}")) {
        format!("W/{file}")
    } else if named.contains(tag) {
        file.to_owned()
    } else {
        // A tag that no file has.
        "\"\"".to_owned()
    };
    if let Ok(value) = HeaderValue::try_from(translated) {
        headers.insert(condition, value);
    }
}

/// Puts what is compressed in the place of the file.
fn with_compressed(
    mut answer: Response,
    request: &Parts,
    coding: Coding,
    tag: HeaderValue,
    bytes: Bytes,
) -> Response {
    let (status, headers) = (answer.status(), answer.headers_mut());
    if headers.contains_key(ETAG) {
        headers.insert(ETAG, tag);
    }
    if status != StatusCode::OK {
        return answer;
    }
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    headers.remove(ACCEPT_RANGES);
    if request.method == Method::GET {
        *answer.body_mut() = Body::from(bytes);
    }
    answer
}
