//! JavaScript's values and strings, for links and sessions without a browser: what serde_json reads, and Rust's own.

// Not all who include this use all of it.
#![allow(dead_code)]

use serde_json::Value as Json;
use signal_wasm::protocol::{Text, Value};

/// What JavaScript has of a JSON text; `None` is `undefined`.
#[derive(Debug, Clone, PartialEq)]
pub struct Js(pub Option<Json>);

impl Value for Js {
    fn member(&self, name: &str) -> Js {
        Js(match &self.0 {
            Some(Json::Object(members)) => members.get(name).cloned(),
            Some(Json::Array(items)) => name
                .parse()
                .ok()
                .and_then(|at: usize| items.get(at))
                .cloned(),
            _ => None,
        })
    }

    fn is_none(&self) -> bool {
        self.0.is_none()
    }

    fn text(&self) -> Option<String> {
        self.0.as_ref().and_then(Json::as_str).map(String::from)
    }

    fn number(&self) -> f64 {
        self.0.as_ref().and_then(Json::as_f64).unwrap_or(f64::NAN)
    }

    fn is_true(&self) -> bool {
        self.0 == Some(Json::Bool(true))
    }
}

/// A text for [`Records`](signal_wasm::protocol::Records).
#[derive(Debug, Clone, PartialEq)]
pub struct Line(pub String);

impl Text for Line {
    fn followed_by(&self, next: &Line) -> Line {
        Line(format!("{}{}", self.0, next.0))
    }

    fn split(&self, separator: &str) -> Vec<Line> {
        self.0
            .split(separator)
            .map(|part| Line(part.into()))
            .collect()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
