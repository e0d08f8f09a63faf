//! Messages in both directions, beside all other protocols; replays; and messages that are sent
//! again.

use super::support::resuming::Page;
use super::support::signalr_classic::Hub as ClassicHub;
use super::support::signalr_core::Hub as CoreHub;
use super::support::socket_io::{event, join};
use super::support::sse::{Reader, post, post_with};
use super::support::{Relay, config, request, without_id};

fn envelope(sender: u64, message: &str) -> String {
    format!(r#"{{"sender":{sender},"channel":"a","message":{message}}}"#)
}

#[tokio::test]
async fn a_stream_is_an_event_for_each_envelope_in_the_space() {
    let relay = Relay::start(config()).await;
    let mut page = relay.join("/room").await;
    let mut reader = Reader::open(&relay, "/room/sse").await;
    assert_eq!(reader.header("content-type"), "text/event-stream");
    assert_eq!(reader.header("cache-control"), "no-store");
    assert_eq!(reader.header("x-accel-buffering"), "no");
    let mut elsewhere = Reader::open(&relay, "/sse").await;
    page.send("no envelope").await;
    page.send("{\"message\":\n [1e400,\"\\n\"],\r\n\"channel\":\"a\"}")
        .await;
    // One line of JSON text, values kept as they were written.
    assert_eq!(
        reader.message().await,
        "{\"channel\":\"a\",\"message\":[1e400,\"\\n\"]}"
    );
    page.send("{\"channel\":\"a\",\"message\":[1,\r\n2]}").await;
    assert_eq!(
        reader.message().await,
        "{\"channel\":\"a\",\"message\":[1,  2]}"
    );
    relay.join("/").await.send(&envelope(1, "0")).await;
    assert_eq!(elsewhere.message().await, envelope(1, "0"));
    drop((page, reader, elsewhere));
    relay.until_empty().await;
}

#[tokio::test]
async fn a_post_publishes_one_envelope() {
    let relay = Relay::start(config()).await;
    let mut page = relay.join("/room").await;
    let mut subscriber = Page::open(&relay, "/room", &["a"]).await;
    let mut reader = Reader::open(&relay, "/room/sse").await;
    for kind in [
        "application/json",
        "text/plain",
        "Text/Plain; charset=UTF-8",
    ] {
        let headers = [("content-type", kind)];
        let text = " {\"message\" : 1, \"id\":\"7\", \"channel\":\"a\", \"sender\":5}";
        let posted = post_with(&relay, "/room/sse", &headers, text).await;
        assert_eq!((posted.status, posted.body.as_str()), (204, ""), "{kind}");
        assert_eq!(page.envelope().await, envelope(5, "1"));
        assert_eq!(subscriber.message().await, envelope(5, "1"));
        assert_eq!(reader.message().await, envelope(5, "1"));
    }
    let posted = post_with(&relay, "/room/sse", &[], &envelope(6, "2")).await;
    assert_eq!(posted.status, 204);
    assert_eq!(page.envelope().await, envelope(6, "2"));
    // Nobody needs to be there.
    assert_eq!(
        post(&relay, "/empty/sse", &envelope(6, "2")).await.status,
        204
    );
}

#[tokio::test]
async fn members_of_all_protocols_share_a_space() {
    let relay = Relay::start(config()).await;
    let mut reader = Reader::open(&relay, "/sse").await;
    let mut plain = relay.join("/").await;
    let mut resuming = Page::open(&relay, "/", &["a"]).await;
    let mut socket_io = join(&relay, 4).await;
    let mut core = CoreHub::join(&relay, "/hub").await;
    let mut classic = ClassicHub::join(&relay, "/signalr").await;

    let text = envelope(1, r#""é \"😀\"""#);
    assert_eq!(post(&relay, "/sse", &text).await.status, 204);
    assert_eq!(reader.message().await, text);
    assert_eq!(plain.envelope().await, text);
    assert_eq!(resuming.message().await, text);
    assert_eq!(socket_io.text().await, event(&text));
    assert_eq!(core.delivered().await, text);
    assert_eq!(classic.delivered().await, text);

    plain.send(&envelope(2, "1")).await;
    resuming.send(2, 1, "a", "2").await;
    resuming.acknowledged(1).await;
    let mut both = [reader.message().await, reader.message().await];
    both.sort();
    assert_eq!(both, [envelope(2, "1"), envelope(2, "2")]);
    socket_io.send(&event(&envelope(2, "3"))).await;
    assert_eq!(reader.message().await, envelope(2, "3"));
    core.publish(&envelope(2, "4")).await;
    assert_eq!(reader.message().await, envelope(2, "4"));
    // What the others published is read before the answer to its own call.
    for _ in 0..4 {
        classic.delivered().await;
    }
    classic.publish(&envelope(2, "5")).await;
    assert_eq!(reader.message().await, envelope(2, "5"));
}

#[tokio::test]
async fn a_client_that_names_itself_does_not_receive_its_own_messages() {
    let relay = Relay::start(config()).await;
    let mut own = Reader::open(&relay, "/sse?client=mine").await;
    let mut other = Reader::open(&relay, "/sse?client=other").await;
    for (number, client) in ["mine", "other", "mine"].into_iter().enumerate() {
        let path = format!("/sse?client={client}&ref={}", number + 1);
        let text = envelope(1, &number.to_string());
        assert_eq!(post(&relay, &path, &text).await.status, 204);
    }
    assert_eq!(own.message().await, envelope(1, "1"));
    assert_eq!(other.message().await, envelope(1, "0"));
    assert_eq!(other.message().await, envelope(1, "2"));
}

#[tokio::test]
async fn a_post_that_is_sent_again_is_published_once() {
    let relay = Relay::start(config()).await;
    let mut page = relay.join("/").await;
    let mut room = relay.join("/room").await;
    for (reference, message) in [(1, 1), (1, 1), (2, 2), (1, 1), (2, 2), (7, 7)] {
        let path = format!("/sse?client=secret&ref={reference}");
        let text = envelope(1, &message.to_string());
        assert_eq!(post(&relay, &path, &text).await.status, 204);
    }
    // At one time, too.
    let text = envelope(1, "8");
    let posts = (0..20).map(|_| post(&relay, "/sse?ref=8&client=secret", &text));
    for posted in futures_util::future::join_all(posts).await {
        assert_eq!(posted.status, 204);
    }
    // Without a number each is a message of its own; and so it is from another client, or in
    // another space.
    post(&relay, "/sse?client=secret", &envelope(1, "9")).await;
    post(&relay, "/sse?client=secret2&ref=1", &envelope(1, "10")).await;
    post(&relay, "/room/sse?client=secret&ref=1", &envelope(1, "11")).await;
    for message in ["1", "2", "7", "8", "9", "10"] {
        assert_eq!(page.envelope().await, envelope(1, message));
    }
    assert_eq!(room.envelope().await, envelope(1, "11"));
}

#[tokio::test]
async fn a_reader_that_reconnects_receives_what_it_missed() {
    let relay = Relay::start(config()).await;
    let mut page = relay.join("/").await;
    let mut reader = Reader::open(&relay, "/sse?client=mine").await;
    page.send(&envelope(1, "1")).await;
    let last = reader.event().await.id;
    drop(reader);
    relay.until(|stats| stats.members == 1).await;
    page.send(&envelope(1, "2")).await;
    page.send(r#"{"sender":1,"channel":"b","message":3}"#).await;
    page.heard().await;
    post(&relay, "/sse?client=mine&ref=1", &envelope(2, "4")).await;
    page.envelope().await;
    relay
        .join("/room")
        .await
        .send(&envelope(1, "\"elsewhere\""))
        .await;

    // By the header, as browsers do it, and by the query. What it published itself is left out.
    let header = Reader::open_with(&relay, "/sse?client=mine", &[("last-event-id", &last)]).await;
    let query = Reader::open(&relay, &format!("/sse?client=mine&lastEventId={last}")).await;
    let mut seen = String::new();
    for mut reader in [header, query] {
        assert_eq!(reader.message().await, envelope(1, "2"));
        let third = reader.event().await;
        assert_eq!(third.data, r#"{"sender":1,"channel":"b","message":3}"#);
        seen = third.id;
    }
    let mut reader = Reader::open_with(&relay, "/sse", &[("last-event-id", &seen)]).await;
    assert_eq!(reader.message().await, envelope(2, "4"));
    page.send(&envelope(1, "5")).await;
    assert_eq!(reader.message().await, envelope(1, "5"));
}

#[tokio::test]
async fn a_reader_that_reconnects_before_it_has_received_a_message() {
    let relay = Relay::start(config()).await;
    let mut page = relay.join("/").await;
    page.send(&envelope(1, "\"old\"")).await;
    page.heard().await;
    let reader = Reader::open(&relay, "/sse").await;
    assert_eq!(
        (&*reader.first.name, &*reader.first.data),
        ("hello", "relay")
    );
    let last = reader.first.id.clone();
    drop(reader);
    page.send(&envelope(1, "1")).await;
    page.heard().await;
    let mut reader = Reader::open_with(&relay, "/sse", &[("last-event-id", &last)]).await;
    // It hasn't seen yet what comes now.
    assert_eq!((&*reader.first.name, &*reader.first.id), ("hello", ""));
    assert_eq!(reader.message().await, envelope(1, "1"));
    // After a gap, too.
    let reader = Reader::open_with(&relay, "/sse", &[("last-event-id", "x-1")]).await;
    assert_eq!(reader.first.name, "gap");
    let last = reader.first.id.clone();
    page.send(&envelope(1, "2")).await;
    page.heard().await;
    let mut reader = Reader::open_with(&relay, "/sse", &[("last-event-id", &last)]).await;
    assert_eq!(reader.first.name, "hello");
    assert_eq!(reader.message().await, envelope(1, "2"));
}

#[tokio::test]
async fn a_new_reader_receives_nothing_old() {
    let relay = Relay::start(config()).await;
    let mut page = relay.join("/").await;
    page.send(&envelope(1, "\"old\"")).await;
    page.heard().await;
    let mut reader = Reader::open(&relay, "/sse").await;
    page.send(&envelope(1, "\"new\"")).await;
    let event = reader.event().await;
    assert_eq!(event.data, envelope(1, "\"new\""));
    // An id of another epoch or space, or one that was never given: a gap and nothing old.
    let parts: Vec<_> = event.id.split('-').collect();
    let [epoch, id, proof] = parts.as_slice() else {
        panic!("{}", event.id);
    };
    assert_eq!(*id, "2");
    let elsewhere = Reader::open(&relay, "/elsewhere/sse").await.first.id;
    for last in [
        "0123456789abcdef-0-0123456789abcdef",
        "1",
        "",
        &elsewhere,
        &format!("{epoch}-0"),
        &format!("{epoch}-0-{proof}"),
        &format!("{epoch}-1-{proof}"),
        &format!("{epoch}-9-{proof}"),
        &format!("{epoch}-x-{proof}"),
    ] {
        let mut reader = Reader::open_with(&relay, "/sse", &[("last-event-id", last)]).await;
        assert_eq!(reader.first.name, "gap", "{last}");
        page.send(&envelope(1, "3")).await;
        assert_eq!(reader.message().await, envelope(1, "3"), "{last}");
    }
    // What a plain WebSocket receives names the same id.
    let mut other = relay.join("/").await;
    page.send(&envelope(1, "4")).await;
    let (_, id) = without_id(&other.text().await);
    assert_eq!(id, 12);
}

#[tokio::test]
async fn pages_of_other_origins() {
    let relay = Relay::start(signal_relay::Config {
        origins: vec!["https://example.org".parse().unwrap()],
        ..config()
    })
    .await;
    let evil = ("origin", "https://evil.example");
    let reader = Reader::open_with(&relay, "/sse", &[evil]).await;
    assert_eq!(reader.response.status(), 403);
    assert_eq!(reader.header("access-control-allow-origin"), "");
    let posted = post_with(&relay, "/sse", &[evil], &envelope(1, "1")).await;
    assert_eq!(posted.status, 403);
    assert!(posted.body.contains("--origin https://evil.example"));

    let page = ("origin", "https://example.org");
    let reader = Reader::open_with(&relay, "/sse", &[page]).await;
    assert_eq!(reader.header("access-control-allow-origin"), page.1);
    // Otherwise such a page couldn't read it.
    assert_eq!(
        reader.header("access-control-expose-headers"),
        "retry-after"
    );
    let preflight = [
        page,
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "content-type"),
    ];
    let answer = request(relay.address, "OPTIONS /sse", &preflight).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(page.1));
    assert_eq!(
        answer.header("access-control-allow-headers"),
        Some("content-type")
    );
    let posted = post_with(&relay, "/sse", &[page], &envelope(1, "1")).await;
    assert_eq!(posted.status, 204);
    // A plain WebSocket may have that path too.
    relay.join("/sse").await;
    relay.until(|stats| stats.members == 1).await;
}
