//! `cargo xtask rivals`: trunkline and its rivals side by side, on this machine, in one run.
//!
//! Builds `benches/rivals`, a workspace of its own, and runs its `side_by_side` with the words that
//! are left. `--without-trunkline` measures the rivals alone. What the rows mean and how to read
//! them stands in `benches/rivals/README.md`.

use crate::process::{self, cargo, command, root};

const WITHOUT: &str = "--without-trunkline";

/// Builds all the servers and clients, then measures them.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let folder = root().join("benches/rivals");
    let with_ours = !args.iter().any(|word| word == WITHOUT);
    let features: &[&str] = if with_ours { &["--features", "trunkline"] } else { &[] };
    // A target directory shared with other workspaces would be found by no fixed path.
    let target = folder.join("target");
    process::run(
        cargo(["build", "--release"]).args(features).current_dir(&folder).env("CARGO_TARGET_DIR", &target),
    )?;
    let rest = args.iter().filter(|word| *word != WITHOUT);
    process::run(&mut command(target.join("release/side_by_side"), rest))
}
