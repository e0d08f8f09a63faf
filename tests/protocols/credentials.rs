//! Credentials, and servers that refuse them.

use crate::setups::{
    Client, HANDSHAKE, NEGOTIATED, classic, loses, negotiates, negotiates_classic, opened, page,
    posts, renewing, signalr, token, up,
};
use crate::support::page::{Setup, control};
use signal_wasm::protocol::{Credentials, ServerEvent};
use signal_wasm::session::{Action, CredentialsSource, Input, State};

const REFUSED: &str = "the server refused the connection with HTTP status 401";

/// Up to where the server refuses this token.
fn refuse(page: &mut Client, token: &str) {
    assert_eq!(posts(page).as_deref(), Some(token));
    page.is_answered(401, "");
}

#[test]
fn credentials_that_never_change_are_refused_for_good() {
    let mut setup = signalr();
    setup.config.credentials = CredentialsSource::Fixed;
    let mut page = page(&setup);
    page.credentials.push_back(token("wrong"));
    page.open("main", "main".into());
    refuse(&mut page, "wrong");
    assert_eq!(page.failure(), Some((true, REFUSED)));
    assert_eq!(page.state(), State::Closed);
}

#[test]
fn refused_credentials_are_asked_for_again_and_must_be_others() {
    let credentials = [token("old"), token("new"), token("new")];
    let mut page = renewing(signalr(), &credentials);
    refuse(&mut page, "old");
    assert_eq!(
        (page.stands(), page.failure()),
        (("waiting", REFUSED), None)
    );
    // The same again may be accepted later, so that it is tried a few times more.
    for _ in 0..6 {
        assert_eq!(page.failure(), None);
        page.tries_again();
        refuse(&mut page, "new");
    }
    let reason = format!("{REFUSED}, and the page gave the same again");
    assert_eq!(page.failure(), Some((true, &*reason)));
    assert_eq!(page.asked, 7);
}

/// A page that keeps its token meets a server that refuses it for a moment.
#[test]
fn a_cached_token_survives_a_passing_refusal() {
    for refusals in 1..=5 {
        let mut page = renewing(signalr(), &[token("cached")]);
        for _ in 0..refusals {
            refuse(&mut page, "cached");
            assert_eq!(page.stands(), ("waiting", REFUSED));
            page.tries_again();
        }
        assert_eq!(posts(&mut page).as_deref(), Some("cached"));
        page.is_answered(200, NEGOTIATED);
        page.connects();
        page.did(control(HANDSHAKE));
        page.receive("{}\u{1e}");
        page = up(page);
        // After a connection, the count begins again.
        loses(&mut page);
        for _ in 0..5 {
            page.tries_again();
            refuse(&mut page, "cached");
            assert_eq!(page.failure(), None);
        }
    }
}

/// A page without a function may be refused for a moment too, when it comes back: also one that
/// the server knows by its cookie.
#[test]
fn what_was_accepted_before_survives_a_passing_refusal() {
    for given in [None, token("fixed")] {
        let mut setup = signalr();
        if given.is_some() {
            setup.config.credentials = CredentialsSource::Fixed;
        }
        let mut page = page(&setup);
        page.credentials.push_back(given.clone());
        page.open("main", "main".into());
        posts(&mut page);
        page.is_answered(200, NEGOTIATED);
        page.connects();
        page.did(control(HANDSHAKE));
        page.receive("{}\u{1e}");
        page = up(page);
        loses(&mut page);
        for refusal in 1..=6 {
            page.tries_again();
            posts(&mut page);
            page.is_answered(401, "");
            assert_eq!(page.failure().is_some(), refusal == 6);
        }
        assert_eq!(
            page.failure().map(|(unauthorized, _)| unauthorized),
            Some(true)
        );
    }
}

/// Without a token, 403 may come from a firewall or from a server that is being replaced.
#[test]
fn a_403_is_a_refusal_of_a_token_only() {
    for make in [signalr, classic] {
        let mut setup = make();
        setup.config.credentials = CredentialsSource::Fixed;
        let mut page = page(&setup);
        page.credentials.push_back(token("token"));
        page.open("main", "main".into());
        page.requested();
        page.is_answered(403, "<html>");
        let reason = "the server refused the connection with HTTP status 403";
        assert_eq!(page.failure(), Some((true, reason)));

        let mut page = opened(&make());
        page.requested();
        page.is_answered(403, "<html>");
        let reason = "the server answered with HTTP status 403 and '<html>'; the option url must be that of a SignalR hub";
        assert_eq!(page.failure(), Some((false, reason)));

        // Once connected before, it is tried again.
        let mut page = opened(&make());
        if make().protocol == "signalr" {
            negotiates(&mut page);
        } else {
            negotiates_classic(&mut page);
        }
        page = up(page);
        loses(&mut page);
        page.wakes(page.now + 60_000.0);
        page.requested();
        page.is_answered(403, "");
        assert_eq!((page.state().name(), page.failure()), ("waiting", None));
    }
}

#[test]
fn credentials_that_worked_since_they_were_refused_may_be_given_again() {
    let mut page = renewing(signalr(), &[token("a"), token("b"), token("a")]);
    refuse(&mut page, "a");
    page.tries_again();
    posts(&mut page);
    page.is_answered(200, NEGOTIATED);
    assert!(page.connects().ends_with("&access_token=b"));
    page.did(control(HANDSHAKE));
    page.receive("{}\u{1e}");
    page = up(page);
    loses(&mut page);
    page.tries_again();
    assert_eq!(posts(&mut page).as_deref(), Some("a"));
}

/// The page may have to ask its user.
#[test]
fn a_page_may_take_its_time_over_its_credentials() {
    for was_connected in [false, true] {
        let given = [token("first"), None];
        let given = if was_connected { &given[..] } else { &[] };
        let mut page = renewing(signalr(), given);
        if was_connected {
            posts(&mut page);
            page.is_answered(200, NEGOTIATED);
            page.connects();
            page.did(control(HANDSHAKE));
            page.receive("{}\u{1e}");
            page = up(page);
            page.credentials.clear();
            loses(&mut page);
            page.tries_again();
        }
        let asked = page.asked;
        page.did(Action::AskCredentials);
        page.passes(3_600_000.0);
        assert_eq!((page.state(), page.asked), (State::Connecting, asked));
        page.handle(Input::Credentials(token("late")));
        assert_eq!(posts(&mut page).as_deref(), Some("late"));
    }
}

/// An empty token says nothing.
#[test]
fn an_empty_token_is_none() {
    for credentials in [None, token("")] {
        let mut page = renewing(signalr(), &[credentials]);
        assert_eq!(posts(&mut page), None);
        page.is_answered(200, NEGOTIATED);
        assert_eq!(page.connects(), "ws://h/hub?id=to%2fken");
    }
}

/// What isn't for this protocol isn't sent.
#[test]
fn credentials_of_another_kind_are_not_sent() {
    let auth = Credentials::Auth {
        json: "{\"secret\":1}".into(),
        query: "secret=1".into(),
    };
    let mut page = renewing(signalr(), &[Some(auth)]);
    assert_eq!(posts(&mut page), None);
}

#[test]
fn an_event_stream_says_that_it_refuses_the_token() {
    let setup = Setup::new("sse", "ws://server.test/x");
    let mut page = renewing(setup, &[token("first"), token("second")]);
    page.done.clear();
    page.handle(Input::SocketOpen);
    let refused = ServerEvent {
        kind: "refused".into(),
        id: String::new(),
        data: "the token has expired".into(),
    };
    page.handle(Input::ServerEvent(refused));
    let reason = "the server refused the connection with 'the token has expired'";
    assert_eq!(page.stands(), ("waiting", reason));
    page.done.clear();
    page.tries_again();
    let Action::OpenEventSource(url) = page.next_done() else {
        panic!("{:?}", page.done);
    };
    assert!(url.ends_with("&access_token=second"), "{url}");
}

#[test]
fn every_protocol_sends_the_token() {
    let wants = |protocol: &'static str| {
        renewing(
            Setup::new(protocol, "ws://server.test/x?a=b"),
            &[token("to/ken")],
        )
    };
    assert_eq!(
        wants("websocket").connects(),
        "ws://server.test/x?a=b&access_token=to%2fken"
    );
    let mut page = wants("sse");
    let Action::OpenEventSource(url) = page.next_done() else {
        panic!("{:?}", page.done);
    };
    assert!(url.starts_with("http://server.test/x?a=b&client="), "{url}");
    assert!(url.ends_with("&access_token=to%2fken"), "{url}");
    page.handle(Input::SocketOpen);
    page.send("main", "1", f64::INFINITY);
    let Action::Transmit(transmission) = page.next_done() else {
        panic!("{:?}", page.done);
    };
    let url = transmission.post_url.unwrap();
    assert!(url.ends_with("&access_token=to%2fken"), "{url}");
    // Socket.IO's servers read it from the credentials, those of version 2 from the query.
    let mut page = wants("socket.io");
    page.connects();
    page.receive(r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#);
    assert_eq!(page.next_done(), control(r#"40/x,{"token":"to/ken"}"#));
    let mut page = wants("socket.io");
    page.connects();
    page.receive(r#"0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#);
    page.receive("40");
    page.done.clear();
    page.receive(r#"44/x,"no""#);
    page.done.clear();
    page.tries_again();
    assert!(page.connects().ends_with("&token=to%2fken"));
}
