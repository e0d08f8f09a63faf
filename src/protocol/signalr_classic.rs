//! ASP.NET SignalR 2, the `$.connection` one: hubs over WebSocket. Each text frame is one JSON object.
//!
//! 1. `GET <base>/negotiate` → `ConnectionToken`, `KeepAliveTimeout` and `DisconnectTimeout` in seconds.
//! 2. WebSocket `<base>/connect` → a frame with `"S":1`.
//! 3. `GET <base>/start` → `{"Response":"started"}`.
//! 4. → server `{"H":hub,"M":method,"A":[…],"I":number}`, answered with `{"I":number}` and an `E`, if that went wrong.
//!    → client `{"C":cursor,"M":[{"H":hub,"M":method,"A":[…]}…],"G":groups}`, and `{}` to say that it is there.
//! 5. After a loss, and within `DisconnectTimeout`: WebSocket `<base>/reconnect` with the last cursor, behind which the server goes on.
//! 6. `POST <base>/abort` when the page closes the connection.

use super::Millis;
use super::json::write_number;
use super::link::{Around, Effect, Ending, Link, Step, Value};
use super::text::Texts;
use alloc::string::String;
use alloc::vec::Vec;

pub(super) const AROUND: Around = Around {
    prefix: "\",\"M\":[{\"H\":<\"hub>,\"M\":<\"target>,\"A\":[\"",
    before: "{\"I\":<number>,\"H\":<\"hub>,\"M\":<\"method>,\"A\":[",
    tail: "]}",
    received_tail: "]}]}",
    ping: "",
    second: ",{\"H\":",
};

pub(super) const ABORT: &str = "http<base>/abort<queries><connection><access>";

pub(super) fn begin(link: &mut Link, resumes: bool) {
    if !resumes || link.texts.get("C").is_empty() {
        link.reset_base();
        for name in ["C", "G"] {
            link.texts.set(name, String::new());
        }
    } else if !link.doubted {
        return resume(link);
    }
    negotiate(link);
}

/// A resumed connection is up when it is open.
fn resume(link: &mut Link) {
    link.step = Step::Asked;
    link.then(
        Effect::Socket,
        "ws<base>/reconnect<queries><connection><access>&messageId=<%C>&groupsToken=<%G>",
    );
}

fn negotiate(link: &mut Link) {
    let hubs = link.texts.fill("[{\"name\":<\"hub>}]");
    link.texts.set("hubs", hubs);
    link.then(
        Effect::Get,
        "http<base>/negotiate<queries>clientProtocol=2.1&connectionData=<%hubs><access>",
    );
}

pub(super) fn answered<V: Value>(link: &mut Link, value: &V) {
    let has = |name| !link.texts.get(name).is_empty();
    if link.step > Step::Apart {
        link.then(Effect::Up, "");
    } else if has("RedirectUrl") {
        link.redirect("RedirectUrl", "AccessToken");
        negotiate(link);
    } else if has("C") {
        // Only asked to see whether the server is there.
        resume(link);
    } else if has("ConnectionToken") {
        let seconds = |name| value.member(name).number() * 1_000.0;
        let silence = seconds("KeepAliveTimeout");
        link.silence = if silence > 0.0 {
            silence
        } else {
            Millis::INFINITY
        };
        link.resume_for = seconds("DisconnectTimeout");
        let connection = link.texts.fill(
            "clientProtocol=2.1&transport=webSockets&connectionData=<%hubs>&connectionToken=<%ConnectionToken>",
        );
        link.texts.set("connection", connection);
        link.then(
            Effect::Socket,
            "ws<base>/connect<queries><connection><access>",
        );
    } else if has("connectionId") {
        link.misfit("the server is one of ASP.NET Core; the option protocol must be 'signalr'");
    } else {
        link.misfit("the server gave no ConnectionToken; the option url must be like '/signalr'");
    }
}

pub(super) fn record<V: Value>(link: &mut Link, value: &V, envelopes: &mut Vec<V>) {
    let messages = value.member("M");
    for place in 0.. {
        let mut number = String::new();
        write_number(&mut number, place);
        let message = messages.member(&number);
        if message.is_none() {
            break;
        }
        let texts = &mut link.texts;
        let is = |texts: &Texts, member, name| {
            let said: Option<String> = message.member(member).text();
            said.filter(|said| said.eq_ignore_ascii_case(texts.get(name)))
        };
        if let Some(hub) = is(texts, "H", "hub")
            && let Some(target) = is(texts, "M", "target")
        {
            // The server has its own way with capitals: what it says now, it will say again.
            texts.set("hub", hub);
            texts.set("target", target);
            envelopes.push(message.member("A").member("0"));
            link.prefix = link.texts.fill(AROUND.prefix);
        }
    }
    if !link.texts.get("E").is_empty() {
        // Without the number of a message it is about the connection.
        if value.member("I").is_none() {
            return link.down(Ending::Final, "the server closed the connection: '<E>'");
        }
        link.then(Effect::Refused, "<E>");
    }
    if link.step == Step::Opened && value.member("S").number() == 1.0 {
        link.step = Step::Asked;
        link.then(Effect::Get, "http<base>/start<queries><connection><access>");
    }
}
