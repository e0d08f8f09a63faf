//! Where the protocols connect to, from the addresses and paths that a page may give.

use crate::setups::{EIO4, opened};
use crate::support::page::{Setup, control};

fn socket_io(url: &str, path: Option<&str>) -> Setup {
    let mut setup = Setup::new("socket.io", url);
    setup.options.path = path.map(Into::into);
    setup
}

/// As with Socket.IO's own client, the last slash may be left out.
#[test]
fn the_path_of_socket_io_ends_with_a_slash() {
    for (path, address) in [
        (None, "ws://h/socket.io/"),
        (Some("/socket.io/"), "ws://h/socket.io/"),
        (Some("/socket.io"), "ws://h/socket.io/"),
        (Some("/api/socket.io"), "ws://h/api/socket.io/"),
        (Some("/api/socket.io?a=b"), "ws://h/api/socket.io/"),
        (Some("./socket.io"), "ws://h/app/./socket.io/"),
        (Some("socket.io"), "ws://h/app/socket.io/"),
        (Some("../socket.io/"), "ws://h/app/../socket.io/"),
        (Some("/"), "ws://h/"),
    ] {
        let mut page = opened(&socket_io("ws://h/app/room", path));
        let url = page.connects();
        assert_eq!(
            url,
            format!("{address}?EIO=4&transport=websocket"),
            "{path:?}"
        );
    }
}

/// An address is percent-encoded, and the name of a namespace isn't.
#[test]
fn a_namespace_in_the_address_is_decoded() {
    for (url, namespace) in [
        ("ws://h/R%C3%A4ume", "/Räume,"),
        ("ws://h/my%20room?a=b", "/my room,"),
        ("ws://h/%F0%9F%A6%80/%5Bx%5D", "/🦀/[x],"),
        ("ws://h/a[\"b\"]{c}", "/a[\"b\"]{c},"),
        ("ws://h/100%", "/100%,"),
        ("ws://h/%ff", "/%ff,"),
        ("ws://h/", ""),
    ] {
        let mut page = opened(&socket_io(url, None));
        page.connects();
        page.receive(EIO4);
        page.did(control(&*format!("40{namespace}")));
        page.receive(&format!("40{namespace}{{\"sid\":\"b\"}}"));
        assert!(page.state().is_open(), "{url}");
        page.receive(&format!(
            "42{namespace}[\"message\",{{\"sender\":1,\"channel\":\"main\",\"message\":5}}]"
        ));
        assert_eq!(page.stats().delivered, 1.0, "{url}");
        // One with an acknowledgement needs a full parse.
        page.receive(&format!(
            "42{namespace}7[\"message\",{{\"sender\":1,\"channel\":\"main\",\"message\":5}}]"
        ));
        assert_eq!(page.stats().delivered, 2.0, "{url}");
        assert_eq!(page.sent_control(), format!("43{namespace}7[]"));
    }
}

/// A name in the option isn't encoded.
#[test]
fn a_namespace_in_the_option_is_taken_as_it_is() {
    let mut setup = socket_io("ws://h/", None);
    setup.options.namespace = Some("/my%20room".into());
    let mut page = opened(&setup);
    page.connects();
    page.receive(EIO4);
    page.did(control("40/my%20room,"));
}
