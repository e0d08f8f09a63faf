//! What others learn about the relay: its figures, and whether it takes new clients.
//!
//! | module | |
//! | --- | --- |
//! | `exposition` | the text that Prometheus reads |
//! | `listener` | the listener for it, and the answers about the relay's health |

mod exposition;
mod listener;

pub(crate) use self::exposition::text;
pub(crate) use self::listener::{listen, ready};
