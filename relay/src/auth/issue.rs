//! Making a token, for trying out: `signal-relay token`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

use super::claims::{Claims, Grant};
use super::keys::SHORTEST_SECRET;

/// Why a token can't be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssueError {
    /// The file can't be read.
    Unreadable(PathBuf, String),
    /// The secret has fewer bytes than HS256 requires.
    ShortSecret(PathBuf, usize),
    /// The file is a PEM file without a private key of RSA, P-256 or Ed25519 (PKCS #8).
    NoPrivateKey(PathBuf),
    /// The relay would refuse such a token.
    Refused(String),
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(file, why) => write!(f, "{} can't be read: {why}", file.display()),
            Self::ShortSecret(file, length) => write!(
                f,
                "{} is a secret of {length} bytes, and HS256 needs {SHORTEST_SECRET}: make one with openssl rand -hex 32",
                file.display()
            ),
            Self::NoPrivateKey(file) => write!(
                f,
                "{} has no private key of RSA, P-256 or Ed25519 in PEM form (PKCS #8)",
                file.display()
            ),
            Self::Refused(why) => write!(f, "the relay would refuse that: {why}"),
        }
    }
}

impl std::error::Error for IssueError {}

/// Makes a token of these claims that is good for `lifetime`, signed with the secret or the private
/// key in a file.
///
/// # Errors
/// The file holds neither, or the relay would refuse the token.
pub fn issue(mut claims: Claims, lifetime: Duration, file: &Path) -> Result<String, IssueError> {
    let now = SystemTime::now();
    let expires = now + lifetime;
    let since_1970 = expires.duration_since(SystemTime::UNIX_EPOCH);
    claims.exp = since_1970.unwrap_or_default().as_secs_f64().ceil();
    Grant::new(&claims, now).map_err(|refusal| IssueError::Refused(refusal.to_string()))?;
    let content = fs::read(file)
        .map_err(|error| IssueError::Unreadable(file.to_owned(), error.to_string()))?;
    let (algorithm, key) = key(content.trim_ascii(), file)?;
    encode(&Header::new(algorithm), &claims, &key)
        .map_err(|_| IssueError::NoPrivateKey(file.to_owned()))
}

fn key(content: &[u8], file: &Path) -> Result<(Algorithm, EncodingKey), IssueError> {
    if !content.starts_with(b"-----BEGIN ") {
        if content.len() < SHORTEST_SECRET {
            return Err(IssueError::ShortSecret(file.to_owned(), content.len()));
        }
        return Ok((Algorithm::HS256, EncodingKey::from_secret(content)));
    }
    let kinds = [
        (Algorithm::ES256, EncodingKey::from_ec_pem(content)),
        (Algorithm::EdDSA, EncodingKey::from_ed_pem(content)),
        (Algorithm::RS256, EncodingKey::from_rsa_pem(content)),
    ];
    kinds
        .into_iter()
        .find_map(|(algorithm, key)| Some((algorithm, key.ok()?)))
        .ok_or_else(|| IssueError::NoPrivateKey(file.to_owned()))
}
