//! Errors: each code has its kind.

use super::{Stage, server};
use signal_wasm::{Error, ErrorKind, Options, Signaling};
use std::collections::BTreeSet;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;

/// What only JavaScript can do wrong: configs and names of other types, options of other names, the
/// default signaling, and a module that isn't loaded.
const OF_JAVASCRIPT: [&str; 5] = [
    "bad-config",
    "in-use",
    "no-channel",
    "not-initialised",
    "unknown-option",
];

#[wasm_bindgen_test]
fn each_code_has_its_kind() {
    let table = include_str!("../../../docs/errors.md").lines();
    let rows = table.filter(|line| line.starts_with("| `"));
    let documented: BTreeSet<&str> = rows
        .flat_map(|row| {
            row.split('|')
                .nth(1)
                .unwrap_or_default()
                .split('`')
                .skip(1)
                .step_by(2)
        })
        .collect();
    assert!(documented.len() > 15, "{documented:?}");
    let kinds = ErrorKind::ALL.iter().map(|kind| kind.code());
    let in_rust: BTreeSet<&str> = kinds
        .filter(|code| *code != ErrorKind::Exception.code())
        .chain(OF_JAVASCRIPT)
        .collect();
    assert_eq!(in_rust, documented);
}

fn bad(url: &str) -> Error {
    Signaling::new(&Options {
        url: Some(url.into()),
        ..Options::default()
    })
    .unwrap_err()
}

#[wasm_bindgen_test]
async fn errors_are_values() {
    let _stage = Stage::set().await;
    let error = bad("ftp://one.test/");
    assert_eq!(error.kind(), ErrorKind::BadUrl);
    assert_eq!(error, bad("ftp://one.test/"));
    assert_ne!(error, bad("ftp://two.test/"));
    let signaling = Signaling::new(&server()).unwrap();
    signaling.close();
    assert_eq!(
        signaling.channel::<u8>("room").unwrap_err().kind(),
        ErrorKind::SignalingClosed
    );
    // As errors must be to pass through other crates' error types.
    let error: Box<dyn std::error::Error + Send + Sync> = Box::new(error);
    assert!(error.to_string().contains("ftp://one.test/"));
}

#[wasm_bindgen_test]
async fn javascript_gets_an_error_of_its_own() {
    let _stage = Stage::set().await;
    let error = bad("ftp://one.test/");
    let thrown = JsValue::from(error.clone());
    assert!(thrown.is_instance_of::<js_sys::TypeError>());
    let code = js_sys::Reflect::get(&thrown, &"code".into()).unwrap();
    assert_eq!(code, "bad-url");
    assert_eq!(Error::from(thrown), error);
    let foreign = Error::from(JsValue::from(js_sys::Error::new("of the page")));
    assert_eq!(foreign.kind(), ErrorKind::Exception);
    assert_eq!(foreign.to_string(), "of the page");
}
