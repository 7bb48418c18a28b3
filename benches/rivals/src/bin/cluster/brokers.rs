//! [`Brokers`]: the RabbitMQ and the NATS of this run.

use anyhow::{Context, Result, anyhow};
use trunkline_services::{Kind, Nats, RabbitMq, Server};

use crate::contenders::By;

/// A RabbitMQ and a NATS that nobody else uses.
pub(crate) struct Brokers {
    rabbitmq: RabbitMq,
    nats: Nats,
}

/// Where one contender finds its broker.
pub(crate) struct Place {
    pub(crate) uri: String,
    pub(crate) port: u16,
    pub(crate) pid: u32,
}

impl Brokers {
    pub(crate) fn start() -> Result<Self> {
        eprintln!("RabbitMQ and NATS are being started");
        let rabbitmq = RabbitMq::start().map_err(|why| anyhow!(why))?;
        Ok(Self { rabbitmq, nats: Nats::start().map_err(|why| anyhow!(why))? })
    }

    /// A place where nothing is left of others.
    pub(crate) fn place(&self, by: By) -> Result<Place> {
        match by {
            By::RabbitMq => {
                let uri = self.rabbitmq.vhost().map_err(|why| anyhow!(why))?;
                Ok(Place { uri, ..at(&self.rabbitmq)? })
            }
            By::Nats => at(&self.nats),
        }
    }
}

fn at<K: Kind>(server: &Server<K>) -> Result<Place> {
    let pid = server.pid().with_context(|| format!("{} has ended", K::NAME))?;
    Ok(Place { uri: server.uri(), port: server.port(), pid })
}
