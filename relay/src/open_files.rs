//! The system's limit on open files. Each connection takes one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that are open besides connections with a slot: HTTP connections and what they read, and
/// the relay's own.
const OTHERS: u64 = 1024 + 256;

/// Raises the limit so that there can be as many connections, as far as the system allows it.
/// Otherwise returns the sentence that says so.
pub(crate) fn allow(connections: usize) -> Option<String> {
    let wanted = u64::try_from(connections).unwrap_or(u64::MAX);
    let needed = wanted.saturating_add(OTHERS);
    let before = getrlimit(Resource::Nofile);
    let current = before.current?;
    if current >= needed {
        return None;
    }
    let raised = before.maximum.map_or(needed, |most| most.min(needed));
    let is_raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(raised),
            maximum: before.maximum,
        },
    );
    let allowed = if is_raised.is_ok() { raised } else { current };
    (allowed < needed).then(|| {
        format!(
            "up to {allowed} files may be open, and --connections {connections} needs {needed}: \
             raise the limit (ulimit -n) or lower --connections"
        )
    })
}
