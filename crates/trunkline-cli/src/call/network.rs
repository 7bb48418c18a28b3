//! [`client`]: calls by way of a broker, as one of those that share it.

use crate::failure::Failure;
use std::time::Duration;
use tokio::time;
use trunkline::{Client, JsonRpc, Limits, Link, Router, Service, broker, node::Node};

/// A client of a node that has no procedures of its own, once that has reached the broker.
pub(super) async fn client(url: &str, network: &str, timeout: Duration) -> Result<Client, Failure> {
    let broker = broker::from_url(url).map_err(|error| Failure::usage(error.to_string()))?;
    let envelope = trunkline::envelope(&broker);
    let node = Node::new(broker, envelope, network, "trunkline-call").unannounced();
    let limits = Limits::default().call_timeout(timeout);
    let service = Service::new(Router::new().fallback(node.fallback()), JsonRpc::default()).limits(limits);
    node.join(&service);
    time::timeout(timeout, node.joined()).await.map_err(|_| Failure::no_broker(url, timeout))?;
    let (here, there) = Link::pair();
    tokio::spawn(async move {
        trunkline::serve(there, &service).await;
        node.leave().await;
    });
    Ok(Client::over(here).call_timeout(timeout).connect_lazy()?)
}
