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
use super::link::{Around, Effect, Link, Step, Value};
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

pub(super) const ABORT: &str = "http<base>/abort<queries><resume>";

pub(super) fn begin(link: &mut Link, resumes: bool) {
    if resumes && !link.texts.get("C").is_empty() {
        // A resumed connection is up when it is open.
        link.step = Step::Asked;
        link.then(
            Effect::Socket,
            "ws<base>/reconnect<queries><resume>&messageId=<%C>&groupsToken=<%G>",
        );
        return;
    }
    for name in ["C", "G"] {
        link.texts.set(name, String::new());
    }
    let hubs = link.texts.fill("[{\"name\":<\"hub>}]");
    link.texts.set("message", hubs);
    let hubs = link
        .texts
        .fill("clientProtocol=2.1&connectionData=<%message>");
    link.texts.set("resume", hubs);
    link.then(Effect::Get, "http<base>/negotiate<queries><resume>");
}

pub(super) fn answered<V: Value>(link: &mut Link, value: &V) {
    if link.step > Step::Apart {
        return link.then(Effect::Up, "");
    }
    let seconds = |name| value.member(name).number() * 1_000.0;
    let silence = seconds("KeepAliveTimeout");
    link.silence = if silence > 0.0 {
        silence
    } else {
        Millis::INFINITY
    };
    link.resume_for = seconds("DisconnectTimeout");
    if !link.texts.get("connectionToken").is_empty() {
        link.misfit("the server is one of ASP.NET Core; the option protocol must be 'signalr'");
    } else if link.texts.get("ConnectionToken").is_empty() {
        link.misfit("the server gave no ConnectionToken; the option url must be like '/signalr'");
    } else {
        let resume = link
            .texts
            .fill("<resume>&transport=webSockets&connectionToken=<%ConnectionToken>");
        link.texts.set("resume", resume);
        link.then(Effect::Socket, "ws<base>/connect<queries><resume>");
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
        link.then(Effect::Refused, "<E>");
    }
    if link.step == Step::Opened && value.member("S").number() == 1.0 {
        link.step = Step::Asked;
        link.then(Effect::Get, "http<base>/start<queries><resume>");
    }
}
