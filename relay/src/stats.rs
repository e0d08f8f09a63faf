//! `signal-relay stats`: how a running relay does, in words.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// How long the relay may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Asks a running relay. An error says what to do.
pub(crate) fn ask(address: SocketAddr) -> Result<String, String> {
    let failed = |error: std::io::Error| {
        format!(
            "no metrics at http://{address}/metrics ({error}): start the relay with --metrics {address}, or give its address with --metrics-address"
        )
    };
    let answer = fetch(address).map_err(failed)?;
    let body = answer
        .strip_prefix("HTTP/1.0 200")
        .or_else(|| answer.strip_prefix("HTTP/1.1 200"))
        .and_then(|rest| rest.split_once("\r\n\r\n"))
        .map(|(_, body)| body)
        .filter(|body| body.contains("signal_relay_build_info"));
    let body = body.ok_or_else(|| {
        format!(
            "http://{address}/metrics isn't that of a signal-relay: give the address that the relay has as --metrics"
        )
    })?;
    Ok(words(body))
}

fn fetch(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(format!("GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.take(LONGEST).read_to_string(&mut answer)?;
    Ok(answer)
}

/// One sample of a metric.
struct Sample<'a> {
    name: &'a str,
    labels: &'a str,
    value: f64,
}

impl<'a> Sample<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let line = line.strip_prefix("signal_relay_")?;
        let (name, value) = line.rsplit_once(' ')?;
        let value = value.parse().ok()?;
        let (name, labels) = name.split_once('{').unwrap_or((name, ""));
        Some(Self {
            name,
            labels: labels.trim_end_matches('}'),
            value,
        })
    }

    /// The value of a label. None has a quotation mark or a comma in it.
    fn label(&self, name: &str) -> Option<&'a str> {
        let labels = self.labels.split(',');
        labels
            .filter_map(|label| label.split_once('='))
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.trim_matches('"'))
    }
}

/// A relay's metrics in words.
pub(crate) fn words(metrics: &str) -> String {
    let samples: Vec<_> = metrics.lines().filter_map(Sample::parse).collect();
    let all = |name: &str| -> f64 {
        let samples = samples.iter().filter(|sample| sample.name == name);
        // Not `sum`, which begins with -0.
        samples.fold(0.0, |sum, sample| sum + sample.value)
    };
    let version = samples.iter().find_map(|sample| sample.label("version"));
    let mut text = String::new();
    let mut line = |sentence: String| {
        // Writing to a String can't fail.
        let _ = writeln!(text, "{sentence}");
    };
    line(format!(
        "signal-relay {}{}",
        version.unwrap_or("of an unknown version"),
        if all("draining") > 0.0 {
            " is stopping."
        } else {
            " is running."
        }
    ));
    line(format!(
        "Connected now: {} clients{} in {} spaces; they take {} of {} places. {} connections in all.",
        all("sessions"),
        by_label(&samples, "sessions", "protocol"),
        all("spaces"),
        all("places_taken"),
        all("places"),
        all("connections"),
    ));
    line(format!(
        "Since its start: {} messages ({}) came in, {} deliveries ({}) went out{}.",
        all("messages_total"),
        bytes(all("message_bytes_total")),
        all("deliveries_total"),
        bytes(all("delivery_bytes_total")),
        latency(&samples),
    ));
    line(format!(
        "On the network: {} received, {} sent.",
        bytes(all("received_bytes_total")),
        bytes(all("sent_bytes_total")),
    ));
    line(format!(
        "Waiting now: {} messages ({}), the slowest client has {}. Slow clients disconnected: {}.",
        all("queued_messages"),
        bytes(all("queued_bytes")),
        bytes(all("longest_queue_bytes")),
        all("slow_consumers_total"),
    ));
    line(format!(
        "Kept: {} sessions of clients that lost their connection; {} messages for replay ({} of at most {}).",
        all("kept_sessions"),
        all("history_messages"),
        bytes(all("history_bytes")),
        bytes(all("history_limit_bytes")),
    ));
    line(format!(
        "Refused: {} requests{}.",
        all("refusals_total"),
        by_label(&samples, "refusals_total", "reason"),
    ));
    line(format!(
        "Ended: {} clients{}.",
        all("sessions_ended_total"),
        by_label(&samples, "sessions_ended_total", "reason"),
    ));
    line(format!(
        "The process uses {} of memory; faults of the relay: {}.",
        bytes(all("resident_memory_bytes")),
        all("panics_total"),
    ));
    text
}

/// How a metric divides by one of its labels, in brackets, the most first.
fn by_label(samples: &[Sample<'_>], name: &str, label: &str) -> String {
    let mut parts: Vec<(&str, f64)> = Vec::new();
    for sample in samples.iter().filter(|sample| sample.name == name) {
        let value = sample.label(label).unwrap_or("?");
        match parts.iter_mut().find(|(known, _)| *known == value) {
            Some((_, sum)) => *sum += sample.value,
            None => parts.push((value, sample.value)),
        }
    }
    parts.retain(|(_, sum)| *sum > 0.0);
    parts.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    if parts.is_empty() {
        return String::new();
    }
    let parts = parts.iter().map(|(value, sum)| format!("{value} {sum}"));
    format!(" ({})", parts.collect::<Vec<_>>().join(", "))
}

/// How long deliveries took: upper bounds of the median and of 99 in 100.
fn latency(samples: &[Sample<'_>]) -> String {
    let buckets = samples
        .iter()
        .filter(|sample| sample.name == "delivery_seconds_bucket");
    let buckets: Vec<_> = buckets
        .filter_map(|sample| Some((sample.label("le")?, sample.value)))
        .collect();
    let all = buckets.last().map_or(0.0, |(_, all)| *all);
    let within = |part: f64| {
        let bucket = buckets.iter().find(|(_, count)| *count >= all * part)?;
        bucket
            .0
            .parse::<f64>()
            .ok()
            .filter(|bound| bound.is_finite())
    };
    if all == 0.0 {
        return String::new();
    }
    let words = |bound: Option<f64>| match bound {
        Some(seconds) => format!("at most {} ms", seconds * 1000.0),
        None => "longer than 30 s".to_owned(),
    };
    format!(
        ", half of them within {}, 99 of 100 within {}",
        words(within(0.5)).replace("at most ", ""),
        words(within(0.99)).replace("at most ", "")
    )
}

/// A number of bytes for people.
fn bytes(number: f64) -> String {
    let mut number = number;
    let mut units = ["B", "kB", "MB", "GB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for next in units {
        if number < 1024.0 {
            break;
        }
        number /= 1024.0;
        unit = next;
    }
    let digits = usize::from(number.fract() > 0.0);
    format!("{number:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_become_sentences() {
        let text = words(
            "# HELP signal_relay_sessions Clients\n\
             signal_relay_build_info{version=\"1.2.3\"} 1\n\
             signal_relay_sessions{protocol=\"plain\"} 2\n\
             signal_relay_sessions{protocol=\"socket.io\"} 3\n\
             signal_relay_messages_total 7\n\
             signal_relay_message_bytes_total 1536\n\
             signal_relay_delivery_seconds_bucket{le=\"0.001\"} 98\n\
             signal_relay_delivery_seconds_bucket{le=\"0.01\"} 99\n\
             signal_relay_delivery_seconds_bucket{le=\"+Inf\"} 100\n\
             signal_relay_refusals_total{reason=\"origin\"} 4\n",
        );
        for told in [
            "signal-relay 1.2.3 is running.",
            "5 clients (socket.io 3, plain 2)",
            "7 messages (1.5 kB) came in",
            "half of them within 1 ms, 99 of 100 within 10 ms",
            "Refused: 4 requests (origin 4).",
            "Ended: 0 clients.",
        ] {
            assert!(text.contains(told), "{told:?} is missing from {text}");
        }
    }
}
