//! A server that can't be reached, and texts that may hold a token.

use crate::support::page::{Page, Setup, loss};
use signal_wasm::protocol::{Credentials, PROTOCOLS, Trouble};
use signal_wasm::session::{CredentialsSource, Disconnect, Event, Input, State};

const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.e30.secret";

fn page(setup: &Setup) -> Page<&'static str> {
    let mut page = Page::new(setup.session(7, 1));
    page.open("a", "a");
    page
}

fn fails(page: &mut Page<&'static str>, reason: &str) {
    page.handle(Input::SocketClosed(Disconnect::transient(
        None,
        reason.into(),
    )));
}

fn connects_again(page: &mut Page<&'static str>) {
    while let State::Waiting { .. } = page.state() {
        page.wakes(0.0);
    }
    assert_eq!(page.state(), State::Connecting);
}

#[test]
fn the_second_failed_attempt_is_told_once() {
    for entry in PROTOCOLS {
        let mut page = page(&Setup::new(entry.name, "ws://h/x?token=a"));
        fails(&mut page, "first");
        assert_eq!(page.session.poll_trouble(), None);
        connects_again(&mut page);
        fails(&mut page, "at ws://h/x?token=a");
        let trouble = Trouble {
            protocol: entry.name,
            url: page.session.url().into(),
            reason: "at ws://h/x".into(),
            own_transport: false,
        };
        assert_eq!(page.session.poll_trouble(), Some(trouble));
        for _ in 0..3 {
            connects_again(&mut page);
            fails(&mut page, "again");
            assert_eq!(page.session.poll_trouble(), None);
        }
    }
}

/// A server that was there before is one that answers as configured.
#[test]
fn a_server_that_was_reached_before_is_no_trouble() {
    let mut page = page(&Setup::new("websocket", "ws://h/x"));
    page.connects();
    for _ in 0..5 {
        page.handle(Input::SocketClosed(loss(Some(1006))));
        connects_again(&mut page);
        assert_eq!(page.session.poll_trouble(), None);
    }
}

/// All that the page learns of a connection.
fn told(page: &Page<&'static str>) -> String {
    format!("{:?}", page.events)
}

#[test]
fn no_reason_holds_what_an_address_hides() {
    let secrets = ["user", "pass", "token", "secret"];
    for text in [
        "no connection to wss://user:pass@h/x?token=secret could be made",
        "the server closed the connection: Cannot GET /x?token=secret",
        "TypeError: Failed to parse URL from https://user:pass@h/?secret",
    ] {
        let mut setup = Setup::new("websocket", "ws://user:pass@h/x?token=secret");
        setup.config.reconnect.attempts = 1.0;
        let mut page = page(&setup);
        fails(&mut page, text);
        connects_again(&mut page);
        fails(&mut page, text);
        assert_eq!(page.state(), State::Closed);
        let told = told(&page);
        assert!(told.contains("Failed"), "{told}");
        for secret in secrets {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
    }
}

#[test]
fn no_reason_holds_the_credentials() {
    let auth = Credentials::Auth {
        json: format!("{{\"token\":\"{TOKEN}\",\"room\":\"a\"}}"),
        query: format!("token={TOKEN}&room=a"),
    };
    for (protocol, credentials) in [
        ("signalr", Credentials::Token(TOKEN.into())),
        ("signalr-classic", Credentials::Token(TOKEN.into())),
        ("socket.io", auth),
    ] {
        let mut setup = Setup::new(protocol, "ws://h/x");
        setup.config.credentials = CredentialsSource::Fixed;
        let mut page = Page::new(setup.session(7, 1));
        page.credentials.push_back(Some(credentials));
        page.open("a", "a");
        if protocol == "socket.io" {
            page.connects();
            page.receive(r#"0{"sid":"a","pingInterval":25000,"pingTimeout":20000,"maxPayload":9}"#);
            page.receive(&format!(r#"44/x,{{"message":"{TOKEN} has expired"}}"#));
        } else {
            page.is_answered(401, &format!("{TOKEN} has expired"));
        }
        let told = told(&page);
        assert!(told.contains("Failed"), "{protocol}: {told}");
        assert!(!told.contains(TOKEN), "{told}");
    }
}

/// What the server says of a message is reported as it is, but for that.
#[test]
fn a_refusal_keeps_its_words() {
    let mut setup = Setup::new("signalr-classic", "ws://h/signalr");
    setup.config.credentials = CredentialsSource::Fixed;
    let mut page = Page::new(setup.session(7, 1));
    page.credentials
        .push_back(Some(Credentials::Token(TOKEN.into())));
    page.open("a", "a");
    page.is_answered(
        200,
        r#"{"ConnectionToken":"t","KeepAliveTimeout":20,"DisconnectTimeout":30}"#,
    );
    page.done.clear();
    page.has_socket = true;
    page.socket_opens();
    page.receive(r#"{"C":"d-1","S":1,"M":[]}"#);
    page.is_answered(200, "{}");
    page.events.clear();
    page.receive(&format!(r#"{{"I":"0","E":"who? {TOKEN} at /x?a=b"}}"#));
    assert_eq!(
        page.events,
        [Event::Refused {
            number: Some(0),
            why: "who? … at /x".into()
        }]
    );
}
