//! NATS, as a server of each test's own.

mod logins;
mod server;
mod strangers;
mod trouble;

use self::server::Server;
use crate::contract::{Abilities, World, contract};
use std::sync::Arc;
use trunkline_net::broker::{Broker, Nats};

struct OnNats(Server);

impl World for OnNats {
    const CAN: Abilities = Abilities { redelivers: false, holds_back: false, largest: Some(1 << 20) };

    async fn any() -> Self {
        Self::own().await
    }

    async fn own() -> Self {
        Self(Server::start(&[]))
    }

    fn broker(&self) -> Arc<dyn Broker> {
        Arc::new(Nats::new(&self.0.uri()).unwrap())
    }

    async fn lose(&mut self) {
        self.0.kill();
    }

    async fn restore(&mut self) {
        self.0.restart();
    }
}

contract!(super::OnNats);
