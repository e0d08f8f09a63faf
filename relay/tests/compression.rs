//! What's tested, over HTTP with a real server: files that are compressed in memory.
//! * each coding, and which files and clients get which
//! * tags and conditions: what is compressed is another thing than the file
//! * HEAD, ranges and `If-Range`
//! * an edited file; a compressed file beside it
//! * the budget

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::fs;
use std::io::Read;

use signal_relay::Config;
use support::{Answer, Relay, config, request, within};
use tempfile::TempDir;

/// The file that an answer means.
fn decoded(answer: &Answer) -> String {
    let mut file = String::new();
    let body = answer.bytes.as_slice();
    match answer.header("content-encoding") {
        Some("br") => brotli::Decompressor::new(body, 4096)
            .read_to_string(&mut file)
            .unwrap(),
        Some("gzip") => flate2::read::GzDecoder::new(body)
            .read_to_string(&mut file)
            .unwrap(),
        other => {
            assert_eq!(other, None);
            file = String::from_utf8(answer.bytes.clone()).unwrap();
            file.len()
        }
    };
    file
}

async fn ask(relay: &Relay, line: &str, headers: &[(&str, &str)]) -> Answer {
    request(relay.address, line, headers).await
}

/// Asks until a file comes compressed: on a slow machine, the first answers may be the file as it
/// is.
async fn compressed(relay: &Relay, line: &str, headers: &[(&str, &str)]) -> Answer {
    within("a compressed file", async {
        loop {
            let answer = ask(relay, line, headers).await;
            if answer.header("content-encoding").is_some() {
                return answer;
            }
        }
    })
    .await
}

fn text() -> String {
    (0..500).map(|number| format!("line {number}\n")).collect()
}

async fn served(budget: usize) -> (Relay, TempDir) {
    let root = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("app.js", text()),
        ("index.html", format!("<title>page</title>{}", text())),
        ("short.js", "export {}".to_owned()),
        ("photo.png", text()),
        ("unknown", text()),
    ] {
        fs::write(root.path().join(name), content).unwrap();
    }
    let mount = format!("/={}", root.path().display());
    let mounts = vec![mount.parse().unwrap()];
    let relay = Relay::start(Config {
        mounts,
        compressed_files: budget,
        ..config()
    });
    (relay.await, root)
}

const BROWSER: (&str, &str) = ("accept-encoding", "gzip, deflate, br, zstd");

#[tokio::test]
async fn a_file_is_compressed_for_who_takes_it() {
    let (relay, _root) = served(1 << 20).await;
    let plain = ask(&relay, "GET /app.js", &[]).await;
    assert_eq!(
        (plain.header("content-encoding"), decoded(&plain)),
        (None, text())
    );
    let mut tags = vec![plain.header("etag").unwrap().to_owned()];
    for (accepted, coding) in [("gzip, deflate, br", "br"), ("gzip", "gzip")] {
        let answer = compressed(&relay, "GET /app.js", &[("accept-encoding", accepted)]).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-encoding"), Some(coding));
        assert_eq!(decoded(&answer), text());
        assert!(answer.bytes.len() < text().len() / 2, "{coding}");
        let length = answer.bytes.len().to_string();
        assert_eq!(answer.header("content-length"), Some(&*length));
        assert_eq!(
            answer.header("content-type"),
            Some("text/javascript; charset=utf-8")
        );
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        assert_eq!(answer.header("vary"), Some("accept-encoding"));
        assert_eq!(
            answer.header("last-modified"),
            plain.header("last-modified")
        );
        assert_eq!(answer.header("accept-ranges"), None);
        tags.push(answer.header("etag").unwrap().to_owned());

        let head = ask(&relay, "HEAD /app.js", &[("accept-encoding", accepted)]).await;
        assert_eq!((head.status, head.bytes.len()), (200, 0));
        assert_eq!(head.header("content-length"), Some(&*length));
        assert_eq!(head.header("content-encoding"), Some(coding));
        assert_eq!(head.header("etag"), answer.header("etag"));
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3, "{tags:?}");
    let page = compressed(&relay, "GET /", &[BROWSER]).await;
    assert!(decoded(&page).starts_with("<title>page</title>"));
}

#[tokio::test]
async fn other_files_and_other_clients_get_the_file_as_it_is() {
    let (relay, _root) = served(1 << 20).await;
    for (line, accepted) in [
        ("GET /short.js", "br, gzip"),
        ("GET /photo.png", "br, gzip"),
        ("GET /unknown", "br, gzip"),
        ("GET /app.js", "identity"),
        ("GET /app.js", "br;q=0, gzip;q=0"),
        ("GET /app.js", "deflate"),
    ] {
        let answer = ask(&relay, line, &[("accept-encoding", accepted)]).await;
        assert_eq!(answer.status, 200, "{line}");
        assert_eq!(answer.header("content-encoding"), None, "{line}");
        assert_eq!(answer.header("accept-ranges"), Some("bytes"), "{line}");
        assert_eq!(answer.header("vary"), Some("accept-encoding"), "{line}");
    }
    for line in ["GET /nothing", "POST /app.js", "GET /nothing/"] {
        let answer = ask(&relay, line, &[BROWSER]).await;
        assert!(matches!(answer.status, 404 | 405), "{line}");
        assert_eq!(answer.header("content-encoding"), None, "{line}");
    }
}

#[tokio::test]
async fn conditions_are_about_what_the_client_would_get() {
    let (relay, _root) = served(1 << 20).await;
    let plain = ask(&relay, "GET /app.js", &[]).await;
    let file = plain.header("etag").unwrap();
    let modified = plain.header("last-modified").unwrap();
    let answer = compressed(&relay, "GET /app.js", &[BROWSER]).await;
    let tag = answer.header("etag").unwrap();
    let weak = format!("W/{tag}");
    let several = format!("\"a\", {tag}, \"b\"");
    for (condition, value, status) in [
        ("if-none-match", tag, 304),
        ("if-none-match", &weak, 304),
        ("if-none-match", &several, 304),
        ("if-none-match", "*", 304),
        ("if-none-match", file, 200),
        ("if-none-match", "\"a\"", 200),
        ("if-modified-since", modified, 304),
        ("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ("if-match", tag, 200),
        ("if-match", "*", 200),
        ("if-match", file, 412),
        ("if-match", &weak, 412),
    ] {
        for method in ["GET", "HEAD"] {
            let line = format!("{method} /app.js");
            let got = ask(&relay, &line, &[BROWSER, (condition, value)]).await;
            assert_eq!(got.status, status, "{condition}: {value}");
            if status == 412 {
                continue;
            }
            assert_eq!(got.header("etag"), Some(tag), "{condition}: {value}");
            assert_eq!(got.header("vary"), Some("accept-encoding"));
            assert_eq!(got.header("cache-control"), Some("no-cache"));
            assert_eq!(
                got.header("content-encoding"),
                (status == 200).then_some("br")
            );
        }
    }
    // Who takes no coding isn't told that it has the file when it has something else.
    let other = ask(&relay, "GET /app.js", &[("if-none-match", tag)]).await;
    assert_eq!((other.status, decoded(&other)), (200, text()));
    let same = ask(&relay, "GET /app.js", &[("if-none-match", file)]).await;
    assert_eq!(
        (same.status, same.header("vary")),
        (304, Some("accept-encoding"))
    );
}

#[tokio::test]
async fn ranges_are_of_the_file_and_of_one_version() {
    let (relay, root) = served(1 << 20).await;
    let range = ("range", "bytes=5-9");
    let tag = compressed(&relay, "GET /app.js", &[BROWSER]).await;
    let tag = tag.header("etag").unwrap();
    let part = ask(&relay, "GET /app.js", &[BROWSER, range]).await;
    assert_eq!(
        (part.status, decoded(&part)),
        (206, text()[5..10].to_owned())
    );
    let file = part.header("etag").unwrap().to_owned();
    assert_ne!(file, tag);
    let modified = part.header("last-modified").unwrap().to_owned();
    for (condition, accepted, status) in [
        (&*file, "identity", 206),
        (&*file, "br", 206),
        (&*modified, "identity", 206),
        (tag, "identity", 200),
        ("\"another\"", "identity", 200),
        ("Thu, 01 Jan 1970 00:00:00 GMT", "identity", 200),
    ] {
        let headers = [
            range,
            ("if-range", condition),
            ("accept-encoding", accepted),
        ];
        let got = ask(&relay, "GET /app.js", &headers).await;
        assert_eq!(got.status, status, "{condition}");
        let wanted = if status == 206 {
            &text()[5..10]
        } else {
            &text()
        };
        assert_eq!(decoded(&got), wanted, "{condition}");
    }
    // Who continues what was compressed gets that as a whole.
    let whole = ask(&relay, "GET /app.js", &[BROWSER, range, ("if-range", tag)]).await;
    assert_eq!((whole.status, decoded(&whole)), (200, text()));
    fs::write(root.path().join("app.js"), text().replace("line", "row")).unwrap();
    let edited = ask(&relay, "GET /app.js", &[range, ("if-range", &file)]).await;
    assert_eq!(
        (edited.status, decoded(&edited)),
        (200, text().replace("line", "row"))
    );
}

#[tokio::test]
async fn an_edited_file_is_compressed_again() {
    let (relay, root) = served(1 << 20).await;
    let mut tags = Vec::new();
    // Of the same length, and perhaps within one second.
    for word in ["line", "LINE", "Line"] {
        let edited = text().replace("line", word);
        fs::write(root.path().join("app.js"), &edited).unwrap();
        let answer = compressed(&relay, "GET /app.js", &[BROWSER]).await;
        assert_eq!(decoded(&answer), edited);
        tags.push(answer.header("etag").unwrap().to_owned());
    }
    tags.dedup();
    assert_eq!(tags.len(), 3, "{tags:?}");
    fs::remove_file(root.path().join("app.js")).unwrap();
    assert_eq!(ask(&relay, "GET /app.js", &[BROWSER]).await.status, 404);
}

#[tokio::test]
async fn a_file_that_lies_compressed_beside_comes_first() {
    let (relay, root) = served(1 << 20).await;
    let beside = root.path().join("app.js.gz");
    fs::write(beside, "of the build").unwrap();
    for (accepted, coding) in [("br, gzip", "gzip"), ("gzip", "gzip"), ("br", "br")] {
        let answer = compressed(&relay, "GET /app.js", &[("accept-encoding", accepted)]).await;
        assert_eq!(answer.header("content-encoding"), Some(coding));
        let as_made = answer.bytes == b"of the build";
        assert_eq!(as_made, coding == "gzip", "{accepted}");
    }
}

#[tokio::test]
async fn what_doesnt_fit_is_sent_as_it_is() {
    for budget in [0, text().len()] {
        let (relay, _root) = served(budget).await;
        for path in ["/app.js", "/", "/app.js"] {
            let answer = ask(&relay, &format!("GET {path}"), &[BROWSER]).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("content-encoding"), None, "{budget} {path}");
        }
    }
}

/// Room for one file while it is being compressed, and for what it takes then.
async fn served_once() -> (Relay, TempDir) {
    served(text().len() + 1024).await
}

/// However a file is called, it is compressed once.
async fn assert_same_file(relay: &Relay, paths: &[&str]) {
    let first = compressed(relay, "GET /app.js", &[BROWSER]).await;
    for path in paths {
        let answer = ask(relay, &format!("GET {path}"), &[BROWSER]).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-encoding"), Some("br"), "{path}");
        assert_eq!(answer.bytes, first.bytes, "{path}");
    }
}

#[tokio::test]
async fn other_spellings_are_the_same_file() {
    let (relay, _root) = served_once().await;
    assert_same_file(&relay, &["/%61pp.js", "/a%70p.js", "/app%2ejs"]).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_the_same_file() {
    let (relay, root) = served_once().await;
    std::os::unix::fs::symlink("app.js", root.path().join("link.js")).unwrap();
    assert_same_file(&relay, &["/link.js"]).await;
}
