//! The functions and the class that JavaScript calls. Their types are in `types.d.ts`, written by hand.

use super::channel::{self, HandleFunctions, Hook};
use super::driver::Driver;
use super::error::{Code, Error, show};
use super::options::{Options, set_handler};
use crate::session::State;
use js_sys::{Array, Function, JsString, Object, Proxy, Reflect};
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.d.ts");

thread_local! {
    /// What `openSignalingChannel` and `openSocket` use.
    static DEFAULT: RefCell<Option<Signaling>> = const { RefCell::new(None) };
}

/// Makes the default signaling.
#[wasm_bindgen(skip_typescript)]
pub fn configure(options: JsValue) -> Result<Signaling, JsValue> {
    let in_use = DEFAULT.with_borrow(|signaling| {
        signaling.as_ref().is_some_and(|signaling| !matches!(signaling.inner.driver.state(), State::Idle | State::Closed))
    });
    if in_use {
        return Err(Error::new(
            Code::InUse,
            &["configure: the default signaling is in use; call configure before the first openSignalingChannel or openSocket, close() the signaling that it returned, or make another one with new Signaling(options)"],
        )
        .into());
    }
    let signaling = Signaling::new(options)?;
    DEFAULT.set(Some(signaling.clone()));
    Ok(signaling)
}

/// Opens a channel of the default signaling; `this` is the page's connection.
#[wasm_bindgen(js_name = openSignalingChannel, this, skip_typescript)]
pub fn open_signaling_channel(this: JsValue, config: JsValue) -> Result<JsValue, JsValue> {
    default_signaling()?.inner.open(Hook::SignalingChannel, &this, &config)
}

/// Opens a channel of the default signaling; `this` is the page's config object.
#[wasm_bindgen(js_name = openSocket, this, skip_typescript)]
pub fn open_socket(this: JsValue, config: JsValue) -> Result<JsValue, JsValue> {
    default_signaling()?.inner.open(Hook::Socket, &this, &config)
}

fn default_signaling() -> Result<Signaling, JsValue> {
    DEFAULT.with_borrow_mut(|default| match default {
        Some(signaling) => Ok(signaling.clone()),
        None => Ok(default.insert(Signaling::new(JsValue::UNDEFINED)?).clone()),
    })
}

/// One logical connection to a server.
#[wasm_bindgen(skip_typescript)]
#[derive(Debug, Clone)]
pub struct Signaling {
    inner: Rc<Inner>,
    hooks: Rc<OnceCell<[Function; 2]>>,
}

#[derive(Debug)]
struct Inner {
    driver: Rc<Driver>,
    functions: HandleFunctions,
}

impl Inner {
    fn open(&self, hook: Hook, this: &JsValue, config: &JsValue) -> Result<JsValue, JsValue> {
        channel::open(&self.driver, &self.functions, hook, this, config)
    }
}

#[wasm_bindgen]
impl Signaling {
    /// Reads the options; connects when the first channel is opened.
    #[wasm_bindgen(constructor, skip_typescript)]
    pub fn new(options: JsValue) -> Result<Signaling, JsValue> {
        let driver = Driver::new(Options::read(&options)?)?;
        Ok(Signaling { inner: Rc::new(Inner { driver, functions: HandleFunctions::default() }), hooks: Rc::default() })
    }

    /// Sets `connection.openSignalingChannel`.
    #[wasm_bindgen(skip_typescript)]
    pub fn attach(&self, connection: JsValue) -> Result<JsValue, JsValue> {
        let wrong = |what: &str| {
            let parts = ["attach: the connection is ", &show(&connection), what];
            JsValue::from(Error::new(Code::BadConfig, &parts))
        };
        if !connection.is_object() && !connection.is_function() {
            return Err(wrong("; it must be an object, such as new RTCMultiConnection()"));
        }
        if !Reflect::set(&connection, &"openSignalingChannel".into(), self.hook(Hook::SignalingChannel))? {
            return Err(wrong(" whose openSignalingChannel can't be set"));
        }
        Ok(connection)
    }

    /// The hook of that name.
    #[wasm_bindgen(getter, js_name = openSignalingChannel, skip_typescript)]
    pub fn open_signaling_channel(&self) -> Function {
        self.hook(Hook::SignalingChannel).clone()
    }

    /// The hook of that name.
    #[wasm_bindgen(getter, js_name = openSocket, skip_typescript)]
    pub fn open_socket(&self) -> Function {
        self.hook(Hook::Socket).clone()
    }

    /// Closes the connection and every channel for good.
    #[wasm_bindgen(skip_typescript)]
    pub fn close(&self) {
        self.inner.driver.close();
    }

    /// The `sender` of this page's messages.
    #[wasm_bindgen(getter, skip_typescript)]
    pub fn userid(&self) -> f64 {
        self.inner.driver.userid()
    }

    /// Where the connection stands.
    #[wasm_bindgen(getter, skip_typescript)]
    pub fn state(&self) -> JsString {
        self.inner.driver.state().name().into()
    }

    /// A snapshot of the counters.
    #[wasm_bindgen(skip_typescript)]
    pub fn stats(&self) -> Result<Object, JsValue> {
        let stats = self.inner.driver.stats();
        let [delivered, own, foreign, bad] = [stats.delivered, stats.own, stats.foreign, stats.bad].map(f64::from);
        let object = Object::new();
        for (name, value) in [
            ("sent", f64::from(stats.sent)),
            ("received", delivered + own + foreign + bad),
            ("delivered", delivered),
            ("own", own),
            ("foreign", foreign),
            ("bad", bad),
            ("queued", stats.queued as f64),
            ("queuedBytes", stats.queued_bytes as f64),
            ("channels", stats.channels as f64),
            ("connects", f64::from(stats.connects)),
        ] {
            Reflect::set(&object, &name.into(), &value.into())?;
        }
        Ok(object)
    }

    /// Called after each change of state.
    #[wasm_bindgen(getter, skip_typescript)]
    pub fn onstatechange(&self) -> Option<Function> {
        self.inner.driver.handlers.onstatechange.borrow().clone()
    }

    /// Sets it; `null`: nobody.
    #[wasm_bindgen(setter, skip_typescript)]
    pub fn set_onstatechange(&self, handler: JsValue) -> Result<(), JsValue> {
        Ok(set_handler(&self.inner.driver.handlers.onstatechange, "onstatechange", &handler)?)
    }

    /// Called with what went wrong outside a call of the page's.
    #[wasm_bindgen(getter, skip_typescript)]
    pub fn onerror(&self) -> Option<Function> {
        self.inner.driver.handlers.onerror.borrow().clone()
    }

    /// Sets it; `null`: nobody.
    #[wasm_bindgen(setter, skip_typescript)]
    pub fn set_onerror(&self, handler: JsValue) -> Result<(), JsValue> {
        Ok(set_handler(&self.inner.driver.handlers.onerror, "onerror", &handler)?)
    }

    /// Called with every frame that goes by.
    #[wasm_bindgen(getter, skip_typescript)]
    pub fn onframe(&self) -> Option<Function> {
        self.inner.driver.handlers.onframe.borrow().clone()
    }

    /// Sets it; `null`: nobody.
    #[wasm_bindgen(setter, skip_typescript)]
    pub fn set_onframe(&self, handler: JsValue) -> Result<(), JsValue> {
        Ok(set_handler(&self.inner.driver.handlers.onframe, "onframe", &handler)?)
    }
}

impl Signaling {
    fn hook(&self, hook: Hook) -> &Function {
        let [signaling_channel, socket] =
            self.hooks.get_or_init(|| [Hook::SignalingChannel, Hook::Socket].map(|hook| with_this(Rc::clone(&self.inner), hook)));
        match hook {
            Hook::SignalingChannel => signaling_channel,
            Hook::Socket => socket,
        }
    }
}

/// A function that knows the `this` it is called with. wasm-bindgen's closures are arrow functions, which have none; but the `apply` trap of
/// a proxy is handed it.
fn with_this(inner: Rc<Inner>, hook: Hook) -> Function {
    let apply = Closure::<dyn Fn(JsValue, JsValue, Array) -> Result<JsValue, JsValue>>::own(
        move |_target: JsValue, this: JsValue, arguments: Array| inner.open(hook, &this, &arguments.get(0)),
    )
    .into_js_value();
    let handler = Object::new();
    // A fresh object takes any member.
    let _ = Reflect::set(&handler, &"apply".into(), &apply);
    Proxy::new(&apply, &handler).unchecked_into()
}
