//! Renewing the page's token before it expires, on the open connection.

use crate::protocol::Millis;

/// The longest time before the expiry at which the page is asked for another token. A hidden page's
/// timers may be a minute late.
const LONGEST_MARGIN: Millis = 120_000.0;
/// That time is at most this part of the token's life.
const MARGIN: f64 = 0.25;
/// The shortest time until the page is asked: it may give the same token again.
const SHORTEST: Millis = 1_000.0;

/// When the page is asked for another token; `lifetime` is how long the current one is still good.
pub fn due(now: Millis, lifetime: Millis) -> Millis {
    let margin = (lifetime * MARGIN).min(LONGEST_MARGIN);
    now + (lifetime - margin).max(SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_asked_in_time() {
        for (lifetime, expected) in [
            (0.0, 1_000.0),
            (1_000.0, 1_000.0),
            (60_000.0, 45_000.0),
            (3_600_000.0, 3_480_000.0),
        ] {
            assert_eq!(due(5.0, lifetime), 5.0 + expected);
        }
    }
}
