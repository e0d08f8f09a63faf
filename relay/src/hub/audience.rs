//! Which channels a connection may receive.

use std::fmt;
use std::sync::Arc;

/// Decides which channels a connection may receive, again at each delivery.
#[derive(Clone, Default)]
pub struct Audience(Option<Arc<Predicate>>);

type Predicate = dyn Fn(&str) -> bool + Send + Sync;

impl Audience {
    /// Everything is received.
    #[must_use]
    pub fn everything() -> Self {
        Self(None)
    }

    /// Only messages on channels for which `receives` returns true, and no other texts.
    #[must_use]
    pub fn of(receives: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(receives)))
    }

    /// Whether a message on this channel is received, or a text without one.
    pub(super) fn receives(&self, channel: Option<&str>) -> bool {
        match &self.0 {
            None => true,
            Some(receives) => channel.is_some_and(|channel| receives(channel)),
        }
    }
}

impl fmt::Debug for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "some channels"
        } else {
            "everything"
        })
    }
}
