//! The WebSocket close codes (RFC 6455, 7.4) that our relay sends, and which of all codes are
//! final.

/// The relay is shutting down; connect again later.
pub const GOING_AWAY: u16 = 1001;
/// The client broke the WebSocket protocol, or the protocol inside it.
pub const PROTOCOL_ERROR: u16 = 1002;
/// The client sent a binary frame.
pub const UNSUPPORTED_DATA: u16 = 1003;
/// The client sent a text frame that isn't UTF-8.
pub const INVALID_TEXT: u16 = 1007;
/// The client sent a frame over the size limit.
pub const TOO_LARGE: u16 = 1009;
/// The relay's store doesn't take messages now; connect again later.
pub const TRY_AGAIN_LATER: u16 = 1013;
/// The client read so slowly that its send queue overflowed.
pub const SLOW_CONSUMER: u16 = 4008;
/// The client resumed its session on another connection.
pub const RESUMED_ELSEWHERE: u16 = 4009;
/// The client didn't answer a ping in time.
pub const PING_TIMEOUT: u16 = 4012;
/// The client sent more than it may, for a while.
pub const RATE_LIMIT: u16 = 4013;
/// The relay's memory is used up, and the client has most of it; connect again later.
pub const OVER_MEMORY: u16 = 4014;
/// A message of the client began and wasn't complete in time.
pub const MESSAGE_TIMEOUT: u16 = 4015;
/// The client opened too many channels. Final: opening them again would end the same way.
pub const TOO_MANY_CHANNELS: u16 = 4501;
/// The client's token was refused or has expired. Final, unless the client can get another token.
pub const TOKEN_REFUSED: u16 = 4503;

/// Whether a close code says that connecting again is pointless: 3500 to 3999 and 4500 to 4999.
///
/// The ranges are those of Centrifugo's protocol, so that servers which follow it mean the same.
#[must_use]
pub fn is_final(code: u16) -> bool {
    matches!(code, 3500..=3999 | 4500..=4999)
}

/// Whether a close code blames what the client sent: sending the same again would end the next
/// connection too.
#[must_use]
pub fn blames_the_sender(code: u16) -> bool {
    matches!(
        code,
        PROTOCOL_ERROR | UNSUPPORTED_DATA | INVALID_TEXT | TOO_LARGE
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_relays_last_codes_are_final() {
        for code in [
            GOING_AWAY,
            PROTOCOL_ERROR,
            UNSUPPORTED_DATA,
            INVALID_TEXT,
            TOO_LARGE,
            TRY_AGAIN_LATER,
            SLOW_CONSUMER,
            RESUMED_ELSEWHERE,
            PING_TIMEOUT,
            RATE_LIMIT,
            OVER_MEMORY,
            MESSAGE_TIMEOUT,
        ] {
            assert!(!is_final(code), "{code}");
        }
        assert!(is_final(TOO_MANY_CHANNELS) && is_final(TOKEN_REFUSED));
    }

    #[test]
    fn final_codes_are_the_upper_halves_of_their_ranges() {
        let is = |code: u16| matches!(code / 500, 7 | 9);
        assert!((0..=u16::MAX).all(|code| is_final(code) == is(code)));
    }
}
