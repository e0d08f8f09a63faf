//! Tokens: where the relay gets them, and how the page renews them.

use crate::client::{HELLO, HELLO_AGAIN, answer};
use crate::support::page::{Page, Setup, control};
use signal_wasm::protocol::Credentials;
use signal_wasm::session::{Action, Config, CredentialsSource, Event, State};

fn token(token: &str) -> Option<Credentials> {
    Some(Credentials::Token(token.into()))
}

/// A page with a function that gives these tokens, one after the other.
fn renewing(protocol: &'static str, tokens: &[&str]) -> Page<usize> {
    let config = Config {
        credentials: CredentialsSource::Renewable,
        ..Config::default()
    };
    page(protocol, config, tokens)
}

fn page(protocol: &'static str, config: Config, tokens: &[&str]) -> Page<usize> {
    let setup = Setup {
        config,
        ..Setup::new(protocol, "ws://h/x?a=b")
    };
    let mut page = Page::new(setup.session(7, 1));
    page.credentials = tokens.iter().map(|name| token(name)).collect();
    page.open("a", 0);
    page
}

fn open(token: &str) -> Action<crate::support::host::HostText> {
    control(format!(
        r#"{{"open":["a"],"after":{{}},"token":"{token}"}}"#
    ))
}

/// One that the relay has admitted, with a token that is good for a minute.
fn admitted(tokens: &[&str]) -> Page<usize> {
    let mut page = renewing("relay", tokens);
    assert_eq!(page.connects(), "ws://h/x?a=b");
    page.receive(HELLO);
    assert_eq!(page.next_done(), open(tokens[0]));
    page.receive(&answer("s1", 0));
    assert_eq!(page.next_done(), control(r#"{"ping":1}"#));
    page.receive(r#"{"pong":1}"#);
    page.receive(r#"{"expires":60000}"#);
    page
}

/// What it does in that time besides keep-alives, while the relay answers those.
fn passes(page: &mut Page<usize>, seconds: u32) -> Vec<Action<crate::support::host::HostText>> {
    let mut done = Vec::new();
    for _ in 0..seconds {
        page.passes(1000.0);
        for action in std::mem::take(&mut page.done) {
            if action == control(r#"{"ping":1}"#) {
                page.receive(r#"{"pong":1}"#);
            } else {
                done.push(action);
            }
        }
    }
    done
}

#[test]
fn a_token_is_renewed_on_the_open_connection() {
    let mut page = admitted(&["first", "second", "third"]);
    assert_eq!(passes(&mut page, 44), []);
    assert_eq!(passes(&mut page, 1), [control(r#"{"token":"second"}"#)]);
    page.receive(r#"{"expires":60000}"#);
    assert_eq!(passes(&mut page, 44), []);
    assert_eq!(passes(&mut page, 1), [control(r#"{"token":"third"}"#)]);
    assert!(page.state().is_open());
    assert_eq!((page.asked, page.session.stats().connects), (3, 1.0));
    // Later channels need no token.
    page.open("b", 1);
    assert_eq!(page.next_done(), control(r#"{"open":["b"],"after":{}}"#));
}

#[test]
fn after_a_refusal_the_page_is_asked_again() {
    let mut page = admitted(&["first", "second"]);
    page.loses_socket(Some(4503));
    assert_eq!(page.next_done(), Action::Disconnect);
    page.tries_again();
    assert_eq!(page.connects(), "ws://h/x?a=b");
    page.receive(HELLO_AGAIN);
    let resumed = r#"{"open":["a"],"after":{},"session":"s1","token":"second"}"#;
    assert_eq!(page.next_done(), control(resumed));
    page.receive(&answer("s1", 0));
    assert!(page.state().is_open());
    // The earlier connection's token expires no more.
    passes(&mut page, 120);
    assert_eq!(page.asked, 2);
}

fn failure(page: &Page<usize>) -> Option<bool> {
    page.events.iter().find_map(|event| match event {
        Event::Failed { unauthorized, .. } => Some(*unauthorized),
        _ => None,
    })
}

#[test]
fn a_token_that_never_changes_is_refused_for_good() {
    for protocol in ["relay", "auto", "websocket"] {
        let config = Config {
            credentials: CredentialsSource::Fixed,
            ..Config::default()
        };
        let mut page = page(protocol, config, &["fixed"]);
        page.connects();
        page.loses_socket(Some(4503));
        assert_eq!(page.state(), State::Closed);
        assert_eq!(failure(&page), Some(true));
    }
    let mut page = renewing("relay", &["same"]);
    for _ in 0..6 {
        assert_eq!(failure(&page), None);
        if page.state() != State::Connecting {
            page.tries_again();
        }
        page.connects();
        page.loses_socket(Some(4503));
        page.done.clear();
    }
    assert_eq!(failure(&page), Some(true));
}

#[test]
fn a_token_that_never_changes_is_not_asked_for_again() {
    let config = Config {
        credentials: CredentialsSource::Fixed,
        ..Config::default()
    };
    let mut page = page("relay", config, &["fixed"]);
    page.connects();
    page.receive(HELLO);
    assert_eq!(page.next_done(), open("fixed"));
    page.receive(&answer("s1", 0));
    page.receive(r#"{"expires":60000}"#);
    passes(&mut page, 120);
    assert_eq!(page.asked, 1);
}

/// A plain server may hand any frame to other pages, and one of those may play a relay.
#[test]
fn a_server_that_may_be_plain_gets_tokens_only_in_the_address() {
    let mut page = renewing("auto", &["fir/st", "second"]);
    assert_eq!(page.connects(), "ws://h/x?a=b&access_token=fir%2fst");
    page.receive(HELLO);
    assert_eq!(page.next_done(), control(r#"{"open":["a"],"after":{}}"#));
    page.receive(&answer("s1", 0));
    page.receive(r#"{"expires":60000}"#);
    assert_eq!(passes(&mut page, 59), []);
    assert_eq!(page.asked, 1);
    page.loses_socket(Some(4503));
    page.done.clear();
    page.tries_again();
    assert_eq!(page.connects(), "ws://h/x?a=b&access_token=second");
}

/// Until the relay has answered, another page may have written them.
#[test]
fn what_comes_before_the_answer_says_nothing_about_the_token() {
    let mut page = renewing("relay", &["first", "second"]);
    page.connects();
    page.receive(HELLO);
    assert_eq!(page.next_done(), open("first"));
    page.receive(r#"{"expires":1}"#);
    page.receive(r#"{"refused":"a","why":"No."}"#);
    assert_eq!(passes(&mut page, 2), []);
    let refused = |event: &Event<_, _>| matches!(event, Event::Refused { .. });
    assert!(!page.events.iter().any(refused));
    assert_eq!(page.asked, 1);
    page.receive(&answer("s1", 0));
    assert!(page.state().is_open());
}

#[test]
fn refused_channels_and_messages_are_told() {
    let mut page = admitted(&["first"]);
    for (frame, number) in [
        (r#"{"refused":"a","why":"No."}"#, None),
        (r#"{"refused":"a","why":"No.","ref":2}"#, Some(2)),
    ] {
        page.events.clear();
        page.receive(frame);
        let why = "No. Channel: a".into();
        assert_eq!(page.events, [Event::Refused { number, why }]);
    }
    assert!(page.state().is_open());
}
