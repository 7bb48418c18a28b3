//! What a process has used: CPU time, memory, sockets, as Linux tells it in `/proc`.

use std::fs;

use anyhow::{Context, Result};

/// User and system CPU time of process `pid`, all its live threads, in nanoseconds.
///
/// Read from `schedstat`, which counts every nanosecond; `stat` holds the same sum in ticks of 10 ms, too coarse for
/// a short sample.
///
/// # Errors
///
/// Fails when the process is gone.
pub fn cpu_nanos(pid: u32) -> Result<u64> {
    let mut total = 0;
    for thread in
        fs::read_dir(format!("/proc/{pid}/task")).with_context(|| format!("process {pid} is gone"))?
    {
        let path = thread?.path().join("schedstat");
        // A thread may end between the listing and the read.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let nanos = text.split_whitespace().next().context("schedstat is empty")?;
        total += nanos.parse::<u64>().context("schedstat holds no number")?;
    }
    Ok(total)
}

/// Resident memory of process `pid` in bytes.
///
/// # Errors
///
/// Fails when the process is gone.
pub fn resident_bytes(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("process {pid} is gone"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("status has no VmRSS")?;
    let kib = line.split_whitespace().next().context("VmRSS is empty")?;
    Ok(kib.parse::<u64>().context("VmRSS holds no number")? * 1024)
}

/// How many sockets process `pid` has open.
///
/// # Errors
///
/// Fails when the process is gone.
pub fn sockets(pid: u32) -> Result<usize> {
    let fds = fs::read_dir(format!("/proc/{pid}/fd")).with_context(|| format!("process {pid} is gone"))?;
    let targets = fds.filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
    Ok(targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count())
}

/// How many files this process may hold open.
#[must_use]
pub fn open_files_allowed() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_something() {
        let pid = std::process::id();
        let before = cpu_nanos(pid).unwrap();
        std::hint::black_box((0..1_000_000_u64).fold(0, |sum, n| sum ^ std::hint::black_box(n)));
        assert!(cpu_nanos(pid).unwrap() > 0);
        assert!(cpu_nanos(pid).unwrap() >= before);
        assert!(resident_bytes(pid).unwrap() > 100_000);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(sockets(pid).unwrap() >= 1);
        drop(listener);
        assert!(open_files_allowed() > 16);
    }
}
