//! TLS: the certificate, which is read again when its files change.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How often the relay looks whether the files have changed.
const LOOK: Duration = Duration::from_secs(10);
/// How long a client's handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The files with the certificate and its key, both in PEM form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    /// The certificate, followed by those that have signed it.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// Why a certificate can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsError {
    /// The file with the certificate can't be read, or has none.
    Certificate(PathBuf, String),
    /// The file with the key can't be read, or has none.
    Key(PathBuf, String),
    /// The certificate and the key can't be used together.
    Unusable(Files, String),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(path, why) => write!(
                f,
                "no certificate in --tls-cert {} ({why}): it must be a file in PEM form",
                path.display()
            ),
            Self::Key(path, why) => write!(
                f,
                "no private key in --tls-key {} ({why}): it must be a file in PEM form",
                path.display()
            ),
            Self::Unusable(files, why) => write!(
                f,
                "--tls-cert {} and --tls-key {} can't be used together: {why}",
                files.certificate.display(),
                files.key.display()
            ),
        }
    }
}

impl std::error::Error for TlsError {}

/// The TLS of one relay.
pub(crate) struct Tls {
    files: Files,
    current: RwLock<Arc<ServerConfig>>,
    /// When the files were changed that were read last.
    changed: Mutex<Changed>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

type Changed = [Option<SystemTime>; 2];

impl Tls {
    /// Reads the files.
    pub(crate) fn new(files: Files) -> Result<Self, TlsError> {
        let changed = changed(&files);
        Ok(Self {
            current: RwLock::new(read(&files)?),
            changed: Mutex::new(changed),
            files,
        })
    }

    /// Reads the files again. New connections use what is in them; after an error, what was.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        let changed = changed(&self.files);
        *self.changed.lock().unwrap_or_else(PoisonError::into_inner) = changed;
        let new = read(&self.files)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Reads the files again whenever they have changed.
    pub(crate) async fn watch(&self) {
        loop {
            sleep(LOOK).await;
            self.reload_if_changed();
        }
    }

    fn reload_if_changed(&self) {
        let known = *self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        if changed(&self.files) == known {
            return;
        }
        match self.reload() {
            Ok(()) => tracing::info!("the certificate has changed"),
            // Perhaps only one of the two files is new yet.
            Err(error) => tracing::warn!("the old certificate stays: {error}"),
        }
    }

    /// Does the handshake with a client.
    pub(crate) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = TlsAcceptor::from(self.current());
        timeout(HANDSHAKE, acceptor.accept(stream)).await?
    }

    fn current(&self) -> Arc<ServerConfig> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current)
    }
}

fn changed(files: &Files) -> Changed {
    let changed = |path: &Path| {
        std::fs::metadata(path)
            .and_then(|file| file.modified())
            .ok()
    };
    [changed(&files.certificate), changed(&files.key)]
}

fn read(files: &Files) -> Result<Arc<ServerConfig>, TlsError> {
    let Files { certificate, key } = files;
    let none = |why: &dyn fmt::Display| TlsError::Certificate(certificate.clone(), why.to_string());
    let chain = CertificateDer::pem_file_iter(certificate).map_err(|error| none(&error))?;
    let chain: Vec<_> = chain
        .collect::<Result<_, _>>()
        .map_err(|error| none(&error))?;
    if chain.is_empty() {
        return Err(none(&"it holds none"));
    }
    let private = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| TlsError::Key(key.clone(), error.to_string()))?;
    let unusable = |error: rustls::Error| TlsError::Unusable(files.clone(), error.to_string());
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
