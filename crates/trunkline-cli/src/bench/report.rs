//! [`Report`]: what was measured, for people and for programs.

use super::tally::Tally;
use crate::print::plain;
use serde::{Serialize, Serializer};
use std::{fmt::Write, time::Duration};

/// The latencies that are told, with their names.
const QUANTILES: [(&str, f64); 5] =
    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)];

/// What was measured.
pub(super) struct Report<'a> {
    pub(super) url: &'a str,
    pub(super) method: &'a str,
    pub(super) connections: u32,
    pub(super) in_flight: u32,
    pub(super) elapsed: Duration,
    pub(super) tally: &'a Tally,
}

impl Report<'_> {
    fn per_second(&self) -> f64 {
        self.tally.succeeded() as f64 / self.elapsed.as_secs_f64()
    }

    /// For programs: one line.
    pub(super) fn json(&self) -> String {
        #[derive(Serialize)]
        struct Json<'a> {
            url: &'a str,
            method: &'a str,
            connections: u32,
            in_flight: u32,
            seconds: f64,
            calls: u64,
            calls_per_s: f64,
            #[serde(serialize_with = "in_order")]
            latency_us: &'a [(&'a str, f64)],
            #[serde(serialize_with = "in_order")]
            errors: &'a [(&'a str, u64)],
        }
        let micros = |part| self.tally.quantile(part).as_nanos() as f64 / 1e3;
        let json = Json {
            url: self.url,
            method: self.method,
            connections: self.connections,
            in_flight: self.in_flight,
            seconds: self.elapsed.as_secs_f64(),
            calls: self.tally.succeeded(),
            calls_per_s: self.per_second().round(),
            latency_us: &QUANTILES.map(|(name, part)| (name, micros(part))),
            errors: &self.tally.errors(),
        };
        serde_json::to_string(&json).unwrap_or_default()
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let Self { url, method, connections, in_flight, elapsed, tally } = self;
        let mut text = format!(
            "{method} at {url}: {connections} × {in_flight} in flight, {:.1} s\n\n{:>14} calls/s\n{:>14} calls\n{:>14} errors\n",
            elapsed.as_secs_f64(),
            grouped(self.per_second()),
            grouped(tally.succeeded() as f64),
            grouped(tally.failed() as f64),
        );
        if tally.succeeded() > 0 {
            text.push('\n');
            for (name, part) in QUANTILES {
                let _ = writeln!(text, "{:>14} {name}", readable(tally.quantile(part)));
            }
        }
        if tally.failed() > 0 {
            text.push('\n');
            for (kind, times) in tally.errors() {
                let _ = writeln!(text, "{:>14} × {}", grouped(times as f64), plain(kind));
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// Pairs as an object, in their order.
fn in_order<T: Serialize, S: Serializer>(pairs: &&[(&str, T)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// A number with a comma after every three digits, without what follows the point.
pub(super) fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Three digits and a unit.
fn readable(time: Duration) -> String {
    let nanos = time.as_nanos() as f64;
    let (value, unit) = match nanos {
        0.0..1e6 => (nanos / 1e3, "µs"),
        1e6..1e9 => (nanos / 1e6, "ms"),
        _ => (nanos / 1e9, "s"),
    };
    match value {
        0.0..9.995 => format!("{value:.2} {unit}"),
        9.995..99.95 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0.4, "0"), (999.0, "999"), (1000.0, "1,000"), (1234567.8, "1,234,568")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn times_have_three_digits_and_a_unit() {
        for (nanos, text) in [
            (850, "0.85 µs"),
            (12_340, "12.3 µs"),
            (999_400, "999 µs"),
            (1_500_000, "1.50 ms"),
            (2_000_000_000, "2.00 s"),
            (100_000_000_000, "100 s"),
        ] {
            assert_eq!(readable(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn errors_stand_beside_what_succeeded() {
        let mut tally = Tally::default();
        tally.record(Ok(Duration::from_micros(100)));
        tally.record(Err(&trunkline::Fault::from("no").with_code(7)));
        let report = Report {
            url: "tcp://a:1",
            method: "add",
            connections: 1,
            in_flight: 2,
            elapsed: Duration::from_millis(500),
            tally: &tally,
        };
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(json["calls"], 1);
        assert_eq!(json["calls_per_s"], 2.0);
        assert_eq!(json["errors"], serde_json::json!({"no (code 7)": 1}));
        assert!(json["latency_us"]["p99.9"].as_f64().unwrap() >= 100.0);
        let text = report.text();
        assert!(text.contains("2 calls/s") && text.ends_with("1 × no (code 7)"), "{text}");
    }
}
