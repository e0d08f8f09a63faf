//! Server-sent events and POST requests: in order, one at a time, again if need be.

use crate::support::host::HostText;
use crate::support::page::{Page, Setup};
use signal_wasm::protocol::{
    HttpResponse, InvalidOption, Millis, ProtocolOptions, REDIRECTED, ServerEvent, find,
};
use signal_wasm::session::{Action, ConnectionId, DropReason, Event, Input, State, Transmission};

const FOREVER: Millis = Millis::INFINITY;

fn setup() -> Setup {
    let mut setup = Setup::new("sse", "wss://h/events?room=1");
    setup.options.query = "a=b".into();
    setup.options.secret = "secret".into();
    setup
}

/// A page with the channels `a` and `b` open, whose event stream is asked for.
fn opened(setup: &Setup) -> Page<&'static str> {
    let mut page = Page::new(setup.session(7, 1));
    page.session.inspect(true);
    page.open("a", "on a");
    page.open("b", "on b");
    page
}

/// The same, with the stream open.
fn up() -> Page<&'static str> {
    let mut page = opened(&setup());
    page.streams();
    page
}

trait SsePage {
    fn streams(&mut self) -> String;
    fn event(&mut self, kind: &str, id: &str, data: &str);
    fn posts(&mut self) -> (String, String);
    fn says(&mut self, status: u16, retry_after: Option<Millis>);
    fn fails(&mut self);
}

impl SsePage for Page<&'static str> {
    /// The stream that it asked for is open; its address.
    fn streams(&mut self) -> String {
        match self.next_done() {
            Action::OpenEventSource(url) => {
                self.socket_opens();
                url
            }
            action => panic!("{action:?} instead of an event stream"),
        }
    }

    /// An event comes in.
    fn event(&mut self, kind: &str, id: &str, data: &str) {
        self.handle(Input::ServerEvent(ServerEvent {
            kind: kind.into(),
            id: id.into(),
            data: data.into(),
        }));
    }

    /// The message that it POSTs: its address and body.
    fn posts(&mut self) -> (String, String) {
        match self.next_done() {
            Action::Transmit(Transmission {
                frame,
                post_url: Some(url),
                ..
            }) => (url, frame.as_str().into()),
            action => panic!("{action:?} instead of a POST request"),
        }
    }

    /// The answer to it.
    fn says(&mut self, status: u16, retry_after: Option<Millis>) {
        let number = self.session.flushed() + 1;
        self.handle(Input::Posted(number, answer(status, retry_after)));
    }

    /// There is no answer to it.
    fn fails(&mut self) {
        let number = self.session.flushed() + 1;
        let failure = Err("TypeError: Failed to fetch".into());
        self.handle(Input::Posted(number, failure));
    }
}

fn answer(status: u16, retry_after: Option<Millis>) -> Result<HttpResponse<HostText>, String> {
    Ok(HttpResponse {
        status,
        retry_after,
        body: "why".into(),
    })
}

fn post(number: u64, channel: &str, message: &str) -> (String, String) {
    (
        format!("https://h/events?room=1&a=b&client=secret&ref={number}"),
        format!(r#"{{"sender":7,"channel":"{channel}","message":{message}}}"#),
    )
}

#[test]
fn the_stream_is_at_the_servers_address() {
    let mut page = opened(&setup());
    assert_eq!(page.session.url(), "https://h/events?room=1");
    assert_eq!(page.streams(), "https://h/events?room=1&a=b&client=secret");
    assert_eq!(page.state().name(), "open");
}

#[test]
fn messages_are_posted_one_at_a_time_in_order() {
    let mut page = opened(&setup());
    page.send("a", "1", FOREVER);
    page.streams();
    page.send("b", "2", FOREVER);
    page.send("a", "3", FOREVER);
    for (number, channel) in [(1, "a"), (2, "b"), (3, "a")] {
        assert!(page.session.flushed() < number);
        assert_eq!(page.posts(), post(number, channel, &number.to_string()));
        assert_eq!(page.done, [], "one at a time");
        page.says(204, None);
        assert!(page.session.flushed() >= number);
    }
    page.send("a", "4", FOREVER);
    assert_eq!(page.posts(), post(4, "a", "4"));
    page.says(200, None);
    assert_eq!((page.session.stats().sent, page.done.len()), (4.0, 0));
    page.passes(1_000.0);
    assert_eq!(page.session.poll_timeout(), None);
}

#[test]
fn what_the_server_does_not_accept_now_is_sent_again() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let mut page = up();
        page.send("a", "1", FOREVER);
        page.send("a", "2", FOREVER);
        assert_eq!(page.posts(), post(1, "a", "1"));
        page.says(status, None);
        assert_eq!(page.done, [], "not at once");
        assert_eq!(page.state().name(), "open", "the stream stays");
        page.send("b", "3", FOREVER);
        page.passes(500.0);
        assert_eq!(page.posts(), post(1, "a", "1"), "again after {status}");
        page.says(201, None);
        assert_eq!(page.posts(), post(2, "a", "2"));
        page.says(201, None);
        assert_eq!(page.posts(), post(3, "b", "3"));
        page.says(201, None);
        assert_eq!(page.session.stats().queued, 0.0);
    }
}

#[test]
fn a_server_may_say_when() {
    // More than a minute isn't waited for.
    for (after, least) in [(5_000.0, 5_000.0), (1e12, 60_000.0)] {
        let mut page = up();
        page.send("a", "1", FOREVER);
        page.posts();
        page.says(503, Some(after));
        page.passes(least - 1.0);
        assert_eq!(page.done, []);
        page.passes(1.0);
        assert_eq!(page.posts(), post(1, "a", "1"));
    }
}

#[test]
fn waits_grow_with_each_failure_and_begin_again_after_a_success() {
    let mut page = up();
    page.passes(1_000.0);
    let mut longest: Millis = 0.0;
    page.send("a", "1", FOREVER);
    for _ in 0..40 {
        page.posts();
        page.says(503, None);
        let now = page.now;
        page.wakes(0.0);
        longest = longest.max(page.now - now);
    }
    assert!((5_000.0..=20_000.0).contains(&longest), "{longest}");
    page.posts();
    page.says(200, None);
    page.send("a", "2", FOREVER);
    page.posts();
    page.says(503, None);
    let now = page.now;
    page.wakes(0.0);
    assert!(page.now - now <= 500.0);
}

#[test]
fn a_message_that_makes_the_server_fail_twice_is_given_up() {
    let mut page = up();
    page.send("a", "1", FOREVER);
    page.send("b", "2", FOREVER);
    page.posts();
    page.says(500, None);
    page.passes(500.0);
    assert_eq!(page.posts(), post(1, "a", "1"));
    page.says(500, None);
    page.passes(1_000.0);
    assert_eq!(page.posts(), post(2, "b", "2"));
    let dropped = Event::Dropped {
        number: 1,
        channel: "a".into(),
        why: DropReason::GivenUp,
    };
    assert!(page.events.contains(&dropped));
    assert_eq!(page.session.stats().dropped, 1.0);
}

#[test]
fn what_the_server_never_accepts_is_refused() {
    for status in [300, 400, 409, 413, 415, 422] {
        let mut page = up();
        page.send("a", "1", FOREVER);
        page.send("a", "2", FOREVER);
        page.posts();
        page.says(status, None);
        assert_eq!(page.refusals(), [format!("HTTP status {status}: why")]);
        assert_eq!(page.posts(), post(2, "a", "2"), "the next one");
        page.says(204, None);
        assert_eq!(page.session.stats().queued, 0.0);
    }
    // An answer without a body isn't quoted.
    let mut page = up();
    page.send("a", "1", FOREVER);
    page.posts();
    let response = HttpResponse {
        status: 400,
        retry_after: None,
        body: "".into(),
    };
    page.handle(Input::Posted(1, Ok(response)));
    assert_eq!(page.refusals(), ["HTTP status 400"]);
}

#[test]
fn an_address_that_takes_no_messages() {
    for status in [404, 405, 410, 501] {
        let mut page = up();
        page.send("a", "1", FOREVER);
        page.posts();
        page.says(status, None);
        let (unauthorized, reason) = page.failure().unwrap();
        assert!(!unauthorized && reason.contains("option url"), "{reason}");

        // One that took some may be replaced just now.
        let mut page = up();
        page.send("a", "1", FOREVER);
        page.posts();
        page.says(204, None);
        page.send("a", "2", FOREVER);
        page.posts();
        page.says(status, None);
        assert_eq!(page.state().name(), "waiting");
        page.did(Action::Disconnect);
        page.tries_again();
        page.streams();
        assert_eq!(page.posts(), post(2, "a", "2"));
    }
}

#[test]
fn a_redirection_is_not_taken_for_an_answer() {
    let mut page = up();
    page.send("a", "1", FOREVER);
    page.posts();
    page.says(REDIRECTED, None);
    let (unauthorized, reason) = page.failure().unwrap();
    assert!(!unauthorized && reason.contains("redirected"), "{reason}");
}

#[test]
fn a_refused_page_is_closed_unless_it_gives_another_address() {
    for status in [401, 403] {
        let mut page = up();
        page.send("a", "1", FOREVER);
        page.posts();
        page.says(status, None);
        let (unauthorized, reason) = page.failure().unwrap();
        assert!(unauthorized && reason.contains(&status.to_string()));

        let mut setup = setup();
        setup.config.asks_url = true;
        let mut page = opened(&setup);
        page.did(Action::AskUrl);
        page.handle(Input::Url("ws://h/?token=1".into()));
        assert!(page.streams().starts_with("http://h/?token=1&"));
        page.send("a", "1", FOREVER);
        page.posts();
        page.says(status, None);
        page.did(Action::Disconnect);
        page.tries_again();
        page.did(Action::AskUrl);
        page.handle(Input::Url("ws://h/?token=2".into()));
        page.streams();
        assert!(page.posts().0.starts_with("http://h/?token=2&"));
        page.says(status, None);
        for _ in 0..5 {
            page.did(Action::Disconnect);
            page.tries_again();
            page.did(Action::AskUrl);
            page.handle(Input::Url("ws://h/?token=2".into()));
            page.streams();
            page.posts();
            page.says(status, None);
        }
        let (unauthorized, reason) = page.failure().unwrap();
        assert!(
            unauthorized && reason.contains("the same again"),
            "{reason}"
        );
    }
}

#[test]
fn a_request_without_an_answer_is_made_again_and_the_stream_stays() {
    let mut page = up();
    page.send("a", "1", FOREVER);
    page.send("a", "2", FOREVER);
    for number in [1, 2] {
        assert_eq!(page.posts(), post(number, "a", &number.to_string()));
        page.fails();
        assert_eq!(page.done, [], "not at once");
        assert_eq!(page.state().name(), "open");
        page.passes(500.0);
        assert_eq!(page.posts(), post(number, "a", &number.to_string()));
        page.says(204, None);
    }
    assert_eq!(page.stats().queued, 0.0);
}

#[test]
fn requests_without_an_answer_are_made_again_on_the_next_connection() {
    let mut page = up();
    page.event(
        "message",
        "e-17",
        r#"{"sender":1,"channel":"a","message":1}"#,
    );
    page.send("a", "1", FOREVER);
    page.send("a", "2", FOREVER);
    page.posts();
    page.fails();
    page.passes(500.0);
    page.posts();
    page.fails();
    assert_eq!(page.state().name(), "waiting");
    assert!(page.stands().1.contains("Failed to fetch"));
    page.did(Action::Disconnect);
    page.tries_again();
    assert_eq!(
        page.streams(),
        "https://h/events?room=1&a=b&client=secret&lastEventId=e-17"
    );
    assert_eq!(page.posts(), post(1, "a", "1"));
    page.fails();
    assert_eq!(page.state().name(), "waiting", "in a row");
    page.did(Action::Disconnect);
    page.tries_again();
    page.streams();
    assert_eq!(page.posts(), post(1, "a", "1"));
    page.says(204, None);
    assert_eq!(page.posts(), post(2, "a", "2"));
    page.fails();
    assert_eq!(page.state().name(), "open");
}

#[test]
fn a_page_that_never_reconnects_gives_up_a_request_without_an_answer() {
    let mut setup = setup();
    setup.config.reconnect.attempts = 0.0;
    let mut page = opened(&setup);
    page.streams();
    page.send("a", "1", FOREVER);
    page.posts();
    page.fails();
    let (_, reason) = page.failure().unwrap();
    assert!(reason.contains("Failed to fetch"), "{reason}");
}

/// A page that has lost its stream while a request was under way, and that connection.
fn lost_amid_a_request() -> (Page<&'static str>, ConnectionId) {
    let mut page = up();
    page.send("a", "1", FOREVER);
    page.send("a", "2", FOREVER);
    page.posts();
    let connection = page.session.connection();
    page.loses_socket(None);
    page.did(Action::Disconnect);
    (page, connection)
}

#[test]
fn a_request_does_not_end_with_its_stream() {
    // Answered while there is no stream, or on the next one: it isn't made again.
    for is_back in [false, true] {
        let (mut page, connection) = lost_amid_a_request();
        if is_back {
            page.tries_again();
            page.streams();
            assert_eq!(page.done, [], "one at a time");
        }
        page.handle_from(connection, Input::Posted(1, answer(204, None)));
        assert!(page.session.flushed() >= 1);
        if !is_back {
            page.tries_again();
            page.streams();
        }
        assert_eq!(page.posts(), post(2, "a", "2"));
        page.says(204, None);
        assert_eq!(page.stats().queued, 0.0);
    }
}

#[test]
fn a_late_answer_says_nothing_of_the_present_connection() {
    let (mut page, connection) = lost_amid_a_request();
    page.handle_from(connection, Input::Posted(1, answer(400, None)));
    assert_eq!(page.refusals(), ["HTTP status 400: why"]);
    page.tries_again();
    page.streams();
    assert_eq!(page.posts(), post(2, "a", "2"));

    let failures = [401, 404, 500, 503].map(|status| answer(status, Some(1e6)));
    for failure in failures.into_iter().chain([Err("no".into())]) {
        let (mut page, connection) = lost_amid_a_request();
        page.tries_again();
        page.streams();
        page.handle_from(connection, Input::Posted(1, failure));
        assert_eq!(page.state().name(), "open");
        assert_eq!(page.posts(), post(1, "a", "1"), "at once");
    }
}

#[test]
fn an_answer_after_the_end() {
    for status in [204, 400, 401, 503] {
        let mut page = up();
        page.send("a", "1", FOREVER);
        page.posts();
        let connection = page.session.connection();
        page.close();
        page.done.clear();
        page.events.clear();
        page.handle_from(connection, Input::Posted(1, answer(status, None)));
        assert_eq!((page.done.len(), page.events.len()), (0, 0));
    }
}

#[test]
fn a_pause_ends_with_its_connection() {
    let mut page = up();
    page.send("a", "1", FOREVER);
    page.posts();
    page.says(503, Some(50_000.0));
    page.loses_socket(None);
    page.did(Action::Disconnect);
    page.tries_again();
    page.streams();
    assert_eq!(page.posts(), post(1, "a", "1"));
    page.says(503, Some(50_000.0));
    page.handle(Input::PageHidden);
    page.did(Action::Disconnect);
    page.passes(1e6);
    page.handle(Input::PageShown);
    page.tries_again();
    page.streams();
    assert_eq!(page.posts(), post(1, "a", "1"));
}

#[test]
fn a_page_that_is_being_hidden_waits_for_no_answer() {
    let mut page = up();
    page.send("a", "1", FOREVER);
    page.send("a", "2", FOREVER);
    assert_eq!(page.posts(), post(1, "a", "1"));
    assert_eq!(page.done, []);
    page.handle(Input::PageHiding);
    assert_eq!(page.done, [], "a page that says no goodbye keeps its order");
    page.send("a", "3", FOREVER);
    // They may overtake each other, so that their numbers mean nothing.
    let overlapping = |number: u64| {
        let (url, body) = post(number, "a", &number.to_string());
        (
            url.replace("client=secret", &format!("client=secret.{number}")),
            body,
        )
    };
    assert_eq!(page.posts(), overlapping(2));
    assert_eq!(page.posts(), overlapping(3));
    page.send("a", "4", FOREVER);
    assert_eq!(page.posts(), overlapping(4));
    let connection = page.session.connection();
    page.handle(Input::PageHidden);
    page.did(Action::Disconnect);
    // What was POSTed may arrive; so nothing is known of it yet.
    assert!(
        page.events
            .iter()
            .all(|event| matches!(event, Event::State { .. }))
    );
    page.handle(Input::PageShown);
    for number in [2, 3, 1] {
        page.handle_from(connection, Input::Posted(number, answer(204, None)));
    }
    assert_eq!(page.session.flushed(), 3);
    page.tries_again();
    page.streams();
    // There is no answer to the last: it was a goodbye, and the page is back.
    assert_eq!(page.done, []);
    let dropped = Event::Dropped {
        number: 4,
        channel: "a".into(),
        why: DropReason::Hidden,
    };
    assert!(page.events.contains(&dropped));
    page.handle_from(connection, Input::Posted(4, Err("no".into())));
    page.send("a", "5", FOREVER);
    assert_eq!(page.posts(), post(5, "a", "5"));
}

/// Requests of a page that is being hidden overtake each other.
#[test]
fn the_answer_to_one_request_says_nothing_about_another() {
    let mut page = up();
    page.send("a", "1", FOREVER);
    page.posts();
    page.handle(Input::PageHiding);
    page.send("a", "2", FOREVER);
    page.posts();
    let connection = page.session.connection();
    page.handle_from(connection, Input::Posted(2, answer(204, None)));
    assert_eq!(page.session.flushed(), 0);
    page.handle(Input::PageHidden);
    page.did(Action::Disconnect);
    page.handle_from(connection, Input::Posted(1, answer(503, None)));
    page.handle(Input::PageShown);
    page.tries_again();
    page.streams();
    assert_eq!(page.posts(), post(1, "a", "1"));
    page.says(204, None);
    assert_eq!(page.stats().queued, 0.0);
    assert_eq!(page.session.flushed(), 2);
}

/// Chromium ends the stream first.
#[test]
fn a_page_that_is_unloaded_posts_without_a_stream() {
    let mut page = up();
    page.send("a", "1", FOREVER);
    page.posts();
    page.loses_socket(None);
    page.fails();
    page.send("a", "2", FOREVER);
    page.did(Action::Disconnect);
    assert_eq!(page.done, []);
    page.handle(Input::PageHiding);
    assert_eq!(page.done, []);
    page.send("a", "3", FOREVER);
    assert_eq!(page.posts(), post(1, "a", "1"));
    page.posts();
    page.posts();
    // It wasn't unloaded after all.
    let connection = page.session.connection();
    page.handle(Input::PageShown);
    page.handle_from(connection, Input::Posted(1, answer(204, None)));
    page.handle_from(connection, Input::Posted(2, Err("no".into())));
    page.handle_from(connection, Input::Posted(3, Err("no".into())));
    page.tries_again();
    page.streams();
    assert_eq!(page.posts(), post(2, "a", "2"));
    page.says(204, None);
    assert_eq!(page.posts(), post(3, "a", "3"));
    page.says(204, None);
    assert_eq!(page.stats().queued, 0.0);

    // A server that the page has never reached gets nothing.
    let mut page = opened(&setup());
    page.send("a", "1", FOREVER);
    page.next_done();
    page.handle(Input::PageHiding);
    assert_eq!(page.done, []);
}

#[test]
fn a_message_that_gets_stale_in_a_pause_is_dropped() {
    let mut page = up();
    page.send("a", "1", 5_000.0);
    page.send("a", "2", FOREVER);
    page.posts();
    page.says(503, Some(10_000.0));
    page.passes(10_000.0);
    assert_eq!(page.posts(), post(2, "a", "2"));
    let dropped = Event::Dropped {
        number: 1,
        channel: "a".into(),
        why: DropReason::Expired,
    };
    assert!(page.events.contains(&dropped));
}

#[test]
fn a_page_that_never_reconnects_never_sends_again() {
    let mut setup = setup();
    setup.config.reconnect.attempts = 0.0;
    let mut page = opened(&setup);
    page.streams();
    page.send("a", "1", FOREVER);
    page.posts();
    page.says(503, None);
    let (_, reason) = page.failure().unwrap();
    assert!(reason.contains("503"), "{reason}");
    assert_eq!(page.state(), State::Closed);
}

#[test]
fn events_are_envelopes() {
    let mut page = up();
    for (data, kind) in [
        (r#"{"sender":7,"channel":"a","message":1}"#, "own"),
        (r#"{"sender":1,"channel":"x","message":1}"#, "foreign"),
        (r#"{"sender":1,"channel":"a","message":[1]}"#, "delivered"),
        (r#"{"message":[1],"channel":"b"}"#, "delivered"),
        ("no JSON", "bad"),
        ("", "bad"),
    ] {
        page.frames.clear();
        page.event("message", "", data);
        let kinds: Vec<_> = page.frames.iter().map(|(kind, _)| kind.name()).collect();
        assert_eq!(kinds, [kind], "{data}");
    }
    let messages = |event: &&Event<_, &str>| matches!(event, Event::Message(..));
    assert_eq!(page.events.iter().filter(messages).count(), 2);
    // Events of other types are none.
    page.frames.clear();
    page.event("chat", "", r#"{"sender":1,"channel":"a","message":1}"#);
    assert_eq!(page.frames, []);
}

#[test]
fn a_gap_is_one_on_each_channel() {
    let mut page = up();
    page.event("gap", "", "");
    let gaps = page.events.iter().filter_map(|event| match event {
        Event::Gap(channel) => Some(&**channel),
        _ => None,
    });
    assert_eq!(gaps.collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(page.session.stats().gaps, 2.0);
}

#[test]
fn a_stream_says_where_it_begins() {
    let mut page = up();
    page.event("hello", "e-17", "");
    assert_eq!(page.frames, []);
    assert_eq!(page.stats().gaps, 0.0);
    page.loses_socket(None);
    page.did(Action::Disconnect);
    page.tries_again();
    assert!(page.streams().ends_with("&lastEventId=e-17"));
    page.event("gap", "f-1", "");
    page.loses_socket(None);
    page.did(Action::Disconnect);
    page.tries_again();
    assert!(page.streams().ends_with("&lastEventId=f-1"));
}

#[test]
fn what_is_known_of_one_server_is_not_believed_of_another() {
    let mut setup = setup();
    setup.config.asks_url = true;
    let mut page = opened(&setup);
    let mut goes_to = |url: &str| {
        page.did(Action::AskUrl);
        page.handle(Input::Url(url.into()));
        let asked = page.streams();
        page.event("hello", "e-17", "");
        page.send("a", "1", FOREVER);
        page.posts();
        page.says(204, None);
        page.loses_socket(None);
        page.did(Action::Disconnect);
        page.tries_again();
        asked.contains("lastEventId")
    };
    // Another token isn't another server.
    for (url, is_known) in [
        ("ws://h/a?token=1", false),
        ("ws://h/a?token=2", true),
        ("ws://h/b?token=2", false),
        ("wss://h/b", false),
        ("ws://h2/b", false),
    ] {
        assert_eq!(goes_to(url), is_known, "{url}");
    }
    page.did(Action::AskUrl);
    page.handle(Input::Url("ws://h/new".into()));
    page.streams();
    page.send("a", "1", FOREVER);
    page.posts();
    page.says(404, None);
    assert!(page.failure().is_some(), "this one has taken nothing");
}

#[test]
fn ids_that_fit_into_no_address_are_not_kept() {
    let mut page = up();
    let data = r#"{"sender":1,"channel":"x","message":1}"#;
    page.event("message", "a&b", data);
    page.event("message", &"x".repeat(257), data);
    page.event("message", "", data);
    page.loses_socket(None);
    page.did(Action::Disconnect);
    page.tries_again();
    assert!(page.streams().ends_with("&lastEventId=a%26b"));
}

#[test]
fn a_stream_that_never_opens_is_given_up() {
    let mut page = opened(&setup());
    page.next_done();
    page.passes(10_000.0);
    assert_eq!(page.state().name(), "waiting");
    assert!(page.stands().1.contains("didn't answer"));
}

#[test]
fn a_transport_cannot_carry_it() {
    let make = find("sse").and_then(|entry| entry.make).unwrap();
    let refused = make(&ProtocolOptions {
        own_transport: true,
        ..ProtocolOptions::default()
    });
    let Err(InvalidOption {
        name,
        value,
        wanted,
    }) = refused
    else {
        panic!("it was made");
    };
    assert_eq!((name, &*value), ("protocol", "sse"));
    assert!(wanted.contains("transport"));
}
