//! ASP.NET Core SignalR: the JSON hub protocol over WebSocket. Each record is JSON and ends with the character 0x1e.
//!
//! 1. `POST <hub>/negotiate?negotiateVersion=1` → `{"connectionToken"}`, `{"url","accessToken"}`: negotiate again there, or `{"error"}`.
//! 2. WebSocket `<hub>?id=<connectionToken>[&access_token=<token>]`; without negotiation there is no `id`.
//! 3. `{"protocol":"json","version":1}` → `{}`, or `{"error"}`.
//! 4. Records of these types:
//!
//! | type | | |
//! | --- | --- | --- |
//! | 1 | both | invocation: `target`, `arguments`, and an `invocationId` where the other side is to answer with a completion |
//! | 3 | both | completion: `invocationId`, and a `result` or an `error`. We ask for them to hear of messages that the hub refuses |
//! | 6 | both | ping, when nothing else was said for 15 s; after 30 s of silence the other side is gone |
//! | 7 | → client | close: `error`, `allowReconnect` |

use super::Millis;
use super::link::{Around, Effect, Ending, Link, Step, Value};
use alloc::vec::Vec;

pub(super) const AROUND: Around = Around {
    prefix: "{\"type\":1,\"target\":<\"target>,\"arguments\":[\"",
    before: "{\"type\":1,\"invocationId\":\"<number>\",\"target\":<\"method>,\"arguments\":[",
    tail: "]}\u{1e}",
    received_tail: "]}\u{1e}",
    ping: "{\"type\":6}\u{1e}",
    second: "\u{1e}{",
};

pub(super) const HANDSHAKE: &str = "{\"protocol\":\"json\",\"version\":1}\u{1e}";

/// How often we say that we are there, and how long the server may be silent.
const PING: Millis = 15_000.0;
const SILENCE: Millis = 30_000.0;

pub(super) fn begin(link: &mut Link, skip_negotiation: bool) {
    link.reset_base();
    if skip_negotiation {
        link.then(Effect::Socket, "ws<base><queries><access>");
    } else {
        negotiate(link);
    }
}

fn negotiate(link: &mut Link) {
    link.then(
        Effect::Post,
        "http<base>/negotiate<queries>negotiateVersion=1",
    );
}

pub(super) fn answered(link: &mut Link) {
    let has = |name| !link.texts.get(name).is_empty();
    if has("error") {
        link.down(Ending::Retry, "the server said '<error>'");
    } else if has("url") {
        link.redirect("url", "accessToken");
        negotiate(link);
    } else if has("connectionToken") {
        link.then(
            Effect::Socket,
            "ws<base><queries>id=<%connectionToken><access>",
        );
    } else if has("connectionId") {
        link.then(
            Effect::Socket,
            "ws<base><queries>id=<%connectionId><access>",
        );
    } else if has("ConnectionToken") {
        link.misfit(
            "the server is one of ASP.NET SignalR 2; the option protocol must be 'signalr-classic'",
        );
    } else {
        link.misfit(
            "the server gave no connectionToken; the option url must be that of a SignalR hub",
        );
    }
}

pub(super) fn record<V: Value>(link: &mut Link, head: &str, value: &V, envelopes: &mut Vec<V>) {
    let failed = !link.texts.get("error").is_empty();
    if link.step < Step::Up {
        if failed {
            link.misfit("the server said '<error>'");
        } else if head.starts_with("{}") || !value.member("minorVersion").is_none() {
            link.ping_every = PING;
            link.silence = SILENCE;
            link.then(Effect::Up, "");
        } else {
            link.misfit("the server speaks no SignalR; the option protocol may have to be another");
        }
        return;
    }
    match value.member("type").number() as u32 {
        1 => {
            let ours = value.member("target").text().as_deref() == Some(link.texts.get("target"));
            if ours {
                envelopes.push(value.member("arguments").member("0"));
            }
            if !link.texts.get("invocationId").is_empty() {
                link.then(
                    Effect::Say,
                    if ours {
                        "{\"type\":3,\"invocationId\":<\"invocationId>,\"result\":null}\u{1e}"
                    } else {
                        "{\"type\":3,\"invocationId\":<\"invocationId>,\"error\":\"no such method\"}\u{1e}"
                    },
                );
            }
        }
        3 if failed => link.then(Effect::Refused, "<error>"),
        7 => {
            let again = value.member("allowReconnect").is_true();
            link.down(
                if again { Ending::Retry } else { Ending::Final },
                "the server closed the connection: '<error>'",
            );
        }
        _ => {}
    }
}
