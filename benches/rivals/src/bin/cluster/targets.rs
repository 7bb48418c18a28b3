//! The targets: what trunkline behind a gateway must come to beside others in the same run.

use rivals::verdict::verdict;

use crate::Samples;
use crate::contenders::{ASYNC_NATS, LAPIN, MANY, NATS, NODE, RABBITMQ};
use crate::crowd::{Crowd, NAME};
use crate::report::ratio;
use crate::visit::Sample;

/// What is held against what, with 64 calls in flight.
struct Target {
    row: &'static str,
    what: &'static str,
    figure: fn(&Sample) -> f64,
    bound: Bound,
    of: &'static str,
}

#[derive(Clone, Copy)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

const RATE: (&str, fn(&Sample) -> f64) = ("calls/s", |sample| sample.rate);
const CPU: (&str, fn(&Sample) -> f64) = ("near+handler", Sample::ends);

const TARGETS: [Target; 4] = [
    target(RABBITMQ, RATE, Bound::AtLeast(0.8), LAPIN),
    target(RABBITMQ, RATE, Bound::AtLeast(1.8), NODE),
    target(RABBITMQ, CPU, Bound::AtMost(0.25), NODE),
    target(NATS, RATE, Bound::AtLeast(0.8), ASYNC_NATS),
];

const fn target(
    row: &'static str,
    (what, figure): (&'static str, fn(&Sample) -> f64),
    bound: Bound,
    of: &'static str,
) -> Target {
    Target { row, what, figure, bound, of }
}

/// Prints a line a target, and gives how many were missed. One whose rows were not measured counts as neither.
pub(crate) fn print(samples: &Samples, crowd: Option<&Crowd>) -> usize {
    println!("\n{:6} {:20} {:14} {:>14} {:>13}", "", "with 64 in flight", "", "target", "is");
    let mut missed = 0;
    let mut judge = |row: &str, what: &str, target: String, is: Option<(String, bool)>, of: &str| {
        let (word, is) = verdict(is, &mut missed);
        println!("{word:6} {row:20} {what:14} {target:>14} {is:>13}  {of}");
    };
    for Target { row, what, figure, bound, of } in TARGETS {
        let is = ratio(samples, MANY, row, of, figure).map(|is| {
            let met = match bound {
                Bound::AtLeast(least) => is >= least,
                Bound::AtMost(most) => is <= most,
            };
            (format!("{is:.2}x"), met)
        });
        let target = match bound {
            Bound::AtLeast(least) => format!("at least {least}x"),
            Bound::AtMost(most) => format!("at most {most}x"),
        };
        judge(row, what, target, is, &format!("of {of}"));
    }
    let held = crowd.map(|crowd| (crowd.broker_connections.to_string(), crowd.broker_connections == 1));
    judge(NAME, "connections", "1".to_owned(), held, "to the broker, for all clients");
    missed
}
