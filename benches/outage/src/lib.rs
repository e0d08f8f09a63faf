//! How pages come back after an outage, in virtual time: no sockets, no waiting, the same result
//! every time.
//!
//! What decides is the product's own code. Each page is a `Session` of signal-wasm, with its backoff
//! and its time limits. Each relay is a `Gate` of signal-relay, with its limits for connections,
//! requests and places. A model stands for the rest: the network (`simulation`), and the kernel's
//! queue and the processor of a relay's machine (`relay`).
//!
//! | module | |
//! | --- | --- |
//! | `scenario` | what is simulated |
//! | `simulation` | the events, one after the other |
//! | `page` | a page: a session, and what drives it |
//! | `relay` | a relay: its gate, its queue and its processor |
//! | `outcome` | what is counted |

#[path = "../../../tests/support/host.rs"]
#[allow(dead_code, clippy::indexing_slicing)]
mod host;
mod outcome;
mod page;
mod relay;
mod scenario;
mod simulation;

pub use outcome::Outcome;
pub use scenario::Scenario;
pub use simulation::simulate;
