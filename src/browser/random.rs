//! Randomness from the browser.

use super::error::{Error, signaling_error};

/// A random number.
pub fn number() -> Result<u64, Error> {
    getrandom::u64().map_err(|_| {
        signaling_error(
            "no-randomness",
            "the browser gave no random numbers: crypto.getRandomValues is missing or failed",
        )
    })
}

/// A random secret: 128 bits in hexadecimal digits.
pub fn secret() -> Result<String, Error> {
    Ok(format!("{:016x}{:016x}", number()?, number()?))
}
