//! What a process has used: CPU time, memory, sockets, as Linux tells it in `/proc`.

use std::collections::HashSet;
use std::fs;

use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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

/// How many connections of process `pid` lead to `port` on 127.0.0.1.
///
/// # Errors
///
/// Fails when the process is gone.
pub fn connections_to(pid: u32, port: u16) -> Result<usize> {
    let table = fs::read_to_string(format!("/proc/{pid}/net/tcp"))
        .with_context(|| format!("process {pid} is gone"))?;
    let far = format!("0100007F:{port:04X}");
    // Fields of proc(5): the third is the far end, the tenth the socket's number.
    let fields = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let sockets: HashSet<_> = fields
        .filter(|fields| fields.get(2) == Some(&&*far))
        .filter_map(|fields| Some(format!("socket:[{}]", fields.get(9)?)))
        .collect();
    let files = fs::read_dir(format!("/proc/{pid}/fd"))?;
    let targets = files.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
    Ok(targets.filter(|target| sockets.contains(&*target.to_string_lossy())).count())
}

/// Lets this process, and those it starts, hold `files` open.
///
/// # Errors
///
/// Fails when the system allows fewer.
pub fn allow_open_files(files: u64) -> Result<()> {
    let allowed = getrlimit(Resource::Nofile);
    if allowed.current.is_none_or(|current| current >= files) {
        return Ok(());
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(files), ..allowed }).with_context(|| {
        let most = allowed.maximum.unwrap_or_default();
        format!(
            "{files} open files are needed, and the system allows a process {most}: raise it (`ulimit -Hn` as root, \
             or `LimitNOFILE` of the service), or ask for fewer clients"
        )
    })
}

/// How many files this process may hold open.
#[must_use]
pub fn open_files_allowed() -> usize {
    let allowed = getrlimit(Resource::Nofile).current;
    allowed.and_then(|files| files.try_into().ok()).unwrap_or(usize::MAX)
}

/// How many processes have run or wanted to, over the last minute, if the system says so.
#[must_use]
pub fn load_average() -> Option<String> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    Some(text.split_whitespace().next()?.to_owned())
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

    #[test]
    fn connections_are_told_by_where_they_lead() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let made: Vec<_> =
            (0..2).map(|_| std::net::TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
        assert_eq!(connections_to(std::process::id(), port).unwrap(), made.len());
    }

    #[test]
    fn more_files_than_the_system_allows_are_refused() {
        allow_open_files(16).unwrap();
        let Some(most) = getrlimit(Resource::Nofile).maximum else { return };
        assert!(allow_open_files(most + 1).unwrap_err().to_string().contains("ulimit"));
    }
}
