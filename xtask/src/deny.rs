//! `cargo deny`: the licences, the sources and the bans of `deny.toml`.
//!
//! Advisories are not part of it: they need the RustSec database, which comes from a git repository
//! and changes without us. `.github/workflows/ci.yml` checks them daily; by hand it is
//! `cargo deny check advisories`.

use crate::process::{cargo, need_cargo_tool, run};

/// Installs cargo-deny unless it is there, and runs what needs no network.
pub(crate) fn check() -> Result<(), String> {
    need_cargo_tool("deny")?;
    run(&mut cargo(["deny", "check", "bans", "licenses", "sources"]))
}
