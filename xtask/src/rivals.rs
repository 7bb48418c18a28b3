//! `cargo xtask rivals`: trunkline and its rivals side by side, on this machine, in one run.
//!
//! Builds `benches/rivals`, a workspace of its own, and runs its `side_by_side`, or with `--cluster`
//! its `cluster`, with the words that are left. `--without-trunkline` measures the rivals alone. What
//! the rows mean and how to read them stands in `benches/rivals/README.md`.

use crate::process::{self, cargo, command, root};
use crate::{interop, services};

const WITHOUT: &str = "--without-trunkline";
const CLUSTER: &str = "--cluster";

/// Builds all the servers and clients, then measures them.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let folder = root().join("benches/rivals");
    let asked = |flag| args.iter().any(|word| word == flag);
    let program = if asked(CLUSTER) { "cluster" } else { "side_by_side" };
    if asked(CLUSTER) {
        services::install_all()?;
        interop::install_kit("therms")?;
    }
    let features: &[&str] = if asked(WITHOUT) { &[] } else { &["--features", "trunkline"] };
    // A target directory shared with other workspaces would be found by no fixed path.
    let target = folder.join("target");
    process::run(
        cargo(["build", "--release"]).args(features).current_dir(&folder).env("CARGO_TARGET_DIR", &target),
    )?;
    let rest = args.iter().filter(|word| ![WITHOUT, CLUSTER].contains(&word.as_str()));
    process::run(&mut command(target.join("release").join(program), rest))
}
