//! `cargo xtask test`: everything that must pass before a change lands, cheapest first.
//!
//! It stops at the first step that fails and says how to run that step again. It needs Rust with
//! rustfmt and clippy, and Node.js for the published clients; cargo-deny is installed when missing, and
//! so are RabbitMQ and NATS, if root runs it.

use std::time::{Duration, Instant};

use crate::process::{cargo, run as run_command};
use crate::{deny, dependencies, features, interop, ledger, services};

/// One thing that must pass.
struct Step {
    name: &'static str,
    about: &'static str,
    run: fn() -> Result<(), String>,
}

const STEPS: &[Step] = &[
    Step { name: "format", about: "the code is formatted", run: format },
    Step {
        name: "dependencies",
        about: "docs/dependencies.md names every dependency",
        run: dependencies::check,
    },
    Step { name: "lint", about: "rustc and clippy have nothing to say", run: lint },
    Step { name: "tests", about: "unit, integration and documentation tests", run: tests },
    Step { name: "features", about: "every feature compiles alone", run: features::check },
    Step { name: "docs", about: "the documentation builds without warnings", run: docs },
    Step { name: "deny", about: "licences, sources and bans of the dependencies", run: deny::check },
    Step {
        name: "interop",
        about: "published clients, the vectors, and peers in Node, against ours",
        run: || interop::run(&[]),
    },
    Step {
        name: "ledger",
        about: "no call hangs, runs twice or is lost, while brokers and nodes fail",
        run: ledger::both,
    },
];

/// Runs the chosen steps.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let chosen = choose(args)?;
    if args.iter().any(|arg| arg == "--list") {
        for step in &chosen {
            println!("{:13} {}", step.name, step.about);
        }
        return Ok(());
    }
    let began = Instant::now();
    let mut passed: Vec<(&Step, Duration)> = Vec::new();
    for (index, step) in chosen.iter().enumerate() {
        println!(
            "\n=== {}/{} {}: {} (at {})",
            index + 1,
            chosen.len(),
            step.name,
            step.about,
            minutes(began.elapsed())
        );
        let start = Instant::now();
        if let Err(why) = (step.run)() {
            summary(&passed, chosen.len(), Some((step, start.elapsed())));
            return Err(format!(
                "step `{0}`: {why}\nto run it again: cargo xtask test --only {0}",
                step.name
            ));
        }
        passed.push((step, start.elapsed()));
    }
    summary(&passed, chosen.len(), None);
    Ok(())
}

/// Reads `--only STEP` and `--skip STEP`, each as often as wanted.
fn choose(args: &[String]) -> Result<Vec<&'static Step>, String> {
    let (mut only, mut skip) = (Vec::new(), Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let list = match arg.as_str() {
            "--list" => continue,
            "--only" => &mut only,
            "--skip" => &mut skip,
            other => {
                return Err(format!(
                    "unknown argument `{other}`; there are --list, --only STEP and --skip STEP"
                ));
            }
        };
        let name =
            args.next().ok_or_else(|| format!("{arg} needs the name of a step; --list prints them"))?;
        if !STEPS.iter().any(|step| step.name == name) {
            return Err(format!("there is no step `{name}`; --list prints them"));
        }
        list.push(name.as_str());
    }
    let wanted = |step: &&Step| (only.is_empty() || only.contains(&step.name)) && !skip.contains(&step.name);
    Ok(STEPS.iter().filter(wanted).collect())
}

/// One line a step, and the count as the last line.
fn summary(passed: &[(&Step, Duration)], chosen: usize, failed: Option<(&Step, Duration)>) {
    println!();
    for (step, took) in passed {
        println!("{:13} ok      {:>6}", step.name, minutes(*took));
    }
    if let Some((step, took)) = failed {
        println!("{:13} FAILED  {:>6}", step.name, minutes(took));
    }
    let left_out = STEPS.len() - passed.len() - usize::from(failed.is_some());
    if failed.is_some() && chosen > passed.len() + 1 {
        println!("the steps after it were not run");
    }
    println!("steps: {} passed, {} failed, {left_out} skipped", passed.len(), usize::from(failed.is_some()));
}

fn minutes(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

fn format() -> Result<(), String> {
    run_command(&mut cargo(["fmt", "--all", "--check"]))
}

/// Fuzz targets are a workspace of their own, and would be left behind by what they use.
fn lint() -> Result<(), String> {
    let args = ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    run_command(&mut cargo(args))?;
    run_command(&mut cargo(["check", "--manifest-path", "fuzz/Cargo.toml"]))
}

/// With the servers that the tests share.
fn tests() -> Result<(), String> {
    let _services = services::start()?;
    run_command(&mut cargo(["test", "--workspace", "--all-features"]))
}

fn docs() -> Result<(), String> {
    let mut command = cargo(["doc", "--no-deps", "--workspace", "--all-features"]);
    run_command(command.env("RUSTDOCFLAGS", "-D warnings"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(args: &[&str]) -> Result<Vec<&'static str>, String> {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        choose(&args).map(|steps| steps.iter().map(|step| step.name).collect())
    }

    #[test]
    fn steps_are_chosen_by_name_and_keep_their_order() {
        assert_eq!(names(&["--only", "lint", "--only", "format"]).unwrap(), ["format", "lint"]);
        assert_eq!(names(&[]).unwrap().len(), STEPS.len());
        assert!(!names(&["--skip", "interop"]).unwrap().contains(&"interop"));
    }

    #[test]
    fn a_step_that_does_not_exist_is_refused() {
        assert!(names(&["--only", "lnit"]).unwrap_err().contains("no step `lnit`"));
        assert!(names(&["--only"]).unwrap_err().contains("needs the name of a step"));
        assert!(names(&["lint"]).unwrap_err().contains("unknown argument"));
    }

    #[test]
    fn time_reads_as_minutes_and_seconds() {
        assert_eq!(minutes(Duration::from_secs(605)), "10:05");
    }
}
