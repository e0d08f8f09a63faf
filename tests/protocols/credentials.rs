//! Credentials, and servers that refuse them.

use crate::setups::{
    Client, HANDSHAKE, NEGOTIATED, loses, page, posts, renewing, signalr, token, up,
};
use crate::support::page::control;
use signal_wasm::protocol::Credentials;
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
    page.tries_again();
    refuse(&mut page, "new");
    while page.state().name() == "waiting" {
        page.wakes(0.0);
    }
    let reason = format!("{REFUSED}, and the page gave the same again");
    assert_eq!(page.failure(), Some((true, &*reason)));
    assert_eq!(page.asked, 3);
    assert_eq!(page.done, []);
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
    let mut page = renewing(crate::setups::socket_io(), &[token("secret")]);
    assert!(!page.connects().contains("secret"));
    page.receive(crate::setups::EIO4);
    page.did(control("40"));
}
