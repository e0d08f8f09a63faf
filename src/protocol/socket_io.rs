//! Socket.IO: packets of Engine.IO 4 and 3, one to a text frame, and in those of type 4 the packets of Socket.IO (protocol 5 and 4).
//!
//! | packet | | |
//! | --- | --- | --- |
//! | `0{…}` | → client | open: `pingInterval`, `pingTimeout` and, since Socket.IO 4.5, `maxPayload` |
//! | `2`, `3` | both | heartbeat: the server asks in version 4, the client in version 3 |
//! | `40[/namespace,][{…}]` | both | connect to a namespace, with the credential; version 3 connects to `/` unasked |
//! | `42[/namespace,][id]["event",…]` | both | an event; with an id, it wants `43[/namespace,]id[…]` |
//! | `44[/namespace,]…` | → client | no connection to that namespace |
//! | `41[/namespace,]` | → client | disconnected, and not to come back |
//! | `45…`, `46…` | → client | events with binary parts, which follow as binary frames |
//!
//! A server of version 3 answers an address that asks for 4 with its own, told by the `40` that comes unasked.
//! Where `maxPayload` is missing that is waited for, since Socket.IO 3 to 4.4 sends none either.

use super::Millis;
use super::link::{Around, Effect, Ending, Link, Step, Value};
use alloc::string::String;
use alloc::vec::Vec;

pub(super) const AROUND: Around = Around {
    prefix: "42<of>[<\"event>,",
    before: "",
    tail: "}]",
    received_tail: "}]",
    ping: "2",
    second: "",
};

/// After an open packet without `maxPayload`, a server of Socket.IO 2 takes no longer for its `40`; one of Socket.IO 3 or 4 waits for ours.
pub(super) const UNASKED: Millis = 1_000.0;

/// Makes of the namespace what names it in a packet.
pub(super) fn set_namespace(link: &mut Link) {
    // `io.of('room')` puts the slash there, too.
    if !link.texts.get("namespace").starts_with('/') {
        let namespace = link.texts.fill("/<namespace>");
        link.texts.set("namespace", namespace);
    }
    if link.texts.get("namespace") != "/" {
        let of = link.texts.fill("<namespace>,");
        link.texts.set("of", of);
    }
}

pub(super) fn begin(link: &mut Link) {
    if link.texts.get("version") == "3" || !link.texts.get("authInQuery").is_empty() {
        auth_in_query(link);
    }
    link.then(
        Effect::Socket,
        "ws<base><queries>EIO=<version>&transport=websocket<authInQuery>",
    );
}

fn auth_in_query(link: &mut Link) {
    let auth = link.texts.fill("&<authQuery>");
    link.texts.set("authInQuery", auth);
}

/// A server that knows one version only may go without a word.
pub(super) fn other_version(link: &mut Link) {
    let other = if link.texts.get("version") == "4" {
        "3"
    } else {
        "4"
    };
    link.texts.set("version", other.into());
}

/// Connects to the namespace of a server of Socket.IO 3 or 4.
pub(super) fn connect(link: &mut Link) {
    link.step = Step::Asked;
    link.then(Effect::Say, "40<of><auth>");
}

/// What stands before a packet's JSON text.
pub(super) fn packet(head: &str) -> &str {
    let json = head
        .bytes()
        .position(|byte| matches!(byte, b'[' | b'{' | b'"'));
    head.get(..json.unwrap_or(head.len())).unwrap_or_default()
}

pub(super) fn record<V: Value>(link: &mut Link, head: &str, value: &V, envelopes: &mut Vec<V>) {
    let packet = packet(head);
    let mut types = packet.bytes();
    let engine = types.next().unwrap_or_default();
    if link.step == Step::Opened {
        if engine == b'0' {
            return greeted(link, value);
        }
        return link.misfit(
            "the server speaks no Engine.IO; the option protocol may have to be 'websocket'",
        );
    }
    match engine {
        b'2' => return link.then(Effect::Say, "3"),
        b'1' => return link.down(Ending::Retry, "the server closed the connection"),
        b'4' => {}
        _ => return,
    }
    let kind = types.next().unwrap_or_default();
    let rest = packet.get(2..).unwrap_or_default();
    // What names a namespace, up to the comma, and then an id. Binary parts are counted before that, so that such an event is for no namespace.
    let of = link.texts.get("of");
    let id = match rest.strip_prefix(of) {
        Some(id) if !id.starts_with('/') => id,
        // Version 3, which reads no credential here. Before this came, it might have been 4.
        _ if link.step == Step::Greeted && packet == "40" => {
            link.step = Step::Asked;
            return link.then(Effect::Say, "40<of>");
        }
        _ => return,
    };
    match kind {
        b'0' if link.step < Step::Up => {
            // Version 4 says an id, does the asking, and takes a client that does for broken.
            if !value.is_none() {
                link.ping_every = 0.0;
            }
            link.then(Effect::Up, "");
        }
        b'1' => link.down(Ending::Final, "the server disconnected this client"),
        b'2' => {
            if value.member("0").text().as_deref() == Some(link.texts.get("event")) {
                envelopes.push(value.member("1"));
            }
            if !id.is_empty() {
                link.texts.set("number", id.into());
                link.then(Effect::Say, "43<of><number>[]");
            }
        }
        b'4' => refused(link, value.text()),
        _ => {}
    }
}

fn greeted<V: Value>(link: &mut Link, value: &V) {
    let interval = value.member("pingInterval").number();
    link.silence = interval + value.member("pingTimeout").number();
    let is_new = !value.member("maxPayload").is_none();
    link.ping_every = interval;
    link.step = Step::Greeted;
    if is_new && link.texts.get("version") == "4" {
        connect(link);
    }
}

/// `why` is what a server of version 3 said; one of version 4 said an object with a `message`.
fn refused(link: &mut Link, why: Option<String>) {
    if let Some(why) = why {
        link.texts.set("message", why);
        // It reads no `auth` but in the address.
        if link.texts.get("authInQuery").is_empty() && !link.texts.get("authQuery").is_empty() {
            auth_in_query(link);
            return link.down(Ending::Retry, "the server wants auth in the query");
        }
    }
    if link.texts.get("message") == "Invalid namespace" {
        return link.misfit("the server has no namespace '<namespace>'; set the option namespace");
    }
    link.down(Ending::Denied, "with '<message>'");
}
