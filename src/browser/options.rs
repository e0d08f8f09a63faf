//! What `configure` and `new Signaling` take: read member by member, each checked, each named in its error.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use web_sys::Url;

use super::error::{Error, quoted, show, type_error};
use super::js;
use crate::protocol::{
    self, AnyProtocol, Credentials, InvalidOption, ProtocolOptions, write_encoded,
};
use crate::session::{Bounds, Config, CredentialsSource, OpenWhen, ReconnectPolicy};

/// The longest delay that `setTimeout` takes; a longer one would fire at once. Also the largest of other numbers.
const LARGE: f64 = 2_147_483_647.0;

/// Every option; those of an option that is an object stand behind its name and a point.
const NAMES: [&str; 28] = [
    "url",
    "protocol",
    "transport",
    "path",
    "namespace",
    "event",
    "auth",
    "query",
    "target",
    "method",
    "accessToken",
    "skipNegotiation",
    "hub",
    "channel",
    "openDelay",
    "openWhen",
    "maxMessage",
    "outbox",
    "outbox.messages",
    "outbox.bytes",
    "reconnect",
    "reconnect.base",
    "reconnect.cap",
    "reconnect.attempts",
    "onstatechange",
    "ongap",
    "onerror",
    "onframe",
];

/// The handlers among them, which become members of the page's object.
const HANDLERS: [&str; 4] = ["onstatechange", "ongap", "onerror", "onframe"];

/// Options are objects.
const OBJECT: &str = "an object";

/// The options, checked.
#[derive(Debug)]
pub struct Options {
    /// How the session behaves.
    pub config: Config,
    /// How envelopes travel.
    pub protocol: AnyProtocol,
    /// What carries frames instead of a WebSocket.
    pub transport: Option<JsValue>,
    /// The function that gives the server's address.
    pub url_provider: Option<JsValue>,
    /// What gives the credentials.
    pub credentials: Option<CredentialsProvider>,
    /// The channel that is used where none is named.
    pub channel: Option<String>,
}

/// Credentials, or a function of the page's that gives them.
#[derive(Debug, Clone)]
pub enum CredentialsProvider {
    /// The option `accessToken`.
    Token(JsValue),
    /// The option `auth`.
    Auth(JsValue),
}

impl CredentialsProvider {
    /// The credentials, or the function.
    pub fn value(&self) -> &JsValue {
        match self {
            CredentialsProvider::Token(value) | CredentialsProvider::Auth(value) => value,
        }
    }

    /// What the page gave as its credentials; nothing if that is `undefined` or `null`.
    pub fn read(&self, given: &JsValue) -> Result<Option<Credentials>, JsValue> {
        if given.is_undefined() || given.is_null() {
            return Ok(None);
        }
        match self {
            CredentialsProvider::Token(_) if given.is_string() => {
                Ok(Some(Credentials::Token(js::text(given))))
            }
            CredentialsProvider::Auth(_) if given.is_object() => {
                let json = js::to_json(given)?.map(String::from).unwrap_or_default();
                let query = encode_query(given)?;
                Ok(Some(Credentials::Auth { json, query }))
            }
            _ => Err(show(given).into()),
        }
    }
}

impl Options {
    /// Reads `options`; missing ones are the defaults. The handlers among them become members of `page`.
    pub fn read(options: &JsValue, page: &JsValue) -> Result<Options, JsValue> {
        let members = Members::new(options, "")?;
        let transport = members.checked("transport", is_transport, TRANSPORT)?;
        let url = members.get("url")?;
        let url_provider = url
            .clone()
            .filter(|url| transport.is_none() && url.is_function());
        let credentials = read_credentials(&members)?;
        let config = read_config(
            &members,
            transport.is_some(),
            url_provider.is_some(),
            credentials.as_ref(),
        )?;
        let url = if transport.is_some() || url_provider.is_some() {
            String::new()
        } else {
            server_url(&url.unwrap_or_default())?
        };
        let protocol = read_protocol(&members, url, transport.is_some())?;
        let channel = members.channel()?;
        for handler in HANDLERS {
            let is_handler = |value: &JsValue| value.is_null() || value.is_function();
            if let Some(value) = members.checked(handler, is_handler, "a function, or null")? {
                js::put(page, handler, value);
            }
        }
        Ok(Options {
            config,
            protocol,
            transport,
            url_provider,
            credentials,
            channel,
        })
    }
}

fn read_credentials(members: &Members) -> Result<Option<CredentialsProvider>, JsValue> {
    let is_token = |value: &JsValue| value.is_function() || value.is_string();
    let is_auth = |value: &JsValue| value.is_function() || value.is_object();
    let token = members.checked(
        "accessToken",
        is_token,
        "a string, or a function that gives it",
    )?;
    let auth = members.checked("auth", is_auth, "an object, or a function that gives it")?;
    let auth = auth.map(CredentialsProvider::Auth);
    Ok(token.map(CredentialsProvider::Token).or(auth))
}

fn read_config(
    members: &Members,
    own_transport: bool,
    asks_url: bool,
    credentials: Option<&CredentialsProvider>,
) -> Result<Config, JsValue> {
    let defaults = Config::default();
    let open_when = members.choice("openWhen", &["timer", "connected"])?;
    let outbox = Members::new(&members.get("outbox")?.unwrap_or_default(), "outbox")?;
    Ok(Config {
        own_transport,
        asks_url,
        credentials: match credentials {
            None => CredentialsSource::None,
            Some(provider) if provider.value().is_function() => CredentialsSource::Renewable,
            Some(_) => CredentialsSource::Fixed,
        },
        open_delay: members.number("openDelay", 0.0, LARGE)?,
        open_when: if open_when == Some("connected") {
            OpenWhen::Connected
        } else {
            OpenWhen::Timer
        },
        max_message: members
            .whole_number("maxMessage")?
            .unwrap_or(defaults.max_message),
        outbox: Bounds {
            messages: outbox
                .whole_number("messages")?
                .unwrap_or(defaults.outbox.messages),
            bytes: outbox
                .whole_number("bytes")?
                .unwrap_or(defaults.outbox.bytes),
        },
        reconnect: read_reconnect(&members.get("reconnect")?.unwrap_or_default())?,
    })
}

fn read_reconnect(value: &JsValue) -> Result<ReconnectPolicy, JsValue> {
    let defaults = ReconnectPolicy::default();
    if value.as_bool() == Some(false) {
        return Ok(ReconnectPolicy {
            attempts: 0.0,
            ..defaults
        });
    }
    let members = Members::new(value, "reconnect")?;
    Ok(ReconnectPolicy {
        base: members.number("base", 1.0, LARGE)?.unwrap_or(defaults.base),
        cap: members.number("cap", 1.0, LARGE)?.unwrap_or(defaults.cap),
        attempts: members
            .number("attempts", 0.0, f64::INFINITY)?
            .unwrap_or(defaults.attempts),
    })
}

fn read_protocol(
    members: &Members,
    url: String,
    own_transport: bool,
) -> Result<AnyProtocol, JsValue> {
    let names: Vec<_> = protocol::PROTOCOLS.iter().map(|entry| entry.name).collect();
    let name = members.choice("protocol", &names)?;
    // Through a transport of the page's there is no relay to be recognised.
    let name = match name.unwrap_or(protocol::DEFAULT) {
        protocol::DEFAULT if own_transport => protocol::PLAIN,
        name => name,
    };
    let query = members.checked("query", JsValue::is_object, OBJECT)?;
    let skip_negotiation = members.checked(
        "skipNegotiation",
        |value| value.as_bool().is_some(),
        "true or false",
    )?;
    let options = ProtocolOptions {
        url,
        query: query.map_or(Ok(String::new()), |query| encode_query(&query))?,
        path: members.text("path")?,
        namespace: members.text("namespace")?,
        event: members.text("event")?,
        target: members.text("target")?,
        method: members.text("method")?,
        hub: members.text("hub")?,
        skip_negotiation: own_transport || skip_negotiation.is_some_and(|skip| skip.is_truthy()),
    };
    let entry = protocol::find(name);
    let Some(make) = entry.and_then(|entry| entry.make) else {
        let feature = entry.and_then(|entry| entry.feature).unwrap_or(name);
        return Err(type_error(
            "bad-option",
            format!(
                "the option protocol is '{name}', which this build leaves out; build it with the cargo feature '{feature}', or choose '{}'",
                protocol::PLAIN
            ),
        )
        .into());
    };
    let made = make(options).map_err(
        |InvalidOption {
             name,
             value,
             wanted,
         }| bad_option(name, &value.into(), wanted),
    );
    Ok(made?)
}

const TRANSPORT: &str = "an object with a function send(text), whose onmessage can be set";

fn is_transport(value: &JsValue) -> bool {
    // A transport that takes no handlers would never deliver anything.
    js::member(value, "send").is_function()
        && Reflect::set(value, &"onmessage".into(), &JsValue::UNDEFINED).unwrap_or_default()
}

/// The members of the options, or of an option that is an object.
struct Members {
    object: JsValue,
    /// What stands before their names.
    prefix: String,
}

impl Members {
    /// Those of `object`, which is the option `owner`, or all the options. Each must have a name that we know.
    fn new(object: &JsValue, owner: &str) -> Result<Members, JsValue> {
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

    fn get(&self, name: &str) -> Result<Option<JsValue>, JsValue> {
        if self.object.is_undefined() {
            return Ok(None);
        }
        let value = Reflect::get(&self.object, &name.into())?;
        Ok(Some(value).filter(|value| !value.is_undefined()))
    }

    fn bad(&self, name: &str, value: &JsValue, wanted: &str) -> JsValue {
        bad_option(&format!("{}{name}", self.prefix), value, wanted).into()
    }

    /// A value that is as it must be, which `wanted` says in words.
    fn checked(
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

    /// A text that isn't empty.
    fn text(&self, name: &str) -> Result<Option<String>, JsValue> {
        let is_text = |value: &JsValue| value.as_string().is_some_and(|text| !text.is_empty());
        let value = self.checked(name, is_text, "a string that isn't empty")?;
        Ok(value.as_ref().and_then(JsValue::as_string))
    }

    fn number(&self, name: &str, least: f64, most: f64) -> Result<Option<f64>, JsValue> {
        self.number_that(name, "a number", least, most, |_| true)
    }

    fn whole_number(&self, name: &str) -> Result<Option<usize>, JsValue> {
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

    /// One of these texts.
    fn choice(
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

    /// The default channel; `None`: there is none.
    fn channel(&self) -> Result<Option<String>, JsValue> {
        let is_channel = |value: &JsValue| value.is_null() || value.is_string();
        match self.checked("channel", is_channel, "a string, or null")? {
            Some(value) => Ok(value.as_string().filter(|name| !name.is_empty())),
            None => Ok(Some("main-channel".into())),
        }
    }
}

/// The members of `object` as a query, `a=b&c=d`.
fn encode_query(object: &JsValue) -> Result<String, JsValue> {
    let mut query = String::new();
    for name in js::keys(object) {
        let value = Reflect::get(object, &JsValue::from(&name))?;
        if !query.is_empty() {
            query.push('&');
        }
        write_encoded(&mut query, &name);
        query.push('=');
        write_encoded(&mut query, &js::text(&value));
    }
    Ok(query)
}

fn bad_option(name: &str, value: &JsValue, wanted: &str) -> Error {
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

/// The server's address in the form that every `WebSocket` takes: absolute, `ws:` or `wss:`, without a fragment.
pub fn server_url(given: &JsValue) -> Result<String, JsValue> {
    let base = js::member(&js::member(&js::global(), "location"), "href");
    let text = if given.is_undefined() {
        "/".into()
    } else {
        js::text(given)
    };
    if !(given.is_undefined() || given.is_string() || is_url(given, &text)?) {
        return Err(bad_option("url", given, "a string or a URL").into());
    }
    let parsed = match base.as_string() {
        Some(base) => Url::new_with_base(&text, &base),
        // Node has no page.
        None => Url::new(&text),
    };
    let Ok(url) = parsed else {
        return Err(bad_url(given, &base, "no URL here"));
    };
    url.set_hash("");
    let href = url.href();
    let schemes = [
        ("ws:", "ws:"),
        ("wss:", "wss:"),
        ("http:", "ws:"),
        ("https:", "wss:"),
    ];
    for (scheme, socket_scheme) in schemes {
        if let Some(rest) = href.strip_prefix(scheme) {
            return Ok(format!("{socket_scheme}{rest}"));
        }
    }
    Err(bad_url(
        given,
        &base,
        "no ws:, wss:, http: or https: address",
    ))
}

/// Whether this is a URL object, which is its own text. The text of any other object would be no address.
fn is_url(given: &JsValue, text: &str) -> Result<bool, JsValue> {
    if !given.is_object() {
        return Ok(false);
    }
    let href = Reflect::get(given, &"href".into())?;
    Ok(href.as_string().as_deref() == Some(text))
}

fn bad_url(given: &JsValue, base: &JsValue, why: &str) -> JsValue {
    let message = if given.is_undefined() {
        format!(
            "without the option url the server is the page's own origin, {}, which is {why}; name the server, as in configure({{ url: 'wss://example.org/' }})",
            show(base)
        )
    } else {
        format!(
            "the option url is {}, which is {why}; it must be like 'wss://example.org/'",
            show(given)
        )
    };
    type_error("bad-url", message).into()
}
