//! Values of options that may be asked for on each attempt to connect.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use js_sys::futures::future_to_promise;
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// A value, or an async function that gives it on each attempt to connect, which waits for it.
///
/// ```no_run
/// # use signal_wasm::Provided;
/// # async fn fresh_token() -> Result<String, String> { Ok("…".into()) }
/// let fixed: Provided<String> = "token".into();
/// let fresh: Provided<String> = Provided::from_fn(async || fresh_token().await);
/// ```
#[derive(Clone)]
pub struct Provided<T>(Source<T>);

#[derive(Clone)]
enum Source<T> {
    Value(T),
    Function(Rc<dyn Fn() -> Answer<T>>),
}

/// What a function gives: no value at all, or why it failed.
type Answer<T> = Pin<Box<dyn Future<Output = Result<Option<T>, String>>>>;

impl<T: 'static> Provided<T> {
    /// The same value each time.
    pub fn value(value: T) -> Provided<T> {
        Provided(Source::Value(value))
    }

    /// What an async function gives. If it fails, the attempt does, and another follows.
    pub fn from_fn<E: Into<Box<dyn Error>>>(
        provider: impl AsyncFn() -> Result<T, E> + 'static,
    ) -> Provided<T> {
        Provided::optional(async move || provider().await.map(Some))
    }

    /// Like [`from_fn`](Self::from_fn), but there may be no value, such as no token while nobody is
    /// logged in.
    pub fn optional<E: Into<Box<dyn Error>>>(
        provider: impl AsyncFn() -> Result<Option<T>, E> + 'static,
    ) -> Provided<T> {
        let provider = Rc::new(provider);
        Provided(Source::Function(Rc::new(move || {
            let provider = Rc::clone(&provider);
            Box::pin(async move { provider().await.map_err(|error| error.into().to_string()) })
        })))
    }
}

impl From<&str> for Provided<String> {
    fn from(value: &str) -> Self {
        Provided::value(value.into())
    }
}

impl From<String> for Provided<String> {
    fn from(value: String) -> Self {
        Provided::value(value)
    }
}

impl From<Auth> for Provided<Auth> {
    fn from(value: Auth) -> Self {
        Provided::value(value)
    }
}

/// As JavaScript's option: the value, or a function that returns a promise.
impl<T: Clone + Into<JsValue> + 'static> From<&Provided<T>> for JsValue {
    fn from(provided: &Provided<T>) -> JsValue {
        let ask = match &provided.0 {
            Source::Value(value) => return value.clone().into(),
            Source::Function(ask) => Rc::clone(ask),
        };
        let ask = Closure::<dyn Fn() -> js_sys::Promise>::new(move || {
            let answer = ask();
            future_to_promise(async move {
                let given = answer.await.map_err(|error| JsValue::from(&error))?;
                Ok(given.map_or(JsValue::UNDEFINED, Into::into))
            })
        });
        ask.into_js_value()
    }
}

/// It may be a secret, so nothing shows it.
impl<T> fmt::Debug for Provided<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Value(_) => "Provided::value(…)",
            Source::Function(_) => "Provided::from_fn(…)",
        })
    }
}

/// Credentials for a server of Socket.IO: an object of any members.
#[derive(Clone)]
pub struct Auth(JsValue);

impl Auth {
    /// The members of a value, such as a struct or a map.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BadOption`](crate::ErrorKind::BadOption): JSON can't hold it.
    pub fn new(members: &(impl Serialize + ?Sized)) -> crate::Result<Auth> {
        let serializer = serde_wasm_bindgen::Serializer::json_compatible();
        let members = members.serialize(&serializer).map_err(|error| {
            let message = format!("the option auth can't be passed on: {error}");
            crate::Error::new(crate::ErrorKind::BadOption, message)
        })?;
        Ok(Auth(members))
    }
}

impl From<Auth> for JsValue {
    fn from(auth: Auth) -> JsValue {
        auth.0
    }
}

/// They are secrets, so nothing shows them.
impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auth(…)")
    }
}
