//! Our own relay, over a plain WebSocket: what is sent is acknowledged, and a connection that comes back gets what it missed.
//!
//! | frame | direction | meaning |
//! | --- | --- | --- |
//! | `{"signal":1,"session":…,"epoch":…,"ping":…}` | → client | hello, the first frame: the secret by which this session is resumed, what changes when the relay forgets all, milliseconds between signs of life |
//! | `{"open":[…],"after":{…},"session":…}` | → relay | open channels, from now on deliver only those; replay what came after these ids; take this earlier session over |
//! | `{"close":[…]}` | → relay | leave channels |
//! | `{"sender":…,"channel":…,"ref":9,"message":…}` | → relay | send; refs rise within the session |
//! | `{"ack":9}` | → client | taken, up to and including that ref; also the answer to the first `open` |
//! | `{"sender":…,"channel":…,"id":"18","message":…}` | → client | a message |
//! | `{"gap":"a"}` | → client | some of what came between is no longer kept |
//! | `{"ping":n}`, `{"pong":n}` | both | |
//!
//! Until `open` is answered, a relay delivers as it does to pages that know nothing of all this: those messages come again, so they are ignored.

use super::Millis;
use super::json::{write_number, write_string};
use super::link::{Around, Effect, Link, Step, Value};
use alloc::string::String;
use alloc::vec::Vec;

pub(super) const AROUND: Around = Around {
    prefix: "",
    before: "",
    tail: "}",
    received_tail: "}",
    ping: "{\"ping\":1}",
    second: "",
};

/// A relay's hello comes with the answer that opens the socket; a server that says nothing for so long is another one.
pub(super) const GREETING: Millis = 250.0;

/// A relay may be so much later with a sign of life than it said.
const GRACE: Millis = 10_000.0;

/// How much longer an id makes a head.
pub(super) const ID_ROOM: usize = 28;

/// Whether a first frame is a relay's hello; if so, says which channels are wanted.
pub(super) fn greeted<V: Value>(link: &mut Link, value: &V) -> bool {
    let text = |name| value.member(name).text();
    let (true, Some(session), Some(epoch)) = (
        value.member("signal").number() == 1.0,
        text("session"),
        text("epoch"),
    ) else {
        return false;
    };
    link.begin_relay(session, epoch);
    // What is no number is the least that makes sense.
    link.ping_every = value.member("ping").number().max(1_000.0);
    link.silence = link.ping_every + GRACE;
    true
}

pub(super) fn record<V: Value>(link: &mut Link, value: V, envelopes: &mut Vec<V>) {
    if !value.member("channel").is_none() {
        if link.step == Step::Up {
            envelopes.push(value);
        }
        return;
    }
    let ack = value.member("ack").number();
    if !ack.is_nan() {
        link.taken = ack;
        link.then(Effect::Taken, "");
        if link.step == Step::Asked {
            link.then(Effect::Up, "");
        }
    }
    if let Some(channel) = value.member("gap").text() {
        link.effects.push((Effect::Gap, channel));
    }
    let ping = value.member("ping").number();
    if !ping.is_nan() {
        let mut pong = String::from("{\"pong\":");
        write_number(&mut pong, ping as u64);
        pong.push('}');
        link.effects.push((Effect::Say, pong));
    }
    if !value.member("pong").is_none() {
        link.then(Effect::Pong, "");
    }
}

/// What opens channels, each given with the id of the last message that came on it, or nothing; `session` is the one to take over, or nothing.
pub fn open<'a>(channels: impl Iterator<Item = (&'a str, &'a str)>, session: &str) -> String {
    let mut out = String::from("{\"open\":[");
    let mut after = String::from("],\"after\":{");
    let mut separator = "";
    let mut separator_after = "";
    for (name, last) in channels {
        out.push_str(separator);
        separator = ",";
        write_string(&mut out, name);
        if !last.is_empty() {
            after.push_str(separator_after);
            separator_after = ",";
            write_string(&mut after, name);
            after.push(':');
            write_string(&mut after, last);
        }
    }
    out.push_str(&after);
    out.push('}');
    if !session.is_empty() {
        out.push_str(",\"session\":");
        write_string(&mut out, session);
    }
    out.push('}');
    out
}

/// What leaves a channel.
pub fn close(channel: &str) -> String {
    let mut out = String::from("{\"close\":[");
    write_string(&mut out, channel);
    out.push_str("]}");
    out
}
