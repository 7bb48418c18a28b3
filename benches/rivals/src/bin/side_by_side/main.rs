//! `side_by_side`: every server and client of this folder in turn, for several rounds, and what came out.
//!
//! Progress goes to standard error, the result to standard output. The exit status is 1 when a row could not be
//! measured or a target was missed.

mod report;
mod rows;
mod sample;
mod syscalls;
mod targets;

use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Result, ensure};
use rivals::process::Pinned;

use crate::rows::Row;
use crate::sample::{Effort, Sample};

const USAGE: &str = "usage: side_by_side [--quick] [--rounds N] [--seconds S] [--only WORD]... [--list]

  --quick      3 rounds of 0.4 s instead of 15, a tenth of the items, and fewer idle connections
  --rounds N   rounds of the CPU rows
  --seconds S  length of one sample
  --items N    items of one stream instead of 1,000,000
  --only WORD  rows whose name contains WORD; may be given again
  --list       the names of all rows";

/// Samples by row; one for each round it was measured in.
type Samples = HashMap<&'static str, Vec<Sample>>;

fn main() -> Result<()> {
    let mut effort = Effort { rounds: 15, seconds: 0.4, items: 1_000_000, idle: 10_000 };
    let mut only = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| anyhow::anyhow!("{word} needs a value\n\n{USAGE}"));
        match word.as_str() {
            "--quick" => effort = Effort { rounds: 3, seconds: 0.4, items: 100_000, idle: 2_000 },
            "--rounds" => effort.rounds = value()?.parse()?,
            "--seconds" => effort.seconds = value()?.parse()?,
            "--items" => effort.items = value()?.parse()?,
            "--only" => only.push(value()?),
            "--list" => {
                rows::all().for_each(|row| println!("{}", row.name));
                return Ok(());
            }
            _ => anyhow::bail!("`{word}` is not known\n\n{USAGE}"),
        }
    }
    let rows: Vec<_> = rows::all()
        .filter(|row| only.is_empty() || only.iter().any(|word| row.name.contains(word)))
        .collect();
    ensure!(!rows.is_empty(), "no row is called that; --list shows their names");

    let pinned = Pinned::detect();
    let began = Instant::now();
    let (samples, failures) = measure(&rows, &effort, pinned);
    report::print(&rows, &samples, &effort, pinned, began.elapsed());
    let missed = targets::print(&samples);
    ensure!(failures == 0, "{failures} samples could not be taken");
    ensure!(missed == 0, "{missed} targets were missed");
    Ok(())
}

/// All rounds, those of one kind side by side; every second round goes backwards, so that drift cancels out.
fn measure(rows: &[Row], effort: &Effort, pinned: Pinned) -> (Samples, usize) {
    let (mut samples, mut failures) = (Samples::new(), 0);
    for round in 0..effort.rounds {
        let mut order: Vec<_> = rows.iter().filter(|row| round == 0 || row.repeats()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for row in order {
            match sample::take(row, effort, pinned) {
                Ok(sample) => {
                    eprintln!("round {} of {}  {:24} {sample}", round + 1, effort.rounds, row.name);
                    samples.entry(row.name).or_default().push(sample);
                }
                Err(error) => {
                    eprintln!("round {} of {}  {:24} failed: {error:#}", round + 1, effort.rounds, row.name);
                    failures += 1;
                }
            }
        }
    }
    (samples, failures)
}
