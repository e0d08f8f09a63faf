//! The options of `configure` and `new Signaling`. Each member is checked, and named in its error.

use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::*;

use super::address::server_url;
use super::error::{quoted, show, type_error};
use super::fetch::{self, HttpOptions};
use super::js;
use super::members::{LARGE, Members, OBJECT, bad_option};
use super::random;
use crate::protocol::{
    self, AnyProtocol, Credentials, Heartbeat, InvalidOption, ProtocolOptions, SHORTEST_SECRET,
    write_encoded,
};
use crate::session::{Bounds, Config, CredentialsSource, OpenWhen, Overflow, ReconnectPolicy};

/// The default of the option `channel`, as in the shim's `openSocket`.
const DEFAULT_CHANNEL: &str = "main-channel";

/// The handlers, which become members of the page's object.
const HANDLERS: [&str; 4] = ["onstatechange", "ongap", "onerror", "onframe"];

/// The shortest interval of keep-alive frames, in milliseconds.
const SHORTEST_INTERVAL: f64 = 1_000.0;

/// The defaults of the option `heartbeat`, in milliseconds.
const HEARTBEAT_INTERVAL: f64 = 25_000.0;
const HEARTBEAT_TIMEOUT: f64 = 10_000.0;

/// The options, checked.
#[derive(Debug)]
pub struct Options {
    /// How the session behaves.
    pub config: Config,
    /// The protocol.
    pub protocol: AnyProtocol,
    /// The page's own transport.
    pub transport: Option<JsValue>,
    /// The subprotocols that each WebSocket offers.
    pub subprotocols: Vec<String>,
    /// The page's function `url`.
    pub url_provider: Option<JsValue>,
    /// The credentials, or the page's function that returns them.
    pub credentials: Option<CredentialsProvider>,
    /// What each HTTP request has.
    pub http: HttpOptions,
    /// Openings that name no channel have this one, because the page chose it: its messages carry
    /// its name. Otherwise messages of `openSignalingChannel` carry none, as with the shim.
    #[cfg(feature = "exports")]
    pub names_default_channel: bool,
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
            _ if is_secret(given) => Err("a string".into()),
            _ => Err(show(given).into()),
        }
    }
}

/// Whether this may be a token. A short text is more likely a mistake that its author recognises.
fn is_secret(given: &JsValue) -> bool {
    let text = given.as_string();
    text.is_some_and(|text| text.len() >= SHORTEST_SECRET)
}

/// The handlers in the options become members of `page`.
pub fn put_handlers(members: &Members, page: &JsValue) -> Result<(), JsValue> {
    for handler in HANDLERS {
        let is_handler = |value: &JsValue| value.is_null() || value.is_function();
        if let Some(value) = members.checked(handler, is_handler, "a function, or null")? {
            js::put(page, handler, value);
        }
    }
    Ok(())
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
        let subprotocols = read_subprotocols(&members)?;
        let credentials = read_credentials(&members)?;
        let channel = members.checked("channel", is_channel, "a string, or null")?;
        let config = Config {
            default_channel: match &channel {
                Some(channel) => channel.as_string().filter(|name| !name.is_empty()),
                None => Some(DEFAULT_CHANNEL.into()),
            },
            ..read_config(
                &members,
                transport.as_ref(),
                url_provider.is_some(),
                credentials.as_ref(),
            )?
        };
        let url = if transport.is_some() || url_provider.is_some() {
            String::new()
        } else {
            server_url(&url.unwrap_or_default())?
        };
        let protocol = read_protocol(&members, url, transport.is_some())?;
        let http = HttpOptions {
            credentials: members
                .choice("credentials", &["include", "same-origin", "omit"])?
                .unwrap_or("include"),
            headers: read_headers(&members)?,
        };
        put_handlers(&members, page)?;
        Ok(Options {
            config,
            protocol,
            transport,
            subprotocols,
            url_provider,
            credentials,
            http,
            #[cfg(feature = "exports")]
            names_default_channel: channel.is_some(),
        })
    }
}

/// They may hold a token, so no error shows them.
fn read_subprotocols(members: &Members) -> Result<Vec<String>, JsValue> {
    fn names(value: &JsValue) -> Option<Vec<String>> {
        let names = value.dyn_ref::<Array>()?.iter();
        names.map(|name| name.as_string()).collect()
    }
    let value = members.checked(
        "subprotocols",
        |value| names(value).is_some_and(|names| protocol::are_subprotocols(&names)),
        "an array of different names without spaces, such as ['chat']",
    )?;
    Ok(value.as_ref().and_then(names).unwrap_or_default())
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
        ..defaults
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
        connect_timeout: members.number("connectTimeout", 1.0, LARGE)?,
        server_timeout: members.number("serverTimeout", 1.0, LARGE)?,
        keep_alive: members.number("keepAlive", SHORTEST_INTERVAL, LARGE)?,
        heartbeat: read_heartbeat(members)?,
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

/// The option `headers`. Its values aren't shown, because they may be secrets.
fn read_headers(members: &Members) -> Result<Vec<(String, String)>, JsValue> {
    let Some(object) = members.checked("headers", JsValue::is_object, OBJECT)? else {
        return Ok(Vec::new());
    };
    let mut headers = Vec::new();
    for name in js::keys(&object) {
        let value = Reflect::get(&object, &JsValue::from(&name))?.as_string();
        let checked = value.filter(|value| fetch::is_header(&name, value));
        let Some(value) = checked else {
            let wanted = format!(
                "one of texts that HTTP allows, and its member {} is none",
                quoted(&name)
            );
            return Err(bad_option("headers", &object, &wanted).into());
        };
        headers.push((name, value));
    }
    Ok(headers)
}

fn read_heartbeat(members: &Members) -> Result<Option<Heartbeat>, JsValue> {
    let Some(value) = members.get("heartbeat")? else {
        return Ok(None);
    };
    let members = Members::new(&value, "heartbeat")?;
    Ok(Some(Heartbeat {
        interval: members
            .number("interval", SHORTEST_INTERVAL, LARGE)?
            .unwrap_or(HEARTBEAT_INTERVAL),
        timeout: members
            .number("timeout", 1.0, LARGE)?
            .unwrap_or(HEARTBEAT_TIMEOUT),
        message: members.text("message")?,
    }))
}

fn is_channel(value: &JsValue) -> bool {
    value.is_null() || value.is_string()
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
