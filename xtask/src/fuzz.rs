//! `cargo xtask fuzz [TARGET]... [--seconds N]`: every parser against input that nobody thought of.
//!
//! The targets are the programs under `fuzz/`; they need a nightly compiler, as libFuzzer does, and
//! cargo-fuzz, which is installed when missing. What they start from is the vectors: see `seeds`.

mod seeds;

use crate::process::{cargo, command, need_cargo_tool, output, root, run as run_command, succeeds};

/// How long each target runs unless `--seconds` says otherwise.
const SECONDS: u32 = 60;
/// An input that takes longer than this many seconds is a finding.
const SLOWEST: u32 = 10;

/// Runs the targets named in `args`, or all, one after the other; the first finding ends it.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let (mut chosen, mut seconds) = (Vec::new(), SECONDS);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--seconds" {
            let value = args.next().and_then(|value| value.parse().ok()).filter(|&value| value > 0);
            seconds = value.ok_or("--seconds needs a whole number above 0")?;
        } else {
            chosen.push(arg.clone());
        }
    }
    if !succeeds(&mut command("rustc", ["+nightly", "--version"])) {
        return Err("fuzzing needs a nightly compiler: `rustup toolchain install nightly`".to_owned());
    }
    need_cargo_tool("fuzz")?;
    let listed = output(&mut cargo(["+nightly", "fuzz", "list"]))?;
    let all: Vec<String> = listed.lines().map(str::to_owned).collect();
    if let Some(unknown) = chosen.iter().find(|name| !all.contains(name)) {
        return Err(format!("there is no fuzz target `{unknown}`; there are {}", all.join(", ")));
    }
    let targets = if chosen.is_empty() { all } else { chosen };
    if targets.is_empty() {
        return Err("there is no fuzz target under fuzz/".to_owned());
    }
    let limit = format!("-max_total_time={seconds}");
    let slowest = format!("-timeout={SLOWEST}");
    let tokens = format!("-dict={}", root().join("fuzz/tokens.dict").display());
    for target in &targets {
        let corpus = root().join("fuzz/corpus").join(target);
        let own = root().join("fuzz/seeds").join(target).with_extension("txt");
        let count = seeds::plant(&root().join("tests/vectors"), &own, &corpus)?;
        println!("{target}: {count} seeds from tests/vectors and fuzz/seeds");
        run_command(&mut cargo(["+nightly", "fuzz", "run", target, "--", &limit, &slowest, &tokens])).map_err(|why| {
            format!("{why}\nthe input is in fuzz/artifacts/{target}; make it a test of the parser first, then mend it")
        })?;
    }
    println!("nothing found in {}, {seconds} seconds each", targets.join(", "));
    Ok(())
}
