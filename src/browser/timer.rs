//! A timer. gloo-timers panics if `setTimeout` throws, as that of a removed frame does in Firefox.

use gloo_timers::callback::Timeout;

use super::js;

/// A timer that is running. Dropping it stops it.
#[derive(Debug)]
#[must_use = "it stops when it is dropped"]
pub struct Timer(Option<Timeout>);

impl Timer {
    /// Calls `done` after `delay` milliseconds. `None` if `setTimeout` throws, which is reported.
    pub fn start(delay: u32, done: impl FnOnce() + 'static) -> Option<Timer> {
        Timer::start_boxed(delay, Box::new(done))
    }

    fn start_boxed(delay: u32, done: Box<dyn FnOnce()>) -> Option<Timer> {
        let mut done = Some(done);
        let mut timeout = None;
        js::contain(&mut || timeout = done.take().map(|done| Timeout::new(delay, done)));
        timeout.map(|timeout| Timer(Some(timeout)))
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        js::contain(&mut || drop(self.0.take()));
    }
}
