//! What `configure` and `new Signaling` take: read member by member, each checked, each named in its error.

use super::error::{Error, quoted, show, wrong};
use super::js;
use super::timer;
use crate::protocol::{Protocol, Scanner, fill, write_encoded};
use crate::session::{Config, Credentials, OpenWhen};
use alloc::string::String;
use js_sys::Object;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    type Url;
    #[wasm_bindgen(constructor, js_class = "URL", catch)]
    fn new(url: &str, base: &JsValue) -> Result<Url, JsValue>;
}

/// The options, checked.
#[derive(Debug)]
pub struct Options {
    /// The channel that is used where none is named.
    pub channel: Option<String>,
    /// What carries frames, if it isn't undefined.
    pub transport: JsValue,
    /// What the page has to say of itself, or a function that gives it.
    pub credential: JsValue,
    /// The function that gives the server's address, if it isn't undefined.
    pub locate: JsValue,
    /// How the session behaves.
    pub config: Config,
}

/// What an option may be, and where its value goes.
enum Kind {
    /// A number from, to, and whether it must be whole.
    Number(f64, f64, bool, fn(&mut Config, f64)),
    /// One of these; its place among them is the value.
    Choice(&'static [&'static str], fn(&mut Config, usize)),
    /// An object with options of its own; `false` instead, where that is allowed, means this.
    Object(Option<fn(&mut Config)>),
    /// A function, or `null`; it becomes a member of the page's object.
    Handler,
    /// A text that isn't empty, which the protocols know by the option's name.
    Text,
    /// `true` or `false`.
    Flag(fn(&mut Config, bool)),
    /// An object whose members are for a query.
    Query,
    /// What the page has to say of itself, or a function that gives it: a text, or else an object.
    Credential(bool),
    /// What carries frames.
    Transport,
    /// The channel.
    Channel,
    /// The URL.
    Url,
}

const LARGE: f64 = timer::LONGEST;

/// Every option.
const OPTIONS: [(&str, Kind); 28] = [
    ("url", Kind::Url),
    (
        "protocol",
        Kind::Choice(Protocol::NAMES, |config, place| {
            config.protocol = Protocol::ALL.get(place).copied().unwrap_or_default()
        }),
    ),
    ("transport", Kind::Transport),
    ("path", Kind::Text),
    ("namespace", Kind::Text),
    ("event", Kind::Text),
    ("auth", Kind::Credential(false)),
    ("query", Kind::Query),
    ("target", Kind::Text),
    ("method", Kind::Text),
    ("accessToken", Kind::Credential(true)),
    (
        "skipNegotiation",
        Kind::Flag(|config, flag| config.skip_negotiation = flag),
    ),
    ("hub", Kind::Text),
    ("channel", Kind::Channel),
    (
        "openDelay",
        Kind::Number(0.0, LARGE, false, |config, number| {
            config.open_delay = Some(number)
        }),
    ),
    (
        "openWhen",
        Kind::Choice(&["timer", "connected"], |config, place| {
            config.open_when = if place == 0 {
                OpenWhen::Timer
            } else {
                OpenWhen::Connected
            };
        }),
    ),
    (
        "maxMessage",
        Kind::Number(1.0, LARGE, true, |config, number| {
            config.max_message = number as usize
        }),
    ),
    ("outbox", Kind::Object(None)),
    (
        "outbox.messages",
        Kind::Number(1.0, LARGE, true, |config, number| {
            config.outbox.messages = number as usize
        }),
    ),
    (
        "outbox.bytes",
        Kind::Number(1.0, LARGE, true, |config, number| {
            config.outbox.bytes = number as usize
        }),
    ),
    (
        "reconnect",
        Kind::Object(Some(|config| config.reconnect.attempts = 0.0)),
    ),
    (
        "reconnect.base",
        Kind::Number(1.0, LARGE, false, |config, number| {
            config.reconnect.base = number
        }),
    ),
    (
        "reconnect.cap",
        Kind::Number(1.0, LARGE, false, |config, number| {
            config.reconnect.cap = number
        }),
    ),
    (
        "reconnect.attempts",
        Kind::Number(0.0, f64::INFINITY, false, |config, number| {
            config.reconnect.attempts = number
        }),
    ),
    ("onstatechange", Kind::Handler),
    ("ongap", Kind::Handler),
    ("onerror", Kind::Handler),
    ("onframe", Kind::Handler),
];

/// Options half read.
struct Reading<'a> {
    page: &'a JsValue,
    url: JsValue,
    channel: Option<String>,
    transport: JsValue,
    credential: JsValue,
    config: Config,
}

impl Options {
    /// Reads `options`; missing ones are the defaults. The handlers among them become members of `page`.
    pub fn read(options: &JsValue, page: &JsValue) -> Result<Options, JsValue> {
        let mut reading = Reading {
            page,
            url: JsValue::UNDEFINED,
            channel: Some("main-channel".into()),
            transport: JsValue::UNDEFINED,
            credential: JsValue::UNDEFINED,
            config: Config::default(),
        };
        reading.members(options, "", "")?;
        let mut config = reading.config;
        let mut locate = JsValue::UNDEFINED;
        if !reading.transport.is_undefined() {
            config.skip_negotiation = true;
            if config.protocol == Protocol::Auto {
                config.protocol = Protocol::WebSocket;
            }
        } else if reading.url.is_function() {
            config.asks_url = true;
            locate = reading.url;
        } else {
            let (protocol, path) = (config.protocol, config.texts.get("path"));
            let (url, namespace) = address(&reading.url, protocol, path)?;
            config.url = url;
            // As with Socket.IO's own client, an address names the namespace; unless the path goes on from there.
            if path.starts_with('/') && config.texts.get("namespace") == "/" {
                config.texts.set("namespace", namespace);
            }
        }
        Ok(Options {
            channel: reading.channel,
            transport: reading.transport,
            credential: reading.credential,
            locate,
            config,
        })
    }
}

impl Reading<'_> {
    /// Reads the members of `object`, which is the option `owner`, or the options themselves; `prefix` stands before their names.
    fn members(&mut self, object: &JsValue, owner: &str, prefix: &str) -> Result<(), JsValue> {
        if object.is_undefined() {
            return Ok(());
        }
        if !object.is_object() || js_sys::Array::is_array(object) {
            return Err(bad(owner, object, "an object").into());
        }
        let keys = Object::keys(object.unchecked_ref::<Object>());
        for at in 0..keys.length() {
            let key = js::text(&keys.get(at));
            // The point is ours, between the two names of a nested option.
            if key.bytes().any(|byte| byte == b'.') {
                return Err(unknown(&key).into());
            }
            self.member(&fill("##", &[prefix, &key]), &js::get(object, &key)?)?;
        }
        Ok(())
    }

    fn member(&mut self, name: &str, value: &JsValue) -> Result<(), JsValue> {
        let Some((_, kind)) = OPTIONS.iter().find(|(known, _)| *known == name) else {
            return Err(unknown(name).into());
        };
        if value.is_undefined() {
            return Ok(());
        }
        let null = value.is_null();
        let wanted = match kind {
            Kind::Number(low, high, whole, set) => {
                let fits = |number: &f64| {
                    *number >= *low
                        && *number <= *high
                        && !(*whole && *number != f64::from(*number as u32))
                };
                if let Some(number) = value.as_f64().filter(fits) {
                    set(&mut self.config, number);
                    return Ok(());
                }
                let text = |bound: &f64| js::text(&(*bound).into());
                fill(
                    if *whole {
                        "a whole number from # to #"
                    } else {
                        "a number from # to #"
                    },
                    &[&text(low), &text(high)],
                )
            }
            Kind::Choice(choices, set) => {
                let text = value.as_string().unwrap_or_default();
                if let Some(place) = choices.iter().position(|choice| *choice == text) {
                    set(&mut self.config, place);
                    return Ok(());
                }
                listed(choices.iter().copied(), "'", "' or '")
            }
            Kind::Object(Some(without)) if value.as_bool() == Some(false) => {
                without(&mut self.config);
                return Ok(());
            }
            Kind::Object(_) => return self.members(value, name, &fill("#.", &[name])),
            Kind::Handler if null || value.is_function() => {
                js::put(self.page, name, value);
                return Ok(());
            }
            Kind::Handler => "a function, or null".into(),
            Kind::Text => match value.as_string().filter(|text| !text.is_empty()) {
                Some(text) => {
                    self.config.texts.set(name, text);
                    return Ok(());
                }
                None => "a string that isn't empty".into(),
            },
            Kind::Flag(set) => match value.as_bool() {
                Some(flag) => {
                    set(&mut self.config, flag);
                    return Ok(());
                }
                None => "true or false".into(),
            },
            Kind::Query if value.is_object() => {
                self.config.texts.set(name, query(value)?);
                return Ok(());
            }
            Kind::Query => "an object".into(),
            Kind::Credential(text) => {
                let function = value.is_function();
                if function
                    || if *text {
                        value.is_string()
                    } else {
                        value.is_object()
                    }
                {
                    self.credential = value.clone();
                    self.config.credentials = if function {
                        Credentials::Renewable
                    } else {
                        Credentials::Fixed
                    };
                    return Ok(());
                }
                let what = if *text { "a string" } else { "an object" };
                fill("#, or a function that gives it", &[what])
            }
            // One that takes no handlers would never be heard.
            Kind::Transport
                if js::member(value, "send").is_function()
                    && js::set(value, "onmessage", &JsValue::UNDEFINED).unwrap_or_default() =>
            {
                self.transport = value.clone();
                return Ok(());
            }
            Kind::Transport => {
                "an object with a function send(text), whose onmessage can be set".into()
            }
            Kind::Channel if null || value.is_string() => {
                self.channel = value.as_string().filter(|name| !name.is_empty());
                return Ok(());
            }
            Kind::Channel => "a string, or null".into(),
            Kind::Url => {
                self.url = value.clone();
                return Ok(());
            }
        };
        Err(bad(name, value, &wanted).into())
    }
}

/// The members of `object` as a query, `a=b&c=d`.
pub fn query(object: &JsValue) -> Result<String, JsValue> {
    let mut query = String::new();
    let keys = Object::keys(object.unchecked_ref::<Object>());
    for at in 0..keys.length() {
        let key = js::text(&keys.get(at));
        query.push_str(if at > 0 { "&" } else { "" });
        write_encoded(&mut query, &key);
        query.push('=');
        write_encoded(&mut query, &js::text(&js::get(object, &key)?));
    }
    Ok(query)
}

fn bad(name: &str, value: &JsValue, wanted: &str) -> Error {
    let template = if name.is_empty() {
        "#the options are #; they must be #"
    } else {
        "the option # is #; it must be #"
    };
    wrong("bad-option", template, &[name, &show(value), wanted])
}

fn unknown(name: &str) -> Error {
    let names = listed(OPTIONS.iter().map(|(name, _)| *name), "", ", ");
    wrong(
        "unknown-option",
        "there is no option #; the options are #",
        &[&quoted(name), &names],
    )
}

/// `names` in one text, `around` it all, `between` each two.
fn listed<'a>(names: impl Iterator<Item = &'a str>, around: &str, between: &str) -> String {
    let mut list = String::from(around);
    for name in names {
        list.push_str(if list.len() > around.len() {
            between
        } else {
            ""
        });
        list.push_str(name);
    }
    list.push_str(around);
    list
}

/// Where the server is: its URL, and the path in it, which with Socket.IO isn't the one that is asked for.
pub fn address(
    given: &JsValue,
    protocol: Protocol,
    path: &str,
) -> Result<(String, String), JsValue> {
    let url = read_url(given)?;
    if protocol != Protocol::SocketIo {
        return Ok((url, "/".into()));
    }
    // What is resolved against an address loses its query, and may lead elsewhere.
    let base = Url::new(&url, &JsValue::UNDEFINED)?;
    let part = |name| js::get(&base, name);
    let found = Url::new(path, &base)
        .ok()
        .filter(|found| js::get(found, "host") == part("host"));
    let Some(found) = found else {
        return Err(bad("path", &path.into(), "like '/socket.io/'").into());
    };
    let namespace = js::text(&part("pathname")?);
    js::set(&base, "pathname", &js::get(&found, "pathname")?)?;
    Ok((js::text(&base), namespace))
}

/// The server's URL in the form that every `WebSocket` takes: absolute, `ws:` or `wss:`, no fragment.
fn read_url(given: &JsValue) -> Result<String, JsValue> {
    let base = js::get(&js::global("location"), "href").unwrap_or_default();
    let text = if given.is_undefined() {
        "/".into()
    } else {
        js::text(given)
    };
    // A URL object is its own text; of anything else that would be nonsense.
    let is_text = given.is_undefined() || given.is_string();
    if !is_text
        && (!given.is_object() || js::get(given, "href")?.as_string().as_ref() != Some(&text))
    {
        return Err(self::bad("url", given, "a string or a URL").into());
    }
    let bad = |why: &str| {
        let (template, shown) = if given.is_undefined() {
            (
                "without the option url the server is the page's own origin, #, which is #; name the server, as in configure({ url: 'wss://example.org/' })",
                &base,
            )
        } else {
            (
                "the option url is #, which is #; it must be like 'wss://example.org/'",
                given,
            )
        };
        JsValue::from(wrong("bad-url", template, &[&show(shown), why]))
    };
    let href = js::text(&*Url::new(&text, &base).map_err(|_| bad("no URL here"))?);
    let mut scheme = Scanner { rest: &href };
    for (from, to) in [
        ("ws:", "ws:"),
        ("wss:", "wss:"),
        ("http:", "ws:"),
        ("https:", "wss:"),
    ] {
        if scheme.literal(from).is_some() {
            // A fragment would be refused by older browsers and never be sent.
            let mut url = String::from(to);
            url.extend(
                scheme
                    .rest
                    .chars()
                    .take_while(|character| *character != '#'),
            );
            return Ok(url);
        }
    }
    Err(bad("no ws:, wss:, http: or https: address"))
}
