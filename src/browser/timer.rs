//! The one timer of a driver.

use gloo_timers::callback::Timeout;

/// The longest delay that `setTimeout` takes; a longer one would fire at once.
pub const LONGEST: f64 = 2_147_483_647.0;

/// Calls back once, at `at`; cancelled when dropped.
#[derive(Debug)]
pub struct Timer {
    /// When.
    pub at: f64,
    _timeout: Timeout,
}

impl Timer {
    /// Calls back at `at`, `now` being the present, or `LONGEST` from now if that comes sooner.
    pub fn new(now: f64, at: f64, callback: impl FnOnce() + 'static) -> Timer {
        // Rounded up: woken a fraction of a millisecond early, the session would ask for another timer.
        let delay = (at - now).clamp(0.0, LONGEST).ceil();
        Timer { at, _timeout: Timeout::new(delay as u32, callback) }
    }
}
