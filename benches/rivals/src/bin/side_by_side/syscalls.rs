//! How many times a server wrote, counted by `strace`.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use rivals::process::{Pinned, Server, load};

use crate::sample::Sample;

/// The ways to write to a socket.
const WRITES: &str = "trace=write,writev,sendto,sendmsg,sendmmsg";
/// Enough to see a ratio; tracing is slow.
const CALLS: &str = "20000";

/// Whether `strace` may trace here.
pub(crate) fn available() -> bool {
    let tried = Command::new("strace").args(["-c", "-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

/// Writes per answer of `server` under the load `flags`.
pub(crate) fn count(server: &str, wire: &str, flags: &[(&str, &str)], pinned: Pinned) -> Result<Sample> {
    let summary = std::env::temp_dir().join(format!("rivals-writes-{}", std::process::id()));
    let tracer = ["strace", "-f", "-c", "-e", WRITES, "-o"].map(OsStr::new);
    let tracer: Vec<_> = tracer.into_iter().chain([summary.as_os_str()]).collect();
    let traced = Server::start(server, pinned, &tracer)?;
    let (address, pid) = (traced.address(wire)?.to_owned(), traced.pid());
    let limits = [("calls", CALLS), ("seconds", "20"), ("warmup", "0"), ("address", &address), ("pid", &pid)];
    let found = load("load", flags.iter().copied().chain(limits), pinned);
    drop(traced);
    let text = std::fs::read_to_string(&summary).context("strace left no summary")?;
    std::fs::remove_file(&summary)?;
    let answers = found?["answers"].as_f64().context("the load counted nothing")?;
    Ok(Sample::Writes { per_reply: total(&text)? / answers })
}

/// The sum of strace's column `calls`.
fn total(summary: &str) -> Result<f64> {
    let last =
        summary.lines().rfind(|line| line.trim_end().ends_with("total")).context("strace counted nothing")?;
    last.split_whitespace()
        .nth(3)
        .and_then(|calls| calls.parse().ok())
        .context("strace's summary cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_with_and_without_errors() {
        let head = "% time     seconds  usecs/call     calls    errors syscall\n";
        assert_eq!(total(&format!("{head}100.00    0.034    8       312           total\n")).unwrap(), 312.0);
        assert_eq!(total(&format!("{head}100.00    0.034    8       312        2 total\n")).unwrap(), 312.0);
        assert!(total(head).is_err());
    }
}
