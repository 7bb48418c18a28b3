//! [`client`]: calls by way of a broker, as one of those that share it.

use crate::failure::Failure;
use std::time::Duration;
use trunkline::{Client, Limits, Link, Router, Server, broker};

/// A client of a node that has no procedures of its own.
pub(super) fn client(url: &str, network: &str, timeout: Duration) -> Result<Client, Failure> {
    let broker = broker::from_url(url).map_err(|error| Failure::usage(error.to_string()))?;
    let limits = Limits::default().call_timeout(timeout);
    let node =
        Server::new(Router::new()).name("trunkline-call").network(network).limits(limits).broker(broker);
    let (here, there) = Link::pair();
    tokio::spawn(node.serve_link(there));
    Ok(Client::over(here).call_timeout(timeout).connect_lazy()?)
}
