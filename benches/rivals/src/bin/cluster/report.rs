//! The table: the medians of each row under each load.

use rivals::median::median;
use rivals::meter::load_average;
use std::time::Duration;

use serde_json::{Value, json};

use crate::contenders::{Contender, Load};
use crate::crowd::{Crowd, NAME};
use crate::visit::Sample;
use crate::{Effort, Samples};

/// Prints how it was measured, then a line for each row and load.
pub(crate) fn print(
    chosen: &[Contender],
    samples: &Samples,
    crowd: Option<&Crowd>,
    effort: &Effort,
    took: Duration,
) {
    let Effort { rounds, seconds, .. } = effort;
    println!("\nMedians of {rounds} interleaved rounds of {seconds} s; {:.0} s in all.", took.as_secs_f64());
    println!(
        "Caller or gateway, broker, handler and clients are processes of their own and share all cores."
    );
    println!(
        "CPU is user + system time in µs a call; `near` is the gateway, or who calls where there is none."
    );
    if let Some(load) = load_average() {
        println!("Load average at the end: {load}. The run itself makes up to 3; more means company.");
    }
    println!(
        "\n{:28} {:>11} {:>9} {:>7} {:>8} {:>13} {:>7} {:>8}",
        "row", "clients x", "calls/s", "near", "handler", "near+handler", "broker", "clients"
    );
    for contender in chosen {
        for load in contender.loads() {
            let Some(taken) = samples.get(&(contender.name, *load)) else {
                println!("{:28} {load:>11} not measured", contender.name);
                continue;
            };
            let of = |figure: fn(&Sample) -> f64| median(taken.iter().map(figure).collect());
            let clients = of(|sample| sample.clients.unwrap_or(f64::NAN));
            let clients = if clients.is_nan() { String::new() } else { format!("{clients:.1}") };
            println!(
                "{:28} {load:>11} {:>9.0} {:>7.1} {:>8.1} {:>13.1} {:>7.1} {clients:>8}",
                contender.name,
                of(|sample| sample.rate),
                of(|sample| sample.near),
                of(|sample| sample.handler),
                of(Sample::ends),
                of(|sample| sample.broker),
            );
        }
    }
    if let Some(crowd) = crowd {
        let (connections, mib) = (crowd.connections, |bytes: u64| bytes as f64 / f64::from(1 << 20));
        println!(
            "\n{NAME}: a gateway with {connections} WebSocket clients and {} connection to its broker; each was \
             answered for itself.\nIts resident memory: {:.1} MiB before, {:.1} MiB with them, {:.1} MiB after a \
             call of each: {:.2} KiB a client.",
            crowd.broker_connections,
            mib(crowd.before),
            mib(crowd.opened),
            mib(crowd.called),
            crowd.each() / 1024.0
        );
    }
}

/// Every sample, for programs.
pub(crate) fn json(samples: &Samples, crowd: Option<&Crowd>) -> Value {
    let rows = samples.iter().flat_map(|((row, load), taken)| {
        taken.iter().enumerate().map(move |(round, sample)| {
            let Sample { rate, near, handler, broker, clients } = sample;
            json!({
                "row": row, "clients": load.clients, "window": load.window, "round": round,
                "calls_per_second": rate,
                "cpu_micros": { "near": near, "handler": handler, "broker": broker, "clients": clients },
            })
        })
    });
    json!({ "samples": rows.collect::<Vec<_>>(), "crowd": crowd })
}

/// The median over the rounds of a figure of `row` divided by that of `other`, each taken within one round.
pub(crate) fn ratio(
    samples: &Samples,
    load: Load,
    row: &'static str,
    other: &'static str,
    figure: fn(&Sample) -> f64,
) -> Option<f64> {
    let (row, other) = (samples.get(&(row, load))?, samples.get(&(other, load))?);
    let ratios = row.iter().zip(other).map(|(row, other)| figure(row) / figure(other));
    Some(median(ratios.collect())).filter(|ratio| ratio.is_finite())
}
