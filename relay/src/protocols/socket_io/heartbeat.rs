//! Heartbeats of Engine.IO, by which a silent client is found out.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::engine::{PING, Version};
use super::session::Session;
use crate::connection::CloseReason;
use crate::limits::Limits;

/// A client must join its first space within this time, or that of two pings if it is shorter. A
/// client of version 3 that polls is in one from the start, and must send something.
const CONFIRM: Duration = Duration::from_secs(10);

/// Resolves when a client has joined nothing for too long.
pub(super) async fn unconfirmed(session: &Session, limits: &Limits) -> CloseReason {
    sleep(CONFIRM.min(2 * (limits.ping_interval + limits.ping_timeout))).await;
    if session.is_confirmed() {
        std::future::pending().await
    }
    CloseReason::PingTimeout
}

/// Sends pings, and resolves when the client was silent for too long.
///
/// Clients of version 4 wait for pings and answer them; those of version 3 ping by themselves. A
/// relay that was itself stopped for a while gives everybody more time, because what came in
/// meanwhile is still to be read.
pub(super) async fn watch(session: &Session) -> CloseReason {
    let pings = session.version == Version::Four;
    let mut last_ping = Instant::now();
    // From when on something must be heard.
    let mut since = if pings {
        None
    } else {
        Some(session.last_heard())
    };
    loop {
        let Limits {
            ping_interval: interval,
            ping_timeout: timeout,
            ..
        } = session.limits_of_pings();
        let next_ping = last_ping + interval;
        let allowed = if pings { timeout } else { interval + timeout };
        let deadline = since.map(|since| since + allowed);
        let next = match (pings, deadline) {
            (true, Some(deadline)) => deadline.min(next_ping),
            (true, None) => next_ping,
            (false, Some(deadline)) => deadline,
            (false, None) => Instant::now() + allowed,
        };
        tokio::select! {
            () = sleep_until(next) => {}
            () = session.pings_change() => continue,
        }
        let (now, heard) = (Instant::now(), session.last_heard());
        if let (Some(from), Some(deadline)) = (since, deadline) {
            if heard > from {
                since = if pings { None } else { Some(heard) };
            } else if now > deadline + timeout / 2 {
                since = Some(now);
            } else if now >= deadline {
                return CloseReason::PingTimeout;
            }
        }
        if pings && now >= next_ping {
            session.send(PING.to_owned());
            since = since.or(Some(now));
            last_ping = now;
        }
    }
}
