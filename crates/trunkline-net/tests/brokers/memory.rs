//! The broker in memory.

use crate::contract::{Abilities, World, contract};
use std::sync::Arc;
use trunkline_net::broker::{Broker, Memory};

struct InMemory(Memory);

impl World for InMemory {
    const CAN: Abilities = Abilities { redelivers: true, holds_back: true, largest: None };

    async fn any() -> Self {
        Self(Memory::new())
    }

    async fn own() -> Self {
        Self(Memory::new())
    }

    fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(self.0.clone())
    }

    async fn lose(&mut self) {
        self.0.lose();
    }

    async fn restore(&mut self) {
        self.0.restore();
    }
}

contract!(super::InMemory);
