//! A signaling as the page sees it: an object of the page's with our functions in it.

use super::channel;
use super::driver::Driver;
use super::error::{Error, show, wrong};
use super::functions::{Call, Functions};
use super::js;
use super::options::Options;
use crate::session::State;
use alloc::rc::Rc;
use js_sys::Object;
use wasm_bindgen::prelude::*;

/// Makes a signaling of the page's object.
pub fn furnish(page: &JsValue, options: &JsValue) -> Result<Rc<Driver>, JsValue> {
    let driver = Driver::new(Options::read(options, page)?, page.clone())?;
    let functions = Functions::new(&driver);
    js::put(page, "userid", &driver.userid().into());
    js::put(page, "state", &State::Idle.name().into());
    for (member, call) in [
        ("openSignalingChannel", Call::OpenSignalingChannel),
        ("openSocket", Call::OpenSocket),
    ] {
        js::put(page, member, &functions.with_this(call));
    }
    for (member, call) in [
        ("attach", Call::Attach),
        ("stats", Call::Stats),
        ("flushed", Call::Flushed),
        ("close", Call::Close),
    ] {
        js::put(page, member, &functions.get(call, 0, &JsValue::UNDEFINED));
    }
    driver.set_onframe(js::member(page, "onframe"));
    let [get, set] = [Call::GetOnframe, Call::SetOnframe];
    let undefined = &JsValue::UNDEFINED;
    js::put_accessor(
        page,
        "onframe",
        &functions.get(get, 0, undefined),
        &functions.get(set, 0, undefined),
    );
    js::put(
        page,
        "closed",
        &js::new_promise(&functions.get(Call::AwaitClosed, 0, undefined)),
    );
    js::put_dispose(page, &js::member(page, "close"));
    driver.keep(functions);
    Ok(driver)
}

/// Does what a bound function is for.
pub fn dispatch(
    driver: &Rc<Driver>,
    call: Call,
    id: u32,
    bound: JsValue,
    first: JsValue,
    second: JsValue,
    third: JsValue,
) -> Result<JsValue, JsValue> {
    match call {
        Call::Opened => driver.opened(id),
        Call::Nothing => {}
        Call::Happened => driver.happened(&first),
        Call::Located => driver.located(id, &first)?,
        Call::Provided => driver.provided(id, &first)?,
        Call::Answered => return driver.answered(id, &first),
        Call::Read => driver.read_answer(id, &first),
        Call::Failed => driver.failed(id, &bound, &first),
        // A transport may hand over anything.
        Call::Frame if id != driver.connection() => {}
        Call::Frame if first.is_string() => driver.frame(first),
        Call::Frame => driver.no_text(&first),
        Call::Woken => driver.woken(),
        Call::Lost => driver.lost(id, &first),
        Call::Send => channel::send(driver, &js::text(&bound), &first, &second)?,
        Call::CloseChannel => driver.close_channel(&js::text(&bound), id),
        Call::OpenSignalingChannel | Call::OpenSocket => {
            return channel::open(driver, call, &second, &js::member(&third, "0"));
        }
        Call::Attach => return attach(driver, first),
        Call::Stats => return stats(driver),
        Call::Close => driver.close(),
        Call::Flushed => return driver.flushed(),
        Call::AwaitFlushed => driver.await_flushed(&bound, first, second),
        Call::AwaitClosed => driver.await_closed(first),
        Call::GetOnframe => return Ok(driver.onframe()),
        Call::SetOnframe => driver.set_onframe(first),
    }
    Ok(JsValue::UNDEFINED)
}

/// Sets `connection.openSignalingChannel`.
fn attach(driver: &Driver, connection: JsValue) -> Result<JsValue, JsValue> {
    if driver.state() == State::Closed {
        return Err(Error::signaling_closed().into());
    }
    let member = "openSignalingChannel";
    match js::set(&connection, member, &js::member(&driver.page(), member)) {
        Ok(true) => Ok(connection),
        _ => Err(wrong(
            "bad-config",
            "attach: the connection is #, whose openSignalingChannel can't be set; it must be an object, such as new RTCMultiConnection()",
            &[&show(&connection)],
        )
        .into()),
    }
}

/// A snapshot of the counters.
fn stats(driver: &Driver) -> Result<JsValue, JsValue> {
    let stats = driver.stats();
    let object = Object::new();
    for (name, value) in [
        ("sent", stats.sent),
        ("sentBytes", stats.sent_length),
        ("receivedBytes", stats.received_length),
        (
            "received",
            stats.delivered + stats.own + stats.foreign + stats.bad + stats.control,
        ),
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
        js::put(&object, name, &value.into());
    }
    let round_trip = Some(stats.round_trip).filter(|time| *time > 0.0);
    js::put(&object, "roundTrip", &round_trip.into());
    Ok(object.into())
}
