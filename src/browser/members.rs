//! Reads the members of an options object. Each error names the member, its value and valid values.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;

use super::error::{Error, quoted, show, type_error};
use super::js;

/// All options. Members of an object have its name before a dot.
const NAMES: &[&str] = &[
    "url",
    "protocol",
    "transport",
    "subprotocols",
    "path",
    "namespace",
    "event",
    "auth",
    "query",
    "target",
    "method",
    "accessToken",
    "credentials",
    "headers",
    "skipNegotiation",
    "hub",
    "channel",
    "openDelay",
    "openWhen",
    "maxMessage",
    "outbox",
    "outbox.messages",
    "outbox.bytes",
    "outbox.overflow",
    "reconnect",
    "reconnect.base",
    "reconnect.cap",
    "reconnect.attempts",
    "connectTimeout",
    "serverTimeout",
    "keepAlive",
    "heartbeat",
    "heartbeat.interval",
    "heartbeat.timeout",
    "heartbeat.message",
    "onstatechange",
    "ongap",
    "onerror",
    "onframe",
];

/// The longest delay that `setTimeout` accepts, and the limit of other numbers.
pub const LARGE: f64 = 2_147_483_647.0;

/// The description of an object in errors.
pub const OBJECT: &str = "an object";

/// The members of the options, or of an option that is an object.
#[derive(Debug)]
pub struct Members {
    object: JsValue,
    /// The prefix of their names in errors.
    prefix: String,
}

impl Members {
    /// The members of `object`, which is the option `owner`, or all options if that is empty.
    /// Unknown members are an error.
    pub fn new(object: &JsValue, owner: &str) -> Result<Members, JsValue> {
        let prefix = match owner {
            "" => String::new(),
            owner => format!("{owner}."),
        };
        if !object.is_undefined() {
            if !object.is_object() || js_sys::Array::is_array(object) {
                return Err(bad_option(owner, object, OBJECT).into());
            }
            for key in js::keys(object) {
                let name = format!("{prefix}{key}");
                if key.contains('.') || !NAMES.contains(&&*name) {
                    return Err(unknown_option(&name).into());
                }
            }
        }
        Ok(Members {
            object: object.clone(),
            prefix,
        })
    }

    /// The value of a member; `None` if it is missing or `undefined`. The error is a getter's
    /// exception.
    pub fn get(&self, name: &str) -> Result<Option<JsValue>, JsValue> {
        if self.object.is_undefined() {
            return Ok(None);
        }
        let value = Reflect::get(&self.object, &name.into())?;
        Ok(Some(value).filter(|value| !value.is_undefined()))
    }

    fn bad(&self, name: &str, value: &JsValue, wanted: &str) -> JsValue {
        bad_option(&format!("{}{name}", self.prefix), value, wanted).into()
    }

    /// A value that passes a check. `wanted` describes valid values.
    pub fn checked(
        &self,
        name: &str,
        is_right: fn(&JsValue) -> bool,
        wanted: &str,
    ) -> Result<Option<JsValue>, JsValue> {
        match self.get(name)? {
            Some(value) if !is_right(&value) => Err(self.bad(name, &value, wanted)),
            value => Ok(value),
        }
    }

    /// A string that isn't empty.
    pub fn text(&self, name: &str) -> Result<Option<String>, JsValue> {
        let is_text = |value: &JsValue| value.as_string().is_some_and(|text| !text.is_empty());
        let value = self.checked(name, is_text, "a string that isn't empty")?;
        Ok(value.as_ref().and_then(JsValue::as_string))
    }

    /// A number from `least` to `most`.
    pub fn number(&self, name: &str, least: f64, most: f64) -> Result<Option<f64>, JsValue> {
        self.number_that(name, "a number", least, most, |_| true)
    }

    /// A whole number, at least 1.
    pub fn whole_number(&self, name: &str) -> Result<Option<usize>, JsValue> {
        let is_whole = |number: f64| number == f64::from(number as u32);
        let number = self.number_that(name, "a whole number", 1.0, LARGE, is_whole)?;
        Ok(number.map(|number| number as usize))
    }

    fn number_that(
        &self,
        name: &str,
        what: &str,
        least: f64,
        most: f64,
        fits: fn(f64) -> bool,
    ) -> Result<Option<f64>, JsValue> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        let number = value
            .as_f64()
            .filter(|number| (least..=most).contains(number) && fits(*number));
        match number {
            Some(number) => Ok(Some(number)),
            None => {
                let (least, most) = (js::text(&least.into()), js::text(&most.into()));
                let wanted = format!("{what} from {least} to {most}");
                Err(self.bad(name, &value, &wanted))
            }
        }
    }

    /// One of these strings.
    pub fn choice(
        &self,
        name: &str,
        choices: &[&'static str],
    ) -> Result<Option<&'static str>, JsValue> {
        let Some(value) = self.get(name)? else {
            return Ok(None);
        };
        let text = value.as_string().unwrap_or_default();
        match choices.iter().find(|choice| **choice == text) {
            Some(choice) => Ok(Some(choice)),
            None => {
                let wanted = format!("'{}'", choices.join("' or '"));
                Err(self.bad(name, &value, &wanted))
            }
        }
    }
}

/// The error of an option, or of all options if `name` is empty. `wanted` describes valid values.
pub fn bad_option(name: &str, value: &JsValue, wanted: &str) -> Error {
    let shown = show(value);
    let message = match name {
        "" => format!("the options are {shown}; they must be {wanted}"),
        name => format!("the option {name} is {shown}; it must be {wanted}"),
    };
    type_error("bad-option", message)
}

fn unknown_option(name: &str) -> Error {
    type_error(
        "unknown-option",
        format!(
            "there is no option {}; the options are {}",
            quoted(name),
            NAMES.join(", ")
        ),
    )
}
