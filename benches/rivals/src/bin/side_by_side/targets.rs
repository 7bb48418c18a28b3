//! The targets: what a row may cost, as a multiple of another in the same run or in bytes.

use rivals::verdict::verdict;

use crate::Samples;
use crate::report::{ratio, shown};
use crate::sample::{MIB, Sample};

/// `(row, most, reference)`: the row costs at most `most` times the reference.
const RATIOS: &[(&str, f64, &str)] = &[
    ("tcp-64/trunkline", 1.5, "tcp-64/raw"),
    ("tcp-64/trunkline", 1.0 / 10.0, "ws-64/jsonrpsee"),
    ("ws-64/trunkline", 1.0 / 8.0, "ws-64/jsonrpsee"),
    ("ws-1024/trunkline", 1.0 / 12.0, "ws-1024/jsonrpsee"),
    ("http-64x1/trunkline", 1.25, "http-64x1/hyper"),
    ("http-64x1/trunkline", 1.0, "http-64x1/jsonrpsee"),
    ("multi-64/awaits", 2.5, "multi-64/ready"),
    ("order-tcp-64/checked", 1.25, "order-tcp-64/unchecked"),
    ("order-ws-64/checked", 1.25, "order-ws-64/unchecked"),
    ("order-http-64x1/checked", 1.25, "order-http-64x1/unchecked"),
    ("stream-ws/trunkline", 1.0 / 20.0, "stream-ws/jsonrpsee"),
    ("stream-own/trunkline", 1.0, "stream-h2/tonic"),
    ("client-64/trunkline-tcp", 0.6, "client-64/tarpc"),
    ("client-64/trunkline-ws", 1.0 / 8.0, "client-64/jsonrpsee"),
];

/// `(row, most, unit)`: the row costs at most that many bytes.
const BYTES: &[(&str, f64, &str)] =
    &[("idle/trunkline", 8.0 * 1024.0, "KiB"), ("deaf/trunkline", 2.0 * MIB, "MiB")];

/// Prints a line a target, and gives how many were missed. One whose rows were not measured counts as neither.
pub(crate) fn print(samples: &Samples) -> usize {
    println!("\n{:6} {:26} {:>14} {:>10}", "", "target", "at most", "is");
    let mut missed = 0;
    let mut judge = |name: &str, most: String, is: Option<(String, bool)>, than: &str| {
        let (word, is) = verdict(is, &mut missed);
        println!("{word:6} {name:26} {most:>14} {is:>10}  {than}");
    };
    for &(row, most, reference) in RATIOS {
        let is = ratio(samples, row, reference).map(|is| (multiple(is), is <= most));
        judge(row, multiple(most), is, &format!("of {reference}"));
    }
    for &(row, most, unit) in BYTES {
        let figure = samples.get(row).and_then(|taken| taken.first()).map(Sample::figure);
        judge(row, shown(most, unit), figure.map(|is| (shown(is, unit), is <= most)), "");
    }
    let closed = samples.get("deaf/trunkline").and_then(|taken| match taken.first()? {
        Sample::Deaf { closed, .. } => Some(*closed),
        _ => None,
    });
    let closed = closed.map(|after| match after {
        Some(seconds) => (format!("{seconds:.1} s"), true),
        None => ("still open".to_owned(), false),
    });
    judge("deaf/trunkline", "closed".to_owned(), closed, "after the write stall time, here 2 s");
    missed
}

/// `1.50x`, and `1/8.0` for less than a half.
fn multiple(ratio: f64) -> String {
    if ratio < 0.5 { format!("1/{:.1}", 1.0 / ratio) } else { format!("{ratio:.2}x") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;

    #[test]
    fn a_small_ratio_is_told_as_a_fraction() {
        assert_eq!(multiple(0.125), "1/8.0");
        assert_eq!(multiple(1.25), "1.25x");
    }

    #[test]
    fn the_targets_speak_of_rows_that_exist() {
        let of_ours = |name: &str| ["trunkline", "multi", "order"].iter().any(|word| name.contains(word));
        for &(row, _, reference) in RATIOS {
            for name in [row, reference] {
                let built = cfg!(feature = "trunkline") || !of_ours(name);
                assert_eq!(rows::all().any(|row| row.name == name), built, "{name}");
            }
        }
    }

    #[test]
    fn a_ratio_is_the_median_of_its_rounds() {
        let cpu = |micros| Sample::Cpu { micros, rate: 1.0, server_busy: 0.0, load_busy: 0.0 };
        let samples = Samples::from([
            ("tcp-64/trunkline", vec![cpu(1.0), cpu(3.0), cpu(8.0)]),
            ("tcp-64/raw", vec![cpu(1.0), cpu(2.0), cpu(1.0)]),
        ]);
        assert_eq!(ratio(&samples, "tcp-64/trunkline", "tcp-64/raw"), Some(1.5));
        assert_eq!(print(&samples), 0);
    }
}
