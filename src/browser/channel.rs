//! A channel as the page sees it: the config that it passes, and the handle that it gets back.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, JsString, Number, Object, Reflect};
use signal_wire::envelope::UNNAMED;
use wasm_bindgen::prelude::*;

use super::driver::Driver;
use super::error::{Error, quoted, show, type_error};
use super::events::{self, Subscriber};
use super::js::{self, Config, Handler};
use super::message;
use super::promises::Settle;
use crate::session::{self, ChannelId};

/// The two hooks. Both open a channel. They are members of different objects, whose `channel` is
/// the default name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// A member of a connection, whose `channel` is a name.
    OpenSignalingChannel,
    /// A member of the page's config object, whose `channel` may be anything.
    OpenSocket,
}

/// Opens the channels of one signaling for the page.
#[derive(Debug)]
pub struct Opener {
    driver: Rc<Driver>,
    /// `send(channel, ttl, message, options)`, whose options may have a `settle` of channels.js, and
    /// `close(channel, id)`. Handles have them bound to
    /// their channel and its `ttl`, so a handle is JavaScript's alone: it costs no WebAssembly
    /// memory, and the garbage collector frees it whenever it likes.
    send: Function<SendFunction>,
    close: Function<CloseFunction>,
    /// The misspelt members that the page was warned of.
    warned_of: RefCell<Vec<String>>,
}

type SendFunction = fn(JsString, Number, JsValue, JsValue) -> JsValue;
type CloseFunction = fn(JsString, Number) -> JsValue;

impl Opener {
    /// For the signaling of that driver.
    pub fn new(driver: &Rc<Driver>) -> Rc<Opener> {
        Rc::new(Opener {
            driver: Rc::clone(driver),
            send: send_function(driver),
            close: close_function(driver),
            warned_of: RefCell::default(),
        })
    }

    /// The member `channel` of the object that a hook was called on. That of the signaling itself is
    /// a function, and no name. (A closed one has no object any more, and opens nothing.)
    fn channel_of(&self, this: &JsValue) -> JsValue {
        let channel = js::member(this, "channel");
        let own = self.driver.page_object();
        if channel.is_function() && (own.is_undefined() || Object::is(this, &own)) {
            return JsValue::UNDEFINED;
        }
        channel
    }

    /// The driver of the signaling.
    pub fn driver(&self) -> &Rc<Driver> {
        &self.driver
    }

    /// Says once of each misspelt member that it isn't read.
    fn warn_of_misspelt(&self, config: &JsValue) {
        for (name, meant) in misspelt_members(config) {
            let shown = quoted(&name);
            let is_new = !self.warned_of.borrow().contains(&name);
            if is_new {
                self.warned_of.borrow_mut().push(name);
                let sentence = format!(
                    "signal-wasm: a channel's config has the member {shown}, which isn't read; the member is '{meant}'"
                );
                js::warn(&sentence);
            }
        }
    }

    /// Opens a channel. `this` is the object that the hook is a member of. `config` is an object
    /// with callbacks, or a function that receives the messages. Returns the handle, `{ send,
    /// channel, close }`.
    pub fn open(&self, hook: Hook, this: &JsValue, config: &JsValue) -> Result<JsValue, JsValue> {
        let Names { name, sends_on } =
            channel_names(&self.driver, hook, || self.channel_of(this), config)?;
        let ttl = ttl_in_config(config)?;
        let handle = JsValue::from(Object::new());
        let subscriber: Rc<dyn Subscriber> = if config.is_function() {
            Rc::new(Listener(config.clone().unchecked_into()))
        } else {
            Rc::new(Callbacks {
                config: config.clone(),
                handle: handle.clone(),
            })
        };
        self.warn_of_misspelt(config);
        let id = self.driver.open(&name, subscriber)?;
        let name = JsString::from(name);
        let undefined = JsValue::UNDEFINED;
        let sends_on = sends_on.map_or_else(|| name.clone(), JsString::from);
        let send = self.send.bind2(&undefined, &sends_on, &ttl.into());
        js::put(&handle, "send", send);
        js::put(&handle, "channel", &name);
        js::put(
            &handle,
            "close",
            self.close.bind2(&undefined, &name, &id.into()),
        );
        Ok(handle)
    }
}

/// The members that a config doesn't have, but a misspelt one instead.
fn misspelt_members(config: &JsValue) -> Vec<(String, &'static str)> {
    if !config.is_object() {
        return Vec::new();
    }
    // A proxy may throw. Its members are its own matter.
    let keys = Reflect::own_keys(config).unwrap_or_default();
    let names = keys.iter().filter_map(|key| key.as_string());
    let misspelt = names.filter_map(|name| Some((session::misspelt(&name)?, name)));
    let missing = misspelt.filter(|(meant, _)| js::member(config, meant).is_falsy());
    missing.map(|(meant, name)| (name, meant)).collect()
}

/// The names of a channel.
struct Names {
    /// Its name.
    name: String,
    /// Its messages are sent on another channel.
    sends_on: Option<&'static str>,
}

/// The name in the config, else that of the hook's object, else the option `channel`. Where the shim
/// has no name, messages are sent without one.
fn channel_names(
    driver: &Driver,
    hook: Hook,
    in_this: impl FnOnce() -> JsValue,
    config: &JsValue,
) -> Result<Names, JsValue> {
    let in_config = name_in_config(config)?;
    let name = match (in_config, hook) {
        (Some(name), _) => Some(name),
        (None, Hook::OpenSignalingChannel) => name_of(&in_this(), "this.channel")?,
        (None, Hook::OpenSocket) => name_of(&in_this(), "this.channel").ok().flatten(),
    };
    if let Some(name) = name {
        return Ok(Names {
            name,
            sends_on: None,
        });
    }
    match driver.default_channel() {
        Some(name) => Ok(Names {
            name,
            sends_on: (hook == Hook::OpenSignalingChannel && !driver.names_default_channel)
                .then_some(UNNAMED),
        }),
        None => Err(type_error(
            "no-channel",
            "no channel: neither config.channel nor this.channel names one, and the option channel is null",
        )
        .into()),
    }
}

/// The name in a config. The callbacks are checked too, because now the error can be thrown to the
/// caller.
fn name_in_config(config: &JsValue) -> Result<Option<String>, JsValue> {
    if config.is_function() {
        return Ok(None);
    }
    if !config.is_object() {
        let shown = show(config);
        return Err(type_error(
            "bad-config",
            format!("the config is {shown}; it must be an object like {{ channel, onmessage, onopen }}, or the function that is to get the messages"),
        )
        .into());
    }
    for member in ["onmessage", "onopen", "callback"] {
        events::optional_function(Reflect::get(config, &member.into()), member)?;
    }
    let name = Reflect::get(config, &"channel".into())?;
    Ok(name_of(&name, "config.channel")?)
}

/// A channel's name. Numbers are allowed too, for pages that count their rooms.
fn name_of(value: &JsValue, what: &str) -> Result<Option<String>, Error> {
    if value.is_falsy() {
        return Ok(None);
    }
    let name = js::text(value);
    // A lone surrogate is replaced in a Rust string, so the name would differ from the page's.
    if value.as_f64().is_some() || Object::is(value, &JsValue::from(&name)) {
        return Ok(Some(name));
    }
    let shown = show(value);
    Err(type_error(
        "bad-config",
        format!("{what} is {shown}; it must be a well-formed string"),
    ))
}

fn send_function(driver: &Rc<Driver>) -> Function<SendFunction> {
    let driver = Rc::clone(driver);
    Closure::<dyn Fn(String, f64, JsValue, JsValue) -> Result<(), JsValue>>::new(
        move |channel: String, ttl, message: JsValue, options: JsValue| {
            let ttl = ttl_of_message(&options)?.unwrap_or(ttl);
            let settle = js::member(&options, "settle");
            let number = message::send(&driver, &channel, &message, ttl, Settle::of(&settle))?;
            if settle.is_object() {
                js::put(&settle, "number", number as f64);
            }
            Ok(())
        },
    )
    .into_js_value()
    .unchecked_into()
}

fn close_function(driver: &Rc<Driver>) -> Function<CloseFunction> {
    let driver = Rc::clone(driver);
    Closure::<dyn Fn(String, ChannelId)>::new(move |channel: String, id| {
        driver.close_for_page(&channel, id);
    })
    .into_js_value()
    .unchecked_into()
}

/// The option `ttl` of a message. Some libraries pass other values as a second argument.
fn ttl_of_message(options: &JsValue) -> Result<Option<f64>, Error> {
    if !options.is_object() {
        return Ok(None);
    }
    read_ttl(
        &js::member(options, "ttl"),
        "bad-option",
        "send: the option",
    )
}

/// The member `ttl` of a config, for all messages of the channel; infinite if there is none.
fn ttl_in_config(config: &JsValue) -> Result<f64, JsValue> {
    if config.is_function() {
        return Ok(f64::INFINITY);
    }
    let given = Reflect::get(config, &"ttl".into())?;
    Ok(read_ttl(&given, "bad-config", "the config's")?.unwrap_or(f64::INFINITY))
}

/// A `ttl`. `whose` begins the sentence of its error.
fn read_ttl(given: &JsValue, code: &str, whose: &str) -> Result<Option<f64>, Error> {
    if given.is_undefined() {
        return Ok(None);
    }
    match given.as_f64().filter(|ttl| *ttl >= 0.0) {
        Some(ttl) => Ok(Some(ttl)),
        None => {
            let shown = show(given);
            let message = format!("{whose} ttl is {shown}; it must be a number of milliseconds");
            Err(type_error(code, message))
        }
    }
}

/// A function that receives the messages.
struct Listener(Handler);

impl Subscriber for Listener {
    fn deliver(&self, message: JsValue) {
        if let Err(thrown) = self.0.call1(&JsValue::UNDEFINED, &message) {
            js::report_error(&thrown);
        }
    }

    fn ready(&self) {}
}

/// A config, and the handle for its `callback`.
struct Callbacks {
    config: JsValue,
    handle: JsValue,
}

impl Callbacks {
    /// `onmessage` threw, or there is none. A check before each call would take as long as the
    /// call.
    fn failed(&self, thrown: &JsValue) {
        let onmessage = Reflect::get(&self.config, &"onmessage".into());
        match events::optional_function(onmessage, "onmessage") {
            Err(wrong_type) => js::report_error(&wrong_type),
            // There is none, as the shim allows.
            Ok(None) if js::text(&js::member(thrown, "name")) == "TypeError" => {}
            _ => js::report_error(thrown),
        }
    }
}

impl Subscriber for Callbacks {
    fn deliver(&self, message: JsValue) {
        let config = self.config.unchecked_ref::<Config>();
        if let Err(thrown) = config.onmessage(&message) {
            self.failed(&thrown);
        }
    }

    fn ready(&self) {
        // `callback` first: pages made for it do nothing in `onopen`. Both are called as methods:
        // pages use `this.onopen()`.
        if !events::call_member(&self.config, "callback", &[&self.handle]) {
            events::call_member(&self.config, "onopen", &[]);
        }
    }
}
