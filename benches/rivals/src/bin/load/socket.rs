//! Connects to a server, and shakes hands where the wire wants it.

use anyhow::{Context, Result, ensure};
use rivals::requests::Wire;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The nonce of the example in RFC 6455, section 1.3: any 16 bytes will do.
const HANDSHAKE: &[u8] =
    b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A connection to `address`, ready for the first call.
pub(crate) async fn open(address: &str, wire: Wire) -> Result<TcpStream> {
    let mut stream =
        TcpStream::connect(address).await.with_context(|| format!("{address} cannot be reached"))?;
    stream.set_nodelay(true)?;
    if wire == Wire::WebSocket {
        stream.write_all(HANDSHAKE).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            ensure!(stream.read_buf(&mut head).await? > 0, "the server hung up on the handshake");
        }
        let head = String::from_utf8_lossy(&head);
        ensure!(head.starts_with("HTTP/1.1 101"), "the server would not upgrade: {head}");
    }
    Ok(stream)
}
