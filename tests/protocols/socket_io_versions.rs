//! Versions of Socket.IO, found by what the server says and when.

use crate::setups::{
    Client, EIO4, NO_MAX_PAYLOAD, auth, loses, opened, renewing, room, sent_in, socket_io, up,
    waits,
};
use crate::support::page::control;

const ROOMS: [(&str, &str); 2] = [("/", ""), ("/my-room", "/my-room,")];

/// Its open packet is that of Socket.IO 2; but it waits for our `40`, and a ping of ours would be
/// its reason to close.
#[test]
fn socket_io_3_is_recognised_by_its_waiting() {
    for (namespace, part) in ROOMS {
        let mut page = renewing(room(namespace), &[auth()]);
        page.connects();
        page.receive(NO_MAX_PAYLOAD);
        page.passes(1_000.0);
        // Had it been sent before, then without the credentials.
        page.did(control(format!("40{part}{{\"token\":\"x\"}}")));
        page.receive(&format!("40{part}{{\"sid\":\"b\"}}"));
        let mut page = up(page);
        for _ in 0..4 {
            page.passes(24_000.0);
            assert_eq!(page.done, [], "{namespace}");
            page.receive("2");
            page.did(control("3"));
        }
    }
}

#[test]
fn socket_io_2_may_take_its_time_over_the_40() {
    for (namespace, part) in ROOMS {
        let mut page = opened(&room(namespace));
        page.connects();
        page.receive(NO_MAX_PAYLOAD);
        page.passes(3_000.0);
        page.did(control(format!("40{part}")));
        page.receive("40");
        if !part.is_empty() {
            page.passes(3_000.0);
            page.receive(&format!("40{part}"));
        }
        let mut page = up(page);
        assert_eq!(sent_in(&mut page, 25_000.0, "3").len(), 1, "{namespace}");
    }
}

#[test]
fn socket_io_2_is_given_the_credentials_in_the_address() {
    let mut page = renewing(socket_io(), &[auth()]);
    assert!(!page.connects().contains("token"));
    page.receive(NO_MAX_PAYLOAD);
    page.receive("44\"not authorized\"");
    waits(&page, "the server wants auth in the query");
    page.done.clear();
    page.tries_again();
    assert_eq!(
        page.connects(),
        "ws://h/socket.io/?EIO=4&transport=websocket&token=x"
    );
    page.receive(NO_MAX_PAYLOAD);
    page.receive("40");
    up(page);
}

#[test]
fn a_server_that_closes_without_a_word_is_asked_for_the_other_version() {
    let mut page = opened(&socket_io());
    // One that can't be reached is asked for the same again.
    loses(&mut page);
    for version in [4, 3, 4, 3] {
        page.tries_again();
        let url = page.connects();
        let start = format!("ws://h/socket.io/?EIO={version}&transport=websocket");
        assert!(url.starts_with(&start), "{url}");
        loses(&mut page);
    }
}

#[test]
fn events_of_other_namespaces_are_ignored() {
    let event = r#"["message",{"sender":1,"channel":"main","message":1}]"#;
    let all = [("/", ""), ("/a", "/a,"), ("/ab", "/ab,"), ("/é", "/é,")];
    for (namespace, part) in all {
        let mut page = opened(&room(namespace));
        page.connects();
        page.receive(EIO4);
        page.did(control(format!("40{part}")));
        page.receive(&format!("40{part}{{\"sid\":\"b\"}}"));
        let mut page = up(page);
        for (_, other) in all {
            page.receive(&format!("42{other}{event}"));
            page.receive(&format!("42{other}9{event}"));
            // Nor is it our namespace that is closed there.
            if other != part {
                page.receive(&format!("41{other}"));
                page.receive(&format!("44{other}{{\"message\":\"no\"}}"));
            }
        }
        assert_eq!(page.stats().delivered, 2.0, "{namespace}");
        page.did(control(format!("43{part}9[]")));
        up(page);
    }
}

/// As with Socket.IO's own client, the address's path is the namespace, and the option `path` says
/// where the server is.
#[test]
fn the_path_of_the_address_is_the_namespace() {
    let namespace = |url: &str, path: Option<&str>, namespace: Option<&str>| {
        let mut setup = socket_io();
        setup.options.url = url.into();
        setup.options.path = path.map(Into::into);
        setup.options.namespace = namespace.map(Into::into);
        let mut page: Client = opened(&setup);
        let url = page.connects();
        page.receive(EIO4);
        let (address, _) = url.split_once('?').unwrap();
        (String::from(address), page.sent_control())
    };
    let both = |address: &str, frame: &str| (String::from(address), String::from(frame));
    let default = "ws://h/socket.io/";
    assert_eq!(namespace("ws://h", None, None), both(default, "40"));
    assert_eq!(namespace("ws://h/", None, None), both(default, "40"));
    assert_eq!(
        namespace("ws://h/room", None, None),
        both(default, "40/room,")
    );
    assert_eq!(
        namespace("ws://h/room", None, Some("other")),
        both(default, "40/other,")
    );
    assert_eq!(
        namespace("ws://h/app/", Some("socket.io/"), None),
        both("ws://h/app/socket.io/", "40")
    );
}
