//! How a page knows that the server is our relay, whatever the protocol.

use crate::setups::{
    CLASSIC, Client, EIO4, HANDSHAKE, INIT, NEGOTIATED, classic, opened, requests, signalr,
    socket_io,
};
use crate::support::page::{Setup, control};
use signal_wasm::protocol::ServerEvent;
use signal_wasm::session::{Action, Input};

/// Connects with a server that says this of itself.
type Meet = fn(&mut Client, &str);

fn with(frame: &str, said: &str) -> String {
    let end = frame.rfind('}').unwrap();
    format!("{}{said}{}", &frame[..end], &frame[end..])
}

fn socket_io_server(page: &mut Client, said: &str) {
    page.connects();
    page.receive(&with(EIO4, said));
    page.did(control("40"));
    page.receive(r#"40{"sid":"b"}"#);
}

fn signalr_server(page: &mut Client, said: &str) {
    page.requested();
    page.is_answered(200, NEGOTIATED);
    page.connects();
    page.did(control(HANDSHAKE));
    page.receive(&with("{\"minorVersion\":0}\u{1e}", said));
}

fn classic_server(page: &mut Client, said: &str) {
    requests(page, "http://h/signalr/negotiate?");
    page.is_answered(200, CLASSIC);
    page.connects();
    page.receive(&with(INIT, said));
    requests(page, "http://h/signalr/start?");
    page.is_answered(200, r#"{"Response":"started"}"#);
}

fn all() -> [(Setup, Meet); 3] {
    [
        (socket_io(), socket_io_server),
        (signalr(), signalr_server),
        (classic(), classic_server),
    ]
}

#[test]
fn only_a_server_that_says_so_is_one() {
    for (setup, meet) in all() {
        for (said, is_relay) in [
            ("", false),
            (",\"relay\":true", true),
            (",\"relay\":\"true\"", false),
            (",\"relay\":1", false),
            (",\"relay\":{}", false),
        ] {
            let mut page = opened(&setup);
            assert!(!page.stats().relay);
            meet(&mut page, said);
            assert!(page.state().is_open(), "{:?}", page.states());
            assert_eq!(page.stats().relay, is_relay, "{said}");
        }
    }
}

#[test]
fn a_server_that_takes_its_place_says_it_anew() {
    for (setup, meet) in all() {
        let mut page = opened(&setup);
        meet(&mut page, ",\"relay\":true");
        page.loses_socket(Some(1006));
        page.done.clear();
        assert!(!page.stats().relay);
    }
    let mut page = opened(&socket_io());
    socket_io_server(&mut page, ",\"relay\":true");
    page.loses_socket(Some(1006));
    page.done.clear();
    page.tries_again();
    socket_io_server(&mut page, "");
    assert!(!page.stats().relay);
}

#[test]
fn a_stream_says_it_with_its_hello() {
    let setup = Setup::new("sse", "http://h/sse");
    for (kind, data, is_relay) in [
        ("hello", "relay", true),
        ("hello", "", false),
        ("hello", "relays", false),
        ("message", "relay", false),
        ("gap", "relay", false),
    ] {
        let mut page = opened(&setup);
        let action = page.next_done();
        assert!(matches!(action, Action::OpenEventSource(_)), "{action:?}");
        page.socket_opens();
        assert!(!page.stats().relay);
        page.handle(Input::ServerEvent(ServerEvent {
            kind: kind.into(),
            id: String::new(),
            data: data.into(),
        }));
        assert_eq!(page.stats().relay, is_relay, "{kind} {data}");
    }
}
