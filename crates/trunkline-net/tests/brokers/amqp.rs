//! RabbitMQ.

mod poison;
mod refused;
mod stranger;
mod therms;
#[cfg(feature = "tls")]
mod tls;
mod trouble;
mod waiting;

use crate::contract::{Abilities, World, contract};
use std::sync::Arc;
use trunkline_net::broker::{Amqp, Broker};
use trunkline_services::RabbitMq;

struct Rabbit {
    uri: String,
    /// Unless it is shared.
    server: Option<RabbitMq>,
}

impl World for Rabbit {
    const CAN: Abilities = Abilities { redelivers: true, holds_back: true, largest: Some(16 << 20) };

    async fn any() -> Self {
        Self { uri: RabbitMq::shared().unwrap().uri(), server: None }
    }

    async fn own() -> Self {
        let server = RabbitMq::start().unwrap();
        Self { uri: server.uri(), server: Some(server) }
    }

    fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(Amqp::new(&self.uri).unwrap())
    }

    async fn lose(&mut self) {
        self.server.as_mut().unwrap().kill().unwrap();
    }

    async fn restore(&mut self) {
        self.server.as_mut().unwrap().restart().unwrap();
    }
}

contract!(super::Rabbit);
