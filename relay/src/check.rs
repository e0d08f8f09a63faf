//! Whether a relay can start with its settings, and what it says if it can't.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::auth::keys::KeyError;
use crate::base_path::BasePath;
use crate::config::Config;
use crate::files::Mount;
use crate::hub::ids::NoRandomness;
use crate::hub::jetstream::settings::Servers;
use crate::hub::store::StoreError;
use crate::tls::TlsError;

/// Why a relay can't start.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// Another program listens on the address.
    AddressTaken(SocketAddr),
    /// The certificate can't be used.
    Tls(TlsError),
    /// The address of the metrics isn't available.
    Metrics(Box<StartError>),
    /// The address can't be listened on for another reason.
    Listen(SocketAddr, io::ErrorKind, String),
    /// The folder of a mount doesn't exist, or isn't a folder.
    Folder(Mount, PathBuf, String),
    /// A mount is for a path that begins with the base path, which is removed from every path.
    BelowBasePath(Mount, BasePath),
    /// Two mounts have the same prefix.
    SamePrefix(Mount, Mount),
    /// A frame of the greatest length doesn't fit into a send queue.
    QueueTooSmall {
        /// The longest frame, in bytes.
        max_frame: usize,
        /// The bound of the send queue, in bytes.
        queue_bytes: usize,
    },
    /// The settings need more memory than they are given.
    MemoryTooSmall {
        /// The bytes that they are given.
        memory: usize,
        /// The bytes that they need at least.
        least: usize,
    },
    /// The system has no random numbers.
    NoRandomness,
    /// The store that is shared with other relays can't be used; its servers, and why.
    Store(Servers, StoreError),
    /// The keys for tokens can't be used.
    Keys(PathBuf, KeyError),
    /// Other machines can reach the address, and nothing says who may use the relay.
    Unprotected(SocketAddr),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddressTaken(address) => {
                let free = SocketAddr::new(address.ip(), 0);
                write!(
                    f,
                    "{address} is taken by another program, perhaps another signal-relay: stop the other or choose --listen {free} for any free port"
                )
            }
            Self::Tls(error) => error.fmt(f),
            Self::Metrics(error) => {
                let error = error.to_string().replace("--listen", "--metrics");
                write!(f, "no metrics: {error}")
            }
            Self::Listen(address, io::ErrorKind::AddrNotAvailable, _) => {
                write!(
                    f,
                    "can't listen on {address}: this machine has no address {}; --listen 0.0.0.0:{} takes all it has",
                    address.ip(),
                    address.port()
                )
            }
            Self::Listen(address, io::ErrorKind::PermissionDenied, _) => {
                write!(
                    f,
                    "can't listen on {address}: you may not use port {}; choose one from 1024 up",
                    address.port()
                )
            }
            Self::Listen(address, _, why) => write!(f, "can't listen on {address}: {why}"),
            Self::Folder(mount, folder, why) => {
                write!(f, "can't serve --mount {mount}: {} {why}", folder.display())
            }
            Self::BelowBasePath(mount, base_path) => write!(
                f,
                "--mount {mount} can't be reached: mounts are below --base-path {base_path} already, so leave {base_path} out of it"
            ),
            Self::SamePrefix(one, other) => write!(
                f,
                "--mount {one} and --mount {other} are for the same path: leave one of them out"
            ),
            Self::QueueTooSmall {
                max_frame,
                queue_bytes,
            } => write!(
                f,
                "a send queue of {queue_bytes} bytes never has room for a frame of {max_frame}: \
                 raise --queue-bytes to at least {max_frame} or lower --max-frame"
            ),
            Self::MemoryTooSmall { memory, least } => write!(
                f,
                "{memory} bytes of memory are too few for --connections, --history-total, \
                 --queue-bytes and three times --max-frame: raise --memory to at least {least}, or \
                 lower one of those"
            ),
            Self::NoRandomness => NoRandomness.fmt(f),
            Self::Store(servers, error) => write!(f, "can't use --store {servers}: {error}"),
            Self::Keys(file, error) => write!(f, "can't check tokens: {} {error}", file.display()),
            Self::Unprotected(address) => write!(
                f,
                "--listen {address} can be reached from other machines, and everybody there could read and write here: \
                 give --auth to ask for tokens or --open to relay for everybody, or listen on 127.0.0.1:{}",
                address.port()
            ),
        }
    }
}

impl std::error::Error for StartError {}

impl From<NoRandomness> for StartError {
    fn from(NoRandomness: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

impl From<(PathBuf, KeyError)> for StartError {
    fn from((file, error): (PathBuf, KeyError)) -> Self {
        Self::Keys(file, error)
    }
}

/// Checks settings, as far as that is possible without taking the port.
///
/// # Errors
/// They are impossible.
pub fn check(config: &Config) -> Result<(), StartError> {
    let (max_frame, queue_bytes) = (config.max_frame, config.queue.bytes);
    if queue_bytes < max_frame {
        return Err(StartError::QueueTooSmall {
            max_frame,
            queue_bytes,
        });
    }
    let (memory, least) = (config.memory, config.least_memory());
    if memory < least {
        return Err(StartError::MemoryTooSmall { memory, least });
    }
    if !config.open && config.auth.is_none() && !config.listen.ip().to_canonical().is_loopback() {
        return Err(StartError::Unprotected(config.listen));
    }
    let mut seen: Vec<&Mount> = Vec::new();
    for mount in &config.mounts {
        if let Some(other) = seen.iter().find(|other| other.prefix() == mount.prefix()) {
            return Err(StartError::SamePrefix((*other).clone(), mount.clone()));
        }
        seen.push(mount);
        if config.base_path.covers(mount.prefix()) {
            let base_path = config.base_path.clone();
            return Err(StartError::BelowBasePath(mount.clone(), base_path));
        }
        let why = match std::fs::metadata(mount.folder()) {
            Ok(metadata) if metadata.is_dir() => continue,
            Ok(_) => "is a file, and a mount serves a folder".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => "doesn't exist".to_owned(),
            Err(error) => format!("can't be read: {error}"),
        };
        let folder =
            std::path::absolute(mount.folder()).unwrap_or_else(|_| mount.folder().to_owned());
        return Err(StartError::Folder(mount.clone(), folder, why));
    }
    Ok(())
}
