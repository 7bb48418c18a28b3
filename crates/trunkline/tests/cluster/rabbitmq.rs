//! What holds on RabbitMQ: the one that all tests share, or one of its own.

use crate::world::World;
use std::sync::Arc;
use trunkline::broker::{Amqp, Broker};
use trunkline_services::RabbitMq;

struct OnRabbitMq(RabbitMq);

impl World for OnRabbitMq {
    const REDELIVERS: bool = true;
    const IS_MISSED_AT_ONCE: bool = false;

    async fn any() -> Self {
        Self(RabbitMq::shared().unwrap())
    }

    async fn own() -> Self {
        Self(RabbitMq::start().unwrap())
    }

    fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(Amqp::new(&self.0.uri()).unwrap())
    }

    async fn lose(&mut self) {
        self.0.kill().unwrap();
    }

    async fn restore(&mut self) {
        self.0.restart().unwrap();
    }
}

crate::promises!(OnRabbitMq, #[tokio::test]);
crate::promises_over_sockets!(OnRabbitMq);
