//! A record of SignalR that comes in parts is as long as a frame may be, and no longer.

use crate::setups::{Client, negotiates, opened, signalr, up};
use crate::support::page::Received;

const TOO_LONG: &str = "a frame longer than maxMessage allows";

fn limited() -> Client {
    let mut setup = signalr();
    setup.config.max_message = 1_000;
    let mut page = opened(&setup);
    negotiates(&mut page);
    let mut page = up(page);
    page.received.clear();
    page
}

fn invocation(message: &str) -> String {
    format!(
        "{{\"type\":1,\"target\":\"onMessageReceived\",\"arguments\":[\"{{\\\"sender\\\":1,\\\"channel\\\":\\\"main\\\",\\\"message\\\":\\\"{message}\\\"}}\"]}}\u{1e}"
    )
}

fn receives_in_parts(page: &mut Client, text: &str) {
    for part in text.as_bytes().chunks(5_000) {
        page.receive(std::str::from_utf8(part).unwrap());
    }
}

#[test]
fn a_record_in_parts_has_the_limit_of_a_frame() {
    let mut page = limited();
    receives_in_parts(&mut page, &invocation(&"x".repeat(50_000)));
    assert_eq!(page.bad_frames(), [TOO_LONG]);
    assert_eq!((page.stats().bad, page.stats().delivered), (1.0, 0.0));
    // What follows it is read, be it in the same frame.
    page.receive(&invocation("1"));
    receives_in_parts(
        &mut page,
        &invocation(&"x".repeat(50_000)).replace('\u{1e}', ""),
    );
    // Its end, with more behind it.
    page.receive(&format!("\u{1e}{}{}", invocation("2"), invocation("3")));
    assert_eq!(page.stats().bad, 2.0);
    let messages = page.received.iter();
    let messages = messages.filter(|received| matches!(received, Received::Message(..)));
    assert_eq!(messages.count(), 3, "{:?}", page.received);
}

#[test]
fn a_short_record_in_parts_is_read() {
    let mut page = limited();
    receives_in_parts(&mut page, &invocation(&"x".repeat(6_000)));
    assert_eq!((page.stats().bad, page.stats().delivered), (0.0, 1.0));
}
