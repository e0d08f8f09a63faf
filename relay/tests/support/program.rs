//! The program as people start it.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};

pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signal-relay"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub fn run(arguments: &[&str]) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command(arguments).output().unwrap();
    (
        status.code().unwrap(),
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

/// A running program, which doesn't outlive its test.
pub struct Program {
    pub child: Child,
    pub stdout: BufReader<std::process::ChildStdout>,
    stderr: Option<BufReader<std::process::ChildStderr>>,
    pub address: SocketAddr,
}

impl Program {
    pub fn start(arguments: &[&str]) -> Self {
        let listen: &[&str] = if arguments.contains(&"--listen") {
            &[]
        } else {
            &["--listen", "127.0.0.1:0"]
        };
        Self::spawn(&mut command(&[listen, arguments].concat()))
    }

    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line
            .strip_prefix("signal-relay listening on http://")
            .and_then(|rest| rest.strip_suffix("/\n"));
        let address = address
            .unwrap_or_else(|| panic!("{line:?}"))
            .parse()
            .unwrap();
        let stderr = Some(BufReader::new(child.stderr.take().unwrap()));
        Self {
            child,
            stdout,
            stderr,
            address,
        }
    }

    /// Reads the log up to the line with this text, which it returns.
    pub async fn logged(&mut self, text: &str) -> String {
        let (mut stderr, wanted) = (self.stderr.take().unwrap(), text.to_owned());
        let reading = tokio::task::spawn_blocking(move || {
            let mut all = String::new();
            loop {
                let before = all.len();
                if stderr.read_line(&mut all).unwrap() == 0 {
                    panic!("{wanted:?} isn't in the log:\n{all}");
                }
                if all[before..].contains(&wanted) {
                    return (stderr, all[before..].to_owned());
                }
            }
        });
        let (stderr, line) = tokio::time::timeout(super::LIMIT, reading)
            .await
            .unwrap_or_else(|_| panic!("{text:?} isn't logged"))
            .unwrap();
        self.stderr = Some(stderr);
        line
    }

    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        assert!(
            Command::new("kill")
                .args(["-s", name, &self.child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for the end. Returns the exit code, and what was printed after the first line and on
    /// stderr.
    pub fn end(mut self) -> (Option<i32>, String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        let mut rest = self.stderr.take().unwrap();
        rest.read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap().code(), stdout, stderr)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
