//! The page's view of a signaling: a plain object with our functions as members. They don't use
//! `this`, so a page may detach them.

use std::rc::Rc;

use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

use super::channel::{Hook, Opener};
use super::driver::Driver;
use super::error::{Error, show, type_error};
use super::events::Page;
use super::js;
use super::options::Options;
use super::promises;
use crate::session::State;

/// Constructs a signaling: reads the options, and puts the members on `object`.
pub fn construct(object: &JsValue, options: &JsValue) -> Result<Rc<Opener>, JsValue> {
    let options = Options::read(options, object)?;
    let (closed, resolve_closed) = promises::resolvable();
    let driver = Driver::new(options, Page::new(object.clone(), resolve_closed))?;
    driver.set_onframe(js::member(object, "onframe"));
    let opener = Opener::new(&driver);

    js::put(object, "userid", driver.userid() as f64);
    put_state(object, &driver);
    js::put(object, "closed", &closed);
    let open_signaling_channel = hook(&opener, Hook::OpenSignalingChannel);
    js::put(object, "openSignalingChannel", &open_signaling_channel);
    let open_socket = hook(&opener, Hook::OpenSocket);
    js::put(object, "openSocket", &open_socket);
    let take_back = js::channels(
        object,
        &open_socket,
        &method(&driver, |driver, number| {
            driver.withdraw(number.as_f64().unwrap_or_default() as u64);
            Ok(JsValue::UNDEFINED)
        }),
        &method(&driver, |driver, error| {
            driver.tell(&error);
            Ok(JsValue::UNDEFINED)
        }),
        &closed,
    );
    driver.set_take_back(take_back);
    let attached = Rc::clone(&driver);
    let attach = move |connection| attach(&attached, connection, &open_signaling_channel);
    js::put(object, "attach", function(Box::new(attach)));
    js::put(
        object,
        "stats",
        method(&driver, |driver, _| Ok(stats(driver))),
    );
    js::put(
        object,
        "flushed",
        method(&driver, |driver, options| {
            Ok(js::abortable(&driver.flushed(), &options))
        }),
    );
    let close = method(&driver, |driver, _| {
        driver.close();
        Ok(JsValue::UNDEFINED)
    });
    js::put(object, "close", &close);
    put_dispose(object, &close);
    put_connecting(object, &driver);
    put_onframe(object, &driver);
    let listens = method(&driver, |driver, kind| {
        driver.listens(&js::text(&kind));
        Ok(JsValue::UNDEFINED)
    });
    js::watch_listeners(object, &listens);
    Ok(opener)
}

/// A function with at most one argument that is about a driver.
fn method(
    driver: &Rc<Driver>,
    body: fn(&Rc<Driver>, JsValue) -> Result<JsValue, JsValue>,
) -> JsValue {
    let driver = Rc::clone(driver);
    function(Box::new(move |argument| body(&driver, argument)))
}

/// A function with at most one argument. The garbage collector frees it.
fn function(body: Box<dyn Fn(JsValue) -> Result<JsValue, JsValue>>) -> JsValue {
    Closure::wrap(body).into_js_value()
}

/// A hook. It uses `this`: the page's object that it is a member of.
fn hook(opener: &Rc<Opener>, hook: Hook) -> JsValue {
    let opener = Rc::clone(opener);
    let open = Closure::<dyn Fn(JsValue, JsValue) -> Result<JsValue, JsValue>>::new(
        move |this: JsValue, config: JsValue| opener.open(hook, &this, &config),
    );
    js::with_this(&open.into_js_value()).into()
}

/// Sets `connection.openSignalingChannel`.
fn attach(driver: &Driver, connection: JsValue, hook: &JsValue) -> Result<JsValue, JsValue> {
    if driver.state() == State::Closed {
        return Err(Error::signaling_closed().into());
    }
    match Reflect::set(&connection, &"openSignalingChannel".into(), hook) {
        Ok(true) => Ok(connection),
        _ => {
            let shown = show(&connection);
            Err(type_error(
                "bad-config",
                format!("attach: the connection is {shown}, whose openSignalingChannel can't be set; it must be an object, such as new RTCMultiConnection()"),
            )
            .into())
        }
    }
}

/// A snapshot of the counters.
fn stats(driver: &Driver) -> JsValue {
    let stats = driver.stats();
    let object = Object::new();
    for (name, value) in [
        ("sent", stats.sent),
        ("sentBytes", stats.sent_length),
        ("receivedBytes", stats.received_length),
        ("received", stats.received()),
        ("delivered", stats.delivered),
        ("own", stats.own),
        ("foreign", stats.foreign),
        ("bad", stats.bad),
        ("control", stats.control),
        ("dropped", stats.dropped),
        ("gaps", stats.gaps),
        ("queued", stats.queued),
        ("queuedBytes", stats.queued_bytes),
        ("channels", stats.channels),
        ("connects", stats.connects),
        ("reconnects", (stats.connects - 1.0).max(0.0)),
    ] {
        js::put(&object, name, value);
    }
    js::put(&object, "protocol", stats.protocol);
    js::put(&object, "relay", stats.relay);
    js::put(&object, "roundTrip", stats.round_trip);
    object.into()
}

/// Lets the page connect and disconnect.
fn put_connecting(object: &JsValue, driver: &Rc<Driver>) {
    let connect = method(driver, |driver, options| {
        Ok(js::abortable(&driver.connect(), &options))
    });
    js::put(object, "connect", connect);
    let disconnect = method(driver, |driver, _| {
        driver.disconnect();
        Ok(JsValue::UNDEFINED)
    });
    js::put(object, "disconnect", disconnect);
    let reconnect = method(driver, |driver, _| {
        driver.reconnect()?;
        Ok(JsValue::UNDEFINED)
    });
    js::put(object, "reconnect", reconnect);
    let get = method(driver, |driver, _| Ok(driver.connected().into()));
    put_accessor(object, "connected", get, JsValue::UNDEFINED);
}

/// Lets `using` call `close` at the end of its block, in browsers that have it.
fn put_dispose(object: &JsValue, close: &JsValue) {
    let dispose = js::member(&js::member(&js::global(), "Symbol"), "dispose");
    if !dispose.is_undefined() {
        let _ = Reflect::set(object, &dispose, close);
    }
}

/// Makes `state` an accessor, so that it is up to date inside every handler.
fn put_state(object: &JsValue, driver: &Rc<Driver>) {
    let get = method(driver, |driver, _| Ok(driver.state().name().into()));
    put_accessor(object, "state", get, JsValue::UNDEFINED);
}

/// Makes `onframe` an accessor, so that frames are shown as soon as it is set, and cost nothing
/// before.
fn put_onframe(object: &JsValue, driver: &Rc<Driver>) {
    let get = method(driver, |driver, _| Ok(driver.onframe()));
    let set = method(driver, |driver, onframe| {
        driver.set_onframe(onframe);
        Ok(JsValue::UNDEFINED)
    });
    put_accessor(object, "onframe", get, set);
}

fn put_accessor(object: &JsValue, member: &str, get: JsValue, set: JsValue) {
    let descriptor = Object::new();
    js::put(&descriptor, "get", get);
    js::put(&descriptor, "set", set);
    js::put(&descriptor, "enumerable", true);
    let object: &Object = object.unchecked_ref();
    Object::define_property(object, &member.into(), &descriptor);
}
