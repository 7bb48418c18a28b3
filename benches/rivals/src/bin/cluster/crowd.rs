//! [`Crowd`]: a gateway with thousands of WebSocket clients.

use anyhow::Result;
use rivals::meter::allow_open_files;
use rivals::process::{Pinned, load};
use serde::{Deserialize, Serialize};

use crate::brokers::Brokers;
use crate::contenders::{By, OURS};
use crate::visit::{gateway, ours};

pub(crate) const NAME: &str = "rabbitmq/crowd";

/// Files that a process has open besides its connections, and clients that come first.
const BESIDES: u64 = 400;

/// What a gateway was like with all of its clients, each of which was answered for itself.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Crowd {
    pub(crate) connections: usize,
    /// Resident memory in bytes: without them,
    pub(crate) before: u64,
    /// with them,
    pub(crate) opened: u64,
    /// and after a call of each.
    pub(crate) called: u64,
    /// How many connections the gateway had to its broker.
    pub(crate) broker_connections: usize,
}

impl Crowd {
    pub(crate) fn gather(clients: usize, brokers: &Brokers) -> Result<Self> {
        allow_open_files(clients as u64 + BESIDES)?;
        let place = brokers.place(By::RabbitMq)?;
        let _handler = ours(OURS, "handler", &place)?;
        let (gateway, address) = gateway(&place)?;
        let (pid, port, clients) = (gateway.pid(), place.port.to_string(), clients.to_string());
        let flags = [("mode", "crowd"), ("connections", &*clients), ("broker", &*port)];
        let flags = flags.into_iter().chain([("address", &*address), ("pid", &*pid)]);
        let crowd = serde_json::from_value(load("load", flags, Pinned::No)?)?;
        eprintln!("{NAME}: {crowd:?}");
        Ok(crowd)
    }

    /// Bytes of each client after its call.
    pub(crate) fn each(&self) -> f64 {
        self.called.saturating_sub(self.before) as f64 / self.connections as f64
    }
}
