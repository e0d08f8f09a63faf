//! Negotiations that lead elsewhere.

use crate::setups::{CLASSIC, INIT, requests};
use crate::setups::{HANDSHAKE, NEGOTIATED, classic, loses, opened, renewing, signalr, token, up};
use crate::support::page::control;
use signal_wasm::protocol::HttpRequest;

const REDIRECT: &str = r#"{"url":"http://elsewhere/hub?a=b","accessToken":"granted"}"#;
const REDIRECT_CLASSIC: &str = r#"{"RedirectUrl":"http://elsewhere/signalr?a=b","AccessToken":"granted","ProtocolVersion":"2.1"}"#;

const NOWHERE: &str =
    "the server redirects in a circle, or to no HTTP address; the option url is wrong";

#[test]
fn a_circle_of_redirections_ends() {
    for (setup, answer) in [(signalr(), REDIRECT), (classic(), REDIRECT_CLASSIC)] {
        let mut page = opened(&setup);
        let mut requests = 0;
        while page.failure().is_none() {
            page.requested();
            requests += 1;
            assert!(requests < 1_000);
            page.is_answered(200, answer);
        }
        assert_eq!(requests, 11);
        assert_eq!(page.done, []);
        assert_eq!(page.failure(), Some((false, NOWHERE)));
    }
}

/// Nor is anything asked of the page's own server in its place, with a token in hand.
#[test]
fn a_redirection_to_no_http_address_is_final() {
    for address in ["ftp://elsewhere/hub", "/hub", "javascript:alert(1)"] {
        let core = format!(r#"{{"url":"{address}","accessToken":"granted"}}"#);
        let old = format!(r#"{{"RedirectUrl":"{address}","AccessToken":"granted"}}"#);
        for (setup, answer) in [(signalr(), core), (classic(), old)] {
            let mut page = opened(&setup);
            page.requested();
            page.is_answered(200, &answer);
            assert_eq!(page.done, []);
            assert_eq!(page.failure(), Some((false, NOWHERE)));
        }
    }
}

#[test]
fn a_redirection_is_for_one_connection() {
    let mut page = renewing(signalr(), &[token("own")]);
    let post = |url: &str, token: &str| HttpRequest {
        method: "POST",
        url: url.into(),
        token: Some(token.into()),
        is_foreign: token == "granted",
        allows_preflight: true,
    };
    for _ in 0..3 {
        let own = post("http://h/hub/negotiate?negotiateVersion=1", "own");
        assert_eq!(page.requested(), own);
        page.is_answered(200, REDIRECT);
        let redirected = post(
            "http://elsewhere/hub/negotiate?a=b&negotiateVersion=1",
            "granted",
        );
        assert_eq!(page.requested(), redirected);
        page.is_answered(200, NEGOTIATED);
        assert_eq!(
            page.connects(),
            "ws://elsewhere/hub?a=b&id=to%2fken&access_token=granted"
        );
        page.did(control(HANDSHAKE));
        page.receive("{}\u{1e}");
        page = up(page);
        loses(&mut page);
        page.tries_again();
    }
}

/// A redirected connection is resumed where it is, with the token that was granted for it.
#[test]
fn a_redirected_classic_connection_is_resumed_where_it_is() {
    for credentials in [None, token("own")] {
        let has_token = credentials.is_some();
        let mut page = renewing(classic(), &[credentials]);
        for _ in 0..2 {
            let url = requests(&mut page, "http://h/signalr/negotiate?");
            assert_eq!(url.contains("access_token=own"), has_token, "{url}");
            page.is_answered(200, REDIRECT_CLASSIC);
            let url = requests(&mut page, "http://elsewhere/signalr/negotiate?a=b&");
            assert!(url.ends_with("&access_token=granted"), "{url}");
            page.is_answered(200, CLASSIC);
            assert!(page.connects().ends_with("&access_token=granted"));
            page.receive(INIT);
            requests(&mut page, "http://elsewhere/signalr/start?");
            page.is_answered(200, "{}");
            page = up(page);
            loses(&mut page);
            page.tries_again();
            let url = page.connects();
            let start = "ws://elsewhere/signalr/reconnect?a=b&";
            assert!(url.starts_with(start), "{url}");
            assert!(url.contains("&access_token=granted&"), "{url}");
            page = up(page);
            loses(&mut page);
            page.wakes(page.now + 30_000.0);
        }
    }
}

/// Where a redirection leads, the token that it brings, and the token that is sent there, if the
/// page's is `own`.
type Step = (&'static str, Option<&'static str>, Option<&'static str>);

const JOURNEYS: [&[Step]; 9] = [
    &[("http://h/other", None, Some("own"))],
    &[("http://H:80/other", None, Some("own"))],
    &[("http://elsewhere/hub", None, None)],
    &[("https://h/hub", None, None)],
    &[("http://h:81/hub", None, None)],
    &[("http://h@elsewhere/hub", None, None)],
    &[("http://elsewhere/hub", Some(""), None)],
    &[("http://elsewhere/hub", Some("granted"), Some("granted"))],
    // Back at the page's own server.
    &[
        ("http://elsewhere/hub", None, None),
        ("http://h/hub", None, Some("own")),
    ],
];

/// The token in an address, which is at its end.
fn token_in(url: &str) -> Option<&str> {
    url.split_once("access_token=").map(|(_, token)| token)
}

/// The page's token is for the server that it named, and for no other.
#[test]
fn a_token_goes_to_no_other_origin() {
    for journey in JOURNEYS {
        let mut page = renewing(signalr(), &[token("own")]);
        assert_eq!(page.requested().token.as_deref(), Some("own"));
        let mut expected = None;
        for (url, granted, sent) in journey {
            let token = granted.map(|token| format!(",\"accessToken\":\"{token}\""));
            let token = token.unwrap_or_default();
            page.is_answered(200, &format!("{{\"url\":\"{url}\"{token}}}"));
            assert_eq!(page.requested().token.as_deref(), *sent, "{url}");
            expected = *sent;
        }
        page.is_answered(200, NEGOTIATED);
        let url = page.connects();
        assert_eq!(token_in(&url), expected, "{url}");

        let mut page = renewing(classic(), &[token("own")]);
        assert!(page.requested().url.ends_with("&access_token=own"));
        for (url, granted, sent) in journey {
            let token = granted.map(|token| format!(",\"AccessToken\":\"{token}\""));
            let token = token.unwrap_or_default();
            page.is_answered(200, &format!("{{\"RedirectUrl\":\"{url}\"{token}}}"));
            let asked = page.requested();
            assert_eq!(asked.token, None);
            assert_eq!(token_in(&asked.url), *sent, "{}", asked.url);
        }
        page.is_answered(200, CLASSIC);
        let url = page.connects();
        assert_eq!(token_in(&url), expected, "{url}");
    }
}
