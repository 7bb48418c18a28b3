//! The floor: sends every byte back, one write a read.

use anyhow::Result;
use rivals::serve::{accept, announce, listen, run};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn main() -> Result<()> {
    run(async |_| {
        let listener = listen().await?;
        announce(&[("tcp", listener.local_addr()?)]);
        loop {
            tokio::spawn(echo(accept(&listener).await?));
        }
    })
}

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let mut read = vec![0; 128 * 1024];
    loop {
        match stream.read(&mut read).await? {
            0 => return Ok(()),
            length => stream.write_all(&read[..length]).await?,
        }
    }
}
