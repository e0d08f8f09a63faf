//! A channel as the page sees it: the config that it hands in, the handle that it gets back.

use super::callback::{self, Subscriber};
use super::driver::Driver;
use super::error::{Code, Error, show};
use super::js;
use js_sys::{Function, JsString, Object, Reflect};
use std::cell::OnceCell;
use std::rc::{Rc, Weak};
use wasm_bindgen::prelude::*;

/// The two hooks, which differ in how they take `this`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// `openSignalingChannel`: hangs on an object whose `channel` is the page's own.
    SignalingChannel,
    /// `openSocket`: hangs on a config object, whose `channel`, if it has one, may be anything.
    Socket,
}

/// Opens a channel for the page: `config` is an object with callbacks, or the function that is to get the messages.
pub fn open(driver: &Rc<Driver>, functions: &HandleFunctions, hook: Hook, this: &JsValue, config: &JsValue) -> Result<JsValue, JsValue> {
    check(config)?;
    let name = channel_name(driver, hook, this, config)?;
    let handle = Object::new();
    let page = Rc::new(Page { config: config.clone(), handle: handle.clone() });
    let id = driver.open(&name, page)?;
    let name = JsString::from(name);
    let [send, close] = functions.of(driver);
    let member = |member: &str, value: &JsValue| Reflect::set(&handle, &member.into(), value);
    member("send", &send.bind1(&JsValue::UNDEFINED, &name))?;
    member("channel", &name)?;
    member("close", &close.bind2(&JsValue::UNDEFINED, &name, &id.into()))?;
    Ok(handle.into())
}

/// Refuses a config that could never work, while the caller is still there to be told.
fn check(config: &JsValue) -> Result<(), JsValue> {
    if config.is_function() {
        return Ok(());
    }
    if !config.is_object() {
        return Err(Error::new(
            Code::BadConfig,
            &["the config is ", &show(config), "; it must be an object like { channel, onmessage, onopen }, or the function that is to get the messages"],
        )
        .into());
    }
    for member in ["onmessage", "onopen", "callback"] {
        callback::optional_function(config, member, "config")?;
    }
    Ok(())
}

/// `config.channel || this.channel ||` the default.
fn channel_name(driver: &Driver, hook: Hook, this: &JsValue, config: &JsValue) -> Result<String, JsValue> {
    if !config.is_function()
        && let Some(name) = name_of(&Reflect::get(config, &"channel".into())?, "config.channel")?
    {
        return Ok(name);
    }
    if this.is_object() || this.is_function() {
        match name_of(&Reflect::get(this, &"channel".into())?, "this.channel") {
            Ok(Some(name)) => return Ok(name),
            Err(error) if hook == Hook::SignalingChannel => return Err(error.into()),
            Ok(None) | Err(_) => {}
        }
    }
    driver.default_channel.clone().ok_or_else(|| {
        Error::new(Code::NoChannel, &["no channel: config.channel names none, this.channel names none, and the option channel is null"]).into()
    })
}

/// A channel's name; numbers are taken too, as a page that counts its rooms has them.
fn name_of(value: &JsValue, what: &str) -> Result<Option<String>, Error> {
    if value.is_falsy() {
        return Ok(None);
    }
    if let Some(name) = value.as_string() {
        return Ok(Some(name));
    }
    if value.as_f64().is_some() {
        return Ok(js::to_text(value).ok().map(String::from));
    }
    Err(Error::new(Code::BadConfig, &[what, " is ", &show(value), "; it must be a string"]))
}

/// A page's config, and the handle that its `callback` gets.
struct Page {
    config: JsValue,
    handle: Object,
}

impl Subscriber for Page {
    fn deliver(&self, message: JsValue) {
        match self.config.dyn_ref::<Function>() {
            Some(onmessage) => callback::call(onmessage, &JsValue::UNDEFINED, &[message]),
            None => drop(callback::call_member(&self.config, "onmessage", &[message])),
        }
    }

    fn ready(&self) {
        // `callback` first: pages made for it open nothing on `onopen`. Both as methods: they say `this.onopen()`.
        if !self.config.is_function() && !callback::call_member(&self.config, "callback", &[self.handle.clone().into()]) {
            callback::call_member(&self.config, "onopen", &[]);
        }
    }
}

/// The functions behind `send` and `close` of every handle of a signaling. A handle's own are bound from them, so that a handle is all
/// JavaScript's and costs wasm nothing, however many there are.
#[derive(Debug, Default)]
pub struct HandleFunctions(OnceCell<[Function; 2]>);

impl HandleFunctions {
    fn of(&self, driver: &Rc<Driver>) -> &[Function; 2] {
        self.0.get_or_init(|| [send(Rc::downgrade(driver)), close(Rc::downgrade(driver))])
    }
}

fn send(driver: Weak<Driver>) -> Function {
    let send = Closure::<dyn Fn(JsString, JsValue) -> Result<(), JsValue>>::own(move |channel: JsString, message: JsValue| {
        let driver = driver.upgrade().ok_or_else(|| Error::signaling_closed("send"))?;
        let json = js::to_json(&message).map_err(|thrown| {
            let why = js::to_text(&thrown).map(String::from).unwrap_or_default();
            Error::new(Code::BadMessage, &["send: JSON can't hold the message: ", &why])
        })?;
        if json.is_undefined() {
            return Err(Error::new(Code::BadMessage, &["send: JSON can't hold the message, which is ", &show(&message)]).into());
        }
        Ok(driver.send(&String::from(channel), json.unchecked_into())?)
    });
    send.into_js_value().unchecked_into()
}

fn close(driver: Weak<Driver>) -> Function {
    let close = Closure::<dyn Fn(JsString, u32)>::own(move |channel: JsString, id: u32| {
        if let Some(driver) = driver.upgrade() {
            driver.close_channel(&String::from(channel), id);
        }
    });
    close.into_js_value().unchecked_into()
}
