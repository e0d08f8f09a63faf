//! Heartbeats, and silence.

use crate::setups::{
    Client, Make, classic, classic_up, negotiates, opened, sent_in, signalr, signalr_up, socket_io,
    socket_io_2, socket_io_4, up, waits,
};
use crate::setups::{INIT, requests};
use crate::support::page::control;
use signal_wasm::protocol::Millis;

const SILENT: &str = "the server fell silent";

fn at(times: &[Millis], text: &str) -> Vec<(Millis, String)> {
    times.iter().map(|time| (*time, text.into())).collect()
}

/// In another millisecond the server was silent for too long.
fn is_about_to_time_out(page: &mut Client) {
    assert!(page.state().is_open());
    page.passes(1.0);
    waits(page, SILENT);
}

#[test]
fn engine_io_4_is_pinged_by_the_server() {
    let mut page = socket_io_4();
    for _ in 0..100 {
        page.passes(25_000.0);
        assert_eq!(page.done, []);
        page.receive("2");
        page.did(control("3"));
    }
    page.passes(44_999.0);
    assert_eq!(page.done, []);
    is_about_to_time_out(&mut page);
}

#[test]
fn engine_io_3_is_pinged_by_us() {
    let mut page = socket_io_2();
    let sent = sent_in(&mut page, 100_000.0, "3");
    assert_eq!(sent, at(&[25_000.0, 50_000.0, 75_000.0, 100_000.0], "2"));
    // Other frames don't replace a ping.
    for _ in 0..50 {
        page.passes(600.0);
        page.receive(r#"42["message",{"sender":1,"channel":"main","message":1}]"#);
        page.send("main", "1", Millis::INFINITY);
    }
    let ping = control("2");
    let pings = page.done.drain(..).filter(|action| *action == ping);
    assert_eq!(pings.count(), 1);
    page.passes(29_999.0);
    is_about_to_time_out(&mut page);
}

/// The official client pings as often as the server asks: 270 times a second.
#[test]
fn engine_io_3_is_pinged_once_a_second_at_most() {
    for interval in ["1", "0.001", "1e-300", "999"] {
        let mut page = opened(&socket_io());
        page.connects();
        page.receive(&format!(
            r#"0{{"sid":"a","upgrades":[],"pingInterval":{interval},"pingTimeout":1}}"#
        ));
        page.receive("40");
        let mut page = up(page);
        let sent = sent_in(&mut page, 5_000.0, "3");
        assert_eq!(
            sent,
            at(&[1_000.0, 2_000.0, 3_000.0, 4_000.0, 5_000.0], "2")
        );
        page.passes(1_000.0);
        is_about_to_time_out(&mut page);
    }
}

#[test]
fn signalr_pings_and_waits_for_as_long_as_the_options_say() {
    let mut setup = signalr();
    setup.options.keep_alive = Some(5_000.0);
    setup.options.server_timeout = Some(120_000.0);
    let mut page = opened(&setup);
    negotiates(&mut page);
    let mut page = up(page);
    let ping = "{\"type\":6}\u{1e}";
    let sent = sent_in(&mut page, 10_000.0, ping);
    assert_eq!(sent, at(&[5_000.0, 10_000.0], ping));
    page.passes(119_999.0);
    is_about_to_time_out(&mut page);
}

#[test]
fn signalr_pings_every_15_seconds_and_waits_for_30() {
    let mut page = signalr_up();
    let ping = "{\"type\":6}\u{1e}";
    let sent = sent_in(&mut page, 60_000.0, ping);
    assert_eq!(sent, at(&[15_000.0, 30_000.0, 45_000.0, 60_000.0], ping));
    page.passes(29_999.0);
    is_about_to_time_out(&mut page);
}

#[test]
fn classic_signalr_waits_for_as_long_as_the_server_says() {
    let mut page = classic_up();
    for _ in 0..20 {
        page.passes(10_000.0);
        page.receive("{}");
    }
    page.passes(19_999.0);
    assert_eq!(page.done, []);
    is_about_to_time_out(&mut page);

    for without in [
        r#"{"ConnectionToken":"t","KeepAliveTimeout":null}"#,
        r#"{"ConnectionToken":"t"}"#,
    ] {
        let mut page = opened(&classic());
        requests(&mut page, "http:");
        page.is_answered(200, without);
        page.connects();
        page.receive(INIT);
        requests(&mut page, "http:");
        page.is_answered(200, "{}");
        page = up(page);
        page.passes(1e9);
        assert!(page.state().is_open());
    }
}

/// A laptop that slept: what counts is when the server was heard, not when the timer happens to
/// fire.
#[test]
fn a_timer_that_fires_late_judges_by_the_clock() {
    let makes: [(Make, &str); 4] = [
        (socket_io_4, "42[\"else\"]"),
        (socket_io_2, "42[\"else\"]"),
        (signalr_up, "{\"type\":6}\u{1e}"),
        (classic_up, "{}"),
    ];
    for (make, frame) in makes {
        let mut page = make();
        let hour = page.now + 3_600_000.0;
        page.wakes(hour);
        waits(&page, SILENT);

        // What came in meanwhile was handed over before the timer.
        let mut page = make();
        let hour = page.now + 3_600_000.0;
        page.now = hour;
        page.receive(frame);
        page.wakes(hour);
        assert!(page.state().is_open());
        // One ping at most, however many were due.
        assert!(page.done.len() <= 1, "{:?}", page.done);
        assert!(page.session.poll_timeout().unwrap() > page.now);
    }
}

/// Most frames are read by their heads alone, which must show that the server is there.
#[test]
fn frames_that_are_read_by_their_heads_break_the_silence() {
    let envelope = r#"{\"sender\":1,\"channel\":\"main\",\"message\":1}"#;
    let frames = [
        format!("42[\"message\",{}]", envelope.replace('\\', "")),
        format!(
            "{{\"type\":1,\"target\":\"onMessageReceived\",\"arguments\":[\"{envelope}\"]}}\u{1e}"
        ),
        format!(
            "{{\"C\":\"d-2\",\"M\":[{{\"H\":\"webRtcHub3\",\"M\":\"onMessageReceived\",\"A\":[\"{envelope}\"]}}]}}"
        ),
    ];
    for (make, frame) in [socket_io_4, signalr_up, classic_up].iter().zip(frames) {
        let mut page = make();
        for count in 1..=20 {
            page.passes(19_000.0);
            page.receive(&frame);
            assert_eq!(page.by_head, count);
        }
        assert!(page.state().is_open());
        assert_eq!(page.stats().delivered, 20.0);
    }
}
