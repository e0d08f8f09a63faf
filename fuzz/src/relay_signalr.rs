//! SignalR as the relay reads it: records and requests of both protocols, against serde_json and
//! against what the library reads of the answers.

use serde_json::{Value as Json, json};
use signal_relay::protocols::signalr::classic::protocol::{self as classic, Hubs};
use signal_relay::protocols::signalr::core::protocol::{self as core, Protocol};
use signal_relay::protocols::signalr::core::records::Splitter;
use signal_wire::json::quoted;

use crate::json::string;
use crate::split;

/// The numbers tell how long a record may be, whether the handshake is done, and where the stream
/// is cut into frames.
pub fn run(data: &[u8]) {
    let Some(([longest, ready, cut], stream)) = split(data) else {
        return;
    };
    let records = records(&stream, usize::from(longest) * 8, usize::from(cut) + 1);
    let mut protocol = Protocol::default();
    if ready & 1 == 1 {
        assert_eq!(
            protocol.read("{\"protocol\":\"json\",\"version\":1}"),
            core::Step::Answer(core::WELCOME.into())
        );
    }
    let mut is_ready = ready & 1 == 1;
    for record in &records {
        let step = protocol.read(record);
        let welcomed = step == core::Step::Answer(core::WELCOME.into());
        core(record, is_ready, step);
        is_ready |= welcomed;
    }
    classic(&stream);
    requests(&stream);
}

/// The records of a stream, up to the first that is too long.
fn records(stream: &str, longest: usize, step: usize) -> Vec<String> {
    let mut splitter = Splitter::new(longest);
    let mut records = Vec::new();
    let mut whole = true;
    let mut rest = stream;
    while !rest.is_empty() && whole {
        let mut end = step.min(rest.len());
        while !rest.is_char_boundary(end) {
            end += 1;
        }
        for record in splitter.split(&rest[..end]) {
            match record {
                Ok(record) => records.push(record.into_owned()),
                Err(_) => whole = false,
            }
        }
        rest = &rest[end..];
    }
    let mut expected: Vec<_> = stream.split('\u{1e}').collect();
    let last = expected.pop().unwrap_or_default();
    let fit = expected
        .iter()
        .take_while(|record| record.len() <= longest)
        .count();
    assert_eq!(records, &expected[..fit]);
    assert_eq!(whole, fit == expected.len() && last.len() <= longest);
    records
}

/// What the client is sent is one record of JSON.
fn said(text: &str) -> Json {
    let record = text.strip_suffix('\u{1e}').expect("a record has an end");
    assert!(!record.contains('\u{1e}'), "{text}");
    serde_json::from_str(record).expect("a record is JSON")
}

fn core(record: &str, ready: bool, step: core::Step) {
    // Numbers that no `f64` holds are none to the oracle.
    let read: Option<Json> = serde_json::from_str(record).ok();
    match step {
        core::Step::Publish { text, receipt } => {
            assert!(ready, "{record}");
            if let Some(read) = read {
                assert_eq!(read["type"].as_f64(), Some(1.0), "{record}");
                assert!(
                    read["target"]
                        .as_str()
                        .is_some_and(|target| target.eq_ignore_ascii_case("send")),
                    "{record}"
                );
                assert_eq!(read["arguments"], json!([text]), "{record}");
                let answer = receipt
                    .answer(Ok(()))
                    .map(|answer| said(&answer)["invocationId"].clone());
                assert_eq!(answer.unwrap_or_default(), read["invocationId"], "{record}");
            }
        }
        core::Step::Answer(answer) if ready => {
            let answer = said(&answer);
            assert_eq!(answer["type"], 3, "{record}");
            assert!(answer["error"].is_string(), "{record}");
        }
        core::Step::Answer(answer) => {
            assert_eq!(answer, core::WELCOME);
            if let Some(read) = read {
                assert_eq!(
                    (read["protocol"].as_str(), read["version"].as_f64()),
                    (Some("json"), Some(1.0)),
                    "{record}"
                );
            }
        }
        core::Step::Refuse(last) => {
            assert!(said(&last)["error"].is_string(), "{record}");
        }
        core::Step::Leave => assert!(ready, "{record}"),
        core::Step::Nothing => assert!(ready, "{record}"),
        _ => {}
    }
    let delivery = said(&core::delivery(record));
    assert_eq!(delivery["arguments"], json!([record]));
}

fn classic(frame: &str) {
    let read: Option<Json> = serde_json::from_str(frame).ok();
    match classic::read(frame) {
        classic::Step::Publish { text, receipt } => {
            if let Some(read) = read {
                assert!(
                    read["M"]
                        .as_str()
                        .is_some_and(|method| method.eq_ignore_ascii_case("send")),
                    "{frame}"
                );
                assert_eq!(read["A"], json!([text]), "{frame}");
            }
            if let Some(answer) = receipt.answer(Ok(())) {
                assert!(
                    serde_json::from_str::<Json>(&answer)
                        .is_ok_and(|answer| answer["I"].is_string()),
                    "{frame}"
                );
            }
        }
        classic::Step::Answer(text) | classic::Step::Refuse(text) => {
            let answer: Json = serde_json::from_str(&text).expect("an answer is JSON");
            assert!(answer["E"].is_string(), "{frame}");
        }
        _ => {}
    }
}

/// Members of a request's query.
fn requests(text: &str) {
    if let Ok(hubs) = Hubs::read(Some(text)) {
        let delivery: Json =
            serde_json::from_str(&hubs.delivery(1, &quoted(text))).expect("a delivery is JSON");
        let calls = delivery["M"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        assert_eq!(calls.is_empty(), hubs.is_empty());
        assert!(
            calls.iter().all(|call| call["A"] == json!([text])),
            "{text}"
        );
    }
    assert_eq!(classic::cursor(Some(text)), text.parse().ok());
    assert_eq!(string(&quoted(text)).as_deref(), Some(text));
}
