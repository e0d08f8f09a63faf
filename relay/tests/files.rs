//! What's tested, over HTTP with a real server:
//! * mounts: the longest prefix, index.html, redirects to the folder's slash, queries
//! * MIME types, and the headers that keep a page fresh and safe
//! * paths that try to leave a mount, hidden files, other methods
//! * what is there without any mount, and beside one
//! * which texts are a mount, and which mounts a relay starts with

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::fs;

use signal_relay::files::Mount;
use signal_relay::{Config, Server, StartError};
use support::{Client, Relay, config, get, request};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A folder with two mounts in it, and something beside them that nobody is to get.
fn folders() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("secret.txt", "secret"),
        ("www/index.html", "<title>the page</title>"),
        ("www/a b.txt", "spaces"),
        ("www/.env", "secret"),
        ("www/.git/config", "secret"),
        ("www/.well-known/security.txt", "contact"),
        ("www/sub/index.html", "<title>sub</title>"),
        ("www/lib/shadowed.txt", "of www"),
        ("www/library.txt", "not of lib"),
        ("www-other/file.txt", "secret"),
        ("dist/module.wasm", "\0asm"),
        ("dist/module.mjs", "export {}"),
        ("dist/module.js", "export {}"),
        ("dist/style.css", "body {}"),
        ("dist/data.json", "{}"),
        ("dist/image.svg", "<svg/>"),
        ("dist/module.d.ts", "export {}"),
        ("dist/unknown", "?"),
        ("dist/deep/index.html", "<title>deep</title>"),
        ("dist/deep/file.txt", "deep"),
    ] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn mount(prefix: &str, root: &TempDir, folder: &str) -> Mount {
    format!("{prefix}={}", root.path().join(folder).display())
        .parse()
        .unwrap()
}

async fn served() -> (Relay, TempDir) {
    let root = folders();
    let mounts = vec![
        mount("/", &root, "www"),
        mount("/lib", &root, "dist"),
        mount("/lib/deeper/", &root, "dist/deep"),
    ];
    (Relay::start(Config { mounts, ..config() }).await, root)
}

#[tokio::test]
async fn the_longest_prefix_serves_a_path() {
    let (relay, _root) = served().await;
    for (path, body) in [
        ("/", "<title>the page</title>"),
        ("/index.html", "<title>the page</title>"),
        ("/a%20b.txt", "spaces"),
        ("/sub/", "<title>sub</title>"),
        ("/library.txt", "not of lib"),
        ("/lib/data.json", "{}"),
        ("/lib/data.json?v=1", "{}"),
        ("/lib/deep/file.txt", "deep"),
        ("/lib/deeper/file.txt", "deep"),
        ("/lib/deeper/", "<title>deep</title>"),
        ("/.well-known/security.txt", "contact"),
    ] {
        let answer = get(relay.address, path).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, body), "{path}");
    }
    for path in [
        "/lib/shadowed.txt",
        "/lib/",
        "/library",
        "/nothing",
        "/lib/deeper/data.json",
        "/a b.txt/",
        "/sub/index.html/",
    ] {
        let answer = get(relay.address, &path.replace(' ', "%20")).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (404, "There is nothing at this address.\n"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_folder_without_its_slash_is_redirected_under_its_mount() {
    let (relay, _root) = served().await;
    for (path, location) in [
        ("/sub", "/sub/"),
        ("/sub?a=1", "/sub/?a=1"),
        ("/lib/deep", "/lib/deep/"),
        ("/lib/deeper", "/lib/deeper/"),
        ("/lib/deeper?a=1", "/lib/deeper/?a=1"),
    ] {
        let answer = get(relay.address, path).await;
        assert_eq!(
            (answer.status, answer.header("location")),
            (307, Some(location)),
            "{path}"
        );
    }
}

#[tokio::test]
async fn files_have_their_types() {
    let (relay, _root) = served().await;
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/lib/module.wasm", "application/wasm"),
        ("/lib/module.mjs", "text/javascript; charset=utf-8"),
        ("/lib/module.js", "text/javascript; charset=utf-8"),
        ("/lib/style.css", "text/css; charset=utf-8"),
        ("/lib/data.json", "application/json"),
        ("/lib/image.svg", "image/svg+xml"),
        ("/lib/unknown", "application/octet-stream"),
    ] {
        assert_eq!(
            get(relay.address, path).await.header("content-type"),
            Some(kind),
            "{path}"
        );
    }
}

#[tokio::test]
async fn an_edited_file_is_seen_and_an_unedited_one_is_not_sent_again() {
    let (relay, root) = served().await;
    let first = get(relay.address, "/lib/data.json").await;
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    let tag = first.header("etag").expect("an ETag").to_owned();
    let again = request(
        relay.address,
        "GET /lib/data.json",
        &[("if-none-match", &tag)],
    )
    .await;
    assert_eq!(
        (
            again.status,
            again.body.as_str(),
            again.header("cache-control")
        ),
        (304, "", Some("no-cache"))
    );
    fs::write(root.path().join("dist/data.json"), "[1]").unwrap();
    let edited = request(
        relay.address,
        "GET /lib/data.json",
        &[("if-none-match", &tag)],
    )
    .await;
    assert_eq!((edited.status, edited.body.as_str()), (200, "[1]"));
}

#[tokio::test]
async fn a_compressed_file_is_served_to_who_takes_it() {
    let (relay, root) = served().await;
    fs::write(root.path().join("dist/module.js.br"), "as brotli").unwrap();
    fs::write(root.path().join("dist/module.js.gz"), "as gzip").unwrap();
    for (accepted, encoding, body) in [
        ("gzip, deflate, br", Some("br"), "as brotli"),
        ("gzip", Some("gzip"), "as gzip"),
        ("identity", None, "export {}"),
    ] {
        let headers = [("accept-encoding", accepted)];
        let answer = request(relay.address, "GET /lib/module.js", &headers).await;
        assert_eq!(answer.header("content-encoding"), encoding, "{answer:?}");
        assert_eq!(answer.body, body);
        assert_eq!(
            answer.header("content-type"),
            Some("text/javascript; charset=utf-8")
        );
    }
}

#[tokio::test]
async fn a_file_with_a_hash_in_its_name_is_kept_by_browsers() {
    let (relay, root) = served().await;
    fs::write(root.path().join("dist/main.8f3e2a1c.js"), "").unwrap();
    for (path, status, caching) in [
        (
            "/lib/main.8f3e2a1c.js",
            200,
            Some("public, max-age=31536000, immutable"),
        ),
        ("/lib/module.js", 200, Some("no-cache")),
        ("/lib/main.8f3e2a1d.js", 404, None),
    ] {
        let answer = get(relay.address, path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("cache-control"), caching, "{path}");
    }
}

/// HAProxy asks by HTTP/1.0 and without a Host.
#[tokio::test]
async fn a_check_of_haproxy_is_answered() {
    let (relay, _root) = served().await;
    for line in [
        "OPTIONS / HTTP/1.0",
        "OPTIONS * HTTP/1.0",
        "GET /healthz HTTP/1.0",
    ] {
        let mut stream = TcpStream::connect(relay.address).await.unwrap();
        let text = format!("{line}\r\n\r\n");
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let reading = stream.read_to_string(&mut answer);
        tokio::time::timeout(support::LIMIT, reading)
            .await
            .expect("the connection stays open")
            .unwrap();
        assert!(answer.starts_with("HTTP/1.0 200 "), "{line}: {answer}");
    }
}

#[tokio::test]
async fn every_answer_forbids_guessing_its_type() {
    let (relay, _root) = served().await;
    for path in ["/", "/nothing", "/sub", "/healthz"] {
        assert_eq!(
            get(relay.address, path)
                .await
                .header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
    }
    let refused = request(relay.address, "GET /", &[("host", "evil.example")]).await;
    assert_eq!(
        (refused.status, refused.header("x-content-type-options")),
        (403, Some("nosniff"))
    );
}

#[tokio::test]
async fn no_path_leads_out_of_a_mount_or_to_a_hidden_file() {
    let (relay, root) = served().await;
    let outside = root.path().join("secret.txt");
    let absolute = outside.to_str().unwrap();
    let mut paths: Vec<String> = [
        "/../secret.txt",
        "/lib/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/%2E%2E%2Fsecret.txt",
        "/..%2fsecret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "/sub/../../secret.txt",
        "/sub/%2e%2e/%2e%2e/secret.txt",
        "/%252e%252e/secret.txt",
        "/%c0%ae%c0%ae/secret.txt",
        "/..;/secret.txt",
        "/lib/..%00/secret.txt",
        "/.../secret.txt",
        "/../www-other/file.txt",
        "-other/file.txt",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/sub/../.git/config",
        "/sub%2f..%2f.env",
        "/.git",
        "//etc/passwd",
        "/C:/secret.txt",
    ]
    .map(str::to_owned)
    .into();
    paths.push(format!("/{absolute}"));
    paths.push(format!("/lib/{absolute}"));
    paths.push(format!("/lib/{}", absolute.replace('/', "%2f")));
    for path in paths {
        let answer = get(relay.address, &path).await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
        assert!(!answer.body.contains("secret"), "{path}: {answer:?}");
    }
    // A redirect stays on this host.
    let twice = get(relay.address, "//sub").await;
    assert_eq!((twice.status, twice.header("location")), (404, None));
}

/// No file can have such a name.
#[tokio::test]
async fn a_name_that_no_file_can_have_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file.txt"), "text").unwrap();
    let relay = Relay::start(Config {
        mounts: vec![format!("/={}", folder.path().display()).parse().unwrap()],
        ..config()
    })
    .await;
    for path in [
        format!("/{}", "a".repeat(256)),
        format!("/{}/file.txt", "a".repeat(300)),
        format!("/{}.txt", "%C3%A9".repeat(200)),
        format!("/{}", "a/".repeat(2500)),
        "/file.txt/more".to_owned(),
        "/a%00b".to_owned(),
    ] {
        let answer = get(relay.address, &path).await;
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn only_reading_is_allowed() {
    let (relay, root) = served().await;
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        assert_eq!(
            request(relay.address, &format!("{method} /lib/data.json"), &[])
                .await
                .status,
            405,
            "{method}"
        );
    }
    let head = request(relay.address, "HEAD /lib/data.json", &[]).await;
    assert_eq!(
        (
            head.status,
            head.header("content-length"),
            head.body.as_str()
        ),
        (200, Some("2"), "")
    );
    assert_eq!(
        fs::read_to_string(root.path().join("dist/data.json")).unwrap(),
        "{}"
    );
}

#[tokio::test]
async fn without_mounts_it_says_what_it_is() {
    let relay = Relay::start(config()).await;
    let about = get(relay.address, "/").await;
    assert_eq!(
        (about.status, about.header("content-type")),
        (200, Some("text/plain; charset=utf-8"))
    );
    assert!(
        about.body.starts_with("This is signal-relay ") && about.body.contains("--mount"),
        "{}",
        about.body
    );
    assert_eq!(get(relay.address, "/favicon.ico").await.status, 404);
    assert_eq!(request(relay.address, "POST /", &[]).await.status, 404);
}

#[tokio::test]
async fn health_is_answered_unless_there_is_such_a_file() {
    let (relay, root) = served().await;
    let health = get(relay.address, "/healthz").await;
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    fs::write(root.path().join("www/healthz"), "mine").unwrap();
    assert_eq!(get(relay.address, "/healthz").await.body, "mine");
}

#[tokio::test]
async fn a_websocket_and_a_page_share_a_path() {
    let (relay, _root) = served().await;
    let (mut a, mut b) = (
        relay.join("/lib/data.json").await,
        relay.join("/lib/data.json").await,
    );
    a.send("hello").await;
    assert_eq!(b.text().await, "hello");
    assert_eq!(get(relay.address, "/lib/data.json").await.body, "{}");
    Client::open(relay.address, "/.git/config").await.unwrap();
}

#[test]
fn texts_that_are_no_mount_are_told_what_is_missing() {
    for (text, hint) in [
        ("www", "a mount is /PREFIX=FOLDER, for example /=www"),
        ("/=", "no folder after /=, for example /=www"),
        ("/lib=", "no folder after /lib=, for example /lib=www"),
        (
            "lib=dist",
            "the prefix begins with a slash: did you mean /lib=dist?",
        ),
        ("/a b=dist", "/a b isn't a path to serve under"),
        ("/a//b=dist", "/a//b isn't a path to serve under"),
        ("//=dist", "/ isn't a path to serve under"),
        ("/../a=dist", "/../a isn't a path to serve under"),
        ("/a?b=dist", "/a?b isn't a path to serve under"),
        ("/%61=dist", "/%61 isn't a path to serve under"),
    ] {
        let error = text.parse::<Mount>().unwrap_err().to_string();
        assert!(error.contains(hint), "{text}: {error}");
    }
    for (text, prefix, folder) in [
        ("/=www", "/", "www"),
        ("/lib=dist", "/lib", "dist"),
        ("/a/b.c/=x=y", "/a/b.c", "x=y"),
    ] {
        let mount: Mount = text.parse().unwrap();
        assert_eq!(
            (mount.prefix(), mount.folder().to_str().unwrap()),
            (prefix, folder),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_relay_does_not_start_with_mounts_it_cannot_serve() {
    let root = folders();
    let start = async |mounts: Vec<Mount>| {
        Server::bind(Config { mounts, ..config() })
            .await
            .map(|_| "started")
            .map_err(|error| error.to_string())
    };
    let missing = mount("/", &root, "missing");
    let told = start(vec![missing.clone()]).await.unwrap_err();
    assert!(
        told.starts_with(&format!("can't serve --mount {missing}: "))
            && told.ends_with("missing doesn't exist"),
        "{told}"
    );
    let told = start(vec![mount("/", &root, "secret.txt")])
        .await
        .unwrap_err();
    assert!(
        told.ends_with("secret.txt is a file, and a mount serves a folder"),
        "{told}"
    );
    let (one, other) = (mount("/lib", &root, "www"), mount("/lib/", &root, "dist"));
    let told = Server::bind(Config {
        mounts: vec![one.clone(), other.clone()],
        ..config()
    })
    .await
    .unwrap_err();
    assert_eq!(told, StartError::SamePrefix(one, other));
    assert_eq!(
        start(vec![mount("/", &root, "www"), mount("/a", &root, "www")]).await,
        Ok("started")
    );
}
