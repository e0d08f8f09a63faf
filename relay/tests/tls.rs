//! TLS: pages, WebSockets, and a certificate that changes while the relay runs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use signal_relay::tls::{Files, TlsError};
use signal_relay::{Config, Server, StartError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;

use self::support::{LIMIT, Relay, config, within};

/// Writes a new certificate and its key into a folder.
fn certify(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

fn secure(folder: &Path) -> Config {
    Config {
        tls: Some(Files {
            certificate: folder.join("cert.pem"),
            key: folder.join("key.pem"),
        }),
        ..config()
    }
}

/// A connection to a relay with this certificate.
async fn connect(
    relay: &Relay,
    certificate: &CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(relay.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let connecting = TlsConnector::from(Arc::new(client)).connect(name, stream);
    tokio::time::timeout(LIMIT, connecting)
        .await
        .expect("no handshake")
}

async fn healthz(stream: &mut TlsStream<TcpStream>) -> String {
    let request = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok\n") {
        let byte = tokio::time::timeout(LIMIT, stream.read_u8()).await;
        answer.push(byte.expect("no answer").unwrap());
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn pages_and_websockets_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = certify(folder.path());
    let relay = Relay::start(secure(folder.path())).await;
    let mut stream = connect(&relay, &certificate).await.unwrap();
    assert!(healthz(&mut stream).await.starts_with("HTTP/1.1 200 "));
    let mut clients = Vec::new();
    for _ in 0..2 {
        let stream = connect(&relay, &certificate).await.unwrap();
        let (mut client, _) = tokio_tungstenite::client_async("ws://localhost/room", stream)
            .await
            .unwrap();
        let hello = client.next().await.unwrap().unwrap();
        assert!(hello.to_text().unwrap().starts_with("{\"signal\":1,"));
        clients.push(client);
    }
    let [one, other] = &mut clients[..] else {
        panic!()
    };
    one.send(Message::text("hello")).await.unwrap();
    let heard = tokio::time::timeout(LIMIT, other.next()).await.unwrap();
    assert_eq!(heard.unwrap().unwrap(), Message::text("hello"));
    // Without TLS there is no answer, and the others go on.
    let mut plain = TcpStream::connect(relay.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let reading = plain.read_to_end(&mut answer);
    let _ = tokio::time::timeout(LIMIT, reading).await.unwrap();
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    assert!(healthz(&mut stream).await.contains("200"));
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections() {
    let folder = tempfile::tempdir().unwrap();
    let old = certify(folder.path());
    let relay = Relay::start(secure(folder.path())).await;
    let mut before = connect(&relay, &old).await.unwrap();
    let new = certify(folder.path());
    relay.reloader.reload(&secure(folder.path())).unwrap();
    let mut after = connect(&relay, &new).await.unwrap();
    assert!(healthz(&mut after).await.contains("200"));
    assert!(healthz(&mut before).await.contains("200"));
    assert!(connect(&relay, &old).await.is_err());
    // What can't be used changes nothing.
    std::fs::write(folder.path().join("key.pem"), "nonsense").unwrap();
    let refused = relay.reloader.reload(&secure(folder.path()));
    assert!(
        matches!(refused, Err(StartError::Tls(TlsError::Key(..)))),
        "{refused:?}"
    );
    connect(&relay, &new).await.unwrap();
}

#[tokio::test]
async fn changed_files_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let old = certify(folder.path());
    let relay = Relay::start(secure(folder.path())).await;
    connect(&relay, &old).await.unwrap();
    let new = certify(folder.path());
    within("the new certificate", async {
        while connect(&relay, &new).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    assert!(connect(&relay, &old).await.is_err());
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_named() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    certify(folder.path());
    certify(other.path());
    let mixed = Files {
        certificate: folder.path().join("cert.pem"),
        key: other.path().join("key.pem"),
    };
    for (certificate, key, told) in [
        (
            mixed.certificate.clone(),
            mixed.key.clone(),
            "can't be used together",
        ),
        (
            folder.path().join("none.pem"),
            mixed.key.clone(),
            "no certificate in --tls-cert",
        ),
        (
            mixed.key.clone(),
            mixed.key.clone(),
            "no certificate in --tls-cert",
        ),
        (
            mixed.certificate.clone(),
            mixed.certificate.clone(),
            "no private key in --tls-key",
        ),
    ] {
        let config = Config {
            tls: Some(Files { certificate, key }),
            ..config()
        };
        let error = Server::bind(config).await.map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
    }
}
