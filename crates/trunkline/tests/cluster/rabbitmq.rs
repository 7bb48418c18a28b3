//! [`Rabbit`]: a network of its own on the RabbitMQ that all tests share.

use crate::world::{Joins, gateway};
use rand::random;
use serde_json::Value;
use trunkline::{FaultKind, Router, Server, broker::Amqp};
use trunkline_services::RabbitMq;

/// A network of its own on the RabbitMQ that all tests share.
pub(crate) struct Rabbit {
    broker: Amqp,
    network: String,
}

impl Rabbit {
    pub(crate) fn new() -> Self {
        let broker = Amqp::new(&RabbitMq::shared().unwrap().uri()).unwrap();
        Self { broker, network: format!("test-{:016x}", random::<u64>()) }
    }
}

impl Joins for Rabbit {
    fn join(&self, server: Server) -> Server {
        server.broker(self.broker.clone()).network(&self.network)
    }

    fn with_sign(&self, router: Router) -> (Router, String) {
        let sign = format!("joined.{:016x}", random::<u64>());
        (router.procedure(&sign, async || ()), sign)
    }

    async fn has_joined(&self, sign: &str) {
        let client = gateway(self, Router::new());
        // each time RabbitMQ says that nobody has it
        while let Err(fault) = client.call::<Value>(sign, ()).await {
            assert_eq!(fault.kind(), FaultKind::NotFound, "{fault}");
        }
    }
}
