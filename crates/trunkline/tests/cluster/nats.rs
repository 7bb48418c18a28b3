//! What holds on NATS: the one that all tests share, or one of its own.

use crate::world::World;
use std::sync::Arc;
use trunkline::broker::{Broker, Nats};
use trunkline_services::Nats as Service;

struct OnNATS(Service);

impl World for OnNATS {
    const REDELIVERS: bool = false;
    const IS_MISSED_AT_ONCE: bool = false;

    async fn any() -> Self {
        Self(Service::shared().unwrap())
    }

    async fn own() -> Self {
        Self(Service::start().unwrap())
    }

    fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(Nats::new(&self.0.uri()).unwrap())
    }

    async fn lose(&mut self) {
        self.0.kill().unwrap();
    }

    async fn restore(&mut self) {
        self.0.restart().unwrap();
    }
}

crate::promises!(OnNATS, #[tokio::test]);
crate::promises_over_sockets!(OnNATS);
