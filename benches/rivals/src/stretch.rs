//! [`Stretch`]: what server and client use while calls or items come.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::meter::cpu_nanos;

/// A time that has begun: CPU time of both processes, and the clock.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    server: u32,
    began: Instant,
    server_cpu: u64,
    client_cpu: u64,
}

impl Stretch {
    /// Begins now; `server` is the server's process, the client is this one.
    ///
    /// # Errors
    ///
    /// Fails when the server is gone.
    pub fn begin(server: u32) -> Result<Self> {
        let (server_cpu, client_cpu) = (cpu_nanos(server)?, cpu_nanos(std::process::id())?);
        Ok(Self { server, began: Instant::now(), server_cpu, client_cpu })
    }

    /// What was used since, for `calls` calls or items, as `side_by_side` reads it.
    ///
    /// # Errors
    ///
    /// Fails when the server is gone, and when there was not one call.
    pub fn end(self, calls: u64) -> Result<Value> {
        let seconds = self.began.elapsed().as_secs_f64();
        ensure!(calls > 0, "nothing came in {seconds} s");
        Ok(json!({
            "calls": calls,
            "seconds": seconds,
            "server_cpu": cpu_nanos(self.server)? - self.server_cpu,
            "client_cpu": cpu_nanos(std::process::id())? - self.client_cpu,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_without_calls_has_no_cost_a_call() {
        let stretch = Stretch::begin(std::process::id()).unwrap();
        assert!(stretch.end(0).is_err());
        assert_eq!(stretch.end(3).unwrap()["calls"], 3);
    }
}
