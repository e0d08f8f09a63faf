//! Running a test program in the open while its lines are read, with an end to it if it hangs.

use std::io::{BufRead, BufReader, Read, pipe};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::problem::{Outcome, Problem, fail};
use crate::process;
use crate::say;
use crate::test::reap;

/// How a program ended.
#[derive(Debug)]
pub enum Watched {
    /// By itself.
    Ended(ExitStatus),
    /// By us, because it printed nothing for so long.
    Stopped(Duration),
}

impl Watched {
    /// Whether it ended by itself and well.
    pub fn success(self) -> Outcome {
        match self {
            Watched::Ended(status) if status.success() => Ok(()),
            Watched::Ended(status) => fail!("it ended with {status}"),
            Watched::Stopped(limit) => fail!(
                "it hung: stopped after {} without a line",
                say::seconds(limit)
            ),
        }
    }
}

/// Runs a program, shows its lines, standard output and error alike, and gives each to `on_line`. A
/// program that prints nothing for as long as `limit` is stopped.
pub fn run(command: &mut Command, limit: Duration, on_line: impl FnMut(&str)) -> Outcome<Watched> {
    run_beside("", command, limit, on_line)
}

/// The same for a program that others run beside: `label` is shown before each line.
pub fn run_beside(
    label: &str,
    command: &mut Command,
    limit: Duration,
    mut on_line: impl FnMut(&str),
) -> Outcome<Watched> {
    let shown = process::show(command);
    let wrong = |error: std::io::Error| Problem::new(format!("can't run `{shown}`: {error}"));
    let (reader, writer) = pipe().map_err(wrong)?;
    // One pipe for both, so that lines keep the order they were written in.
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone().map_err(wrong)?)
        .stderr(writer);
    let mut child = command.spawn().map_err(wrong)?;
    // Our own ends of the pipe; the reader would wait for them for ever.
    command.stdout(Stdio::null()).stderr(Stdio::null());

    let (sender, lines) = channel();
    thread::spawn(move || read_lines(reader, &sender));
    let mut last_line = Instant::now();
    let mut ended = None;
    loop {
        match lines.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => {
                last_line = Instant::now();
                say::line(format!("{label}{line}"));
                on_line(&line);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        // A program that was left behind may hold the pipe open. A second without a line is enough.
        if ended.is_some_and(|at: Instant| at.elapsed() > Duration::from_secs(1)) {
            break;
        }
        if ended.is_none() && child.try_wait().map_err(wrong)?.is_some() {
            ended = Some(Instant::now());
        }
        if ended.is_none() && last_line.elapsed() > limit {
            reap::with_descendants(&mut child);
            return Ok(Watched::Stopped(limit));
        }
    }
    child.wait().map(Watched::Ended).map_err(wrong)
}

fn read_lines(reader: impl Read, lines: &Sender<String>) {
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    while reader
        .read_until(b'\n', &mut bytes)
        .is_ok_and(|count| count > 0)
    {
        let line = String::from_utf8_lossy(&bytes);
        if lines
            .send(line.trim_end_matches(['\r', '\n']).to_string())
            .is_err()
        {
            return;
        }
        bytes.clear();
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> (Watched, Vec<String>) {
        let mut lines = Vec::new();
        let mut command = Command::new("sh");
        let watched = run(command.args(["-c", script]), limit, |line| {
            lines.push(line.to_string())
        });
        (watched.unwrap(), lines)
    }

    #[test]
    fn both_outputs_come_in_order() {
        let (watched, lines) = shell(
            "echo one; echo two >&2; printf three; exit 3",
            Duration::from_secs(60),
        );
        assert!(watched.success().unwrap_err().to_string().contains('3'));
        assert_eq!(lines, ["one", "two", "three"]);
    }

    #[test]
    fn a_program_that_hangs_is_stopped_with_its_children() {
        // On a busy machine the shell may not have reached `echo` in time. Then it gets more time.
        let limits = [300, 3_000, 30_000].map(Duration::from_millis);
        let mut runs = limits
            .into_iter()
            .map(|limit| shell("sleep 600 & echo $!; wait", limit));
        let (watched, lines) = runs.find(|(_, lines)| !lines.is_empty()).unwrap();
        assert!(matches!(watched, Watched::Stopped(_)));
        // A process that nobody has waited for still has an entry: Z, a zombie.
        let mut look = Command::new("ps");
        let said = look
            .args(["-o", "stat=", "-p", &lines[0]])
            .output()
            .unwrap()
            .stdout;
        let state = String::from_utf8_lossy(&said);
        assert!(
            state.trim().is_empty() || state.starts_with('Z'),
            "the child {} is {state}",
            lines[0]
        );
    }

    #[test]
    fn a_program_left_behind_doesnt_hold_us_up() {
        let (watched, lines) = shell("sleep 600 & echo $!", Duration::from_secs(60));
        let stopped = Command::new("kill").arg(&lines[0]).status().unwrap();
        assert!(stopped.success(), "it was still there to be stopped");
        assert!(watched.success().is_ok());
    }
}
