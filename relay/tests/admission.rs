//! What's tested: who may open a WebSocket, by origin and by the name the relay is called by; which
//! texts are an origin. The tables ask the policy; a real server answers a few of each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use axum::http::HeaderMap;
use signal_relay::Config;
use signal_relay::host::HostPattern;
use signal_relay::origin::{Origin, Policy};
use support::{Client, Relay, config, request};
use tokio_tungstenite::tungstenite::Error;

fn policy(loopback: bool, origins: &str) -> Policy {
    policy_with(loopback, origins, "")
}

fn policy_with(loopback: bool, origins: &str, hosts: &str) -> Policy {
    let origins = origins.split_whitespace();
    let hosts = hosts.split_whitespace();
    Policy::new(
        loopback,
        origins.map(|origin| origin.parse().unwrap()).collect(),
        hosts.map(|host| host.parse().unwrap()).collect(),
    )
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

const LOOPBACK: bool = true;
const PUBLIC: bool = false;

#[test]
fn origins() {
    let yes = true;
    let no = false;
    #[rustfmt::skip]
    let table = [
        // The same origin, whatever the scheme: behind a proxy the relay can't know it.
        (PUBLIC, "", "https://example.org", "example.org", yes),
        (PUBLIC, "", "http://example.org", "example.org", yes),
        (PUBLIC, "", "https://example.org", "example.org:443", yes),
        (PUBLIC, "", "https://example.org:443", "example.org", yes),
        (PUBLIC, "", "http://EXAMPLE.org:80", "example.ORG", yes),
        (PUBLIC, "", "http://192.168.1.5:8888", "192.168.1.5:8888", yes),
        (PUBLIC, "", "http://[2001:db8::1]:8888", "[2001:DB8:0::1]:8888", yes),
        (PUBLIC, "", "https://example.org", "example.org:80", no),
        (PUBLIC, "", "https://example.org:8443", "example.org", no),
        (PUBLIC, "", "https://evil.example", "example.org", no),
        (PUBLIC, "", "https://example.org.evil.example", "example.org", no),
        (PUBLIC, "", "https://evil-example.org", "example.org", no),
        (PUBLIC, "", "https://example.org@evil.example", "example.org", no),
        (PUBLIC, "", "https://www.example.org", "example.org", no),
        (PUBLIC, "", "null", "example.org", no),
        (PUBLIC, "", "file://", "example.org", no),
        (PUBLIC, "", "*", "example.org", no),
        (PUBLIC, "", "", "example.org", no),
        (PUBLIC, "", "https://", "example.org", no),
        (PUBLIC, "", "example.org", "example.org", no),
        // Pages from this machine, when the relay is for this machine.
        (LOOPBACK, "", "http://localhost:5173", "127.0.0.1:8888", yes),
        (LOOPBACK, "", "https://app.localhost", "localhost:8888", yes),
        (LOOPBACK, "", "http://127.8.9.1:80", "127.0.0.1:8888", yes),
        (LOOPBACK, "", "http://[::1]:5173", "[::1]:8888", yes),
        (LOOPBACK, "", "http://[::ffff:127.0.0.1]", "127.0.0.1:8888", yes),
        (LOOPBACK, "", "http://localhost.evil.example", "127.0.0.1:8888", no),
        (LOOPBACK, "", "http://evillocalhost", "127.0.0.1:8888", no),
        (LOOPBACK, "", "http://127.0.0.1.evil.example", "127.0.0.1:8888", no),
        (LOOPBACK, "", "http://10.0.0.1", "127.0.0.1:8888", no),
        (LOOPBACK, "", "file://", "127.0.0.1:8888", no),
        (LOOPBACK, "", "null", "127.0.0.1:8888", no),
        (PUBLIC, "", "http://localhost:5173", "192.168.1.5:8888", no),
        // What is added.
        (PUBLIC, "https://example.org", "https://example.org", "relay.example", yes),
        (PUBLIC, "https://Example.org:443/", "https://example.org", "relay.example", yes),
        (PUBLIC, "https://example.org", "https://example.org:443", "relay.example", yes),
        (PUBLIC, "https://a.example https://b.example", "https://b.example", "relay.example", yes),
        (PUBLIC, "https://example.org", "http://example.org", "relay.example", no),
        (PUBLIC, "https://example.org", "https://example.org:8443", "relay.example", no),
        (PUBLIC, "https://example.org", "https://sub.example.org", "relay.example", no),
        (PUBLIC, "http://localhost:5173", "http://localhost:5173", "relay.example", yes),
        (PUBLIC, "http://localhost:5173", "http://localhost:5174", "relay.example", no),
        (PUBLIC, "null", "null", "relay.example", yes),
        (PUBLIC, "file://", "file://", "relay.example", yes),
        (PUBLIC, "chrome-extension://abcdef", "chrome-extension://abcdef", "relay.example", yes),
        (PUBLIC, "chrome-extension://abcdef", "chrome-extension://fedcba", "relay.example", no),
        (PUBLIC, "https://*.example.org", "https://a.example.org", "relay.example", yes),
        (PUBLIC, "https://*.example.org", "https://A.b.Example.org:443", "relay.example", yes),
        (PUBLIC, "https://*.example.org", "https://example.org", "relay.example", no),
        (PUBLIC, "https://*.example.org", "https://evilexample.org", "relay.example", no),
        (PUBLIC, "https://*.example.org", "https://.example.org", "relay.example", no),
        (PUBLIC, "https://*.example.org", "https://a.example.org.evil.example", "relay.example", no),
        (PUBLIC, "https://*.example.org", "https://*.example.org", "relay.example", no),
        (PUBLIC, "https://*.example.org", "https://*.a.example.org", "relay.example", no),
        (PUBLIC, "https://*.example.org", "http://a.example.org", "relay.example", no),
        (PUBLIC, "https://*.example.org", "https://a.example.org:8443", "relay.example", no),
        (PUBLIC, "https://*.example.org:8443", "https://a.example.org:8443", "relay.example", yes),
        (PUBLIC, "http://*.localhost:3000", "http://app.localhost:3000", "relay.example", yes),
        (PUBLIC, "*", "https://evil.example", "relay.example", yes),
        (PUBLIC, "*", "null", "relay.example", yes),
    ];
    for (loopback, allowed, origin, host, expected) in table {
        let answer =
            policy(loopback, allowed).check_origin(&headers(&[("origin", origin), ("host", host)]));
        assert_eq!(
            answer.is_ok(),
            expected,
            "loopback {loopback}, --origin {allowed:?}: a page of {origin:?} calls {host}: {answer:?}"
        );
    }
    assert!(
        policy(PUBLIC, "")
            .check_origin(&headers(&[("host", "example.org")]))
            .is_ok(),
        "programs send no origin"
    );
    // Some requests of pages have no origin either.
    for (site, allowed, expected) in [
        ("cross-site", "", false),
        ("cross-site", "https://example.org", false),
        ("cross-site", "*", true),
        ("same-site", "", true),
        ("same-origin", "", true),
        ("none", "", true),
    ] {
        let request = headers(&[("host", "example.org"), ("sec-fetch-site", site)]);
        let answer = policy(PUBLIC, allowed).check_origin(&request);
        assert_eq!(answer.is_ok(), expected, "{site}, --origin {allowed:?}");
    }
    let twice = headers(&[
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "cross-site"),
    ]);
    assert!(policy(PUBLIC, "").check_origin(&twice).is_err());
    let twice = headers(&[
        ("host", "example.org"),
        ("origin", "https://example.org"),
        ("origin", "https://evil.example"),
    ]);
    assert!(
        policy(PUBLIC, "").check_origin(&twice).is_err(),
        "two origins are none"
    );
}

#[test]
fn hosts() {
    #[rustfmt::skip]
    let table = [
        (LOOPBACK, "", "127.0.0.1:8888", true),
        (LOOPBACK, "", "127.0.0.1", true),
        (LOOPBACK, "", "localhost:8888", true),
        (LOOPBACK, "", "LOCALHOST.:1", true),
        (LOOPBACK, "", "app.localhost", true),
        (LOOPBACK, "", "[::1]:8888", true),
        (LOOPBACK, "", "evil.example:8888", false),
        (LOOPBACK, "", "127.0.0.1.evil.example", false),
        (LOOPBACK, "", "localhost.evil.example", false),
        (LOOPBACK, "", "0.0.0.0:8888", false),
        (LOOPBACK, "", "192.168.1.5:8888", false),
        (LOOPBACK, "", "127.0.0.1:8888@evil.example", false),
        (LOOPBACK, "", "", false),
        (LOOPBACK, "https://example.org", "example.org", true),
        (LOOPBACK, "https://example.org", "example.org:443", true),
        (LOOPBACK, "https://example.org", "example.org:8888", false),
        (LOOPBACK, "https://example.org", "www.example.org", false),
        (LOOPBACK, "http://dev.test:3000", "dev.test:3000", true),
        (LOOPBACK, "https://*.example.org", "a.example.org", true),
        (LOOPBACK, "https://*.example.org", "example.org", false),
        (LOOPBACK, "*", "evil.example", true),
        (PUBLIC, "", "anything.example", true),
        (PUBLIC, "https://example.org", "example.org", true),
        (PUBLIC, "https://example.org", "example.org:443", true),
        (PUBLIC, "https://example.org", "evil.example", false),
        (PUBLIC, "https://example.org", "evil.example:8888", false),
        (PUBLIC, "https://*.example.org", "a.example.org:443", true),
        (PUBLIC, "https://*.example.org", "aexample.org", false),
        (PUBLIC, "null", "evil.example", false),
        // Nobody can have a name of theirs looked up as an address.
        (PUBLIC, "https://example.org", "192.168.1.5:8888", true),
        (PUBLIC, "https://example.org", "[2001:db8::1]:8888", true),
        (PUBLIC, "https://example.org", "localhost:8888", true),
        (PUBLIC, "https://example.org", "192.168.1.5.evil.example", false),
        (PUBLIC, "*", "evil.example", true),
    ];
    for (loopback, allowed, host, expected) in table {
        let answer = policy(loopback, allowed).check_host(&headers(&[("host", host)]));
        assert_eq!(
            answer.is_ok(),
            expected,
            "loopback {loopback}, --origin {allowed:?}: called {host:?}: {answer:?}"
        );
    }
    for (loopback, known, host, expected) in [
        (PUBLIC, "relay.example.org", "relay.example.org", true),
        (PUBLIC, "relay.example.org", "Relay.Example.ORG:8888", true),
        (PUBLIC, "relay.example.org", "example.org", false),
        (PUBLIC, "relay.example.org", "evil.example", false),
        (
            PUBLIC,
            "relay.example.org:8443",
            "relay.example.org:8443",
            true,
        ),
        (PUBLIC, "relay.example.org:8443", "relay.example.org", false),
        (PUBLIC, "a.example b.example", "b.example:1", true),
        (PUBLIC, "*.example.org", "a.b.example.org:1", true),
        (PUBLIC, "*.example.org", "example.org", false),
        (PUBLIC, "*.example.org:1", "a.example.org:2", false),
        (LOOPBACK, "relay.test", "relay.test:8888", true),
        (LOOPBACK, "relay.test", "localhost", true),
        (LOOPBACK, "relay.test", "evil.example", false),
    ] {
        let answer = policy_with(loopback, "", known).check_host(&headers(&[("host", host)]));
        assert_eq!(
            answer.is_ok(),
            expected,
            "loopback {loopback}, --host {known:?}: called {host:?}: {answer:?}"
        );
    }
    // A rebound page is of the origin that it calls. One that the operator named isn't.
    let called = |origin| {
        let request = headers(&[("host", "relay.example:8888"), ("origin", origin)]);
        let policy = policy(PUBLIC, "https://example.org");
        (policy.check_host(&request)).and_then(|()| policy.check_origin(&request))
    };
    assert!(called("http://relay.example:8888").is_err());
    assert!(called("https://example.org").is_ok());
    assert!(called("https://evil.example").is_err());
    let any = policy_with(PUBLIC, "*", "relay.example");
    assert!(
        any.check_host(&headers(&[("host", "evil.example")]))
            .is_err()
    );
    assert!(
        policy(LOOPBACK, "").check_host(&headers(&[])).is_ok(),
        "browsers always send a host"
    );
    assert!(
        policy(LOOPBACK, "")
            .check_host(&headers(&[("host", "localhost"), ("host", "evil.example")]))
            .is_err(),
        "two hosts are none"
    );
}

#[test]
fn texts_that_are_no_origin_are_told_what_is_wrong() {
    for (text, hint) in [
        ("", "for example https://example.org"),
        ("example.org", "did you mean https://example.org?"),
        ("localhost:5173", "did you mean https://localhost:5173?"),
        ("wss://example.org", "did you mean https://example.org?"),
        ("ws://localhost:8888", "did you mean http://localhost:8888?"),
        (
            "https://example.org/app",
            "an origin has no path: did you mean https://example.org?",
        ),
        (
            "https://example.org?a",
            "an origin has no path: did you mean https://example.org?",
        ),
        ("https://a.*.org", "beginning of a host"),
        ("https://*example.org", "beginning of a host"),
        ("https://*.*.example.org", "beginning of a host"),
        ("https://*", "beginning of a host"),
        ("https://*.org", "too many sites"),
        ("https://*.192.168.1.5", "too many sites"),
        ("https://münchen.example", "in ASCII"),
        ("https://", "for example https://example.org"),
        (
            "https://user@example.org",
            "for example https://example.org",
        ),
        (
            "https://example.org:port",
            "for example https://example.org",
        ),
        ("https://example.org:", "for example https://example.org"),
        (
            "https://example.org:65536",
            "for example https://example.org",
        ),
        ("https://[::1", "for example https://example.org"),
        ("https://exa mple", "for example https://example.org"),
        ("1http://example.org", "for example https://example.org"),
    ] {
        let error = text.parse::<Origin>().unwrap_err().to_string();
        assert!(error.contains(hint), "{text:?}: {error}");
    }
    for (text, canonical) in [
        ("*", "*"),
        ("null", "null"),
        ("https://Example.ORG/", "https://example.org"),
        ("HTTP://localhost:80", "http://localhost"),
        ("http://[0:0::1]:5173", "http://[::1]:5173"),
        ("https://*.Example.org:443/", "https://*.example.org"),
        ("http://*.localhost:3000", "http://*.localhost:3000"),
        ("file:///", "file://"),
        ("capacitor://localhost", "capacitor://localhost"),
    ] {
        assert_eq!(text.parse::<Origin>().unwrap().to_string(), canonical);
    }
}

#[test]
fn texts_that_are_no_host_are_told_what_is_wrong() {
    for (text, hint) in [
        ("", "a host is NAME[:PORT]"),
        ("https://example.org", "a host is NAME[:PORT]"),
        ("example.org/", "a host is NAME[:PORT]"),
        ("*", "a host is NAME[:PORT]"),
        ("a.*.org", "a host is NAME[:PORT]"),
        ("*.org", "too many hosts"),
    ] {
        let error = text.parse::<HostPattern>().unwrap_err().to_string();
        assert!(error.contains(hint), "{text:?}: {error}");
    }
    for text in [
        "relay.example.org:8443",
        "*.example.org",
        "[::1]",
        "localhost",
    ] {
        assert_eq!(text.parse::<HostPattern>().unwrap().to_string(), text);
    }
}

async fn refused(relay: &Relay, pairs: &[(&'static str, &str)]) -> (u16, String) {
    match Client::open_with(relay.address, "/", pairs).await {
        Err(Error::Http(answer)) => {
            let body = answer.body().clone().unwrap_or_default();
            (answer.status().as_u16(), String::from_utf8(body).unwrap())
        }
        other => panic!("{:?}", other.map(|_| "let in")),
    }
}

#[tokio::test]
async fn a_foreign_page_is_refused_with_the_way_out() {
    let relay = Relay::start(config()).await;
    let (status, body) = refused(&relay, &[("origin", "https://evil.example")]).await;
    assert_eq!(status, 403);
    assert_eq!(
        body,
        "Pages from https://evil.example may not use this relay. To allow them, start it with --origin https://evil.example\n"
    );
    let (status, body) = refused(
        &relay,
        &[
            ("host", "evil.example:8888"),
            ("origin", "http://evil.example:8888"),
        ],
    )
    .await;
    assert_eq!(status, 403);
    assert!(
        body.contains("isn't known as evil.example:8888")
            && body.contains("--host evil.example:8888"),
        "{body}"
    );
    // A rebound name doesn't get the files either.
    assert_eq!(
        request(relay.address, "GET /", &[("host", "evil.example:8888")])
            .await
            .status,
        403
    );
    assert_eq!(relay.stats.get().joined, 0);
}

#[tokio::test]
async fn pages_of_this_machine_and_programs_are_let_in() {
    let relay = Relay::start(config()).await;
    let own = format!("http://{}", relay.address);
    for origin in [own.as_str(), "http://localhost:5173", "http://[::1]"] {
        assert!(
            Client::open_with(relay.address, "/", &[("origin", origin)])
                .await
                .is_ok(),
            "{origin}"
        );
    }
    assert!(Client::open(relay.address, "/").await.is_ok());
}

#[tokio::test]
async fn an_added_origin_is_let_in_directly_and_through_a_proxy() {
    let origins = vec!["https://example.org".parse().unwrap()];
    let relay = Relay::start(Config {
        origins,
        ..config()
    })
    .await;
    let page = ("origin", "https://example.org");
    assert!(Client::open_with(relay.address, "/", &[page]).await.is_ok());
    assert!(
        Client::open_with(relay.address, "/", &[page, ("host", "example.org")])
            .await
            .is_ok()
    );
    assert_eq!(
        refused(
            &relay,
            &[("origin", "https://evil.example"), ("host", "example.org")]
        )
        .await
        .0,
        403
    );
}
