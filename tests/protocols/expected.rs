//! What a transcript says that our side must do, and what it must receive: an oracle that reads
//! frames as a whole.

use crate::setups::OWN;
use crate::support::host::HostValue;
use crate::support::page::Received;
use serde_json::Value as Json;
use signal_wasm::protocol::Credentials;
use std::collections::BTreeMap;

/// The credentials that the page gives: as the options say, or else what the recorded client gave
/// one time after another.
pub fn credentials(options: &Json, frames: &[Json]) -> Vec<Credentials> {
    if let Some(auth) = options["auth"].as_object() {
        let query: Vec<_> = auth
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()))
            .collect();
        return vec![Credentials::Auth {
            json: options["auth"].to_string(),
            query: query.join("&"),
        }];
    }
    if let Some(token) = options["accessToken"].as_str() {
        return vec![Credentials::Token(token.into())];
    }
    if frames[0]["token"].is_null() {
        return Vec::new();
    }
    let tokens = frames.iter().filter_map(|frame| frame["token"].as_str());
    tokens
        .map(|token| Credentials::Token(token.into()))
        .collect()
}

/// The one argument of a call as text and the message in it; `None`: it holds no envelope.
pub fn envelope(arguments: &Json) -> Option<(Json, Json)> {
    let argument: Json = serde_json::from_str(arguments[0].as_str()?).ok()?;
    let message = argument["message"].clone();
    (argument["channel"] == "main").then_some((argument, message))
}

/// Whether our one argument is the text of the same envelope; the sender was another's affair.
pub fn same_argument(ours: &Json, theirs: &Json) {
    assert_eq!(ours.as_array().unwrap().len(), 1);
    let ours: Json = serde_json::from_str(ours[0].as_str().unwrap()).unwrap();
    assert_eq!(ours["sender"], OWN);
    for member in ["channel", "message"] {
        assert_eq!(ours[member], theirs[member]);
    }
}

/// Path and query of an address, decoded. What the official clients add against caches, and against
/// servers that count, isn't demanded.
fn parts(address: &str) -> (String, BTreeMap<String, String>) {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let pairs = query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap();
            (name.to_string(), decoded(value))
        });
    let mut query = BTreeMap::new();
    for (name, value) in pairs.filter(|(name, _)| !["tid", "_"].contains(&&**name)) {
        assert_eq!(query.insert(name, value), None, "twice in {address}");
    }
    // Hubs have no capitals. A groups' token that was never given is an empty one.
    if let Some(hubs) = query.get_mut("connectionData") {
        *hubs = hubs.to_lowercase();
    }
    query.retain(|name, value| name != "groupsToken" || !value.is_empty());
    (path.into(), query)
}

pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

/// Whether our address, with its token in the query or in a header, is the client's.
pub fn same_address(
    ours: &str,
    theirs: &str,
    scheme: &str,
    their_token: Option<&str>,
    our_token: Option<&str>,
) {
    let rest = ours
        .strip_prefix(scheme)
        .expect(ours)
        .strip_prefix("//")
        .unwrap();
    let (host, _) = rest.split_once('/').unwrap();
    let (ours_path, mut ours_query) = parts(&rest[host.len()..]);
    let (path, mut query) = parts(theirs);
    // The one that was redirected to another host.
    assert_eq!(
        host == "server.test",
        !path.starts_with("/elsewhere"),
        "{host}"
    );
    let their_token = query
        .remove("access_token")
        .or(their_token.map(String::from));
    let our_token = ours_query
        .remove("access_token")
        .or(our_token.map(String::from));
    assert_eq!(our_token, their_token, "{ours}");
    assert_eq!((ours_path, ours_query), (path, query));
}

/// What all the frames of the server are.
pub fn received(frames: &[Json], options: &Json, protocol: &str) -> Vec<Received<String>> {
    let namespace = options["namespace"].as_str().unwrap_or("/");
    let mut expected = Vec::new();
    for frame in frames.iter().filter(|frame| frame["from"] == "server") {
        if frame["binary"].is_string() {
            expected.push(Received::Control);
        }
        let Some(text) = frame["text"].as_str() else {
            continue;
        };
        let records: Vec<_> = match protocol {
            "signalr" => text.split_terminator('\u{1e}').collect(),
            _ => vec![text],
        };
        for record in records {
            let envelopes = match protocol {
                "socket.io" => packet_envelopes(record, namespace),
                _ => call_envelopes(&serde_json::from_str(record).unwrap()),
            };
            if envelopes.is_empty() {
                expected.push(Received::Control);
            }
            expected.extend(envelopes.into_iter().map(as_received));
        }
    }
    expected
}

/// The envelope of an event, if it is one of ours.
fn packet_envelopes(packet: &str, namespace: &str) -> Vec<Option<Json>> {
    let Some(rest) = packet.strip_prefix("42") else {
        return Vec::new();
    };
    let (of, rest) = match rest.split_once(',') {
        Some((of, rest)) if of.starts_with('/') => (of, rest),
        _ => ("/", rest),
    };
    let rest = rest.trim_start_matches(|id: char| id.is_ascii_digit());
    let event: Vec<Json> = serde_json::from_str(rest).unwrap();
    if of == namespace && event[0] == "message" {
        vec![event.get(1).cloned()]
    } else {
        Vec::new()
    }
}

/// The envelopes of an invocation of SignalR, or of all calls in a frame of the classic one.
fn call_envelopes(record: &Json) -> Vec<Option<Json>> {
    let read = |target: &Json, arguments: &Json| {
        let ours = target == "onMessageReceived";
        ours.then(|| {
            arguments[0]
                .as_str()
                .and_then(|text| serde_json::from_str(text).ok())
        })
    };
    if record["type"] == 1 {
        return read(&record["target"], &record["arguments"])
            .into_iter()
            .collect();
    }
    let calls = record["M"].as_array().cloned().unwrap_or_default();
    calls
        .iter()
        .filter_map(|call| read(&call["M"], &call["A"]))
        .collect()
}

fn as_received(envelope: Option<Json>) -> Received<String> {
    let Some(Json::Object(envelope)) = envelope else {
        return Received::Bad;
    };
    if envelope.get("sender") == Some(&OWN.into()) {
        Received::Own
    } else if envelope["channel"] == "main" {
        let message = HostValue(envelope.get("message").cloned());
        Received::Message("main".into(), message)
    } else {
        Received::Foreign
    }
}
