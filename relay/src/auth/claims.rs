//! What a token says: its claims, and the grant that they make. Pure.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use signal_wire::json::quoted;

use super::pattern::Patterns;
use super::refusal::Refusal;

/// The longest user id, in bytes.
pub(super) const LONGEST_USER: usize = 256;
/// How far the clocks of the relay and of the token's issuer may differ before a token counts as
/// not valid yet.
const SKEW: Duration = Duration::from_secs(30);

/// The claims of a token, and the answer of a hook.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// The user's id.
    pub sub: String,
    /// When the token expires, in seconds since 1970.
    pub exp: f64,
    /// Before this time the token isn't valid, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nbf: Option<f64>,
    /// Patterns of the spaces that may be entered.
    pub spaces: Vec<String>,
    /// Patterns of the channels that may be published on; all, if the claim is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish: Option<Vec<String>>,
    /// Patterns of the channels that may be received; all, if the claim is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribe: Option<Vec<String>>,
}

/// What one user may do, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub(super) user: Box<str>,
    /// The user's id as JSON text.
    pub(super) user_json: Box<str>,
    pub(super) expires: SystemTime,
    pub(super) spaces: Patterns,
    pub(super) publish: Patterns,
    pub(super) subscribe: Patterns,
}

impl Grant {
    /// Reads the JSON text of claims.
    ///
    /// # Errors
    /// They aren't the relay's claims, or not valid at this time.
    pub fn read(json: &[u8], now: SystemTime) -> Result<Self, Refusal> {
        let claims: Claims = serde_json::from_slice(json).map_err(|_| Refusal::WRONG_CLAIMS)?;
        Self::new(&claims, now)
    }

    /// The grant of these claims.
    ///
    /// # Errors
    /// They aren't valid at this time.
    pub fn new(claims: &Claims, now: SystemTime) -> Result<Self, Refusal> {
        if claims.sub.is_empty() || claims.sub.len() > LONGEST_USER {
            return Err(Refusal::invalid("its claim sub must have 1 to 256 bytes"));
        }
        let expires = time(claims.exp).ok_or(Refusal::invalid(
            "its claim exp must be in seconds since 1970",
        ))?;
        if expires <= now {
            return Err(Refusal::EXPIRED);
        }
        if let Some(begin) = claims.nbf {
            let begin = time(begin).ok_or(Refusal::invalid(
                "its claim nbf must be in seconds since 1970",
            ))?;
            if begin > now + SKEW {
                return Err(Refusal::invalid("it isn't valid yet"));
            }
        }
        let patterns = |list: &[String]| Patterns::read(list).map_err(Refusal::invalid);
        let or_all = |list: &Option<Vec<String>>| match list {
            Some(list) => patterns(list),
            None => Ok(Patterns::all()),
        };
        Ok(Self {
            user_json: quoted(&claims.sub).into(),
            user: claims.sub.as_str().into(),
            expires,
            spaces: patterns(&claims.spaces)?,
            publish: or_all(&claims.publish)?,
            subscribe: or_all(&claims.subscribe)?,
        })
    }

    /// Whether a space may be entered.
    pub(super) fn check_space(&self, space: &str) -> Result<(), Refusal> {
        if self.spaces.matches(space) {
            Ok(())
        } else {
            Err(Refusal::OTHER_SPACE)
        }
    }
}

/// A time in seconds since 1970, at most some thousand years from now.
fn time(seconds: f64) -> Option<SystemTime> {
    let limit = 1e11;
    (0.0..limit)
        .contains(&seconds)
        .then(|| SystemTime::UNIX_EPOCH + Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn read(json: &str) -> Result<Grant, Refusal> {
        Grant::read(json.as_bytes(), at(1000))
    }

    #[test]
    fn claims_make_a_grant() {
        let grant = read(
            r#"{"sub":"a\"b","exp":1001.5,"nbf":1000,"spaces":["/r/*"],"publish":["a"],"subscribe":[],"more":[1]}"#,
        )
        .unwrap();
        assert_eq!((&*grant.user, &*grant.user_json), ("a\"b", r#""a\"b""#));
        assert_eq!(grant.expires, at(1001) + Duration::from_millis(500));
        assert!(grant.spaces.matches("/r/5") && !grant.spaces.matches("/"));
        assert!(grant.publish.matches("a") && !grant.publish.matches("b"));
        assert!(!grant.subscribe.matches("a"));
        let grant = read(r#"{"sub":"a","exp":1001,"spaces":[]}"#).unwrap();
        assert!(grant.publish.matches("x") && grant.subscribe.matches("x"));
        assert!(!grant.spaces.matches("/"));
    }

    #[test]
    fn claims_of_the_wrong_kind_are_refused() {
        for json in [
            "",
            "[]",
            "{}",
            r#"{"sub":"a","exp":1001}"#,
            r#"{"sub":"a","spaces":["*"]}"#,
            r#"{"exp":1001,"spaces":["*"]}"#,
            r#"{"sub":"","exp":1001,"spaces":["*"]}"#,
            r#"{"sub":5,"exp":1001,"spaces":["*"]}"#,
            r#"{"sub":"a","exp":"1001","spaces":["*"]}"#,
            r#"{"sub":"a","exp":null,"spaces":["*"]}"#,
            r#"{"sub":"a","exp":-1,"spaces":["*"]}"#,
            r#"{"sub":"a","exp":1e300,"spaces":["*"]}"#,
            r#"{"sub":"a","exp":1001,"nbf":"0","spaces":["*"]}"#,
            r#"{"sub":"a","exp":1001,"nbf":1031,"spaces":["*"]}"#,
            r#"{"sub":"a","exp":1001,"spaces":"*"}"#,
            r#"{"sub":"a","exp":1001,"spaces":["a*b"]}"#,
            r#"{"sub":"a","exp":1001,"spaces":["*"],"publish":"*"}"#,
            r#"{"sub":"a","exp":1001,"spaces":["*"],"subscribe":["**"]}"#,
        ] {
            let refusal = read(json).unwrap_err();
            assert_ne!(refusal, Refusal::EXPIRED, "{json}");
        }
        for exp in ["1000", "999.9", "0"] {
            let json = format!(r#"{{"sub":"a","exp":{exp},"spaces":["*"]}}"#);
            assert_eq!(read(&json), Err(Refusal::EXPIRED));
        }
        let json = r#"{"sub":"a","exp":1001,"nbf":1029,"spaces":["*"]}"#;
        assert!(read(json).is_ok(), "clocks may differ a little");
    }
}
