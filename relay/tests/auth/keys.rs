//! The files of keys, and what a token must be to be taken.

use std::time::{Duration, SystemTime};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair,
};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use signal_relay::auth::claims::Claims;
use signal_relay::auth::issue::issue;
use signal_relay::auth::keys::{KeyError, Keys};

use super::support::tokens::{KeyFile, SECRET, claims, expired, forged, token};

const HOUR: Duration = Duration::from_secs(3600);

fn check(keys: &Keys, token: &str) -> Result<(), String> {
    let grant = keys.check(token, SystemTime::now());
    grant.map(drop).map_err(|refusal| refusal.to_string())
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

/// A private key and its public key, as PEM and as a member of a JWKS.
struct Pair {
    private: String,
    public: String,
    jwk: Value,
}

fn url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa() -> Pair {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
    let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
    Pair {
        private: pem("PRIVATE KEY", private.as_ref()),
        public: pem("PUBLIC KEY", public.as_ref()),
        jwk: json!({
            "kty": "RSA", "kid": "rsa",
            "n": url(n.big_endian_without_leading_zero()),
            "e": url(e.big_endian_without_leading_zero()),
        }),
    }
}

fn ec() -> Pair {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let private = pair.to_pkcs8v1().unwrap();
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
    let point = pair.public_key().as_ref();
    Pair {
        private: pem("PRIVATE KEY", private.as_ref()),
        public: pem("PUBLIC KEY", public.as_ref()),
        jwk: json!({
            "kty": "EC", "crv": "P-256", "kid": "ec", "alg": "ES256", "use": "sig",
            "x": url(&point[1..33]), "y": url(&point[33..]),
        }),
    }
}

fn ed() -> Pair {
    let pair = Ed25519KeyPair::generate().unwrap();
    let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
    Pair {
        private: pem("PRIVATE KEY", private.as_ref()),
        public: pem("PUBLIC KEY", public.as_ref()),
        jwk: json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": url(pair.public_key().as_ref()) }),
    }
}

fn signed_with(key: &str) -> String {
    issue(claims("alice", &["*"]), HOUR, &KeyFile::new(key).path()).unwrap()
}

#[test]
fn each_kind_of_key_takes_tokens_of_its_algorithm() {
    let secret = Keys::read(format!("{SECRET}\n").as_bytes()).unwrap();
    assert_eq!(check(&secret, &token("alice", &["*"])), Ok(()));
    let pairs = [rsa(), ec(), ed()];
    let keys: Vec<_> = pairs
        .iter()
        .map(|pair| Keys::read(pair.public.as_bytes()).unwrap())
        .collect();
    let set = json!({ "keys": pairs.iter().map(|pair| &pair.jwk).collect::<Vec<_>>() });
    let set = Keys::read(set.to_string().as_bytes()).unwrap();
    for (place, pair) in pairs.iter().enumerate() {
        let token = signed_with(&pair.private);
        assert_eq!(check(&set, &token), Ok(()));
        for (other, keys) in keys.iter().enumerate() {
            assert_eq!(
                check(keys, &token).is_ok(),
                other == place,
                "{place} {other}"
            );
        }
        assert!(check(&secret, &token).is_err());
    }
}

#[test]
fn a_public_key_is_no_secret() {
    for pair in [rsa(), ec(), ed()] {
        let keys = Keys::read(pair.public.as_bytes()).unwrap();
        // What everybody knows of the key, as the secret of HS256.
        for secret in [pair.public.as_bytes(), pair.public.trim_ascii().as_bytes()] {
            for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
                let key = EncodingKey::from_secret(secret);
                let token = encode(&Header::new(algorithm), &good(), &key).unwrap();
                assert!(check(&keys, &token).is_err());
            }
        }
    }
}

fn good() -> Claims {
    Claims {
        exp: 4_000_000_000.0,
        ..claims("alice", &["*"])
    }
}

#[test]
fn a_header_chooses_no_other_algorithm() {
    let keys = Keys::read(SECRET.as_bytes()).unwrap();
    let part = |value: &Value| url(value.to_string().as_bytes());
    let payload = part(&json!({ "sub": "alice", "exp": 4_000_000_000_u32, "spaces": ["*"] }));
    let signed = signed_with(SECRET);
    let signature = signed.rsplit('.').next().unwrap();
    for alg in ["none", "None", "NONE", "", "HS384", "RS256", "HS256 "] {
        let head = part(&json!({ "alg": alg, "typ": "JWT" }));
        for signature in ["", signature] {
            let token = format!("{head}.{payload}.{signature}");
            assert!(check(&keys, &token).is_err(), "{alg}");
        }
    }
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let token = encode(&Header::new(algorithm), &good(), &key).unwrap();
        assert!(check(&keys, &token).is_err());
    }
    // A header that brings its own key, or wants something understood.
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let mut header = Header::new(Algorithm::HS256);
    header.crit = Some(vec!["b64".to_owned()]);
    let token = encode(&header, &good(), &key).unwrap();
    assert!(check(&keys, &token).unwrap_err().contains("crit"));
    let attacker = rsa();
    let keys = Keys::read(rsa().public.as_bytes()).unwrap();
    let mut header = Header::new(Algorithm::RS256);
    header.jwk = serde_json::from_value(attacker.jwk).ok();
    header.jku = Some("http://127.0.0.1:1/keys".to_owned());
    let key = EncodingKey::from_rsa_pem(attacker.private.as_bytes()).unwrap();
    assert!(check(&keys, &encode(&header, &good(), &key).unwrap()).is_err());
}

#[test]
fn tokens_that_are_none_are_refused_and_never_shown() {
    let keys = Keys::read(SECRET.as_bytes()).unwrap();
    let good = token("alice", &["*"]);
    let (head, signature) = good.rsplit_once('.').unwrap();
    for token in [
        String::new(),
        "a".to_owned(),
        "..".to_owned(),
        "a.b.c".to_owned(),
        head.to_owned(),
        format!("{head}."),
        format!("{head}.{signature}x"),
        format!("{good}.{signature}"),
        good.replace('.', ".."),
        forged("alice"),
        expired("alice"),
    ] {
        let refusal = check(&keys, &token).unwrap_err();
        assert!(token.len() < 4 || !refusal.contains(&token), "{refusal}");
    }
    assert_eq!(
        check(&keys, &expired("alice")),
        Err("the token has expired".to_owned())
    );
}

#[test]
fn a_kid_chooses_among_keys() {
    let (one, other) = (ed(), ed());
    let named = |pair: &Pair, id: &str| {
        let mut jwk = pair.jwk.clone();
        jwk["kid"] = id.into();
        jwk
    };
    let set = json!({ "keys": [named(&one, "1"), named(&other, "2")] });
    let keys = Keys::read(set.to_string().as_bytes()).unwrap();
    let signed = |pair: &Pair, id: Option<&str>| {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = id.map(str::to_owned);
        let key = EncodingKey::from_ed_pem(pair.private.as_bytes()).unwrap();
        encode(&header, &good(), &key).unwrap()
    };
    for (pair, id, expected) in [
        (&one, Some("1"), true),
        (&one, Some("2"), false),
        (&other, Some("2"), true),
        (&other, None, true),
        (&one, None, true),
        (&one, Some("3"), false),
    ] {
        assert_eq!(check(&keys, &signed(pair, id)).is_ok(), expected, "{id:?}");
    }
}

#[test]
fn files_without_a_usable_key_are_named() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let p384 = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap();
    let encryption = json!({ "keys": [{ "kty": "oct", "use": "enc", "k": url(SECRET.as_bytes()) }, { "kty": "new" }, 5] });
    let other = json!({ "keys": [{ "kty": "oct", "alg": "HS512", "k": url(SECRET.as_bytes()) }] });
    let short = json!({ "keys": [{ "kty": "oct", "k": url(b"short") }] });
    for (content, expected) in [
        (String::new(), KeyError::ShortSecret(0)),
        ("short\n".to_owned(), KeyError::ShortSecret(5)),
        (ec().private, KeyError::Private),
        (rsa().private, KeyError::Private),
        (pem("PUBLIC KEY", b"x"), KeyError::Pem),
        (pem("PUBLIC KEY", p384.as_ref()), KeyError::Pem),
        (encryption.to_string(), KeyError::NoKey),
        (other.to_string(), KeyError::NoKey),
        (short.to_string(), KeyError::NoKey),
        (json!({ "keys": [] }).to_string(), KeyError::NoKey),
    ] {
        assert_eq!(
            Keys::read(content.as_bytes()).unwrap_err(),
            expected,
            "{content}"
        );
    }
    let read = Keys::read(b"{\"kty\":\"RSA\"}");
    assert!(matches!(read, Err(KeyError::Jwks(_))));
    let load = Keys::load(std::path::Path::new("no-such-file"));
    assert!(matches!(load, Err(KeyError::Unreadable(_))));
    let secret = json!({ "keys": [{ "kty": "oct", "k": url(SECRET.as_bytes()) }] });
    let keys = Keys::read(secret.to_string().as_bytes()).unwrap();
    assert_eq!(check(&keys, &token("alice", &["*"])), Ok(()));
}
