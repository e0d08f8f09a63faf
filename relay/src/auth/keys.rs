//! The keys that tokens are checked with, from a file: a secret, a PEM public key, or a JWKS.
//!
//! Each key has one algorithm, which follows from its kind: HS256 for a secret, RS256 for RSA,
//! ES256 for P-256, EdDSA for Ed25519. A token's header can only choose among keys, and never makes
//! a public key serve as a secret.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::claims::{Claims, Grant};
use super::refusal::Refusal;

/// The shortest secret, in bytes: what HS256 requires (RFC 7518, 3.2).
pub(super) const SHORTEST_SECRET: usize = 32;
/// An uncompressed point of P-256, in bytes.
const P256_POINT: usize = 65;

/// The keys that tokens are checked with.
#[derive(Clone, Debug)]
pub struct Keys(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

/// Why a file isn't one of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// It can't be read.
    Unreadable(String),
    /// The secret has fewer bytes than HS256 requires.
    ShortSecret(usize),
    /// It holds a private key.
    Private,
    /// It is a PEM file, but not with a public key of RSA, P-256 or Ed25519.
    Pem,
    /// It is JSON, but no JWKS.
    Jwks(String),
    /// None of the keys of the JWKS is for RS256, ES256, EdDSA or HS256.
    NoKey,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "can't be read: {why}"),
            Self::ShortSecret(length) => write!(
                f,
                "is a secret of {length} bytes, and HS256 needs {SHORTEST_SECRET}: make one with openssl rand -hex 32"
            ),
            Self::Private => f.write_str(
                "holds a private key, and the relay needs only the public one: make it with openssl pkey -pubout",
            ),
            Self::Pem => f.write_str("is no PEM public key of RSA, P-256 or Ed25519"),
            Self::Jwks(why) => write!(f, "begins like a JWKS and isn't one: {why}"),
            Self::NoKey => f.write_str("has no key for RS256, ES256, EdDSA or HS256"),
        }
    }
}

impl std::error::Error for KeyError {}

impl From<io::Error> for KeyError {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl Keys {
    /// Reads a file.
    ///
    /// # Errors
    /// It can't be read, or holds no usable key.
    pub fn load(file: &Path) -> Result<Self, KeyError> {
        Self::read(&fs::read(file)?)
    }

    /// Reads the content of a file.
    ///
    /// # Errors
    /// It holds no usable key.
    pub fn read(content: &[u8]) -> Result<Self, KeyError> {
        let text = content.trim_ascii();
        if text.starts_with(b"-----BEGIN ") {
            pem(text).map(|key| Self(Vec::from([key])))
        } else if text.starts_with(b"{") {
            jwks(text)
        } else {
            secret(text, None).map(|key| Self(Vec::from([key])))
        }
    }

    /// What a token grants at this time.
    ///
    /// # Errors
    /// No key has signed it, or its claims aren't valid.
    pub fn check(&self, token: &str, now: SystemTime) -> Result<Grant, Refusal> {
        let header = decode_header(token)
            .map_err(|_| Refusal::invalid("it is no JWT with an algorithm of the relay's"))?;
        if header.crit.is_some() {
            return Err(Refusal::invalid("its header has crit"));
        }
        let fits = |key: &&Key| {
            key.algorithm == header.alg
                && (header.kid.is_none() || key.id.is_none() || key.id == header.kid)
        };
        for key in self.0.iter().filter(fits) {
            match decode::<Claims>(token, &key.key, &validation(key.algorithm)) {
                Ok(token) => return Grant::new(&token.claims, now),
                Err(error) if matches!(error.kind(), ErrorKind::Json(_)) => {
                    return Err(Refusal::WRONG_CLAIMS);
                }
                Err(_) => {}
            }
        }
        Err(Refusal::invalid("no key of the relay has signed it"))
    }
}

/// Only the signature is checked here. [`Grant::new`] checks the claims.
fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

fn secret(secret: &[u8], id: Option<String>) -> Result<Key, KeyError> {
    if secret.len() < SHORTEST_SECRET {
        return Err(KeyError::ShortSecret(secret.len()));
    }
    Ok(Key {
        id,
        algorithm: Algorithm::HS256,
        key: DecodingKey::from_secret(secret),
    })
}

fn pem(text: &[u8]) -> Result<Key, KeyError> {
    if text.windows(7).any(|part| part == b"PRIVATE") {
        return Err(KeyError::Private);
    }
    let kinds = [
        (Algorithm::ES256, DecodingKey::from_ec_pem(text)),
        (Algorithm::EdDSA, DecodingKey::from_ed_pem(text)),
        (Algorithm::RS256, DecodingKey::from_rsa_pem(text)),
    ];
    let read = kinds
        .into_iter()
        .find_map(|(algorithm, key)| Some((algorithm, key.ok()?)));
    let (algorithm, key) = read.ok_or(KeyError::Pem)?;
    if algorithm == Algorithm::ES256 && !is_p256(&key) {
        return Err(KeyError::Pem);
    }
    Ok(Key {
        id: None,
        algorithm,
        key,
    })
}

fn is_p256(key: &DecodingKey) -> bool {
    key.try_get_as_bytes()
        .is_ok_and(|point| point.len() == P256_POINT)
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

fn jwks(text: &[u8]) -> Result<Keys, KeyError> {
    let set: Set =
        serde_json::from_slice(text).map_err(|error| KeyError::Jwks(error.to_string()))?;
    // Sets may hold keys for other purposes, of kinds that aren't known here.
    let keys: Vec<_> = set
        .keys
        .into_iter()
        .filter_map(|key| jwk(&serde_json::from_value(key).ok()?))
        .collect();
    if keys.is_empty() {
        return Err(KeyError::NoKey);
    }
    Ok(Keys(keys))
}

fn jwk(jwk: &Jwk) -> Option<Key> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            Algorithm::EdDSA
        }
        AlgorithmParameters::OctetKey(_) => Algorithm::HS256,
        _ => return None,
    };
    let common = &jwk.common;
    let is_for_signatures = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
    let has_algorithm = common
        .key_algorithm
        .is_none_or(|named| Algorithm::try_from(named).is_ok_and(|named| named == algorithm));
    if !is_for_signatures || !has_algorithm {
        return None;
    }
    let (id, key) = (common.key_id.clone(), DecodingKey::from_jwk(jwk).ok()?);
    if algorithm == Algorithm::HS256 {
        return secret(key.try_get_as_bytes().ok()?, id).ok();
    }
    Some(Key { id, algorithm, key })
}
