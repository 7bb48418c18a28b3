//! trunkline's server: HTTP and WebSocket on one port, lines over TCP on another.
//!
//! Its defaults, but for limits that the load would meet: 20,000 connections, a minute until the first call (the
//! generator opens thousands before it calls), and with `--stall SECONDS` another time after which a caller that
//! reads nothing is cut off.

use std::time::Duration;

use anyhow::Result;
use futures_util::stream;
use rivals::count::Count;
use rivals::order::Order;
use rivals::serve::{announce, run};
use rivals::sum::Add;
use trunkline::{Fault, FaultKind, Limits, Router, Server, handler};

fn main() -> Result<()> {
    run(async |args| {
        let mut limits = Limits::default().max_connections(20_000).handshake_timeout(Duration::from_secs(60));
        if args.text("stall").is_some() {
            limits = limits.stall_timeout(Duration::from_secs_f64(args.need("stall")?));
        }
        let router = Router::new()
            .procedure("add", async |add: Add| Ok::<_, Fault>(add.sum()))
            .procedure("add_spawn", async |add: Add| {
                add.sum_elsewhere().await.map_err(|error| Fault::new(FaultKind::Failed, error.to_string()))
            })
            .procedure("order", async |order: Order| order.len())
            .procedure("order_unchecked", handler(async |order: Order| order.len()).unchecked())
            .procedure("count", async |count: Count| stream::iter(count.numbers()));
        let server = Server::new(router).limits(limits).http("127.0.0.1:0").tcp("127.0.0.1:0").bind().await?;
        let [http, tcp] = *server.addresses() else { anyhow::bail!("asked for two listeners") };
        announce(&[("http", http), ("ws", http), ("tcp", tcp)]);
        server.serve().await;
        Ok(())
    })
}
