//! A relay that asks for tokens, and the tokens of its tests.

use std::time::Duration;

use signal_relay::Config;
use signal_relay::auth::Settings;
use signal_relay::auth::claims::Claims;
use signal_relay::auth::issue::issue;
use tempfile::TempDir;

use super::{LIMIT, Relay, config};

/// The secret that signs them.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// A file of keys that outlives no test.
pub struct KeyFile(TempDir);

impl KeyFile {
    pub fn new(content: impl AsRef<[u8]>) -> Self {
        let file = Self(TempDir::new().unwrap());
        file.write(content);
        file
    }

    pub fn path(&self) -> std::path::PathBuf {
        self.0.path().join("key")
    }

    pub fn write(&self, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(), content).unwrap();
    }
}

pub fn settings(file: &KeyFile) -> Config {
    Config {
        auth: Some(Settings::Jwt(file.path())),
        ..config()
    }
}

/// A relay that asks for tokens which [`SECRET`] has signed.
pub async fn start() -> Relay {
    Relay::start(settings(&KeyFile::new(SECRET))).await
}

fn list(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|&pattern| pattern.to_owned()).collect()
}

/// A user's claims for some spaces; all channels.
pub fn claims(user: &str, spaces: &[&str]) -> Claims {
    Claims {
        sub: user.to_owned(),
        spaces: list(spaces),
        ..Claims::default()
    }
}

pub fn sign(claims: Claims, lifetime: Duration) -> String {
    issue(claims, lifetime, &KeyFile::new(SECRET).path()).unwrap()
}

/// What `attempt` makes of a token that expires soon after. On a slow machine the token may expire
/// before, which is `None`; then the next one is good for longer.
pub async fn with_short<T>(
    user: &str,
    spaces: &[&str],
    attempt: impl AsyncFn(&str) -> Option<T>,
) -> T {
    let mut lifetime = Duration::from_secs(2);
    loop {
        let token = sign(claims(user, spaces), lifetime);
        if let Some(made) = attempt(&token).await {
            return made;
        }
        assert!(lifetime < LIMIT, "a token for {lifetime:?} is refused");
        lifetime *= 2;
    }
}

/// A token for some spaces.
pub fn token(user: &str, spaces: &[&str]) -> String {
    sign(claims(user, spaces), 10 * LIMIT)
}

/// A token for some channels of the space `/`.
pub fn token_for(user: &str, publish: &[&str], subscribe: &[&str]) -> String {
    let claims = Claims {
        publish: Some(list(publish)),
        subscribe: Some(list(subscribe)),
        ..claims(user, &["/"])
    };
    sign(claims, 10 * LIMIT)
}

/// A token that is signed by another secret.
pub fn forged(user: &str) -> String {
    let file = KeyFile::new(SECRET.replace('0', "1"));
    issue(claims(user, &["*"]), 10 * LIMIT, &file.path()).unwrap()
}

/// A token that has expired.
pub fn expired(user: &str) -> String {
    use jsonwebtoken::{EncodingKey, Header, encode};
    let claims = Claims {
        exp: 1_000_000_000.0,
        ..claims(user, &["*"])
    };
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    encode(&Header::default(), &claims, &key).unwrap()
}
