//! A channel as the page sees it: the config that it hands in, the handle that it gets back.

use super::callback::{self, Subscriber};
use super::driver::Driver;
use super::error::{Error, show, wrong};
use super::functions::Call;
use super::js::{self, Handler, Received, Text};
use alloc::rc::Rc;
use alloc::string::String;
use js_sys::Object;
use wasm_bindgen::prelude::*;

/// Opens a channel for the page: `config` is an object with callbacks, or the function that is to get the messages; `this` is the object
/// that the hook hangs on.
///
/// `openSignalingChannel` hangs on a connection, whose `channel` is a name; `openSocket` on a config, whose `channel` may be anything.
pub fn open(
    driver: &Rc<Driver>,
    hook: Call,
    this: &JsValue,
    config: &JsValue,
) -> Result<JsValue, JsValue> {
    let is_function = config.is_function();
    if !is_function && !config.is_object() {
        let template = "the config is #; it must be an object like { channel, onmessage, onopen }, or the function that is to get the messages";
        return Err(wrong("bad-config", template, &[&show(config)]).into());
    }
    let mut name = None;
    if !is_function {
        // Refused while the caller is still there to be told.
        for member in ["onmessage", "onopen", "callback"] {
            callback::optional_function(js::get(config, member), member)?;
        }
        name = name_of(&js::get(config, "channel")?, "config.channel")?;
    }
    if name.is_none() {
        name = match name_of(&js::member(this, "channel"), "this.channel") {
            Err(error) if hook == Call::OpenSignalingChannel => return Err(error.into()),
            name => name.unwrap_or_default(),
        };
    }
    let Some(name) = name.or_else(|| driver.default_channel.clone()) else {
        let template = "no channel: neither config.channel nor this.channel names one, and the option channel is null";
        return Err(wrong("no-channel", template, &[]).into());
    };
    let handle: JsValue = Object::new().into();
    let id = driver.open(
        &name,
        Rc::new(Page {
            config: config.clone(),
            handle: handle.clone(),
            is_function,
        }),
    )?;
    let name = JsValue::from(name);
    js::put(&handle, "send", &driver.function(Call::Send, id, &name));
    js::put(&handle, "channel", &name);
    js::put(
        &handle,
        "close",
        &driver.function(Call::CloseChannel, id, &name),
    );
    Ok(handle)
}

/// A channel's name; numbers are taken too, as a page that counts its rooms has them.
fn name_of(value: &JsValue, what: &str) -> Result<Option<String>, Error> {
    if value.is_falsy() {
        return Ok(None);
    }
    let name = js::text(value);
    let kept = JsValue::from(&name);
    // Half a surrogate pair doesn't survive the way into wasm: the two ends would never meet.
    if value.as_f64().is_some() || *value == kept {
        return Ok(Some(name));
    }
    Err(wrong(
        "bad-config",
        "# is #; it must be a well-formed string",
        &[what, &show(value)],
    ))
}

/// Sends a message of the page's; `options` may have a `ttl`.
pub fn send(
    driver: &Rc<Driver>,
    channel: &str,
    message: &JsValue,
    options: &JsValue,
) -> Result<(), Error> {
    let mut ttl = f64::INFINITY;
    // Libraries hand over this and that behind the message.
    if options.is_object() {
        let given = js::member(options, "ttl");
        if !given.is_undefined() {
            ttl = given.as_f64().unwrap_or(f64::NAN);
            if ttl.is_nan() || ttl < 0.0 {
                let template = "send: the option ttl is #; it must be a number of milliseconds";
                return Err(wrong("bad-option", template, &[&show(&given)]));
            }
        }
    }
    let bad = |why: &str| {
        wrong(
            "bad-message",
            "send: JSON can't hold the message: #",
            &[why],
        )
    };
    let json = js::to_json(message)
        .map_err(|thrown| bad(&js::text(&thrown)))?
        .ok_or_else(|| bad(&show(message)))?;
    driver.send(channel, json.unchecked_into::<Text>(), ttl)
}

/// A page's config, and the handle that its `callback` gets.
struct Page {
    config: JsValue,
    handle: JsValue,
    /// The config is the function that is to get the messages.
    is_function: bool,
}

impl Page {
    /// A delivery threw: because of the page's `onmessage`, or because there is none. That is found out afterwards, for a look
    /// takes as long as the call.
    fn failed(&self, thrown: &JsValue) {
        let onmessage = js::get(&self.config, "onmessage");
        match callback::optional_function(onmessage, "onmessage") {
            Err(worded) if !self.is_function => js::report_error(&worded),
            // Nobody there, as with the shim. (One that took itself away and then threw threw something of its own.)
            Ok(None)
                if !self.is_function && js::text(&js::member(thrown, "name")) == "TypeError" => {}
            _ => js::report_error(thrown),
        }
    }
}

impl Subscriber for Page {
    fn deliver(&self, message: JsValue) {
        let result = if self.is_function {
            let onmessage = self.config.unchecked_ref::<Handler>();
            onmessage.call1(&JsValue::UNDEFINED, &message)
        } else {
            self.config.unchecked_ref::<Received>().onmessage(&message)
        };
        if let Err(thrown) = result {
            self.failed(&thrown);
        }
    }

    fn ready(&self) {
        // `callback` first: pages made for it do nothing on `onopen`. Both as methods: they say `this.onopen()`.
        if !self.is_function && !callback::call_member(&self.config, "callback", &[&self.handle]) {
            callback::call_member(&self.config, "onopen", &[]);
        }
    }
}
