//! [`Stretch`]: what servers and client use while calls or items come.

use std::str::FromStr;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::meter::cpu_nanos;

/// Processes that serve, as a flag names them: `--pid 12,34`.
#[derive(Clone, Debug)]
pub struct Servers(Vec<u32>);

impl FromStr for Servers {
    type Err = anyhow::Error;

    fn from_str(ids: &str) -> Result<Self> {
        let ids = ids.split(',').map(|id| id.parse().with_context(|| format!("`{id}` is no process")));
        Ok(Self(ids.collect::<Result<_>>()?))
    }
}

impl Servers {
    fn cpu(&self) -> Result<Vec<u64>> {
        self.0.iter().map(|pid| cpu_nanos(*pid)).collect()
    }
}

/// A time that has begun: CPU time of all processes, and the clock.
#[derive(Debug)]
pub struct Stretch {
    servers: Servers,
    began: Instant,
    server_cpu: Vec<u64>,
    client_cpu: u64,
}

impl Stretch {
    /// Begins now; the client is this process.
    ///
    /// # Errors
    ///
    /// Fails when a server is gone.
    pub fn begin(servers: Servers) -> Result<Self> {
        let (server_cpu, client_cpu) = (servers.cpu()?, cpu_nanos(std::process::id())?);
        Ok(Self { servers, began: Instant::now(), server_cpu, client_cpu })
    }

    /// What was used since, for `calls` calls or items: by all servers together, and by each.
    ///
    /// # Errors
    ///
    /// Fails when a server is gone, and when there was not one call.
    pub fn end(self, calls: u64) -> Result<Value> {
        let seconds = self.began.elapsed().as_secs_f64();
        ensure!(calls > 0, "nothing came in {seconds} s");
        let used = self.servers.cpu()?;
        let each: Vec<_> = used.iter().zip(&self.server_cpu).map(|(end, began)| end - began).collect();
        Ok(json!({
            "calls": calls,
            "seconds": seconds,
            "server_cpu": each.iter().sum::<u64>(),
            "each_cpu": each,
            "client_cpu": cpu_nanos(std::process::id())? - self.client_cpu,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_without_calls_has_no_cost_a_call() {
        let this = || std::process::id().to_string().parse().unwrap();
        assert!(Stretch::begin(this()).unwrap().end(0).is_err());
        assert_eq!(Stretch::begin(this()).unwrap().end(3).unwrap()["calls"], 3);
    }

    #[test]
    fn servers_are_named_by_their_processes() {
        let this = std::process::id();
        let servers: Servers = format!("{this},{this}").parse().unwrap();
        let used = Stretch::begin(servers).unwrap().end(1).unwrap();
        assert_eq!(used["each_cpu"].as_array().unwrap().len(), 2);
        assert!("".parse::<Servers>().is_err() && "1,x".parse::<Servers>().is_err());
    }
}
