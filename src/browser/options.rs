//! What `configure` and `new Signaling` take: read member by member, each checked, each named in its error.

use super::error::{Code, Error, quoted, show};
use super::js;
use super::timer;
use crate::protocol::Protocol;
use crate::session::{Bounds, Config, OpenWhen, Reconnect};
use js_sys::{Function, Object, Reflect};
use std::cell::RefCell;
use std::ops::RangeInclusive;
use wasm_bindgen::prelude::*;
use web_sys::Url;

/// The options, checked.
#[derive(Debug)]
pub struct Options {
    /// The server, as `WebSocket` takes it.
    pub url: String,
    /// The channel that is used where none is named.
    pub channel: Option<String>,
    /// How the session behaves.
    pub config: Config,
    /// Whom to tell.
    pub handlers: Handlers,
}

/// The page's callbacks of a signaling.
#[derive(Debug, Default)]
pub struct Handlers {
    /// `onstatechange`.
    pub onstatechange: RefCell<Option<Function>>,
    /// `onerror`.
    pub onerror: RefCell<Option<Function>>,
    /// `onframe`.
    pub onframe: RefCell<Option<Function>>,
}

const DEFAULT_CHANNEL: &str = "main-channel";
const KNOWN: &str = "url, protocol, channel, openDelay, openWhen, maxMessage, outbox, reconnect, onstatechange, onerror, onframe";

impl Options {
    /// Reads `options`; missing ones are the defaults.
    pub fn read(options: &JsValue) -> Result<Options, JsValue> {
        let mut url = None;
        let mut channel = Some(DEFAULT_CHANNEL.into());
        let mut config = Config::default();
        let mut open_delay = None;
        let handlers = Handlers::default();
        for (name, value) in members(options, "options")? {
            match name.as_str() {
                "url" => url = Some(value),
                "protocol" => config.protocol = read_protocol(&value)?,
                "channel" => channel = read_channel(&value)?,
                "openDelay" => open_delay = Some(number(&name, &value, 0.0..=timer::LONGEST)?),
                "openWhen" => config.open_when = read_open_when(&value)?,
                "maxMessage" => config.max_message = size(&name, &value)?,
                "outbox" => config.outbox = read_outbox(&value)?,
                "reconnect" => config.reconnect = read_reconnect(&value)?,
                "onstatechange" => set_handler(&handlers.onstatechange, &name, &value)?,
                "onerror" => set_handler(&handlers.onerror, &name, &value)?,
                "onframe" => set_handler(&handlers.onframe, &name, &value)?,
                _ => return Err(unknown(&name, KNOWN).into()),
            }
        }
        config.open_delay = open_delay.unwrap_or(match config.open_when {
            OpenWhen::Timer => config.open_delay,
            OpenWhen::Connected => 0.0,
        });
        Ok(Options { url: read_url(url)?, channel, config, handlers })
    }
}

/// Sets a handler to a function, or to none.
pub fn set_handler(handler: &RefCell<Option<Function>>, name: &str, value: &JsValue) -> Result<(), Error> {
    let function = match value.dyn_ref::<Function>() {
        Some(function) => Some(function.clone()),
        None if value.is_null() || value.is_undefined() => None,
        None => return Err(bad(name, value, "a function, or null")),
    };
    handler.replace(function);
    Ok(())
}

/// The members of an options object that aren't `undefined`; none if it is left out.
fn members(object: &JsValue, name: &str) -> Result<Vec<(String, JsValue)>, JsValue> {
    if object.is_undefined() {
        return Ok(Vec::new());
    }
    let Some(object) = object.dyn_ref::<Object>().filter(|object| !object.is_function() && !js_sys::Array::is_array(object)) else {
        return Err(bad(name, object, "an object").into());
    };
    let mut members = Vec::new();
    for key in Object::keys(object).iter() {
        let value = Reflect::get(object, &key)?;
        if !value.is_undefined() {
            members.push((String::from(key.unchecked_into::<js_sys::JsString>()), value));
        }
    }
    Ok(members)
}

fn bad(name: &str, value: &JsValue, wanted: &str) -> Error {
    Error::new(Code::BadOption, &["the option ", name, " is ", &show(value), "; it must be ", wanted])
}

fn unknown(name: &str, known: &str) -> Error {
    Error::new(Code::UnknownOption, &["there is no option ", &quoted(name), "; the options are ", known])
}

fn number(name: &str, value: &JsValue, range: RangeInclusive<f64>) -> Result<f64, Error> {
    value.as_f64().filter(|number| range.contains(number)).ok_or_else(|| {
        let [low, high] = [range.start(), range.end()].map(|bound| show(&JsValue::from_f64(*bound)));
        bad(name, value, &["a number from ", &low, " to ", &high].concat())
    })
}

/// A bound that is a whole number from 1 on.
fn size(name: &str, value: &JsValue) -> Result<usize, Error> {
    let size = number(name, value, 1.0..=f64::from(i32::MAX))?;
    if size.fract() == 0.0 { Ok(size as usize) } else { Err(bad(name, value, "a whole number")) }
}

fn read_protocol(value: &JsValue) -> Result<Protocol, Error> {
    value.as_string().and_then(|name| Protocol::from_name(&name)).ok_or_else(|| {
        let names: Vec<_> = Protocol::ALL.iter().map(|protocol| quoted(protocol.name())).collect();
        bad("protocol", value, &names.join(" or "))
    })
}

fn read_channel(value: &JsValue) -> Result<Option<String>, Error> {
    match value.as_string() {
        Some(name) if !name.is_empty() => Ok(Some(name)),
        None if value.is_null() => Ok(None),
        _ => Err(bad("channel", value, "a string that isn't empty, or null")),
    }
}

fn read_open_when(value: &JsValue) -> Result<OpenWhen, Error> {
    match value.as_string().as_deref() {
        Some("timer") => Ok(OpenWhen::Timer),
        Some("connected") => Ok(OpenWhen::Connected),
        _ => Err(bad("openWhen", value, "'timer' or 'connected'")),
    }
}

fn read_outbox(value: &JsValue) -> Result<Bounds, JsValue> {
    let mut bounds = Bounds::default();
    for (member, value) in members(value, "outbox")? {
        let name = ["outbox.", &member].concat();
        match member.as_str() {
            "messages" => bounds.messages = size(&name, &value)?,
            "bytes" => bounds.bytes = size(&name, &value)?,
            _ => return Err(unknown(&name, "outbox.messages, outbox.bytes").into()),
        }
    }
    Ok(bounds)
}

fn read_reconnect(value: &JsValue) -> Result<Option<Reconnect>, JsValue> {
    if value.as_bool() == Some(false) {
        return Ok(None);
    }
    let mut reconnect = Reconnect::default();
    for (member, value) in members(value, "reconnect")? {
        let name = ["reconnect.", &member].concat();
        match member.as_str() {
            "base" => reconnect.base = number(&name, &value, 1.0..=timer::LONGEST)?,
            "cap" => reconnect.cap = number(&name, &value, 1.0..=timer::LONGEST)?,
            "attempts" => reconnect.attempts = number(&name, &value, 0.0..=f64::INFINITY)?,
            _ => return Err(unknown(&name, "reconnect.base, reconnect.cap, reconnect.attempts").into()),
        }
    }
    Ok(Some(reconnect))
}

/// The server's URL in the form that every `WebSocket` takes: absolute, `ws:` or `wss:`, no fragment.
fn read_url(value: Option<JsValue>) -> Result<String, Error> {
    let given = match &value {
        None => "/".into(),
        Some(value) => match (value.as_string(), value.dyn_ref::<Url>()) {
            (Some(text), _) => text,
            (_, Some(url)) => url.href(),
            _ => return Err(bad("url", value, "a string or a URL")),
        },
    };
    let base = js::LOCATION.with(|location| location.as_ref().map(js::Location::href));
    let parsed = match &base {
        Some(base) => Url::new_with_base(&given, base),
        None => Url::new(&given),
    };
    let wrong = |what: &str| {
        let subject = if value.is_some() { "the option url is " } else { "with no option url the server is the page's own origin, " };
        let shown = if value.is_some() { quoted(&given) } else { quoted(base.as_deref().unwrap_or_default()) };
        Error::new(Code::BadUrl, &[subject, &shown, what, "; name the server, as in configure({ url: 'wss://example.org/' })"])
    };
    let url = parsed.map_err(|_| wrong(", which is no URL here"))?;
    match url.protocol().as_str() {
        "ws:" | "wss:" => {}
        "http:" => url.set_protocol("ws:"),
        "https:" => url.set_protocol("wss:"),
        _ => return Err(wrong(", which is no ws:, wss:, http: or https: address")),
    }
    url.set_hash("");
    Ok(url.href())
}
