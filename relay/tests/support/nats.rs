//! A nats-server for a test, and relays that share it.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use signal_relay::Config;
use signal_relay::hub::jetstream::settings::{Name, Settings};
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::program::Program;
use super::{LIMIT, Relay, config};

/// The program, if it is installed. `None` is said loudly, and is a failure in CI.
pub fn program() -> Option<PathBuf> {
    let named = std::env::var_os("NATS_PROGRAM").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    let found = named.or_else(|| {
        let mut programs = folders.map(|folder| folder.join("nats-server"));
        programs.find(|program| program.is_file())
    });
    if found.is_none() {
        let skipped =
            "SKIPPED: there is no nats-server; install it, or set NATS_PROGRAM to its path";
        assert!(std::env::var_os("CI").is_none(), "{skipped}");
        eprintln!("{skipped}");
    }
    found
}

/// A free port of 127.0.0.1. It is none that the system gives to programs that let it pick one.
fn free_port() -> u16 {
    let mut random = [0; 2];
    loop {
        getrandom::fill(&mut random).unwrap();
        let port = 20_000 + u16::from_ne_bytes(random) % 10_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// A NATS server, which ends with this.
pub struct Nats {
    program: PathBuf,
    port: u16,
    folder: TempDir,
    child: Child,
}

impl Nats {
    /// `None`: it isn't installed.
    pub async fn start() -> Option<Self> {
        let (program, port) = (program()?, free_port());
        let folder = tempfile::tempdir().unwrap();
        let child = spawn(&program, port, &folder);
        let nats = Self {
            program,
            port,
            folder,
            child,
        };
        nats.listens().await;
        Some(nats)
    }

    async fn listens(&self) {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        super::within("NATS", async {
            while TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again, with what it has in its files.
    pub async fn restart(&mut self) {
        self.child = spawn(&self.program, self.port, &self.folder);
        self.listens().await;
    }

    /// Stops it until [`Nats::go_on`]: connections stay, and what is sent waits.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Removes its files.
    pub fn forget(&self) {
        fs::remove_dir_all(self.folder.path().join("data")).unwrap();
    }

    pub fn settings(&self) -> Settings {
        Settings {
            servers: format!("nats://127.0.0.1:{}", self.port).parse().unwrap(),
            name: Name::default(),
            credentials: None,
            replicas: 1,
            in_memory: false,
        }
    }

    /// The program of a relay that shares it, as people start it.
    pub async fn program(&self, arguments: &[&str]) -> Program {
        let store = self.settings().servers.to_string();
        let arguments: Vec<String> = ["--store", &store]
            .iter()
            .chain(arguments)
            .map(ToString::to_string)
            .collect();
        // It waits for its first line.
        let starting = tokio::task::spawn_blocking(move || {
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            Program::start(&arguments)
        });
        super::within("a relay", starting).await.unwrap()
    }

    /// A relay that shares it.
    pub async fn relay(&self) -> Relay {
        self.relay_with(config()).await
    }

    pub async fn relay_with(&self, config: Config) -> Relay {
        let store = Some(self.settings());
        let started = Relay::start(Config { store, ..config });
        tokio::time::timeout(LIMIT, started).await.unwrap()
    }
}

fn spawn(program: &PathBuf, port: u16, folder: &TempDir) -> Child {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(folder.path().join("log"))
        .unwrap();
    Command::new(program)
        .args([
            "--addr",
            "127.0.0.1",
            "--port",
            &port.to_string(),
            "--jetstream",
        ])
        .arg("--store_dir")
        .arg(folder.path().join("data"))
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
