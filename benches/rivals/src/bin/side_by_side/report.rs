//! The table: each row's median, its best round, and its multiple of the floor.

use std::time::Duration;

use rivals::median::median;
use rivals::meter::load_average;
use rivals::process::Pinned;

use crate::Samples;
use crate::rows::{Kind, Row};
use crate::sample::{Effort, PATIENCE, Sample};

/// Prints how it was measured, then a line a row.
pub(crate) fn print(rows: &[Row], samples: &Samples, effort: &Effort, pinned: Pinned, took: Duration) {
    println!(
        "\nMedians of {} interleaved rounds of {} s; {:.0} s in all.",
        effort.rounds,
        effort.seconds,
        took.as_secs_f64()
    );
    println!(
        "{}",
        match pinned {
            Pinned::Apart => "Servers on core 0, load and clients on core 1; a fresh server for each sample.",
            Pinned::No => "NOT PINNED (taskset with two cores is missing): judge nothing by this run.",
        }
    );
    println!("tokio current_thread everywhere, but for multi-64: multi_thread with 1 worker.");
    println!("CPU is user + system time of the server's process; in client rows, of the client's.");
    if let Some(load) = load_average() {
        println!("Load average at the end: {load}. The run itself makes up to 2; more means company.");
    }
    println!("\n{:27} {:>13} {:>13} {:>8}  ", "row", "median", "best", "x floor");
    for row in rows {
        let Some(taken) = samples.get(row.name) else {
            println!("{:27} not measured", row.name);
            continue;
        };
        let multiple = ratio(samples, row.name, row.floor).filter(|_| row.name != row.floor);
        let multiple = multiple.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        let (middle, best) = (middle(taken), figures(taken).into_iter().fold(f64::INFINITY, f64::min));
        let unit = unit(row);
        println!(
            "{:27} {:>13} {:>13} {multiple:>8}  {}",
            row.name,
            shown(middle.figure(), unit),
            shown(best, unit),
            remark(row, &middle)
        );
    }
}

/// The median over the rounds of `row / floor`, each taken within one round.
pub(crate) fn ratio(samples: &Samples, row: &str, floor: &str) -> Option<f64> {
    let (row, floor) = (samples.get(row)?, samples.get(floor)?);
    let ratios = row.iter().zip(floor).map(|(row, floor)| row.figure() / floor.figure());
    Some(median(ratios.collect())).filter(|ratio| ratio.is_finite())
}

/// The sample with the median figure.
fn middle(taken: &[Sample]) -> Sample {
    let mut sorted = taken.to_vec();
    sorted.sort_by(|one, other| one.figure().total_cmp(&other.figure()));
    sorted[sorted.len() / 2]
}

fn figures(taken: &[Sample]) -> Vec<f64> {
    taken.iter().map(Sample::figure).collect()
}

const fn unit(row: &Row) -> &'static str {
    match row.kind {
        Kind::Server(..) | Kind::Client(..) | Kind::Stream(..) => "µs",
        Kind::Writes(..) => "writes",
        Kind::Idle(_) => "KiB",
        Kind::Deaf(_) => "MiB",
    }
}

/// `figure` in `unit`; bytes become what the unit says.
pub(crate) fn shown(figure: f64, unit: &str) -> String {
    match unit {
        "KiB" => format!("{:.2} {unit}", figure / 1024.0),
        "MiB" => format!("{:.2} {unit}", figure / 1_048_576.0),
        _ if figure.is_nan() => "skipped".to_owned(),
        _ => format!("{figure:.3} {unit}"),
    }
}

/// What else the median sample tells.
fn remark(row: &Row, sample: &Sample) -> String {
    match sample {
        Sample::Cpu { rate, server_busy, load_busy, .. } => {
            let what = if matches!(row.kind, Kind::Stream(..)) { "items" } else { "calls" };
            format!(
                "{:.0} k {what}/s, {:.3} µs of wall time each; busy: server {:.0} %, load {:.0} %",
                rate / 1e3,
                1e6 / rate,
                server_busy * 100.0,
                load_busy * 100.0
            )
        }
        Sample::NoStrace => "no strace that may trace".to_owned(),
        Sample::Writes { .. } => "a reply".to_owned(),
        Sample::Idle { opened, .. } => {
            format!("a connection after one call; {} before it", shown(*opened, "KiB"))
        }
        Sample::Deaf { sent, closed, .. } => match closed {
            Some(after) => format!("grown; {sent:.0} calls taken in, closed after {after:.1} s"),
            None => format!("grown; {sent:.0} calls taken in, still open {PATIENCE} s later"),
        },
    }
}
