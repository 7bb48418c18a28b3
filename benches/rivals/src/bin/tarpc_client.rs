//! tarpc's client: `--window` tasks that call `add` at `--address`; bincode over TCP.

use anyhow::Result;
use rivals::args::Args;
use rivals::callers::measure;
use rivals::serve::runtime;
use rivals::tarpc_service::SumClient;
use tarpc::context;
use tarpc::tokio_serde::formats::Bincode;
use tarpc::tokio_util::codec::LengthDelimitedCodec;
use tokio::net::TcpStream;

fn main() -> Result<()> {
    let args = Args::from_env()?;
    runtime(&args)?.block_on(async {
        let stream = TcpStream::connect(args.need::<String>("address")?).await?;
        stream.set_nodelay(true)?;
        let framed = LengthDelimitedCodec::builder().new_framed(stream);
        let transport = tarpc::serde_transport::new(framed, Bincode::default());
        let client = SumClient::new(tarpc::client::Config::default(), transport).spawn();
        let call = move || {
            let client = client.clone();
            async move { Ok(client.add(context::current(), 1, 2).await?) }
        };
        measure(&args, call).await
    })
}
