//! The options of `configure` and `new Signaling`. Each member is checked, and named in its error.

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use web_sys::Url;

use super::error::{show, type_error};
use super::js;
use super::members::{LARGE, Members, OBJECT, bad_option};
use super::random;
use crate::protocol::{
    self, AnyProtocol, Credentials, InvalidOption, ProtocolOptions, write_encoded,
};
use crate::session::{Bounds, Config, CredentialsSource, OpenWhen, Overflow, ReconnectPolicy};

/// The handlers, which become members of the page's object.
const HANDLERS: [&str; 4] = ["onstatechange", "ongap", "onerror", "onframe"];

/// The options, checked.
#[derive(Debug)]
pub struct Options {
    /// How the session behaves.
    pub config: Config,
    /// The protocol.
    pub protocol: AnyProtocol,
    /// The page's own transport.
    pub transport: Option<JsValue>,
    /// The page's function `url`.
    pub url_provider: Option<JsValue>,
    /// The credentials, or the page's function that returns them.
    pub credentials: Option<CredentialsProvider>,
    /// The default channel name.
    pub channel: Option<String>,
}

/// Credentials, or a function of the page that returns them.
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

    /// Reads what the page gave as credentials. `undefined` and `null` are none.
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
    /// Reads `options`. Missing ones have their defaults. The handlers become members of `page`.
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
            transport.as_ref(),
            url_provider.is_some(),
            credentials.as_ref(),
        )?;
        let url = if transport.is_some() || url_provider.is_some() {
            String::new()
        } else {
            server_url(&url.unwrap_or_default())?
        };
        let protocol = read_protocol(&members, url, transport.is_some())?;
        let channel = read_channel(&members)?;
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
    transport: Option<&JsValue>,
    asks_url: bool,
    credentials: Option<&CredentialsProvider>,
) -> Result<Config, JsValue> {
    let defaults = Config::default();
    let open_when = members.choice("openWhen", &["timer", "connected"])?;
    let outbox = Members::new(&members.get("outbox")?.unwrap_or_default(), "outbox")?;
    Ok(Config {
        own_transport: transport.is_some(),
        pipelines: transport.is_some_and(|object| js::member(object, "pipeline").is_truthy()),
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
            overflow: match outbox.choice("overflow", &["throw", "drop-oldest"])? {
                Some("throw") => Overflow::Throw,
                Some(_) => Overflow::DropOldest,
                None => defaults.outbox.overflow,
            },
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
    // The page's own transport has no relay to detect.
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
        own_transport,
        secret: random::secret()?,
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
    let made = make(&options).map_err(
        |InvalidOption {
             name,
             value,
             wanted,
         }| bad_option(name, &value.into(), wanted),
    );
    Ok(made?)
}

/// The default channel name; `None`: there is none.
fn read_channel(members: &Members) -> Result<Option<String>, JsValue> {
    let is_channel = |value: &JsValue| value.is_null() || value.is_string();
    match members.checked("channel", is_channel, "a string, or null")? {
        Some(value) => Ok(value.as_string().filter(|name| !name.is_empty())),
        None => Ok(Some("main-channel".into())),
    }
}

const TRANSPORT: &str = "an object with a function send(text), whose onmessage can be set";

fn is_transport(value: &JsValue) -> bool {
    // A transport whose handlers can't be set would never deliver a message.
    js::member(value, "send").is_function()
        && Reflect::set(value, &"onmessage".into(), &JsValue::UNDEFINED).unwrap_or_default()
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

/// The server's address in a form that every `WebSocket` accepts: absolute, `ws:` or `wss:`,
/// without a fragment.
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

/// Whether this is a URL object. Its text is its `href`.
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
