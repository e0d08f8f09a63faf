//! What the commands print while they work: each step, and how long it took.

use std::io::{Write, stdout};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::problem::Outcome;

/// Prints one line. It is no error if nobody reads it any more (`| head`).
pub fn line(text: impl AsRef<str>) {
    let _ = writeln!(stdout(), "{}", text.as_ref());
}

/// Prints what is being done, does it, and prints how long it took.
pub fn step<T>(what: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    line(format!("▸ {what} …"));
    let began = Instant::now();
    let result = work();
    let ending = if result.is_ok() { "done" } else { "failed" };
    line(format!("  {ending} in {}", seconds(began.elapsed())));
    result
}

/// What takes longer than this is worth a word.
const LONG: Duration = Duration::from_secs(2);

/// The same for what is mostly done already: it prints nothing unless it takes long.
pub fn quick_step<T>(what: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if is_done.recv_timeout(LONG) == Err(mpsc::RecvTimeoutError::Timeout) {
                line(format!("▸ {what} …"));
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// A duration in words.
pub fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(100) {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60)
    }
}

/// A number with its thousands separated, as in `12,345`.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1000), "1,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn long_times_are_in_minutes() {
        assert_eq!(seconds(Duration::from_millis(1240)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
    }
}
