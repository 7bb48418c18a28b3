//! tarpc's server: bincode in length-delimited frames over TCP, its defaults.

use anyhow::Result;
use rivals::serve::{accept, announce, listen, run};
use rivals::tarpc_service::Sum;
use tarpc::context::Context;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::tokio_util::codec::LengthDelimitedCodec;
use tokio_stream::StreamExt;

/// Serves [`Sum`].
#[derive(Clone)]
struct Server;

impl Sum for Server {
    async fn add(self, _: Context, a: i64, b: i64) -> i64 {
        a + b
    }
}

fn main() -> Result<()> {
    run(async |_| {
        let listener = listen().await?;
        announce(&[("tcp", listener.local_addr()?)]);
        loop {
            let framed = LengthDelimitedCodec::builder().new_framed(accept(&listener).await?);
            let transport = tarpc::serde_transport::new(framed, Bincode::default());
            tokio::spawn(async move {
                let mut calls = std::pin::pin!(BaseChannel::with_defaults(transport).execute(Server.serve()));
                while let Some(call) = calls.next().await {
                    tokio::spawn(call);
                }
            });
        }
    })
}
