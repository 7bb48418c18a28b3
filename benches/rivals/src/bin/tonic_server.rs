//! tonic's server: gRPC over HTTP/2, its defaults.

use anyhow::Result;
use futures_util::stream::{self, Iter};
use rivals::count::Count;
use rivals::serve::{announce, listen, run};
use rivals::tonic_service::Item;
use rivals::tonic_service::numbers_server::{Numbers, NumbersServer};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// Serves [`Numbers`].
#[derive(Debug)]
struct Counts;

/// A number as the item that it is.
type ToItem = fn(u64) -> Result<Item, Status>;

#[tonic::async_trait]
impl Numbers for Counts {
    type CountStream = Iter<std::iter::Map<std::ops::Range<u64>, ToItem>>;

    async fn count(&self, count: Request<Count>) -> Result<Response<Self::CountStream>, Status> {
        let item: ToItem = |n| Ok(Item { n });
        Ok(Response::new(stream::iter(count.into_inner().numbers().map(item))))
    }
}

fn main() -> Result<()> {
    run(async |_| {
        let listener = listen().await?;
        announce(&[("h2", listener.local_addr()?)]);
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        Ok(Server::builder().add_service(NumbersServer::new(Counts)).serve_with_incoming(incoming).await?)
    })
}
