//! What a service manager learns: systemd waits for it with `Type=notify`.

/// What the program does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It accepts connections, with the settings that it was given last.
    Ready,
    /// It reads its settings again.
    Reloading,
    /// It drains.
    Stopping,
}

/// Tells systemd, if that has started the program.
#[cfg(unix)]
pub(crate) fn tell(state: State) {
    use sd_notify::{NotifyState, notify};
    let told = match state {
        State::Ready => notify(&[NotifyState::Ready]),
        State::Reloading => {
            NotifyState::monotonic_usec_now().and_then(|now| notify(&[NotifyState::Reloading, now]))
        }
        State::Stopping => notify(&[NotifyState::Stopping]),
    };
    if let Err(error) = told {
        tracing::warn!("systemd can't be told that the state is {state:?}: {error}");
    }
}

/// Other systems have no such service manager.
#[cfg(not(unix))]
pub(crate) fn tell(_: State) {}
