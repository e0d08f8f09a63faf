//! Keeps the log short: of lines that are made at one place in the code, only some are written in
//! each period. How many more there were is written when it ends. Without this, a client that is
//! refused thousands of times a second could fill the disk.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

/// How long a period is, and how many lines of one kind are written in it.
const PERIOD: Duration = Duration::from_secs(10);
const LINES: u32 = 20;

/// The limit, which the log and the task that reports what was left out share.
#[derive(Clone, Debug, Default)]
pub(crate) struct LogLimit(Arc<Mutex<HashMap<Identifier, Kind>>>);

/// The lines of one place in the code.
#[derive(Debug)]
struct Kind {
    since: Instant,
    written: u32,
    left_out: u64,
    /// The first that wasn't written.
    example: String,
}

impl LogLimit {
    fn kinds(&self) -> MutexGuard<'_, HashMap<Identifier, Kind>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admits(&self, kind: Identifier, now: Instant, message: impl FnOnce() -> String) -> bool {
        let mut kinds = self.kinds();
        let kind = kinds.entry(kind).or_insert_with(|| Kind::new(now));
        if kind.left_out == 0 && now.saturating_duration_since(kind.since) >= PERIOD {
            *kind = Kind::new(now);
        }
        if kind.written < LINES {
            kind.written += 1;
            return true;
        }
        if kind.left_out == 0 {
            kind.example = message();
        }
        kind.left_out += 1;
        false
    }

    /// How many lines weren't written in the periods that have ended, and one of each kind.
    fn ended(&self, now: Instant) -> Vec<(u64, String)> {
        let mut reports = Vec::new();
        self.kinds().retain(|_, kind| {
            let goes_on = now.saturating_duration_since(kind.since) < PERIOD;
            if !goes_on && kind.left_out > 0 {
                reports.push((kind.left_out, std::mem::take(&mut kind.example)));
            }
            goes_on
        });
        reports
    }

    /// Reports what was left out, for ever.
    pub(crate) async fn report(self) {
        loop {
            tokio::time::sleep(PERIOD / 10).await;
            for (left_out, example) in self.ended(Instant::now()) {
                tracing::warn!("{left_out} more lines like this were left out: {example}");
            }
        }
    }
}

impl Kind {
    fn new(since: Instant) -> Self {
        Self {
            since,
            written: 0,
            left_out: 0,
            example: String::new(),
        }
    }
}

impl<S: Subscriber> Filter<S> for LogLimit {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let metadata = event.metadata();
        // Who asks for more detail gets all of it.
        *metadata.level() > Level::INFO
            || self.admits(metadata.callsite(), Instant::now(), || {
                let mut message = Message(String::new());
                event.record(&mut message);
                message.0
            })
    }
}

/// The message of an event, without its other fields.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};

    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            written.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Written {
        fn lines(&self, part: &str) -> usize {
            let written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let text = String::from_utf8_lossy(&written);
            text.lines().filter(|line| line.contains(part)).count()
        }
    }

    #[test]
    fn beyond_a_number_lines_are_counted_and_reported_when_the_period_ends() {
        let (limit, written) = (LogLimit::default(), Written::default());
        let writer = written.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(move || writer.clone())
            .with_filter(limit.clone());
        let log = tracing_subscriber::registry().with(lines);
        let before = Instant::now();
        tracing::subscriber::with_default(log, || {
            for number in 0..1000 {
                tracing::warn!(number, "refused: {number}");
                tracing::debug!("a detail");
            }
            tracing::info!("another kind");
        });
        // A period may end meanwhile, on a machine that is very slow.
        let periods = before.elapsed().as_secs() / PERIOD.as_secs() + 1;
        let most = usize::try_from(periods).unwrap_or_default() * LINES as usize;
        let refused = written.lines("refused");
        assert!((LINES as usize..=most).contains(&refused), "{refused}");
        assert_eq!(written.lines("a detail"), 1000);
        assert_eq!(written.lines("another kind"), 1);
        let reports = limit.ended(Instant::now() + PERIOD);
        let [(left_out, example)] = &reports[..] else {
            panic!("{reports:?}");
        };
        assert_eq!(left_out + refused as u64, 1000);
        assert!(example.starts_with("refused: "), "{example}");
        assert_eq!(limit.ended(Instant::now() + 3 * PERIOD), []);
    }
}
