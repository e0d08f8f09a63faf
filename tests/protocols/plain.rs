//! The heartbeat of plain servers.

use crate::setups::{Client, opened, sent_in, up, waits};
use crate::support::page::{Setup, control};
use signal_wasm::protocol::{HEARTBEAT, Heartbeat, Millis};
use signal_wasm::session::Input;

fn beating(protocol: &'static str, message: Option<&str>) -> Client {
    let mut setup = Setup::new(protocol, "ws://h/");
    setup.options.heartbeat = Some(Heartbeat {
        interval: 20_000.0,
        timeout: 4_000.0,
        message: message.map(Into::into),
    });
    let mut page = opened(&setup);
    page.connects();
    // Nothing is sent before a relay's hello may have come.
    if protocol == "auto" {
        page.passes(20_000.0);
    }
    page.did(control(message.unwrap_or(HEARTBEAT)));
    up(page)
}

fn at(times: &[Millis], text: &str) -> Vec<(Millis, String)> {
    times.iter().map(|time| (*time, text.into())).collect()
}

#[test]
fn a_plain_server_is_asked_regularly_and_lost_when_it_is_silent() {
    for protocol in ["websocket", "auto"] {
        for (message, answer) in [
            (None, HEARTBEAT),
            (None, r#"{"pong":1}"#),
            (Some("ping"), "pong"),
            (Some("ping"), "ping"),
            (Some("ping"), ""),
        ] {
            let mut page = beating(protocol, message);
            page.receive(answer);
            let message = message.unwrap_or(HEARTBEAT);
            let sent = sent_in(&mut page, 60_000.0, answer);
            assert_eq!(sent, at(&[20_000.0, 40_000.0, 60_000.0], message));
            assert_eq!(page.stats().bad, 0.0, "{answer}");
            assert_eq!(page.stats().delivered, 0.0, "{answer}");
            page.passes(20_000.0);
            page.did(control(message));
            page.passes(3_999.0);
            assert!(page.state().is_open());
            page.passes(1.0);
            waits(&page, "the server fell silent");
        }
    }
}

#[test]
fn any_frame_is_a_sign_of_life() {
    let mut page = beating("websocket", None);
    for _ in 0..100 {
        page.passes(19_000.0);
        page.receive(r#"{"sender":1,"channel":"x","message":1}"#);
    }
    assert!(page.state().is_open());
    assert_eq!(page.stats().foreign, 100.0);
}

#[test]
fn it_is_asked_at_once_when_the_network_changes() {
    let mut page = beating("websocket", None);
    page.receive("{}");
    page.passes(5_000.0);
    page.handle(Input::Online);
    page.did(control(HEARTBEAT));
    page.send("main", "1", Millis::INFINITY);
    assert_eq!(page.done, [], "it might be lost");
    page.receive("{}");
    page.sent_message();
    page.handle(Input::Offline);
    page.did(control(HEARTBEAT));
    page.passes(2_999.0);
    assert!(page.state().is_open());
    page.passes(1.0);
    waits(&page, "the server fell silent");
}

#[test]
fn without_it_a_plain_server_may_be_silent_for_ever() {
    let mut page = opened(&Setup::new("websocket", "ws://h/"));
    page.connects();
    page.passes(1e9);
    assert!(up(page).state().is_open());
}
