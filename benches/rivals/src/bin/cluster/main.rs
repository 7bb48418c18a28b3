//! `cluster`: calls by way of a broker, to a handler that is a process of its own: trunkline with a gateway and without,
//! bare clients of the brokers, and the peers for Node.js, in turn, for several rounds; and what came out.
//!
//! Starts a RabbitMQ and a NATS of its own. Progress goes to standard error, the result to standard output. The exit
//! status is 1 when a row could not be measured or a target was missed.

mod brokers;
mod contenders;
mod crowd;
mod report;
mod targets;
mod visit;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::brokers::Brokers;
use crate::contenders::{Contender, Load};
use crate::crowd::Crowd;
use crate::visit::Sample;

const USAGE: &str =
    "usage: cluster [--rounds N] [--seconds S] [--clients N] [--only WORD]... [--json FILE] [--list]

  --rounds N   rounds of all rows, 5 unless told
  --seconds S  length of one sample, 1 unless told
  --clients N  WebSockets that a gateway is to hold, 10,000 unless told; 0 for none
  --only WORD  rows whose name contains WORD; may be given again
  --json FILE  writes all samples there
  --list       the names of all rows";

/// How long and how often to measure.
#[derive(Clone, Copy, Debug)]
struct Effort {
    rounds: usize,
    seconds: f64,
    clients: usize,
}

/// Samples by row and load; one for each round.
type Samples = BTreeMap<(&'static str, Load), Vec<Sample>>;

fn main() -> Result<()> {
    let mut effort = Effort { rounds: 5, seconds: 1.0, clients: 10_000 };
    let (mut only, mut json) = (Vec::new(), None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word} needs a value\n\n{USAGE}"));
        match word.as_str() {
            "--rounds" => effort.rounds = value()?.parse()?,
            "--seconds" => effort.seconds = value()?.parse()?,
            "--clients" => effort.clients = value()?.parse()?,
            "--only" => only.push(value()?),
            "--json" => json = Some(PathBuf::from(value()?)),
            "--list" => {
                contenders::all().for_each(|contender| println!("{}", contender.name));
                println!("{}", crowd::NAME);
                return Ok(());
            }
            _ => anyhow::bail!("`{word}` is not known\n\n{USAGE}"),
        }
    }
    let wanted = |name: &str| only.is_empty() || only.iter().any(|word| name.contains(word));
    let chosen: Vec<_> = contenders::all().filter(|contender| wanted(contender.name)).collect();
    let holds_crowd = wanted(crowd::NAME) && effort.clients > 0 && cfg!(feature = "trunkline");
    ensure!(holds_crowd || !chosen.is_empty(), "no row is called that; --list shows their names");

    let began = Instant::now();
    let brokers = Brokers::start()?;
    let (samples, mut failures) = measure(&chosen, &effort, &brokers);
    let mut crowd = None;
    if holds_crowd {
        match Crowd::gather(effort.clients, &brokers) {
            Ok(gathered) => crowd = Some(gathered),
            Err(error) => {
                eprintln!("{} failed: {error:#}", crowd::NAME);
                failures += 1;
            }
        }
    }
    report::print(&chosen, &samples, crowd.as_ref(), &effort, began.elapsed());
    if let Some(file) = json {
        let text = report::json(&samples, crowd.as_ref()).to_string();
        std::fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    // ratios are of samples of one round, which cannot be told once some are missing
    ensure!(failures == 0, "{failures} rows could not be measured");
    let missed = targets::print(&samples, crowd.as_ref());
    ensure!(missed == 0, "{missed} targets were missed");
    Ok(())
}

/// All rounds; every second round goes backwards, so that drift cancels out.
fn measure(chosen: &[Contender], effort: &Effort, brokers: &Brokers) -> (Samples, usize) {
    let (mut samples, mut failures) = (Samples::new(), 0);
    for round in 0..effort.rounds {
        let mut order: Vec<_> = chosen.iter().collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for contender in order {
            let name = contender.name;
            match visit::all_loads(contender, effort.seconds, brokers) {
                Ok(taken) => {
                    for (load, sample) in taken {
                        eprintln!("round {} of {}  {name:28} {load:11} {sample}", round + 1, effort.rounds);
                        samples.entry((name, load)).or_default().push(sample);
                    }
                }
                Err(error) => {
                    eprintln!("round {} of {}  {name:28} failed: {error:#}", round + 1, effort.rounds);
                    failures += 1;
                }
            }
        }
    }
    (samples, failures)
}
